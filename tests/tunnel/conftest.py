"""A tunnel for each test, and a real gate with an app behind it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from jupyterhub_studios.agent.tunnel import Tunnel
from jupyterhub_studios.models import Event, TunnelAccess
from tests.gate.conftest import MakePlace, Place, app, open_gate

from .world import World

__all__ = ["app", "open_gate"]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    found = World(tmp_path)
    await found.up()
    yield found
    found.close()


@dataclass
class Reached:
    """A session that is reached through the tunnel."""

    access: TunnelAccess
    tunnel: Tunnel
    place: Place
    events: list[Event]

    async def visitor(self) -> aiohttp.ClientSession:
        return await self.place.visitor()


Reach = Callable[[str], Awaitable[Reached]]


@pytest.fixture
async def reach(world: World, open_gate: MakePlace) -> AsyncIterator[Reach]:
    tunnels: list[Tunnel] = []

    async def make(name: str) -> Reached:
        place = await open_gate()
        events: list[Event] = []
        access = await world.admit(name)
        tunnel = Tunnel(access, place.url, events.append)
        tunnels.append(tunnel)
        place.url = await tunnel.open()
        return Reached(access, tunnel, place, events)

    yield make
    for tunnel in tunnels:
        await tunnel.close()
