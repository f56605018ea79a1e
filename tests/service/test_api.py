"""The REST API: what it answers, and what it says when it cannot."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from jupyterhub_studios.models import Problem

from .conftest import Play
from .player import eventually

BOX = {"name": "Bad input", "template": "box", "compute_environment": "here"}


async def problem(play: Play, status: int, method: str, path: str, **options: Any) -> Problem:
    answer = await play.api(method, path, **options)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return Problem.model_validate_json(answer.text)


@pytest.mark.parametrize(
    ("change", "status", "field", "words"),
    [
        ({"template": "nonsense"}, 400, "template", "known templates: "),
        ({"compute_environment": "nowhere"}, 403, "compute_environment", "not offered to you"),
        ({"compute_environment": "club"}, 403, "compute_environment", "not offered to you"),
        ({"compute_environment": "here", "template": "vscode"}, 400, "template", ""),
        ({"name": "n" * 81}, 422, "name", "80 characters at most"),
        ({"name": "  "}, 422, "name", "must not be empty"),
        ({"name": "bell\x07"}, 422, "name", "control characters"),
        ({"name": "zero\u200bwidth"}, 400, "name", "cannot be shown"),
        ({"cpus": 9}, 400, "cpus", "at most 8"),
        ({"cpus": -1}, 422, "cpus", "greater than 0"),
        ({"compute_environment": "images", "memory_mib": 65537}, 400, "memory_mib", "at most 65536"),
        ({"image": "example/other:1"}, 400, "image", "runs no images"),
        ({"from_checkpoint": "cp-none"}, 404, "from_checkpoint", "no such checkpoint"),
        ({"colour": "red"}, 422, "colour", "not known"),
        ({"environment": {"A": 1}}, 422, "environment.A", "valid string"),
    ],
)
async def test_a_studio_that_cannot_be_made(
    play: Play, change: dict[str, Any], status: int, field: str, words: str
) -> None:
    told = await problem(play, status, "POST", "studios", json={**BOX, **change})
    assert told.field == field
    assert words in f"{told.title} {told.detail}", told
    assert told.action


async def test_a_name_is_taken_once_per_person(play: Play) -> None:
    studio = await play.create(name="Same name")
    told = await problem(play, 409, "POST", "studios", json={**BOX, "name": "Same  name "})
    assert told.field == "name" and "taken" in told.title
    await play.create(user="bob", name="Same name")
    other = await play.create(name="Other name")
    told = await problem(play, 409, "PATCH", f"studios/{other['id']}", json={"name": "Same name"})
    assert told.field == "name"
    # Names that differ only in what a URL cannot hold get servers of their own.
    twin = await play.create(name="Same náme")
    assert twin["server_name"] != studio["server_name"]


@pytest.mark.parametrize("body", ["", "[]", "{", "null", '{"name": "x"}', "\udcff"])
async def test_bodies_that_are_none(play: Play, body: str) -> None:
    told = await problem(play, 422, "POST", "studios", content=body.encode("utf-8", "surrogateescape"))
    assert "pydantic" not in told.detail and "\n" not in told.detail


async def test_unknown_addresses_and_methods(play: Play) -> None:
    assert (await problem(play, 404, "GET", "nonsense")).action
    assert (await problem(play, 404, "GET", "studios/st-none/nonsense")).title
    answer = await play.api("DELETE", "templates")
    assert answer.status_code == 405 and answer.headers["allow"] == "GET"
    assert Problem.model_validate_json(answer.text).detail == "possible: GET"
    for path in ("studios/st-none", "sessions/se-none", "checkpoints/cp-none"):
        assert "no such" in (await problem(play, 404, "GET", path)).title


async def test_queries_are_checked(play: Play) -> None:
    assert (await problem(play, 422, "GET", "studios?state=sleeping")).field == "state"
    assert (await problem(play, 422, "GET", "studios?limit=0")).field == "limit"
    assert (await problem(play, 422, "GET", "studios?nonsense=1")).field == "nonsense"
    assert (await problem(play, 400, "GET", "studios?after=bm9uc2Vuc2U")).field == "after"
    assert (await problem(play, 403, "GET", "studios?owner=bob")).field == "owner"


async def test_lists_are_paged_filtered_and_searched(play: Play) -> None:
    made = [
        await play.create(user="lister", name=f"List {n}", description=f"about {n % 2}") for n in range(5)
    ]
    seen, after = [], ""
    for _ in range(10):
        page = (await play.api("GET", f"studios?limit=2{after}", user="lister")).json()
        seen += [one["name"] for one in page["items"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert seen == [one["name"] for one in reversed(made)]
    assert len((await play.api("GET", "studios?q=ABOUT 1", user="lister")).json()["items"]) == 2
    assert len((await play.api("GET", "studios?q=%25", user="lister")).json()["items"]) == 0
    assert len((await play.api("GET", "studios?state=stopped", user="lister")).json()["items"]) == 5
    assert len((await play.api("GET", "studios?state=running", user="lister")).json()["items"]) == 0
    everybody = (await play.api("GET", "studios?owner=*&limit=1000", user="admin")).json()["items"]
    assert {one["id"] for one in made} <= {one["id"] for one in everybody}
    assert len((await play.api("GET", "studios?owner=lister", user="admin")).json()["items"]) == 5


async def test_what_is_offered(play: Play) -> None:
    me = (await play.api("GET", "me")).json()
    assert me == {"name": "alice", "display_name": "alice", "admin": False, "groups": []}
    assert (await play.api("GET", "me", user="admin")).json()["admin"]
    environments = (await play.api("GET", "compute-environments")).json()["items"]
    assert [one["id"] for one in environments] == ["here", "images", "apart", "cloud"]
    assert not {"store_options", "scratch", "hide", "allowed_users"} & environments[0].keys()
    templates = (await play.api("GET", "templates")).json()["items"]
    assert {"jupyter", "box"} <= {one["id"] for one in templates}
    play.hub.hub_api("POST", "groups/members", ok=(201, 409))
    play.hub.token("member")
    play.hub.hub_api("POST", "groups/members/users", json={"users": ["member"]})
    offered = (await play.api("GET", "compute-environments", user="member")).json()["items"]
    assert "club" in [one["id"] for one in offered]
    assert (await play.create(user="member", compute_environment="club"))["compute_environment"] == "club"


async def test_changing_a_studio(play: Play) -> None:
    studio = await play.create()
    changed = await play.api(
        "PATCH",
        f"studios/{studio['id']}",
        json={"name": "Renamed", "cpus": 4, "environment": {"A": "b"}, "description": "d"},
    )
    assert changed.status_code == 200, changed.text
    assert [changed.json()[key] for key in ("name", "cpus", "environment", "description")] == [
        "Renamed", 4, {"A": "b"}, "d",
    ]  # fmt: skip
    assert changed.json()["server_name"] == studio["server_name"]
    assert (await problem(play, 400, "PATCH", f"studios/{studio['id']}", json={"cpus": 100})).field == "cpus"
    async with await play.start(studio) as agent:
        assert agent.job.cpus == 4
        told = await problem(play, 409, "PATCH", f"studios/{studio['id']}", json={"cpus": 2})
        assert told.field == "cpus"
        renamed = await play.api("PATCH", f"studios/{studio['id']}", json={"name": "Renamed again"})
        assert renamed.status_code == 200
        assert (await problem(play, 409, "DELETE", f"studios/{studio['id']}")).title
        await agent.bootstrap()
        assert agent.spec.environment == {"A": "b"}
        play.end_job(agent.spec.session_id)
        await play.until(studio["id"], "errored")


async def test_create_and_start_in_one(play: Play) -> None:
    answer = await play.api("POST", "studios?start=true", json={**BOX, "name": "At once"})
    assert answer.status_code == 201 and answer.json()["state"] == "starting"
    play.end_job(answer.json()["session"]["id"])
    await play.until(answer.json()["id"], "errored")


async def test_a_server_started_at_the_hub_is_a_studio_too(play: Play) -> None:
    play.hub.token("direct")
    options = {"template": "box", "compute_environment": "here", "description": "by the Hub's API"}
    starting = asyncio.create_task(
        asyncio.to_thread(
            play.hub.hub_api,
            "POST",
            "users/direct/servers/mine",
            json={"display_name": "My own", "user_options": options},
        )
    )
    await eventually(lambda: play.hub.api("GET", "studios", user="direct").json()["items"])
    found = (await play.api("GET", "studios", user="direct")).json()["items"]
    assert found[0]["name"] == "My own" and found[0]["server_name"] == "mine"
    play.end_job(found[0]["session"]["id"])
    starting.cancel()
    await play.until(found[0]["id"], "errored", user="direct")
    for body, words in (
        ({"display_name": "Bad", "user_options": {"template": "nonsense"}}, "no template"),
        ({"display_name": "Bad", "user_options": {"template": "box", "cpus": "many"}}, "cpus"),
        ({"display_name": "My own", "user_options": options}, "taken"),
    ):
        answer = await asyncio.to_thread(
            play.hub.hub_api, "POST", "users/direct/servers/other", json=body, ok=(400, 403, 409, 422)
        )
        assert not answer.is_success and words in answer.json()["message"]
    assert len((await play.api("GET", "studios", user="direct")).json()["items"]) == 1


async def test_deleting_removes_the_hubs_server_too(play: Play) -> None:
    studio = await play.create()
    async with await play.start(studio) as agent:
        await agent.bootstrap()
        play.end_job(agent.spec.session_id)
        await play.until(studio["id"], "errored")
    server = f"users/alice/servers/{studio['server_name']}"
    assert play.hub.hub_api("GET", server).status_code == 200
    answer = await play.api("DELETE", f"studios/{studio['id']}")
    assert answer.status_code == 204 and answer.content == b""
    await problem(play, 404, "GET", f"studios/{studio['id']}")
    await problem(play, 404, "GET", f"sessions/{agent.spec.session_id}/events")
    assert play.hub.hub_api("GET", server, ok=(404,)).status_code == 404
    assert not list((play.hub.folder / "state" / "logs").glob(f"{agent.spec.session_id}*"))
