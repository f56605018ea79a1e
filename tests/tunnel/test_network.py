"""The real agent on a machine that can only dial out, and a person who opens its app."""

from __future__ import annotations

import asyncio
import base64
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest

from jupyterhub_studios import tickets
from jupyterhub_studios.models import StoreAccess, Template, TunnelAccess
from tests.agent.conftest import home
from tests.agent.harness import Session, Studio, left_overs

from .network import OneWay
from .world import World

__all__ = ["home"]

pytestmark = pytest.mark.root

APP = Path(__file__).with_name("app.py")


@pytest.fixture
def network() -> Iterator[OneWay]:
    found = OneWay()
    try:
        found.up()
        yield found
    finally:
        found.down()


@pytest.fixture
async def world(network: OneWay, tmp_path: Path) -> AsyncIterator[World]:
    found = World(tmp_path, host=network.outside)
    await found.up()
    yield found
    found.close()


@pytest.fixture
async def studio(network: OneWay, home: Path) -> AsyncIterator[Studio]:
    for name in ("scratch", "bucket"):
        (home / name).mkdir()
    store = StoreAccess(url=f"file://{home}/bucket")
    found = Studio(home=home, store=store, host=network.outside, prefix=network.prefix)
    found.hide = [str(home / "bucket")]
    yield found
    await found.close()
    assert left_overs(home) == ""


async def start(studio: Studio, access: TunnelAccess) -> Session:
    template = Template(id="test", title="Test", command=["{python}", str(APP), "{socket}"], ready_seconds=30)
    return await studio.start(tunnel=access, template=template, session_id=access.user)


async def enter(session: Session, address: str) -> aiohttp.ClientSession:
    """Ada's browser, with the ticket that the service would have given her."""
    claims = {"aud": session.spec.session_id, "sub": "ada", "name": "Ada", "own": True}
    ticket = tickets.sign(base64.b64decode(session.spec.ticket_key), claims, 60)
    browser = aiohttp.ClientSession(address, cookie_jar=aiohttp.CookieJar(unsafe=True))
    await browser.get("/user/ada/test/_studio/enter", params={"ticket": ticket}, allow_redirects=False)
    return browser


async def listens(host: str, port: int) -> bool:
    try:
        async with asyncio.timeout(2):
            _, writer = await asyncio.open_connection(host, port)
    except OSError:
        return False
    writer.close()
    return True


async def test_the_app_is_reached_where_nobody_can_dial(
    studio: Studio, world: World, network: OneWay
) -> None:
    access = await world.admit("se-ada")
    session = await start(studio, access)
    ready = await session.ready()
    assert ready.address == f"http://127.0.0.1:{access.listen_port}"
    gates = [int(line.split()[3].rpartition(":")[2]) for line in listening(network)]
    assert gates and not any([await listens(network.inside, port) for port in gates])

    async with await enter(session, ready.address) as browser:
        async with browser.get("/user/ada/test/") as page:
            assert await page.text() == "the app"
        async with browser.ws_connect("/user/ada/test/ws") as ws:
            await ws.send_str("hello")
            assert await ws.receive_str() == "echo hello"
            world.kill()
            assert (await ws.receive()).type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)
        await world.up()
        await session.service.wait(lambda m: bool(m.event and "there again" in m.event.message))
        async with browser.ws_connect("/user/ada/test/ws") as ws:  # as a page does by itself
            await ws.send_str("again")
            assert await ws.receive_str() == "echo again"
    await session.stop()


async def test_a_start_that_does_not_reach_the_tunnel_says_why(studio: Studio, world: World) -> None:
    access = await world.admit("se-ada")
    stranger = access.model_copy(update={"host_key": access.host_key[:-4] + "AAAA"})
    session = await start(studio, stranger)
    assert "is not the Hub's tunnel" in await session.failed()


def listening(network: OneWay) -> list[str]:
    """Lines of what listens there, by TCP."""
    done = subprocess.run([*network.prefix, "ss", "-Hltn"], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()
