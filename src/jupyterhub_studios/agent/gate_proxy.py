"""Forwarding: HTTP streamed both ways, upgraded connections as bytes. Knows nothing of who may pass."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import aiohttp
from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http import StreamWriter
from yarl import URL

from .gate_headers import Headers, response_headers
from .gate_pages import problem
from .relay import BUFFER, LINE, relay
from .upstream import Upstream

RETRY = 2  # seconds after which the page of an app that is not up yet asks again
# Heads of answers go through as they are: aiohttp's client would add these to requests.
NOT_ADDED = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")


class Proxy:
    """Passes requests on to one app. ``prefix`` is what it takes away from paths, None for nothing."""

    def __init__(self, app: Upstream, prefix: str | None) -> None:
        self._app = app
        self._prefix = prefix
        self._answered = False
        self._session = aiohttp.ClientSession(
            connector=app.connector(),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=NOT_ADDED,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=10),
            read_bufsize=BUFFER,
            max_line_size=LINE,
            max_field_size=LINE,
        )

    async def close(self) -> None:
        await self._session.close()

    async def forward(
        self, request: web.BaseRequest, headers: Headers, on_input: Callable[[int], None]
    ) -> web.StreamResponse:
        """The app's answer to ``request`` with ``headers``. ``on_input``: called when an upgraded connection
        brings something that is more than a keep-alive, with its bytes."""
        upgrade = is_websocket(request)
        if upgrade:
            headers["Connection"] = "Upgrade"
            headers["Upgrade"] = "websocket"
        try:
            if request.headers.get("Expect", "").lower() == "100-continue":
                await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            answer = await self._ask(request, headers)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
            return self._unreachable(request)
        except aiohttp.ClientError:
            return problem(
                request, 502, "The app broke off", "The app closed the connection without an answer.",
                "Try again; if it stays so, stop the studio and start it again.",
            )  # fmt: skip
        self._answered = True
        async with answer:
            if upgrade and answer.status == 101:
                return await self._upgraded(request, answer, on_input)
            return await relay(request, answer, self._answer_headers(request, answer))

    async def _ask(self, request: web.BaseRequest, headers: Headers) -> aiohttp.ClientResponse:
        path = request.raw_path
        if self._prefix is not None:
            path = path[len(self._prefix) - 1 :]
        return await self._session.request(
            request.method,
            URL(self._app.base + path, encoded=True),
            headers=headers,
            data=request.content if request.body_exists else None,
            allow_redirects=False,
        )

    def _unreachable(self, request: web.BaseRequest) -> web.Response:
        if self._answered:
            return problem(
                request, 502, "The app does not answer",
                "The studio's app ran and is gone now, or it does not take connections any more.",
                "Its end is on the studio's page. Stop the studio and start it again.",
            )  # fmt: skip
        return problem(
            request, 503, "The app is starting", "The studio is up, its app is not ready yet.",
            "This page asks again by itself.", refresh=RETRY,
        )  # fmt: skip

    def _answer_headers(self, request: web.BaseRequest, answer: aiohttp.ClientResponse) -> Headers:
        return response_headers(answer.headers, self._prefix, request.headers.get("Host", ""))

    async def _upgraded(
        self, request: web.BaseRequest, answer: aiohttp.ClientResponse, on_input: Callable[[int], None]
    ) -> web.StreamResponse:
        """Bytes to and fro until either side ends. Frames are not taken apart: sub-protocols, extensions,
        close codes and pings are between the visitor and the app, and no message is ever held in whole."""
        headers = self._answer_headers(request, answer)
        headers["Connection"] = "Upgrade"
        headers["Upgrade"] = "websocket"
        response = web.StreamResponse(status=101, reason=answer.reason, headers=headers)
        response.force_close()
        try:
            await response.prepare(request)
        except ConnectionError:  # the visitor did not wait
            return response
        connection = answer.connection
        if connection is None or connection.protocol is None or request.transport is None:
            return response
        inner, outer = connection.protocol, request.protocol
        assert inner.transport is not None
        ended = asyncio.Event()
        to_app = StreamWriter(inner, asyncio.get_running_loop())
        down = _Pipe(inner.transport, request.transport, request.writer, outer, ended)

        def watch(data: bytes) -> None:
            if not _is_control_frame(data):
                on_input(len(data))

        up = _Pipe(request.transport, inner.transport, to_app, inner, ended, watch)
        inner.set_parser(down, None)
        outer.set_parser(up)  # type: ignore[arg-type]
        try:
            await ended.wait()
        finally:
            down.close()
            up.close()
        return response


def is_websocket(request: web.BaseRequest) -> bool:
    return (
        request.method == "GET"
        and request.headers.get("Upgrade", "").strip().lower() == "websocket"
        and "upgrade" in request.headers.get("Connection", "").lower()
    )


class _Pipe:
    """One direction of an upgraded connection; takes the place of aiohttp's WebSocket parser."""

    def __init__(
        self,
        source: asyncio.Transport,
        sink: asyncio.Transport,
        writer: AbstractStreamWriter,
        sink_protocol: BaseProtocol,
        ended: asyncio.Event,
        watch: Callable[[bytes], None] | None = None,
    ) -> None:
        self._watch = watch
        self._source = source
        self._sink = sink
        self._writer = writer
        self._sink_protocol = sink_protocol
        self._ended = ended
        self._held: asyncio.Task[None] | None = None

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        if self._watch is not None:
            self._watch(data)
        self._sink.write(data)
        if self._sink_protocol.writing_paused:
            self._source.pause_reading()
            if self._held is None:
                self._held = asyncio.create_task(self._hold())
        return False, b""

    async def _hold(self) -> None:
        try:
            await self._writer.drain()
            self._source.resume_reading()
        except ConnectionError:
            self._ended.set()
        finally:
            self._held = None

    def feed_eof(self) -> None:
        self._ended.set()

    def close(self) -> None:
        if self._held is not None:
            self._held.cancel()


def _is_control_frame(data: bytes) -> bool:
    """Exactly one masked close, ping or pong frame (RFC 6455 5.2), as they come between people's input."""
    return len(data) >= 6 and data[0] & 0x0F >= 8 and len(data) == 6 + (data[1] & 0x7F)
