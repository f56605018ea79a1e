"""The session's way to its owner's data: a unix socket that hands requests on to the studios service.

Credentials of data links never enter a session. Whoever is inside asks here; the agent adds the session's token, which
the session never sees, and the service answers as to the studio's owner. Bodies are streamed both ways, and who goes
away ends the work done for them.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

import aiohttp
from aiohttp import web
from yarl import URL

from ..models import LaunchSpec, Problem
from .relay import BUFFER, LINE, relay

SOCKET = "data.sock"
PASSED = ("Range", "If-Range", "Content-Type", "Content-Length", "Accept")
# Of one connection, or of the Hub's proxy; and no cookie of the Hub's is for the session.
NOT_PASSED = (
    "connection",
    "keep-alive",
    "transfer-encoding",
    "upgrade",
    "trailer",
    "server",
    "date",
    "set-cookie",
)


class DataSocket:
    """Serves between :meth:`start` and :meth:`stop`, in the folder ``run``."""

    def __init__(self, spec: LaunchSpec, run: Path) -> None:
        self._base = data_address(spec.control_url)
        self._token = spec.control_token
        self._run = run
        self._session: aiohttp.ClientSession | None = None
        self._web: web.Server | None = None
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=10),
            read_bufsize=BUFFER,
            max_line_size=LINE,
        )
        self._web = web.Server(
            self._serve, handler_cancellation=True, access_log=None, auto_decompress=False,
            read_bufsize=BUFFER, max_line_size=LINE,
        )  # fmt: skip
        # Through this a socket below a folder with a long name has a short one.
        folder = os.open(self._run, os.O_PATH | os.O_DIRECTORY)
        try:
            place = f"/proc/self/fd/{folder}/{SOCKET}"
            self._server = await asyncio.get_running_loop().create_unix_server(self._web, place)
        finally:
            os.close(folder)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        if self._web is not None:
            await self._web.shutdown(1.0)
        if self._session is not None:
            await self._session.close()

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        assert self._session is not None
        path = request.raw_path
        if not path.startswith("/") or ".." in unquote(path.partition("?")[0]).split("/"):
            return _problem(404, "There is nothing at this address", "", "Check the address")
        headers = {name: request.headers[name] for name in PASSED if name in request.headers}
        headers["Authorization"] = f"Bearer {self._token}"
        try:
            answer = await self._session.request(
                request.method,
                URL(self._base + path[1:], encoded=True),
                headers=headers,
                data=request.content if request.body_exists else None,
                allow_redirects=False,
            )
        except (aiohttp.ClientError, TimeoutError, OSError):
            return _unreachable()
        async with answer:
            if answer.status == 401:
                return _problem(
                    403, "This session has ended", "the studios service does not know it any more",
                    "Start the studio again",
                )  # fmt: skip
            if answer.status >= 300 and "json" not in answer.headers.get("Content-Type", ""):
                # The Hub's proxy, or something else on the way: the service's own refusals are documents.
                return _unreachable()
            passed = [
                (name, value) for name, value in answer.headers.items() if name.lower() not in NOT_PASSED
            ]
            return await relay(request, answer, passed)


def data_address(control_url: str) -> str:
    """Where the service answers agents about data: beside the control channel."""
    parts = urlsplit(control_url)
    scheme = "https" if parts.scheme == "wss" else "http"
    path = parts.path.rpartition("/")[0] + "/data/"
    return urlunsplit((scheme, parts.netloc, path, "", ""))


def _unreachable() -> web.Response:
    return _problem(
        503, "The studios service cannot be reached", "it is being restarted, or the network is down",
        "Try again in a minute: the studio itself goes on running",
    )  # fmt: skip


def _problem(status: int, title: str, detail: str, action: str) -> web.Response:
    document = Problem(title=title, status=status, detail=detail, action=action)
    headers = {"Content-Type": "application/problem+json", "Cache-Control": "no-store"}
    return web.Response(status=status, body=document.model_dump_json(exclude_none=True), headers=headers)
