"""The SSH server: lets in the agents of the sessions that there are, each for its own port and nothing else."""

from __future__ import annotations

import asyncio
import hmac
import logging

import asyncssh
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ..models import TunnelReport, TunnelSettings, TunnelTable
from .keys import private_text
from .seats import Seat

log = logging.getLogger("studios.tunnel")

KEEP_ALIVE, KEEP_ALIVES = 15, 3  # seconds between two, and how many may stay unanswered
LOGIN_SECONDS = 20
AGAIN_SECONDS = 2.0  # between two tries to have a port that is taken


class Tunnel:
    def __init__(self, settings: TunnelSettings, key: Ed25519PrivateKey) -> None:
        self._settings = settings
        self._key = asyncssh.import_private_key(private_text(key))
        self._seats: dict[str, Seat] = {}
        self._taken: dict[str, str] = {}
        self._fault = "it is being started"
        self._acceptor: asyncssh.SSHAcceptor | None = None

    # --- what the service wants ---

    async def apply(self, table: TunnelTable) -> TunnelReport:
        """Makes it so that exactly the sessions of ``table`` have their places."""
        wanted = {session.id: session for session in table.sessions}
        for name, seat in list(self._seats.items()):
            if wanted.get(name) != seat.session:
                del self._seats[name]
                seat.close()
                log.info("Session %s: its place is closed", name)
        for name, session in wanted.items():
            self._seats.setdefault(name, Seat(session, self._settings.listen_host))
        await self._open_seats()
        return self.report()

    def report(self) -> TunnelReport:
        connected = [name for name, seat in self._seats.items() if seat.connected]
        return TunnelReport(
            settings=self._settings, fault=self._fault, taken=self._taken, connected=connected
        )

    def seat(self, name: str) -> Seat | None:
        return self._seats.get(name)

    # --- listening ---

    async def run(self) -> None:
        """Listens until cancelled; ports that are taken are asked for again and again."""
        try:
            while True:
                if self._acceptor is None:
                    await self._listen()
                if self._taken:
                    await self._open_seats()
                await asyncio.sleep(AGAIN_SECONDS)
        finally:
            if self._acceptor is not None:
                self._acceptor.close()
            for seat in self._seats.values():
                seat.close()

    async def _listen(self) -> None:
        where = self._settings
        try:
            self._acceptor = await asyncssh.listen(
                where.bind_host,
                where.bind_port,
                server_factory=lambda: _Door(self),
                server_host_keys=[self._key],
                login_timeout=LOGIN_SECONDS,
                keepalive_interval=KEEP_ALIVE,
                keepalive_count_max=KEEP_ALIVES,
                public_key_auth=True,
                password_auth=False,
                kbdint_auth=False,
                host_based_auth=False,
                gss_host=None,
                agent_forwarding=False,
                allow_pty=False,
                allow_scp=False,
                x11_forwarding=False,
                compression_algs=["none"],
            )
        except OSError as error:
            fault = f"it cannot listen on {where.bind_host}:{where.bind_port}: {error.strerror or error}"
            if fault != self._fault:
                log.error("The tunnel is closed: %s. Free the port, or change c.Studios.tunnel_bind", fault)
            self._fault = fault
            return
        self._fault = ""
        log.info("Listening on %s:%d", where.bind_host, where.bind_port)

    async def _open_seats(self) -> None:
        faults = {name: await seat.open() for name, seat in list(self._seats.items())}
        taken = {name: fault for name, fault in faults.items() if fault}
        for name in taken.keys() - self._taken.keys():
            log.error("Session %s: its port %d cannot be had: %s", name, self._port(name), taken[name])
        self._taken = taken

    def _port(self, name: str) -> int:
        return self._seats[name].session.port if name in self._seats else 0


class _Door(asyncssh.SSHServer):
    """One connection. Shells, other forwards, agents, X11 and files are refused by what asyncssh does by default:
    only what is answered here is possible."""

    def __init__(self, tunnel: Tunnel) -> None:
        self._tunnel = tunnel
        self._connection: asyncssh.SSHServerConnection | None = None
        self._name = ""  # of the session, once it is sure

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn

    def connection_lost(self, exc: Exception | None) -> None:
        if self._name and self._connection is not None:
            log.info("Session %s: its agent is gone (%s)", self._name, exc or "it hung up")
            if (seat := self._tunnel.seat(self._name)) is not None:
                seat.leave(self._connection)

    def begin_auth(self, username: str) -> bool:
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        seat = self._tunnel.seat(username)
        shown = _words(key.export_public_key("openssh").decode())
        good = seat is not None and hmac.compare_digest(shown, _words(seat.session.key))
        if not good:
            log.warning("Somebody was refused: not the key of a session that there is")
        return good

    def auth_completed(self) -> None:
        assert self._connection is not None
        name = str(self._connection.get_extra_info("username"))
        seat = self._tunnel.seat(name)
        if seat is None:  # it ended in between
            self._connection.abort()
            return
        self._name = name
        seat.take(self._connection)
        log.info("Session %s: its agent is there", name)

    def server_requested(self, listen_host: str, listen_port: int) -> asyncssh.SSHListener | bool:
        seat = self._tunnel.seat(self._name)
        if seat is None or self._connection is None:
            return False
        forward = seat.forward(self._connection, (listen_host, listen_port))
        if forward is None:
            log.warning("Session %s: refused to forward %s:%d", self._name, listen_host, listen_port)
        return forward or False


def _words(line: str) -> str:
    """A public key without its comment."""
    return " ".join(line.split()[:2])
