"""A session's place in the tunnel: its port on this side, and the connection of its agent when there is one."""

from __future__ import annotations

import asyncio
import contextlib
import logging

import asyncssh

from ..models import TunnelSession

log = logging.getLogger("studios.tunnel")

BUFFER = 64 * 1024
HEAD_SECONDS = 10.0
AWAY = b"""<!doctype html><html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="3">
<title>Out of reach</title></head><body><h1>The studio is out of reach for a moment</h1>
<p>The connection to its machine was cut, and is being made again. The studio itself goes on running.
This page asks again by itself.</p></body></html>
"""
AWAY_HEAD = (
    "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/html; charset=utf-8\r\nCache-Control: no-store\r\n"
    f"Retry-After: 3\r\nContent-Length: {len(AWAY)}\r\nConnection: close\r\n\r\n"
)


class Seat:
    """Holds its port between :meth:`open` and :meth:`close`."""

    def __init__(self, session: TunnelSession, listen_host: str) -> None:
        self.session = session
        self.place = (listen_host, session.port)
        self._server: asyncio.Server | None = None
        self._connection: asyncssh.SSHServerConnection | None = None
        self._forwarding = False
        self._visitors: set[asyncio.StreamWriter] = set()  # whose bytes go over the connection

    async def open(self) -> str:
        """Takes the port; answers why it cannot be had, or nothing. May be repeated."""
        if self._server is None:
            try:
                self._server = await asyncio.start_server(self._serve, *self.place)
            except OSError as error:
                return error.strerror or str(error)
        return ""

    def close(self) -> None:
        """Leaves the port, and cuts the agent's connection with all that goes over it."""
        if self._server is not None:
            self._server.close()
        self._cut()

    def _cut(self) -> None:
        if self._connection is not None:
            self._connection.abort()
        self._connection, self._forwarding = None, False
        for visitor in self._visitors:
            # By force: nobody must take a half for the whole.
            visitor.transport.abort()

    @property
    def connected(self) -> bool:
        return self._connection is not None and self._forwarding

    # --- the agent ---

    def take(self, connection: asyncssh.SSHServerConnection) -> None:
        """The session's agent is there: an older connection of it is a dead one."""
        self._cut()
        self._connection = connection

    def leave(self, connection: asyncssh.SSHServerConnection) -> None:
        if self._connection is connection:
            self._cut()

    def forward(
        self, connection: asyncssh.SSHServerConnection, place: tuple[str, int]
    ) -> asyncssh.SSHListener | None:
        """What the agent gets when it asks for connections to ``place``: None, unless it is its own, once."""
        mine = self._connection is connection and self._server is not None
        if not mine or self._forwarding or place != self.place:
            return None
        self._forwarding = True
        return _Forward(self, connection)

    # --- the Hub's proxy ---

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = self._connection if self._forwarding else None
        try:
            if connection is None:
                return await _away(reader, writer)
            peer = writer.get_extra_info("peername") or ("", 0)
            try:
                inner = await connection.open_connection(*self.place, *peer[:2], encoding=None)
            except asyncssh.Error:
                return await _away(reader, writer)
            self._visitors.add(writer)
            await _join((reader, writer), inner)
        except (OSError, asyncssh.Error):
            writer.transport.abort()
        finally:
            self._visitors.discard(writer)
            writer.close()


class _Forward(asyncssh.SSHListener):
    """The agent's request, as long as it stands. The port itself is the seat's."""

    def __init__(self, seat: Seat, connection: asyncssh.SSHServerConnection) -> None:
        super().__init__()
        self._seat, self._of = seat, connection

    def get_port(self) -> int:
        return self._seat.session.port

    def close(self) -> None:
        self._seat.leave(self._of)  # nothing else goes over it

    async def wait_closed(self) -> None:
        return


Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Inner = tuple[asyncssh.SSHReader[bytes], asyncssh.SSHWriter[bytes]]


async def _join(outer: Ends, inner: Inner) -> None:
    """Bytes to and fro, until both sides have said all; an end by force of either ends both."""
    try:
        async with asyncio.TaskGroup() as pumps:
            pumps.create_task(_pump(outer[0], inner[1]))
            pumps.create_task(_pump(inner[0], outer[1]))
    except* (OSError, asyncssh.Error):
        outer[1].transport.abort()
        inner[1].channel.abort()
    inner[1].close()


async def _pump(
    source: asyncio.StreamReader | asyncssh.SSHReader[bytes],
    sink: asyncio.StreamWriter | asyncssh.SSHWriter[bytes],
) -> None:
    while data := await source.read(BUFFER):
        sink.write(data)
        await sink.drain()
    with contextlib.suppress(OSError):
        sink.write_eof()


async def _away(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers whatever is asked: not now."""
    with contextlib.suppress(TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), HEAD_SECONDS)
        writer.write(AWAY_HEAD.encode() + AWAY)
        await writer.drain()
