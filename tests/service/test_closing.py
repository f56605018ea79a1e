"""The service's end, while an agent is connected."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from sqlalchemy.orm import Session
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application

from jupyterhub_studios.models import LaunchRequest, StudioSpec
from jupyterhub_studios.service import making
from jupyterhub_studios.service.control import ControlHandler
from jupyterhub_studios.service.core import Service
from jupyterhub_studios.service.database import Database
from jupyterhub_studios.service.database import queries as q
from jupyterhub_studios.service.keys import hashed
from jupyterhub_studios.service.sessions import lifecycle

from .conftest import opened
from .player import eventually

TOKEN = "control-token"


@pytest.fixture
async def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Service:
    """Without a Hub, which knows nobody then."""
    found = opened(None, tmp_path)

    async def nobody(name: str) -> None:
        return None

    monkeypatch.setattr(found.hub, "person", nobody)
    await found.database.migrate()
    return found


async def session_of(service: Service) -> str:
    """A new session, whose agent has ``TOKEN``, and in which alice is."""
    row = await making.create(service, StudioSpec(name="x", template="jupyter"), "alice", (), False)
    request = LaunchRequest(owner="alice", server_name=row.server_name, prefix="/user/alice/x/")
    session = (await lifecycle.launch(service, request)).session_id

    def connectable(db: Session) -> None:
        found = q.session(db, session)
        found.control_hash, found.people = hashed(TOKEN), ["alice"]

    await service.database.run(connectable)
    return session


async def test_an_agent_that_leaves_a_closed_service_is_no_fault(service: Service) -> None:
    """Nothing is written of it: its session goes on, and it dials the next service."""
    session = await session_of(service)
    faults: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: faults.append(context))
    socket, port = bind_unused_port()
    server = HTTPServer(Application([("/control", ControlHandler)], service=service))
    server.add_socket(socket)
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {TOKEN}"}) as http,
        http.ws_connect(f"http://127.0.0.1:{port}/control") as agent,
    ):
        await agent.receive_json()
        channel = service.channels[session]
        server.stop()
        await service.close()
    await eventually(lambda: channel.ws_connection is None)
    await asyncio.sleep(0)  # what this began fails by now, if it does
    await asyncio.gather(*service.tasks, return_exceptions=True)
    assert service.tasks == set() and faults == []

    database = Database(service.config.database_url)
    assert (await database.run(q.session, session)).people == ["alice"]
    database.close()
