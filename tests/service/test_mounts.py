"""Mounts of studios at the API and at the agents' doors: who may mount what, and what an agent gets."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest

from jupyterhub_studios.models import MountStatus

from .conftest import Play
from .datahub import DataHub


@pytest.fixture
def play(data: DataHub) -> Play:
    return Play(data.hub)


def drop(**fields: Any) -> dict[str, Any]:
    return {"link": "ol-drop", **fields}


GENOMES = {"link": "ol-genomes", "name": "hg"}


async def test_mounts_are_named_checked_and_kept(data: DataHub, play: Play) -> None:
    studio = await play.create("wendy", mounts=[drop(path="in"), GENOMES])
    assert [(one["name"], one["path"]) for one in studio["mounts"]] == [("in", "in/"), ("hg", "")]
    view = await data.ok("GET", f"studios/{studio['id']}/mounts", user="wendy")
    written, read = view["items"]
    assert (
        written["writable"] and "lists s3://" in written["why"] and written["folder"] == "/workspace/data/in"
    )
    assert written["url"] == f"s3://{data.bucket}/drop/in/" and written["status"] is None
    assert not read["writable"] and "does not list" in read["why"]
    assert data.store.secret_key not in str(view)


@pytest.mark.parametrize(
    ("user", "mounts", "words"),
    [
        ("alice", [{"link": "dl-nothing"}], "gone, or not offered"),
        ("dora", [{"link": "ol-drop"}], "gone, or not offered"),
        ("alice", [{"link": "ol-files"}], "not download"),
        ("alice", [GENOMES, {"link": "ol-genomes", "name": "HG"}], "Two mounts are called"),
        ("alice", [{"link": "ol-genomes", "name": "none"}], "a word of commands"),
    ],
)
async def test_what_cannot_be_chosen(
    data: DataHub, user: str, mounts: list[dict[str, Any]], words: str
) -> None:
    body = {"name": "x", "template": "box", "compute_environment": "here", "mounts": mounts}
    answer = await data.api("POST", "studios", user=user, json=body)
    assert answer.status_code in (400, 422) and words in answer.text and "mounts" in answer.json()["field"]


async def test_an_agent_gets_its_mounts_and_tells_how_they_are(data: DataHub, play: Play) -> None:
    studio = await play.create("wendy", mounts=[drop(), GENOMES])
    async with await play.start(studio, "wendy") as agent:
        await agent.bootstrap()
        written, read = agent.spec.mounts
        assert written.writable and not read.writable
        assert (written.mounter, read.mounter) == ("rclone", "mount-s3")
        assert written.remote == f"{data.bucket}/drop/" and written.options["endpoint"] == data.store.endpoint
        assert written.keys is not None and written.keys.secret_access_key == data.store.secret_key
        await agent.connect()
        await agent.send("address", address=agent.address)
        await play.until(studio["id"], "running", "wendy")
        status = MountStatus(name="drop", state="mounted", waiting_files=2, waiting_bytes=10)
        await agent.send("mounts", mounts=[status.model_dump(mode="json")])
        view = await data.ok("GET", f"studios/{studio['id']}/mounts", user="wendy")
        assert view["items"][0]["status"]["waiting_files"] == 2
        # While it runs they stay.
        answer = await data.api("PUT", f"studios/{studio['id']}/mounts", user="wendy", json={"mounts": []})
        assert answer.status_code == 409 and "Stop it first" in answer.text
        await data.ok("POST", f"studios/{studio['id']}/mounts/drop/refresh", user="wendy")
        command = await asyncio.wait_for(agent.commands.get(), 30)
        assert (command["kind"], command["mount"]) == ("refresh", "drop")
        # Credentials anew, for who has the session's token.
        assert [one["name"] for one in await renewed(data, agent.spec.control_token, ["hg", "other"])] == [
            "hg"
        ]
        play.end_job(agent.spec.session_id)
        await play.until(studio["id"], "errored", "wendy")
        assert await renewed(data, agent.spec.control_token, ["hg"]) == 401
    view = await data.ok("GET", f"studios/{studio['id']}/mounts", user="wendy")
    assert view["items"][0]["status"] is None
    changed = await data.ok("PUT", f"studios/{studio['id']}/mounts", user="wendy", json={"mounts": [GENOMES]})
    assert [one["name"] for one in changed["items"]] == ["hg"]
    answer = await data.api("POST", f"studios/{studio['id']}/mounts/hg/refresh", user="wendy")
    assert answer.status_code == 409 and "does not run" in answer.text


async def renewed(data: DataHub, token: str, names: list[str]) -> Any:
    async with (
        aiohttp.ClientSession() as client,
        client.post(
            f"{data.hub.url}services/studios/agent/mounts",
            json={"names": names},
            headers={"Authorization": f"Bearer {token}"},
        ) as answer,
    ):
        return (await answer.json())["mounts"] if answer.status == 200 else answer.status


async def test_a_link_that_is_taken_back_is_not_mounted(data: DataHub, play: Play) -> None:
    """The studio starts all the same, and says what is missing."""
    spec = {"name": "mine", "url": f"s3://{data.bucket}/drop/", "credential": None}
    link = await data.ok("POST", "data-links", user="dora", json=spec)
    studio = await play.create("dora", mounts=[{"link": link["id"]}])
    await data.ok("DELETE", f"data-links/{link['id']}", user="dora")
    (seen,) = (await data.ok("GET", f"studios/{studio['id']}/mounts", user="dora"))["items"]
    assert not seen["available"] and "gone" in seen["why"] and seen["link_name"] is None
    async with await play.start(studio, "dora") as agent:
        await agent.bootstrap()
        (access,) = agent.spec.mounts
        assert "gone" in access.refusal and access.options == {} and access.keys is None
        play.end_job(agent.spec.session_id)
        await play.until(studio["id"], "errored", "dora")


async def test_people_see_before_what_mounts_would_be(data: DataHub) -> None:
    body = {"compute_environment": "here", "mounts": [drop(), GENOMES, {"link": "ol-files"}]}
    view = await data.ok("POST", "mount-checks", user="wendy", json=body)
    assert [(one["writable"], one["available"]) for one in view["items"]] == [
        (True, True),
        (False, True),
        (False, False),
    ]
    elsewhere = await data.ok(
        "POST", "mount-checks", user="wendy", json=body | {"compute_environment": "images"}
    )
    assert not elsewhere["items"][0]["writable"] and "“Images” does not list" in elsewhere["items"][0]["why"]
    answer = await data.api("POST", "mount-checks", user="wendy", json=body | {"compute_environment": "club"})
    assert answer.status_code == 404


async def test_an_administrator_sees_no_private_link_of_others(data: DataHub, play: Play) -> None:
    spec = {"name": "Very private", "url": f"s3://{data.bucket}/private/", "credential": None}
    link = await data.ok("POST", "data-links", user="dora", json=spec)
    studio = await play.create("dora", mounts=[{"link": link["id"], "name": "x"}])
    (mine,) = (await data.ok("GET", f"studios/{studio['id']}/mounts", user="dora"))["items"]
    assert mine["link_name"] == "Very private"
    (seen,) = (await data.ok("GET", f"studios/{studio['id']}/mounts", user="admin"))["items"]
    assert seen["link_name"] is None and seen["url"] is None and "private" not in str(seen)
