"""A studio's life, told by a real Hub, a real service and a played agent."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import aiohttp
import pytest

from jupyterhub_studios.models import CheckpointStatus, Event, Launch

from .conftest import Play
from .player import Agent, eventually


async def events(play: Play, session_id: str) -> list[Event]:
    answer = await play.api("GET", f"sessions/{session_id}/events")
    return [Event.model_validate(one) for one in answer.json()["items"]]


async def test_start_use_stop(play: Play) -> None:
    studio = await play.create()
    assert studio["state"] == "stopped" and studio["session"] is None
    async with await play.start(studio) as agent:
        assert (await play.show(studio["id"]))["state"] == "starting"
        await agent.come_up()
        running = await play.until(studio["id"], "running")
        assert running["session"]["connected"]
        assert running["url"] == f"/user/alice/{studio['server_name']}/"
        assert {"open", "stop", "save"} <= set(running["may"])
        stop = asyncio.create_task(play.api("POST", f"studios/{studio['id']}/stop", json={}))
        assert (await agent.command())["kind"] == "stop"
        assert (await stop).status_code == 202
        await agent.finish()
        stopped = await play.until(studio["id"], "stopped")
    assert stopped["saved"]["status"] == "finalised" and stopped["saved"]["current"]
    assert "start" in stopped["may"]
    told = [event.kind for event in await events(play, stopped["session"]["id"])]
    assert {"phase", "saved", "stop"} <= set(told)


async def test_a_code_works_once(play: Play) -> None:
    studio = await play.create()
    async with await play.start(studio) as agent:
        await agent.bootstrap()
        assert agent.spec.owner == "alice" and agent.spec.epoch == 1 and agent.spec.checkpoint is None
        code = {"code": agent.job.environment["STUDIOS_BOOTSTRAP_CODE"]}
        url = agent.job.environment["STUDIOS_BOOTSTRAP_URL"]
        for body, status in ((code, 410), ({"code": "guessed"}, 403), ({}, 422)):
            async with agent._http.post(url, json=body) as answer:
                assert answer.status == status, await answer.text()
                assert answer.content_type == "application/problem+json"
        play.end_job(agent.spec.session_id)
        await play.until(studio["id"], "errored")


async def test_redelivered_messages_count_once(play: Play) -> None:
    studio = await play.create()
    async with await play.start(studio) as agent:
        await agent.come_up()
        first = await agent.send("log", log="a line\n")
        for _ in range(3):
            await agent.push(first)
        again = await agent.send("log", log="another\n")
        await agent.disconnect()
        await agent.connect()
        assert agent.acked == again.seq
        await agent.push(first)
        await agent.push(again)
        await agent.send("event", event=Event(at=agent.checkpoint().saved_at, kind="app", message="once"))
        logs = (await play.api("GET", f"sessions/{agent.spec.session_id}/logs")).json()
        assert logs["text"] == "a line\nanother\n" and not logs["ended"]
        told = [event.message for event in await events(play, agent.spec.session_id)]
        assert told.count("once") == 1
        # A gap is refused: the agent goes on from what is stored.
        agent.seq += 1
        await agent.push(agent.message("log", log="too early"))
        await eventually(lambda: agent.ws.closed)
        await agent.connect()
        assert agent.acked == again.seq + 1
        play.end_job(agent.spec.session_id)
        await play.until(studio["id"], "errored")


async def test_simultaneous_starts_make_one_session(play: Play) -> None:
    studio = await play.create()
    path = f"studios/{studio['id']}/start"
    answers = await asyncio.gather(*(play.api("POST", path) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [202, 409, 409, 409]
    sessions = (await play.api("GET", f"studios/{studio['id']}/sessions")).json()["items"]
    assert len(sessions) == 1
    play.end_job(sessions[0]["id"])
    await play.until(studio["id"], "errored")


async def test_simultaneous_launches_make_one_session(play: Play) -> None:
    studio = await play.create(user="ann")
    request = {
        "owner": "ann",
        "server_name": studio["server_name"],
        "prefix": f"/user/ann/{studio['server_name']}/",
    }
    answers = await asyncio.gather(
        *(asyncio.to_thread(play.hub.internal, "POST", "launches", json=request) for _ in range(4))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    launch = Launch.model_validate(next(answer.json() for answer in answers if answer.status_code == 200))
    assert launch.job.image == "example/box:1" and launch.studio_id == studio["id"]
    play.hub.internal(
        "POST", f"sessions/{launch.session_id}/ended", json={"state": "failed", "reason": "no job"}
    )
    errored = await play.show(studio["id"], user="ann")
    assert errored["state"] == "errored"
    assert errored["message"] == "The session did not start: no job. Nothing had been saved yet."


async def test_a_killed_job_keeps_what_was_saved(play: Play) -> None:
    studio = await play.create()
    async with await play.start(studio) as agent:
        await agent.come_up()
        await play.until(studio["id"], "running")
        play.end_job(agent.spec.session_id, reason="killed by signal 9")
        errored = await play.until(studio["id"], "errored")
    assert errored["message"] == (
        "The session ended without saving: killed by signal 9. What was saved less than a minute ago is kept."
    )
    assert errored["saved"]["status"] == "interim"
    async with await play.start(studio) as agent:
        await agent.come_up()
        assert agent.spec.epoch == 2
        assert agent.spec.checkpoint is not None and agent.spec.checkpoint.id == errored["saved"]["id"]
        await play.until(studio["id"], "running")
        play.end_job(agent.spec.session_id)
        await play.until(studio["id"], "errored")


async def test_an_app_that_ends_by_itself(play: Play) -> None:
    studio = await play.create()
    async with await play.start(studio) as agent:
        await agent.come_up()
        await play.until(studio["id"], "running")
        final = await agent.save(CheckpointStatus.FINALISED)
        await agent.send("stopped", checkpoint=final, message="The app ended with code 0.")
        stopped = await play.until(studio["id"], "stopped")
        assert stopped["message"] == "The app ended with code 0."
        # Started again before the Hub has seen the job end: it waits for that.
        again = asyncio.create_task(play.start(studio))
        await asyncio.sleep(1)
        assert not again.done()
        play.end_job(agent.spec.session_id, state="succeeded", reason="")
        second = await again
        assert second.job.session_id != agent.spec.session_id
        play.end_job(second.job.session_id)
        await play.until(studio["id"], "errored")


async def test_the_control_channel_is_for_agents(play: Play) -> None:
    studio = await play.create()
    async with await play.start(studio) as agent:
        await agent.bootstrap()
        url = agent.spec.control_url
        for headers in (
            {},
            {"Authorization": "Bearer guessed"},
            {"Authorization": f"token {play.hub.token('admin')}"},
        ):
            with pytest.raises(aiohttp.WSServerHandshakeError, match="401"):
                await agent._http.ws_connect(url, headers=headers)
        with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
            # A page in somebody's browser.
            headers = {
                "Authorization": f"Bearer {agent.spec.control_token}",
                "Origin": "https://evil.example",
            }
            await agent._http.ws_connect(url, headers=headers)
        await agent.connect()
        await agent.ws.send_str("nonsense")
        await eventually(lambda: agent.ws.closed)
        play.end_job(agent.spec.session_id)
        await play.until(studio["id"], "errored")


async def test_a_failed_start_says_why_and_may_be_tried_again(play: Play) -> None:
    studio = await play.create()
    async with await play.start(studio) as agent:
        await agent.bootstrap()
        await agent.connect()
        await agent.send("failed", message="A layer is damaged.")
        play.end_job(agent.spec.session_id, state="failed", reason="exit code 1")
        errored = await play.until(studio["id"], "errored")
    assert errored["message"] == "A layer is damaged. Nothing had been saved yet."
    assert "start" in errored["may"]


async def test_cancel_before_the_agent_is_up(play: Play) -> None:
    studio = await play.create()
    async with await play.start(studio) as agent:
        answer = await play.api("POST", f"studios/{studio['id']}/stop", json={})
        assert answer.status_code == 202
        stopped = await play.until(studio["id"], "stopped")
        assert stopped["message"] == "Cancelled before it came up."
        # The job may still come up once: its code is dead.
        with pytest.raises(AssertionError, match="works once"):
            await agent.bootstrap()


async def test_cancel_while_starting(play: Play) -> None:
    studio = await play.create()
    async with await play.start(studio) as agent:
        await agent.bootstrap()
        await agent.connect()
        answer = await play.api("POST", f"studios/{studio['id']}/stop", json={})
        assert answer.json()["state"] == "stopping"
        assert (await agent.command())["kind"] == "stop"
        await agent.send("stopped", message="Cancelled.")
        assert (await play.until(studio["id"], "stopped"))["message"] == "Cancelled."


async def test_a_stop_is_repeated_until_it_is_answered(play: Play) -> None:
    studio = await play.create()
    async with await play.start(studio) as agent:
        await agent.come_up()
        await play.until(studio["id"], "running")
        await agent.disconnect()
        stop = asyncio.create_task(play.api("POST", f"studios/{studio['id']}/stop", json={}))
        await play.until(studio["id"], "stopping")
        await agent.connect()
        first = await agent.command()
        await agent.disconnect()
        await agent.connect()
        assert (await agent.command()) == first
        await stop
        await agent.finish()
        await play.until(studio["id"], "stopped")


async def test_save_now(play: Play) -> None:
    studio = await play.create()
    answer = await play.api("POST", f"studios/{studio['id']}/checkpoints", json={"name": "early"})
    assert answer.status_code == 409
    async with await play.start(studio) as agent:
        await agent.come_up()
        await play.until(studio["id"], "running")
        save = asyncio.create_task(
            play.api("POST", f"studios/{studio['id']}/checkpoints", json={"name": "before the upgrade"})
        )
        command = await agent.command()
        assert command["kind"] == "save" and command["author"] == "alice"
        named = await agent.save(CheckpointStatus.FINALISED, id="cp-named", name=command["name"])
        await agent.send("saved", checkpoint=named, request=command["id"])
        made = await save
        assert made.status_code == 201 and made.json()["name"] == "before the upgrade"
        # Beside the session's own, which is what the next start restores.
        assert not made.json()["current"]
        listed = (await play.api("GET", f"studios/{studio['id']}/checkpoints")).json()["items"]
        assert [one["current"] for one in listed] == [False, True]
        refused = asyncio.create_task(
            play.api("POST", f"studios/{studio['id']}/checkpoints", json={"name": "b"})
        )
        command = await agent.command()
        await agent.send("failed", request=command["id"], message="the bucket is full")
        answer = await refused
        assert answer.status_code == 502 and answer.json()["detail"] == "the bucket is full"
        assert (await play.show(studio["id"]))["state"] == "running"
        play.end_job(agent.spec.session_id)
        await play.until(studio["id"], "errored")


async def test_long_poll_answers_when_something_changed(play: Play) -> None:
    studio = await play.create()
    path = f"studios/{studio['id']}/progress"
    known = (await play.api("GET", f"{path}?wait=0")).json()["version"]
    waiting = asyncio.create_task(play.api("GET", f"{path}?after={known}&wait=60"))
    await asyncio.sleep(0.5)
    assert not waiting.done()
    await play.api("PATCH", f"studios/{studio['id']}", json={"description": "new"})
    answer = (await waiting).json()
    assert answer["version"] > known and answer["studio"]["description"] == "new"
    assert (await play.api("GET", f"{path}?after={answer['version']}&wait=0.2")).json() == answer


async def test_activity_reaches_the_hub_but_a_connection_alone_does_not(play: Play) -> None:
    studio = await play.create()

    def last_activity() -> datetime:
        server = play.hub.hub_api("GET", f"users/alice/servers/{studio['server_name']}").json()
        return datetime.fromisoformat(server["last_activity"])

    async with await play.start(studio) as agent:
        await agent.come_up()
        await play.until(studio["id"], "running")
        await agent.send("activity", people=["alice"])
        assert (await play.show(studio["id"]))["session"]["people"] == ["alice"]
        await asyncio.sleep(1)
        before = datetime.now(UTC)
        assert last_activity() < before
        await agent.send("activity", people=["alice"], active_at=before)
        await eventually(lambda: last_activity() == before)
        play.end_job(agent.spec.session_id)
        await play.until(studio["id"], "errored")


async def test_a_newer_connection_replaces_the_older(play: Play) -> None:
    studio = await play.create()
    async with await play.start(studio) as agent, Agent(agent.job) as twin:
        await agent.come_up()
        twin.spec, twin.seq = agent.spec, agent.seq
        await twin.connect()
        assert twin.acked == agent.acked
        await eventually(lambda: agent.ws.closed)
        await twin.send("log", log="still here")
        assert (await play.show(studio["id"]))["session"]["connected"]
        play.end_job(agent.spec.session_id)
        await play.until(studio["id"], "errored")


async def test_force_ends_a_stop_that_cannot_save(play: Play) -> None:
    studio = await play.create()
    async with await play.start(studio) as agent:
        await agent.come_up()
        await play.until(studio["id"], "running")
        answer = await play.api("POST", f"studios/{studio['id']}/stop", json={"force": True})
        assert answer.status_code == 409  # first without
        stop = asyncio.create_task(play.api("POST", f"studios/{studio['id']}/stop", json={}))
        await play.until(studio["id"], "stopping")
        await stop
        answer = await play.api("POST", f"studios/{studio['id']}/stop", json={"force": True})
        assert answer.status_code == 202, answer.text
        stopped = await play.until(studio["id"], "stopped")
    assert stopped["message"].startswith("Stopped by force, without the last save. What was saved")


async def test_logs_are_paged_and_kept(play: Play) -> None:
    studio = await play.create()
    async with await play.start(studio) as agent:
        await agent.come_up()
        text = "".join(f"{n} ä€😀\n" for n in range(60_000))
        for at in range(0, len(text), 100_000):
            await agent.send("log", log=text[at : at + 100_000])
        session = agent.spec.session_id
        play.end_job(session)
        await play.until(studio["id"], "errored")
    read, offset, pages = "", 0, 0
    while True:
        page = (await play.api("GET", f"sessions/{session}/logs?offset={offset}")).json()
        read, offset, pages = read + page["text"], page["next_offset"], pages + 1
        if page["ended"]:
            break
    assert read == text and pages > 1
