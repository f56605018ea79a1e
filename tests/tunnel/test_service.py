"""What the service does for sessions behind the tunnel: with its database and the tunnel's process, without a Hub."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from sqlalchemy.orm import Session
from traitlets import TraitError

from jupyterhub_studios.config import Studios, endpoint
from jupyterhub_studios.models import AgentMessage, LaunchSpec, SessionEnded, StudiosError, new_id, now
from jupyterhub_studios.service.core import Service, open_service
from jupyterhub_studios.service.database import SessionRow, StudioRow
from jupyterhub_studios.service.database import queries as q
from jupyterhub_studios.service.keys import hashed
from jupyterhub_studios.service.sessions import lifecycle
from jupyterhub_studios.service.sessions.inbox import receive
from jupyterhub_studios.tunnel.control import LOCK
from tests.hub import free_ports

from .test_tunnel import until
from .world import dial, end_process


@dataclass
class House:
    """A service whose studios are all behind the tunnel; it may be stopped and started."""

    folder: Path
    fields: dict[str, Any]
    service: Service | None = None
    running: asyncio.Task[None] | None = None
    codes: dict[str, str] = field(default_factory=dict)

    async def up(self, run: bool = True) -> Service:
        environment = {"kind": "local", "work_dir": f"file://{self.folder}/work", "connect": "tunnel"}
        config = Studios(
            compute_environments={"away": environment},
            database_url=f"sqlite:///{self.folder}/db",
            state_dir=str(self.folder),
            **self.fields,
        )
        self.service = open_service(
            config, api_url="http://127.0.0.1:9", token="", base="/", prefix="/services/studios/"
        )
        await self.service.database.migrate()
        self.running = asyncio.create_task(self.service.tunnel.run()) if run else None
        return self.service

    async def down(self) -> None:
        assert self.service is not None
        if self.running is not None:
            self.running.cancel()
            await asyncio.gather(self.running, return_exceptions=True)
        await self.service.hub.close()
        self.service.database.close()

    async def launch(self) -> str:
        """A session whose agent is not there yet."""
        assert self.service is not None
        studio, session = new_id("st"), new_id("se")
        self.codes[session] = f"code of {session}"
        await self.service.database.run(_insert, studio, session, hashed(self.codes[session]))
        return session

    async def redeem(self, session: str) -> LaunchSpec:
        assert self.service is not None
        return await lifecycle.redeem(self.service, self.codes[session])

    async def row(self, session: str) -> SessionRow:
        assert self.service is not None
        return await self.service.database.run(q.session, session)

    @property
    def pid(self) -> int:
        return int((self.folder / LOCK).read_text() or 0)


def _insert(db: Session, studio: str, session: str, code_hash: str) -> None:
    db.add(
        StudioRow(
            id=studio, owner="ada", server_name=studio, name=studio, template="jupyter", compute_environment="away",
            cpus=1, memory_mib=512, gpus=0, lifespan_hours=8, environment={}, epoch=1, created_at=now(),
        )
    )  # fmt: skip
    db.flush()
    db.add(
        SessionRow(
            id=session, studio_id=studio, owner="ada", server_name=studio, prefix=f"/user/ada/{studio}/", epoch=1,
            state="starting", phases=[], started_at=now(), people=[], visitors=[], bootstrap_hash=code_hash,
        )
    )  # fmt: skip


@contextlib.asynccontextmanager
async def house(folder: Path, run: bool = True, **fields: Any) -> AsyncIterator[House]:
    given = {"tunnel_bind": f"127.0.0.1:{free_ports(1)[0]}", **fields}
    found = House(folder, given)
    await found.up(run)
    try:
        yield found
    finally:
        await found.down()
        end_process(folder)


async def goes(spec: LaunchSpec) -> bool:
    """Whether the session's agent is let in, and gets its place."""
    assert spec.tunnel is not None
    try:
        connection = await dial(spec.tunnel)
    except (OSError, asyncssh.Error):
        return False
    try:
        await connection.forward_remote_port(spec.tunnel.listen_host, spec.tunnel.listen_port, "127.0.0.1", 9)
    finally:
        connection.abort()
    return True


async def test_a_session_gets_its_place_with_its_launch_spec(tmp_path: Path) -> None:
    async with house(tmp_path) as found:
        session = await found.launch()
        spec = await found.redeem(session)
        assert spec.tunnel is not None and spec.gate_host == "127.0.0.1"
        assert (await found.row(session)).address == spec.tunnel.address
        assert "PRIVATE" not in repr(spec) and "PRIVATE" in spec.tunnel.private_key
        assert await goes(spec)
        with pytest.raises(StudiosError, match="used already"):
            await found.redeem(session)


async def test_an_ended_session_is_refused_at_once(tmp_path: Path) -> None:
    async with house(tmp_path) as found:
        assert found.service is not None
        session = await found.launch()
        spec = await found.redeem(session)
        assert spec.tunnel is not None
        connection = await dial(spec.tunnel)
        await lifecycle.ended(found.service, session, SessionEnded(state="failed", reason="killed"))
        await asyncio.wait_for(connection.wait_closed(), 10)
        assert not await goes(spec)


async def test_an_agent_cannot_send_people_elsewhere(tmp_path: Path) -> None:
    async with house(tmp_path) as found:
        assert found.service is not None
        session = await found.launch()
        address = (await found.redeem(session)).tunnel.address  # type: ignore[union-attr]
        for seq, (told, state) in enumerate(
            [("http://127.0.0.1:80", "starting"), (address, "running")], start=1
        ):
            message = AgentMessage(seq=seq, kind="address", address=told)
            await found.service.database.run(receive, found.service.inbox, session, message, now())
            row = await found.row(session)
            assert (row.address, row.state) == (address, state)


async def test_places_are_the_same_after_restarts(tmp_path: Path) -> None:
    async with house(tmp_path) as found:
        spec = await found.redeem(await found.launch())
        await found.down()
        await found.up()
        assert await goes(spec), "of the service"
        before = found.pid
        os.kill(before, signal.SIGKILL)
        async with asyncio.timeout(30):
            while not await goes(spec):
                await asyncio.sleep(0.1)
        assert found.pid != before, "of the tunnel, which the service notices by itself"


def a_taken_port_before_a_free_one() -> socket.socket:
    """Below those that the kernel gives out by itself."""
    for first in range(22000 + os.getpid() % 5000, 32000, 2):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", first + 1)):
            return socket.create_server(("127.0.0.1", first))
    raise AssertionError("no two ports beside each other are free")


async def test_ports_that_are_taken_are_passed_over_until_none_is_left(tmp_path: Path) -> None:
    with a_taken_port_before_a_free_one() as other:
        first = other.getsockname()[1]
        async with house(tmp_path, tunnel_ports=(first, first + 1)) as found:
            spec = await found.redeem(await found.launch())
            assert spec.tunnel is not None and spec.tunnel.listen_port == first + 1
            with pytest.raises(
                StudiosError, match=r"No port of the tunnel is free.*widen c\.Studios\.tunnel_ports"
            ):
                await found.redeem(await found.launch())


async def test_a_closed_tunnel_is_told_before_a_machine_is_paid_for(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        bind = f"127.0.0.1:{other.getsockname()[1]}"
        async with house(tmp_path, tunnel_bind=bind) as found:
            assert found.service is not None
            away = found.service.config.compute_environments["away"]
            with pytest.raises(StudiosError, match=f"machine is closed.*cannot listen on {bind}.*in use"):
                await found.service.tunnel.check(away)
            await found.service.tunnel.check(away.model_copy(update={"connect": "direct"}))
            session = await found.launch()
            with pytest.raises(StudiosError, match="machine is closed") as refused:
                await found.redeem(session)
            assert refused.value.problem.status == 503, "the agent tries again"
            other.close()
            await until("the tunnel", lambda: "Listening" in (tmp_path / "tunnel.log").read_text())
            assert await goes(await found.redeem(session))


async def test_a_process_that_does_not_start_is_told_with_its_last_words(tmp_path: Path) -> None:
    (tmp_path / "tunnel.key").write_text("nonsense")
    async with house(tmp_path, run=False) as found:
        assert found.service is not None
        with pytest.raises(StudiosError, match=r"does not start.*is damaged.*tunnel\.log"):
            await found.service.tunnel.check(found.service.config.compute_environments["away"])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("tunnel_bind", ""),
        ("tunnel_bind", "8022"),
        ("tunnel_bind", "host:port"),
        ("tunnel_address", "https://hub.example.org:443"),
        ("tunnel_host", "localhost"),
        ("tunnel_ports", (21999, 21000)),
    ],
)
def test_settings_that_mean_nothing_are_refused(name: str, value: Any) -> None:
    with pytest.raises(TraitError, match=f"c.Studios.{name} = .* is not valid"):
        Studios(**{name: value})


def test_where_the_tunnel_is() -> None:
    assert endpoint("[fd00::1]:8022") == ("fd00::1", 8022)
    assert endpoint("tunnel.example.org:443") == ("tunnel.example.org", 443)
