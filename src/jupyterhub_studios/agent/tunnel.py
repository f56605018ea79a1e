"""The way out to the tunnel, for a job that nobody can dial: by it the Hub's proxy reaches the gate.

The agent dials, and asks the tunnel to bring connections to the session's own port over to the gate. When the way is
cut it dials again and again: the session itself goes on, is saved, and is reached at the same place afterwards.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import asyncssh

from ..models import Event, StudiosError, TunnelAccess, now

log = logging.getLogger(__name__)

PATIENCE = 120.0  # seconds for the first connection: the tunnel or the service may be restarting
DIAL_SECONDS = 15.0
LONGEST_PAUSE = 15.0
FAULTS = (OSError, asyncssh.Error, asyncssh.ChannelListenError)
KEEP_ALIVE, KEEP_ALIVES = 15, 3  # seconds between two, and how many may stay unanswered

asyncssh.set_log_level(logging.ERROR)  # it has two lines for each request of a visitor

_Known = tuple[list[asyncssh.SSHKey], list[asyncssh.SSHKey], list[asyncssh.SSHKey]]


class Tunnel:
    """Open between :meth:`open` and :meth:`close`."""

    def __init__(self, access: TunnelAccess, gate: str, tell: Callable[[Event], None]) -> None:
        """``gate``: its own address; ``tell``: hears of cuts and of their end."""
        self._access = access
        place = urlsplit(gate)
        self._gate = (place.hostname or "", place.port or 0)
        self._tell = tell
        self._key = asyncssh.import_private_key(access.private_key)
        self._known: _Known = ([asyncssh.import_public_key(access.host_key)], [], [])
        self._connection: asyncssh.SSHClientConnection | None = None
        self._keeping: asyncio.Task[None] | None = None

    async def open(self, patience: float = PATIENCE) -> str:
        """The address at which the Hub's proxy reaches the gate, once it does."""
        deadline, pause = time.monotonic() + patience, 0.5
        while True:
            try:
                self._connection = await self._dial()
                break
            except asyncssh.HostKeyNotVerifiable as error:
                raise self._explained(error) from error
            except FAULTS as error:
                if time.monotonic() + pause > deadline:
                    raise self._explained(error) from error
                log.info("The tunnel does not open (%s): next try in %.1f s", _words(error), pause)
            pause = await _wait(pause)
        self._keeping = asyncio.create_task(self._keep(self._connection))
        return self._access.address

    async def close(self) -> None:
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
        if self._connection is not None:
            self._connection.abort()

    async def _keep(self, connection: asyncssh.SSHClientConnection) -> None:
        while True:
            await connection.wait_closed()
            since, pause = time.monotonic(), 0.5
            self._say(
                "The way to this studio was cut. It is being made again; the studio goes on.", "warning"
            )
            while True:
                pause = await _wait(pause)
                try:
                    connection = self._connection = await self._dial()
                    break
                except FAULTS as error:
                    log.warning("The tunnel does not open: %s", self._explained(error))
            self._say(
                f"The way to this studio is there again, after {time.monotonic() - since:.0f} s.", "info"
            )

    async def _dial(self) -> asyncssh.SSHClientConnection:
        access = self._access
        connection = await asyncssh.connect(
            access.host,
            access.port,
            username=access.user,
            client_keys=[self._key],
            known_hosts=self._known,
            config=None,  # nothing of the image's
            agent_path=None,
            gss_host=None,
            preferred_auth=["publickey"],
            compression_algs=["none"],
            connect_timeout=DIAL_SECONDS,
            login_timeout=DIAL_SECONDS,
            keepalive_interval=KEEP_ALIVE,
            keepalive_count_max=KEEP_ALIVES,
        )
        try:
            await connection.forward_remote_port(access.listen_host, access.listen_port, *self._gate)
        except BaseException:
            connection.abort()
            raise
        log.info("The tunnel is open: %s", access.address)
        return connection

    def _say(self, message: str, level: str) -> None:
        log.info("%s", message)
        self._tell(Event.model_validate({"at": now(), "kind": "tunnel", "message": message, "level": level}))

    def _explained(self, error: Exception) -> StudiosError:
        where = f"{self._access.host}:{self._access.port}"
        match error:
            case asyncssh.HostKeyNotVerifiable():
                return StudiosError(
                    f"What answers at {where} is not the Hub's tunnel", "its host key is another one",
                    "Check c.Studios.tunnel_address, and what is between the jobs and the Hub", status=502,
                )  # fmt: skip
            case asyncssh.PermissionDenied():
                return StudiosError(
                    f"The tunnel at {where} refuses this session", "it does not know it, or not any more",
                    "Start the studio again; if it stays so, look into the log of the studios service", status=403,
                )  # fmt: skip
            case asyncssh.ChannelListenError():
                return StudiosError(
                    f"The tunnel at {where} has no place for this session",
                    f"port {self._access.listen_port} there is taken by another program",
                    "Start the studio again, and it gets another port", status=503,
                )  # fmt: skip
        return StudiosError(
            f"The tunnel at {where} cannot be reached", _words(error),
            "Let the jobs' network through to that port of the Hub's machine, or correct c.Studios.tunnel_bind "
            "and c.Studios.tunnel_address", status=503,
        )  # fmt: skip


def _words(error: Exception) -> str:
    reason = error.reason if isinstance(error, asyncssh.DisconnectError) else str(error)
    return reason or type(error).__name__


async def _wait(pause: float) -> float:
    """Sleeps about ``pause`` seconds; answers the next pause. Not the same for all sessions of a tunnel that was
    restarted."""
    await asyncio.sleep(pause * random.uniform(0.5, 1.0))
    return min(pause * 2, LONGEST_PAUSE)
