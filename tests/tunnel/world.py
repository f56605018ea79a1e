"""A tunnel as a process of its own, and who dials it."""

from __future__ import annotations

import fcntl
import os
import signal
from dataclasses import dataclass, field
from pathlib import Path

import asyncssh

from jupyterhub_studios import __version__
from jupyterhub_studios.models import TunnelAccess, TunnelReport, TunnelSession, TunnelSettings, TunnelTable
from jupyterhub_studios.service.tunnel_process import Link, TunnelProcess
from jupyterhub_studios.tunnel.control import LOCK
from jupyterhub_studios.tunnel.keys import host_key, private_text, public_line, session_key
from tests.hub import free_ports


@dataclass
class World:
    """The service's part is played here: it says which sessions there are."""

    folder: Path
    host: str = "127.0.0.1"
    version: str = __version__
    port: int = field(default_factory=lambda: free_ports(1)[0])
    sessions: dict[str, TunnelSession] = field(default_factory=dict)
    link: Link | None = None

    @property
    def settings(self) -> TunnelSettings:
        return TunnelSettings(
            version=self.version, bind_host=self.host, bind_port=self.port, listen_host="127.0.0.1"
        )

    async def up(self) -> TunnelReport:
        """A process is there and knows the sessions, as after a restart of the service."""
        if self.link is not None:
            self.link.close()
        self.link = await TunnelProcess(self.folder, self.settings).link()
        return await self.tell()

    async def tell(self) -> TunnelReport:
        assert self.link is not None
        return await self.link.ask(TunnelTable(sessions=list(self.sessions.values())))

    async def admit(self, name: str, port: int | None = None) -> TunnelAccess:
        """A new session, and what its agent is told."""
        key = session_key(os.urandom(32))
        session = TunnelSession(id=name, key=public_line(key), port=port or free_ports(1)[0])
        self.sessions[name] = session
        await self.tell()
        return TunnelAccess(
            host=self.host,
            port=self.port,
            host_key=public_line(host_key(self.folder)),
            user=name,
            private_key=private_text(key),
            listen_host="127.0.0.1",
            listen_port=session.port,
        )

    async def end(self, name: str) -> None:
        del self.sessions[name]
        await self.tell()

    @property
    def pid(self) -> int:
        return int((self.folder / LOCK).read_text())

    def kill(self) -> None:
        """kill -9, and the end."""
        with (self.folder / LOCK).open() as lock:
            os.kill(self.pid, signal.SIGKILL)
            fcntl.flock(lock, fcntl.LOCK_EX)

    def close(self) -> None:
        if self.link is not None:
            self.link.close()
        end_process(self.folder)

    @property
    def log(self) -> str:
        return (self.folder / "tunnel.log").read_text()


def end_process(folder: Path) -> None:
    """The tunnel of a state folder lives on without its service."""
    try:
        pid = int((folder / LOCK).read_text())
        if str(folder).encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
            os.kill(pid, signal.SIGKILL)
    except (OSError, ValueError):
        return


async def dial(access: TunnelAccess, **options: object) -> asyncssh.SSHClientConnection:
    """A connection as the agent makes it, with which more is tried than the agent would."""
    given = {
        "username": access.user,
        "client_keys": [asyncssh.import_private_key(access.private_key)],
        "known_hosts": ([asyncssh.import_public_key(access.host_key)], [], []),
        "config": None,
        "agent_path": None,
        **options,
    }
    return await asyncssh.connect(access.host, access.port, **given)  # type: ignore[arg-type]
