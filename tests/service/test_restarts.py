"""kill -9 of the service and of the Hub, with sessions running."""

from __future__ import annotations

import asyncio
import os
import sqlite3

import aiohttp
import pytest

from jupyterhub_studios.models import AgentMessage

from ..hub import RealHub
from .conftest import Play
from .player import Agent, eventually

pytestmark = pytest.mark.slow


async def reconnect(agent: Agent) -> None:
    """As agents do: again and again until the service is back."""
    async with asyncio.timeout(60):
        while True:
            try:
                await agent.connect()
                return
            except (aiohttp.ClientError, TypeError, KeyError):
                await asyncio.sleep(0.2)


async def test_nothing_acknowledged_is_lost_when_the_service_is_killed(own_hub: RealHub) -> None:
    play = Play(own_hub)
    studio = await play.create()
    async with await play.start(studio) as agent:
        await agent.come_up()
        await play.until(studio["id"], "running")
        sent = [agent.message("log", log=f"line {n}\n") for n in range(400)]
        for kill_after in (1, 40, 150, 390):
            pushing = asyncio.create_task(_push_all(agent, sent))
            await eventually(lambda after=kill_after: agent.acked >= sent[0].seq + after)
            killing = asyncio.create_task(asyncio.to_thread(own_hub.kill_service))
            await asyncio.gather(pushing, return_exceptions=True)
            acked = agent.acked
            await killing
            await reconnect(agent)
            assert agent.acked >= acked
        await _push_all(agent, sent)
        await agent.until_acked(sent[-1].seq)
        logs = (await play.api("GET", f"sessions/{agent.spec.session_id}/logs")).json()
        assert logs["text"] == "".join(f"line {n}\n" for n in range(400))
        # The Hub has noticed nothing, and the studio stops as ever.
        assert (await play.show(studio["id"]))["state"] == "running"
        stop = asyncio.create_task(play.api("POST", f"studios/{studio['id']}/stop", json={}))
        assert (await agent.command())["kind"] == "stop"
        await agent.finish()
        await stop
        assert (await play.until(studio["id"], "stopped"))["saved"]["status"] == "finalised"


async def _push_all(agent: Agent, messages: list[AgentMessage]) -> None:
    for message in messages:
        if message.seq > agent.acked:
            await agent.push(message)


async def test_a_stop_survives_the_service(own_hub: RealHub) -> None:
    play = Play(own_hub)
    studio = await play.create()
    async with await play.start(studio) as agent:
        await agent.come_up()
        await play.until(studio["id"], "running")
        stop = asyncio.create_task(play.api("POST", f"studios/{studio['id']}/stop", json={}))
        command = await agent.command()
        await stop
        await asyncio.to_thread(own_hub.kill_service)
        await reconnect(agent)
        assert await agent.command() == command
        await agent.finish()
        await play.until(studio["id"], "stopped")


async def test_the_service_ends_with_a_killed_hub_and_comes_back_with_it(own_hub: RealHub) -> None:
    play = Play(own_hub)
    studio = await play.create()
    async with await play.start(studio) as agent:
        await agent.come_up()
        await play.until(studio["id"], "running")
        old = own_hub.service_pid
        own_hub.kill()
        # At once, while the old service still has the port.
        await asyncio.to_thread(own_hub.start)
        assert own_hub.service_pid != old
        with pytest.raises(ProcessLookupError):
            os.kill(old, 0)
        await reconnect(agent)
        await agent.send("log", log="still here")
        assert (await play.show(studio["id"]))["state"] == "running"
        stop = asyncio.create_task(play.api("POST", f"studios/{studio['id']}/stop", json={}))
        assert (await agent.command())["kind"] == "stop"
        await agent.finish()
        await stop
        await play.until(studio["id"], "stopped")


async def test_no_secret_is_written_down(own_hub: RealHub) -> None:
    """Codes, tokens and keys of a session are in no file of the service, and in no log."""
    play = Play(own_hub)
    studio = await play.create(compute_environment="cloud")
    async with await play.start(studio) as agent:
        await agent.bootstrap()
        await agent.connect()
        await agent.send("log", log="hello")
        spec = agent.spec
        secrets = {
            "code": agent.job.environment["STUDIOS_BOOTSTRAP_CODE"],
            "control token": spec.control_token,
            "ticket key": spec.ticket_key,
            "service token": own_hub.service_token,
            "person's token": own_hub.token("alice"),
            "store secret": spec.store.options["secret_access_key"],
        }
        answers = [
            (await play.api("GET", path)).text
            for path in (
                "studios",
                f"studios/{studio['id']}",
                f"studios/{studio['id']}/sessions",
                f"sessions/{spec.session_id}/events",
                f"sessions/{spec.session_id}/logs",
                "compute-environments",
                "templates",
                "openapi.json",
            )
        ]
        play.end_job(spec.session_id)
        await play.until(studio["id"], "errored")
    # What went wrong with the bucket is told without its credentials.
    answers.append((await play.api("POST", f"studios/{studio['id']}/start")).text)
    with sqlite3.connect(own_hub.folder / "studios.sqlite") as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    files = {
        file.name: file.read_bytes()
        for pattern in ("hub.log", "studios.sqlite*", "state/**/*")
        for file in own_hub.folder.glob(pattern)
        if file.is_file()
    }
    assert {"hub.log", "studios.sqlite", "signing.key"} <= files.keys()
    for what, secret in secrets.items():
        assert not [answer for answer in answers if secret in answer], what
        assert not [name for name, content in files.items() if secret.encode() in content], what
    for name in ("studios.sqlite", "state/signing.key", f"state/logs/{spec.session_id}.log"):
        assert (own_hub.folder / name).stat().st_mode & 0o077 == 0, name
