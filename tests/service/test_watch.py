"""What nobody reports. The watch is run here, by hand and at a chosen time, against the real Hub."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from jupyterhub_studios.models import Command, LaunchRequest, SessionState, StudioSpec, now
from jupyterhub_studios.service import alive, making
from jupyterhub_studios.service.core import Service
from jupyterhub_studios.service.database import queries as q
from jupyterhub_studios.service.sessions import lifecycle
from jupyterhub_studios.service.watch import GRACE, Watch

from ..hub import RealHub


async def launched(service: Service) -> str:
    """A session of a server that the Hub has never heard of."""
    spec = StudioSpec(name="lost", template="jupyter")
    row = await making.create(service, spec, "alice", (), False, "lost")
    request = LaunchRequest(owner="alice", server_name=row.server_name, prefix="/user/alice/lost/")
    return (await lifecycle.launch(service, request)).session_id


async def test_a_session_that_the_hub_lost_is_given_up_in_the_end(service: Service) -> None:
    session = await launched(service)
    watch, at = Watch(service), now()
    await watch.check(at)
    await watch.check(at + GRACE - timedelta(seconds=1))
    assert (await service.database.run(q.session, session)).state == SessionState.STARTING.value
    await watch.check(at + GRACE)
    row = await service.database.run(q.session, session)
    assert row.state == SessionState.ERRORED.value
    assert "the Hub no longer knows its server" in row.message


async def test_a_hub_that_does_not_answer_loses_nothing(service: Service) -> None:
    session = await launched(service)
    service.hub._api = "http://127.0.0.1:9"
    watch, at = Watch(service), now()
    for hours in range(3):
        await watch.check(at + timedelta(hours=hours))
    assert (await service.database.run(q.session, session)).state == SessionState.STARTING.value


async def test_the_hours_without_a_hub_do_not_count(service: Service) -> None:
    """It comes back with servers that it has yet to look at."""
    session = await launched(service)
    watch, at, there = Watch(service), now(), service.hub._api
    await watch.check(at)
    service.hub._api = "http://127.0.0.1:9"
    await watch.check(at + timedelta(minutes=1))
    service.hub._api = there
    await watch.check(at + timedelta(hours=1))
    assert (await service.database.run(q.session, session)).state == SessionState.STARTING.value
    await watch.check(at + timedelta(hours=1) + GRACE)
    assert (await service.database.run(q.session, session)).state == SessionState.ERRORED.value


async def test_the_hub_is_not_asked_about_what_its_spawners_tell(
    service: Service, hub: RealHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = await launched(service)
    answer = await asyncio.to_thread(hub.internal, "POST", "alive", json={"sessions": ["se-of-nobody"]})
    assert answer.status_code == 204
    service.alive.note([session, "se-of-nobody"])
    asked: list[str] = []
    active_servers = service.hub.active_servers

    async def counted(owner: str) -> set[str]:
        asked.append(owner)
        return await active_servers(owner)

    monkeypatch.setattr(service.hub, "active_servers", counted)
    watch, at = Watch(service), now()
    await watch.check(at)
    await watch.check(at + 2 * GRACE)
    assert asked == []
    monkeypatch.setattr(alive, "BELIEVED", 0.0)  # the spawners say nothing any more
    await watch.check(at + 2 * GRACE)
    await watch.check(at + 3 * GRACE)
    assert asked == ["alice", "alice"]
    assert (await service.database.run(q.session, session)).state == SessionState.ERRORED.value


async def test_a_session_that_lives_on_without_the_hub_is_asked_to_save(service: Service) -> None:
    session = await launched(service)
    sent: list[Command] = []
    service.channels[session] = Channel(sent)  # type: ignore[assignment]
    watch, at = Watch(service), now()
    await watch.check(at)
    await watch.check(at + GRACE)
    assert [command.kind for command in sent] == ["stop"]
    assert (await service.database.run(q.session, session)).state == SessionState.STOPPING.value


class Channel:
    def __init__(self, sent: list[Command]) -> None:
        self._sent = sent

    def command(self, command: Command) -> None:
        self._sent.append(command)
