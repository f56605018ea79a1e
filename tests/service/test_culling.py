"""A site's own jupyterhub-idle-culler, with our hook: the real culler against the real Hub."""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from typing import Any

import httpx
import pytest
from jupyterhub_idle_culler import cull_idle

from jupyterhub_studios.culling import arbiter
from jupyterhub_studios.models import Observation, now

from .conftest import CULLER, Play

LONG_AGO = timedelta(hours=5)


async def cull(play: Play, limit: float) -> None:
    hook = arbiter(f"{play.hub.url}services/studios/", CULLER)
    await cull_idle(f"{play.hub.url}hub/api", CULLER, limit, logging.getLogger("culler"), cull_arbiter=hook)


async def test_a_busy_studio_without_requests_is_not_culled(play: Play) -> None:
    """By the culler's own rule it would be: nobody has asked it for anything for longer than the limit."""
    studio = await play.create()
    async with await play.start(studio) as agent:
        await agent.come_up()
        await play.until(studio["id"], "running")
        await agent.send("activity", active_at=now() - LONG_AGO, observation=Observation(at=now(), kernels=1))
        await cull(play, 0.001)
        assert (await play.show(studio["id"]))["state"] == "running"
        await play.api("POST", f"studios/{studio['id']}/stop", json={})
        await agent.finish()
        await play.until(studio["id"], "stopped")


async def ask(play: Play, server: str, **options: Any) -> bool:
    hook = arbiter(options.pop("url", f"{play.hub.url}services/studios/"), options.pop("token", CULLER))
    server_model = {"name": server.partition("/")[2], "full_name": server}
    return bool(await hook(inactive=LONG_AGO, inactive_limit=3600, server=server_model, **options))


async def test_what_is_no_studio_goes_by_the_cullers_own_rule(play: Play) -> None:
    assert await ask(play, "alice/")
    hook = arbiter(f"{play.hub.url}services/studios/", CULLER)
    server = {"name": "", "full_name": "alice/"}
    assert not await hook(inactive=timedelta(minutes=59), inactive_limit=3600, server=server)
    assert not await hook(inactive=None, inactive_limit=3600, server=server)


@pytest.mark.parametrize("wrong", [{"url": "http://127.0.0.1:9/"}, {"token": "nonsense"}])
async def test_what_is_not_known_is_kept(play: Play, wrong: dict[str, str]) -> None:
    assert not await ask(play, "alice/", **wrong)


async def test_where_nothing_else_stops_idle_studios_the_cullers_limit_asks_first(play: Play) -> None:
    studio = await play.create("patty", compute_environment="patient")
    async with await play.start(studio, "patty") as agent:
        await agent.come_up()
        await play.until(studio["id"], "running", "patty")
        await agent.send("activity", observation=Observation(at=now()))
        assert (await play.show(studio["id"], "patty"))["lifetime"]["reasons"] == [
            "Studios are not stopped for being idle here."
        ]
        answer = httpx.post(
            f"{play.hub.url}services/studios/api/v1/culling",
            headers={"Authorization": f"token {CULLER}"},
            content=json.dumps({"server": f"patty/{studio['server_name']}", "idle_seconds": 0.001}),
        ).json()
        assert answer["verdict"] == "prompt" and not answer["cull"], answer
        assert (await play.show(studio["id"], "patty"))["lifetime"]["verdict"] == "prompt"
        await play.api("POST", f"studios/{studio['id']}/stop", user="patty", json={})
        await agent.finish()
        await play.until(studio["id"], "stopped", "patty")
