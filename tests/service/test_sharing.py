"""Shares and links against the real Hub: who is let in by what, and who is shown out when it ends."""

from __future__ import annotations

import asyncio
import sqlite3
from datetime import timedelta
from typing import Any

import httpx
import pytest

from jupyterhub_studios.models import now
from jupyterhub_studios.service.core import Service
from jupyterhub_studios.service.database import ShareLinkRow, ShareRow
from jupyterhub_studios.service.keys import hashed
from jupyterhub_studios.service.sharing import links, rows

from .conftest import Play
from .player import Agent
from .test_pages import enter


async def test_a_link_lets_in_until_it_is_ended(play: Play) -> None:
    studio = await play.create()
    link = await make_link(play, studio)
    assert await links_of(play, studio) == [link]  # shown again to its maker
    async with await play.start(studio) as agent, play.hub.browser("lara") as browser:
        await up(play, studio, agent)
        assert (await enter(browser, studio)).status_code == 404
        assert is_in(await follow(browser, link), studio)
        assert hub_shares(play, studio) == {("lara", f"access:servers!server=alice/{studio['server_name']}")}
        assert [(one["id"], one["link_id"]) for one in await shares_of(play, studio)] == [
            ("user:lara", link["id"])
        ]
        assert (await links_of(play, studio))[0]["people"] == ["lara"]

        await end(play, studio, f"share-links/{link['id']}")
        assert revoked(await agent.command()) == "lara"
        assert hub_shares(play, studio) == set()
        assert (await enter(browser, studio)).status_code == 404
        refused = await follow(browser, link)
        assert refused.status_code == 410
        assert "This link was ended" in refused.text and "Ask alice for a new one" in refused.text
        assert await links_of(play, studio) == await shares_of(play, studio) == []
        await leave(play, studio, agent)


async def test_owners_and_administrators_need_nothing_given(play: Play) -> None:
    studio = await play.create()
    link = await make_link(play, studio)
    async with play.hub.browser("alice") as browser:
        stopped = await follow(browser, link)
        assert stopped.headers["location"] == f"/services/studios/studios/{studio['id']}"
    async with await play.start(studio) as agent:
        await up(play, studio, agent)
        for name in ("alice", "admin"):
            async with play.hub.browser(name) as browser:
                assert is_in(await follow(browser, link), studio)
        assert await shares_of(play, studio) == []
        await leave(play, studio, agent)


async def test_a_person_taken_out_does_not_come_back_by_an_old_link(play: Play) -> None:
    studio = await play.create()
    link = await make_link(play, studio)
    async with (
        await play.start(studio) as agent,
        play.hub.browser("lara") as lara,
        play.hub.browser("mona") as mona,
    ):
        await up(play, studio, agent)
        assert is_in(await follow(lara, link), studio) and is_in(await follow(mona, link), studio)
        await end(play, studio, "shares/user:lara")
        assert revoked(await agent.command()) == "lara"
        refused = await follow(lara, link)
        assert refused.status_code == 403 and "Ask alice to let you in again" in refused.text
        assert is_in(await follow(mona, link), studio)
        assert is_in(await follow(lara, await make_link(play, studio)), studio)
        await end(play, studio, "shares/user:lara")
        await give(play, studio, user="lara")
        assert is_in(await follow(lara, link), studio)
        await leave(play, studio, agent)


async def test_whoever_has_two_ways_in_keeps_the_other(play: Play) -> None:
    studio = await play.create()
    link = await make_link(play, studio)
    play.hub.token("lara")
    async with await play.start(studio) as agent, play.hub.browser("lara") as browser:
        await up(play, studio, agent)
        await follow(browser, link)
        await give(play, studio, user="lara")
        await end(play, studio, f"share-links/{link['id']}")
        assert is_in(await enter(browser, studio), studio)
        assert [(one["id"], one["link_id"]) for one in await shares_of(play, studio)] == [("user:lara", None)]
        assert agent.commands.empty()
        await leave(play, studio, agent)


async def test_a_group_is_let_in_and_shown_out(play: Play) -> None:
    studio = await play.create()
    group = "team-of-alice"
    play.hub.hub_api("POST", f"groups/{group}")
    for name in ("gina", "nina"):
        play.hub.token(name)
        play.hub.hub_api("POST", f"groups/{group}/users", json={"users": [name]})
    async with await play.start(studio) as agent, play.hub.browser("nina") as browser:
        await up(play, studio, agent)
        answer = await play.api("POST", f"studios/{studio['id']}/shares", user="admin", json={"group": group})
        assert answer.status_code == 201, answer.text
        assert is_in(await enter(browser, studio), studio)
        await end(play, studio, f"shares/group:{group}")
        assert revoked(await agent.command()) == "nina"
        assert (await enter(browser, studio)).status_code == 404
        await leave(play, studio, agent)
    mine = await play.create(user="gina")
    answer = await play.api("POST", f"studios/{mine['id']}/shares", user="gina", json={"group": group})
    assert answer.status_code == 201, answer.text


async def test_what_cannot_be_shared(play: Play) -> None:
    studio = await play.create()

    async def said(status: int, **body: Any) -> str:
        answer = await play.api("POST", f"studios/{studio['id']}/shares", json=body)
        assert answer.status_code == status, answer.text
        problem = answer.json()
        return f"{problem['title']} {problem.get('detail', '')} {problem.get('action', '')}"

    assert "who have signed in before" in await said(404, user="nobody-at-all")
    assert "own" in await said(409, user="alice")
    assert "You are in no group “strangers”" in await said(403, group="strangers")
    await said(422)
    await said(422, user="bob", group="x")
    answer = await play.api("POST", f"studios/{studio['id']}/share-links", json={"expires_in_hours": 0})
    assert answer.status_code == 422
    for what in ("shares/user:bob", "shares/nonsense", "share-links/sl-none"):
        assert (await play.api("DELETE", f"studios/{studio['id']}/{what}")).status_code == 404
    other = await play.create()
    link = await make_link(play, other)
    answer = await play.api("DELETE", f"studios/{studio['id']}/share-links/{link['id']}")
    assert answer.status_code == 404 and await links_of(play, other) == [link]


async def test_a_start_is_offered_where_the_sharer_allowed_it(play: Play) -> None:
    studio = await play.create()
    plain, starting = await make_link(play, studio), await make_link(play, studio, may_start=True)
    start = f"studios/{studio['id']}/start"
    async with play.hub.browser("olga") as browser:
        stopped = await follow(browser, plain)
        assert stopped.headers["location"] == f"/services/studios/studios/{studio['id']}"
        assert (await play.show(studio["id"], "olga"))["may"] == []
        assert (await play.api("POST", start, user="olga")).status_code == 403
        await follow(browser, starting)
        assert (await play.show(studio["id"], "olga"))["may"] == ["start"]
        shared = (await play.api("GET", "studios?shared=true", user="olga")).json()["items"]
        assert [(one["id"], one["may"]) for one in shared] == [(studio["id"], ["start"])]
    assert (await play.api("GET", "studios", user="olga")).json()["items"] == []
    agent = await play.start(studio, user="olga")
    async with agent:
        await up(play, studio, agent)
        assert (await play.show(studio["id"], "olga"))["may"] == ["open"]
        for refused in ("stop", "checkpoints", "shares", "share-links"):
            body = {"name": "x", "user": "bob"}
            answer = await play.api("POST", f"studios/{studio['id']}/{refused}", user="olga", json=body)
            assert answer.status_code in (403, 422), refused
        await leave(play, studio, agent)


async def test_a_share_made_at_the_hub_is_seen_and_can_be_ended(play: Play) -> None:
    studio = await play.create()
    await make_link(play, studio)  # the Hub knows the server from now on
    play.hub.token("pia")
    play.hub.hub_api("POST", f"shares/alice/{studio['server_name']}", json={"user": "pia"})
    assert [one["id"] for one in await shares_of(play, studio)] == ["user:pia"]
    await end(play, studio, "shares/user:pia")
    assert hub_shares(play, studio) == set()


async def test_links_are_kept_hashed_and_out_of_the_log(play: Play) -> None:
    studio = await play.create()
    link = await make_link(play, studio)
    code = link["url"].rpartition("/")[2]
    assert len(code) == 43  # 256 bits
    async with play.hub.browser("lara") as browser:
        await follow(browser, link)
        for wrong in (code[:-1], code.lower(), hashed(code), "x"):
            refused = await browser.get(f"services/studios/j/{wrong}")
            assert refused.status_code == 404 and "This link leads nowhere" in refused.text
    files = [play.hub.folder / "studios.sqlite", play.hub.folder / "studios.sqlite-wal"]
    assert all(code.encode() not in file.read_bytes() for file in files if file.exists())
    ours = [line for line in play.hub.log.read_text().splitlines() if "studios.access" in line]
    assert any("/j/…" in line for line in ours) and not [line for line in ours if code in line]


async def test_a_stop_with_notice_tells_first(play: Play) -> None:
    studio = await play.create()
    link = await make_link(play, studio)
    async with await play.start(studio) as agent, play.hub.browser("lara") as browser:
        await up(play, studio, agent)
        body = {"notice_seconds": 2}
        assert (await play.api("POST", f"studios/{studio['id']}/stop", json=body)).status_code == 202
        command = await agent.command()
        assert (command["kind"], command["notice"], command["reason"]) == ("stop", 2, "Stopped by alice.")
        # Those inside stay for as long: the Hub closes nothing yet. Nobody new comes in.
        server = play.hub.hub_api("GET", f"users/alice/servers/{studio['server_name']}").json()
        assert server["ready"] and server["pending"] is None
        assert not is_in(await follow(browser, link), studio)
        await agent.finish()
        await play.until(studio["id"], "stopped")
    answer = await play.api("POST", f"studios/{studio['id']}/stop", json={"notice_seconds": 1000})
    assert answer.status_code == 422


async def test_a_stranger_signs_in_on_the_way(play: Play) -> None:
    studio = await play.create()
    link = await make_link(play, studio)
    async with httpx.AsyncClient(base_url=play.hub.url, follow_redirects=True) as browser:
        page = await browser.get(link["url"])
        assert page.url.path == "/hub/login"
    assert await shares_of(play, studio) == []


@pytest.fixture
def past(play: Play) -> Any:
    """Puts the end of a link into the past."""

    def change(link: dict[str, Any]) -> None:
        with sqlite3.connect(play.hub.folder / "studios.sqlite", timeout=30) as connection:
            connection.execute(
                "UPDATE share_links SET expires_at = '2026-01-02 03:04:00.000000' WHERE id = ?", [link["id"]]
            )

    return change


async def test_time_ends_a_link_and_shows_out_who_came_by_it(play: Play, past: Any) -> None:
    studio = await play.create()
    link = await make_link(play, studio, expires_in_hours=1)
    async with await play.start(studio) as agent, play.hub.browser("lara") as browser:
        await up(play, studio, agent)
        assert is_in(await follow(browser, link), studio)
        past(link)
        refused = await follow(browser, link)
        assert refused.status_code == 410 and "This link has expired" in refused.text
        assert "2 January 2026" in refused.text and "Ask alice for a new one" in refused.text
        assert revoked(await agent.command()) == "lara"  # by the watch
        assert hub_shares(play, studio) == set()
        await leave(play, studio, agent)


async def test_an_end_that_the_hub_did_not_hear_of_is_told_later(play: Play, service: Service) -> None:
    studio = await play.create()
    await make_link(play, studio)
    await service.database.run(insert_studio, studio)
    play.hub.token("quin")
    key = (studio["id"], "user", "quin")
    await service.database.run(rows.add, key, "alice", now(), False)
    await links.tidy(service, now())  # as after a crash between the two
    assert {name for name, _ in hub_shares(play, studio)} == {"quin"}

    working, service.hub._api = service.hub._api, "http://127.0.0.1:9"
    await service.database.run(rows.take_out, key, now())
    with pytest.raises(Exception, match="the Hub does not know yet"):
        await links.tidy(service, now())
    service.hub._api = working
    assert {name for name, _ in hub_shares(play, studio)} == {"quin"}
    await links.tidy(service, now() + timedelta(seconds=15))
    assert hub_shares(play, studio) == set()
    assert await service.database.run(rows.unsettled) == []


def insert_studio(db: Any, studio: dict[str, Any]) -> None:
    from jupyterhub_studios.service.database import StudioRow

    db.add(
        StudioRow(
            id=studio["id"], owner="alice", server_name=studio["server_name"], name="x", template="box",
            compute_environment="here", cpus=1, memory_mib=512, gpus=0, lifespan_hours=8, environment={},
            created_at=now(),
        )
    )  # fmt: skip


async def test_a_deleted_studio_takes_its_shares_and_links_along(play: Play) -> None:
    studio = await play.create()
    link = await make_link(play, studio)
    play.hub.token("rosa")
    await give(play, studio, user="rosa")
    assert (await play.api("DELETE", f"studios/{studio['id']}")).status_code == 204
    async with play.hub.browser("rosa") as browser:
        assert (await follow(browser, link)).status_code == 404
    with sqlite3.connect(play.hub.folder / "studios.sqlite", timeout=30) as connection:
        for table in (ShareRow.__tablename__, ShareLinkRow.__tablename__):
            found = connection.execute(f"SELECT count(*) FROM {table} WHERE studio_id = ?", [studio["id"]])
            assert found.fetchone() == (0,)


# --- in words -----------------------------------------------------------------------------------------


async def make_link(play: Play, studio: dict[str, Any], **body: Any) -> dict[str, Any]:
    answer = await play.api("POST", f"studios/{studio['id']}/share-links", json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def links_of(play: Play, studio: dict[str, Any]) -> list[dict[str, Any]]:
    return list((await play.api("GET", f"studios/{studio['id']}/share-links")).json()["items"])


async def shares_of(play: Play, studio: dict[str, Any]) -> list[dict[str, Any]]:
    answer = await play.api("GET", f"studios/{studio['id']}/shares")
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def give(play: Play, studio: dict[str, Any], **body: Any) -> None:
    answer = await play.api("POST", f"studios/{studio['id']}/shares", json=body)
    assert answer.status_code == 201, answer.text


async def end(play: Play, studio: dict[str, Any], what: str) -> None:
    answer = await play.api("DELETE", f"studios/{studio['id']}/{what}")
    assert answer.status_code == 204, answer.text


def hub_shares(play: Play, studio: dict[str, Any]) -> set[tuple[str, str]]:
    found = play.hub.hub_api("GET", f"shares/alice/{studio['server_name']}").json()["items"]
    return {((one["user"] or one["group"])["name"], scope) for one in found for scope in one["scopes"]}


async def follow(browser: httpx.AsyncClient, link: dict[str, Any]) -> httpx.Response:
    """As far as the gate of the studio, a page of the studio, or a refusal."""
    answer = await browser.get(link["url"], follow_redirects=False)
    while answer.is_redirect and not any(
        place in answer.headers["location"] for place in ("/_studio/enter", "/studios/studios/")
    ):
        answer = await browser.get(answer.headers["location"], follow_redirects=False)
    return answer


def is_in(answer: httpx.Response, studio: dict[str, Any]) -> bool:
    place = f"/user/alice/{studio['server_name']}/_studio/enter?ticket="
    return answer.status_code == 302 and str(answer.headers["location"]).startswith(place)


def revoked(command: dict[str, Any]) -> str:
    assert command["kind"] == "revoke"
    return str(command["user"])


async def up(play: Play, studio: dict[str, Any], agent: Agent) -> None:
    await agent.come_up()
    await play.until(studio["id"], "running")


async def leave(play: Play, studio: dict[str, Any], agent: Agent) -> None:
    play.end_job(agent.spec.session_id)
    await play.until(studio["id"], "errored")
    await asyncio.sleep(0)
