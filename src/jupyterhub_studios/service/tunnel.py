"""The service's side of the tunnel: its process is there, and knows which sessions there are.

See :mod:`jupyterhub_studios.tunnel` for why it is a process of its own, and lives on without the service.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Set
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from .. import __version__
from ..config import Studios, endpoint
from ..models import (
    ComputeEnvironment,
    SessionState,
    StudiosError,
    TunnelAccess,
    TunnelReport,
    TunnelSession,
    TunnelSettings,
    TunnelTable,
)
from ..tunnel import keys as tunnel_keys
from .database import Database, SessionRow, StudioRow
from .database import queries as q
from .keys import Keys
from .tunnel_process import Link, TunnelProcess

log = logging.getLogger("studios.tunnel")

INTERVAL = 15.0  # seconds between two tables, should a change go unnoticed
PAUSE = 5.0  # after a failure
PORT_TRIES = 10
UNREADY = 503


class Tunnel:
    def __init__(self, config: Studios, database: Database, keys: Keys, state_dir: Path) -> None:
        self._config, self._database, self._keys, self._state_dir = config, database, keys, state_dir
        self._process = TunnelProcess(state_dir, settings(config))
        self._lines: dict[str, str] = {}  # public keys of the sessions that there are
        self._link: Link | None = None
        self._lock = asyncio.Lock()
        self._news = asyncio.Event()

    @property
    def needed(self) -> bool:
        return any(env.connect == "tunnel" for env in self._config.compute_environments.values())

    def look(self) -> None:
        """A session has ended: its key is worth nothing any more."""
        self._news.set()

    async def run(self) -> None:
        """Keeps the process up and up to date, until cancelled."""
        told = ""
        try:
            while self.needed:
                self._news.clear()
                try:
                    fault = (await self._tell()).fault
                except StudiosError as error:
                    fault = str(error)
                except OSError:
                    continue  # it has just died: the next try starts it again
                if fault and fault != told:
                    log.error("The tunnel is closed: %s", fault)
                told = fault
                await self._pause(PAUSE if fault else INTERVAL)
        finally:
            if self._link is not None:
                self._link.close()

    async def _pause(self, seconds: float) -> None:
        """Until there is news, the process is gone, or ``seconds`` are over."""
        news = asyncio.create_task(self._news.wait())
        gone = [self._link.reading] if self._link is not None else []
        try:
            await asyncio.wait({news, *gone}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            news.cancel()

    async def _tell(self) -> TunnelReport:
        """Gives the process the table as it is now."""
        async with self._lock:
            if self._link is None or self._link.reading.done():
                self._link = None
                self._link = await self._process.link()
            return await self._link.ask(await self._table())

    async def _table(self) -> TunnelTable:
        rows = await self._database.run(_living)
        mine = {
            name: port_of(address)
            for name, address, environment in rows
            if self._through(self._config.compute_environments.get(environment))
        }
        self._lines = {name: self._lines.get(name) or self._public_line(name) for name in mine}
        return TunnelTable(
            sessions=[TunnelSession(id=name, key=self._lines[name], port=port) for name, port in mine.items()]
        )

    def _public_line(self, session_id: str) -> str:
        return tunnel_keys.public_line(tunnel_keys.session_key(self._keys.tunnel_seed(session_id)))

    @staticmethod
    def _through(environment: ComputeEnvironment | None) -> bool:
        return environment is not None and environment.connect == "tunnel"

    # --- sessions ---

    async def check(self, environment: ComputeEnvironment) -> None:
        """Raises when sessions of ``environment`` need the tunnel and it is closed: before a machine is paid for."""
        if self._through(environment):
            await self._ready(424)

    async def _ready(self, status: int) -> TunnelReport:
        try:
            report = await self._tell()
            fault = report.fault
        except OSError as error:
            fault = str(error)
        if fault:
            raise StudiosError(
                "The tunnel to the studio's machine is closed", fault,
                "Try again in a minute; if it stays so, tell an administrator", status=status,
            )  # fmt: skip
        return report

    async def reserve(self, code_hash: str) -> None:
        """The session of a one-time code gets its port, before its agent is told of it: as its address, which stays
        the same as long as it lives."""
        tried: set[int] = set()
        for _ in range(PORT_TRIES):
            row = await self._database.run(self._reserve, code_hash, tried)
            if row is None or row.address is None:
                return
            report = await self._ready(UNREADY)
            if row.id not in report.taken:
                return
            log.warning("Port %d cannot be had: %s", port_of(row.address), report.taken[row.id])
            tried.add(port_of(row.address))
        raise self._no_port()

    def _reserve(self, db: Session, code_hash: str, tried: Set[int]) -> SessionRow | None:
        """None: nothing is to be reserved, or the code is not good, which others tell."""
        row = db.query(SessionRow).filter_by(bootstrap_hash=code_hash).one_or_none()
        if row is None or row.agent_seen or SessionState(row.state).ended:
            return None
        environment = q.studio(db, row.studio_id).compute_environment
        if not self._through(self._config.compute_environments.get(environment)):
            return None
        if row.address is None or port_of(row.address) in tried:
            first, last = self._config.tunnel_ports
            used = {port_of(address) for _, address, _ in _living(db)} | tried
            free = [port for port in range(first, last + 1) if port not in used]
            if not free:
                raise self._no_port()
            row.address = self._access(row.id, random.choice(free)).address
        return row

    def _no_port(self) -> StudiosError:
        first, last = self._config.tunnel_ports
        return StudiosError(
            "No port of the tunnel is free for the studio",
            f"{first} to {last} of {self._config.tunnel_host} are taken, by other studios or other programs",
            "An administrator can widen c.Studios.tunnel_ports", status=409,
        )  # fmt: skip

    def access(self, row: SessionRow, environment: ComputeEnvironment) -> TunnelAccess | None:
        """What the agent of a session is told; None when the Hub's proxy dials it itself."""
        if not self._through(environment):
            return None
        assert row.address is not None, "reserved before"
        return self._access(row.id, port_of(row.address))

    def _access(self, session_id: str, port: int) -> TunnelAccess:
        host, dialled = self._config.tunnel_place()
        return TunnelAccess(
            host=host,
            port=dialled,
            host_key=tunnel_keys.public_line(tunnel_keys.host_key(self._state_dir)),
            user=session_id,
            private_key=tunnel_keys.private_text(tunnel_keys.session_key(self._keys.tunnel_seed(session_id))),
            listen_host=self._config.tunnel_host,
            listen_port=port,
        )


def settings(config: Studios) -> TunnelSettings:
    host, port = endpoint(config.tunnel_bind)
    return TunnelSettings(version=__version__, bind_host=host, bind_port=port, listen_host=config.tunnel_host)


def port_of(address: str) -> int:
    return urlsplit(address).port or 0


def _living(db: Session) -> list[tuple[str, str, str]]:
    """Id, address and compute environment of the sessions that have an address and have not ended."""
    query = (
        select(SessionRow.id, SessionRow.address, StudioRow.compute_environment)
        .join(StudioRow, StudioRow.id == SessionRow.studio_id)
        .where(SessionRow.state.not_in(q.ENDED), SessionRow.address.is_not(None))
    )
    return [(name, address, environment) for name, address, environment in db.execute(query) if address]
