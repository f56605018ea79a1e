"""The HTTP API of a Docker engine, as far as it is used here.

No library: the few requests are JSON over a unix socket, and aiohttp, which is here already, never blocks the Hub.
"""

from __future__ import annotations

import json
import struct
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from ..models import StudiosError

TIMEOUT = 60.0
CONNECT_TIMEOUT = 10.0


class EngineError(Exception):
    """The engine said no."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Engine:
    def __init__(self, url: str) -> None:
        """``url``: unix:///path or tcp://host:port."""
        self.url = url
        self._unix = url.removeprefix("unix://") if url.startswith("unix://") else None
        self._base = "http://engine" if self._unix else url.replace("tcp://", "http://", 1).rstrip("/")

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        patience: float = TIMEOUT,
        **query: Any,
    ) -> Any:
        """The engine's answer: JSON as what it stands for, everything else as bytes, nothing as None."""
        content = await self.read(method, path, body, patience=patience, **query)
        return json.loads(content) if content[:1] in (b"{", b"[") else content or None

    async def read(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        patience: float = TIMEOUT,
        **query: Any,
    ) -> bytes:
        async with self._answer(method, path, body, {}, patience, query) as answer:
            return await answer.read()

    async def lines(
        self, method: str, path: str, *, headers: Mapping[str, str], patience: float, **query: Any
    ) -> AsyncIterator[bytes]:
        """The answer line by line, while it comes. ``headers`` may hold credentials: they are never told."""
        async with self._answer(method, path, None, headers, patience, query) as answer:
            async for line in answer.content:
                yield line

    @asynccontextmanager
    async def _answer(
        self,
        method: str,
        path: str,
        body: Any,
        headers: Mapping[str, str],
        patience: float,
        query: dict[str, Any],
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        connector = aiohttp.UnixConnector(self._unix) if self._unix else aiohttp.TCPConnector()
        limits = aiohttp.ClientTimeout(total=patience, connect=CONNECT_TIMEOUT)
        params = {key: _query(value) for key, value in query.items() if value is not None}
        try:
            async with (
                aiohttp.ClientSession(connector=connector, timeout=limits) as client,
                client.request(
                    method, f"{self._base}{path}", json=body, params=params, headers=headers
                ) as answer,
            ):
                if answer.status >= 400:
                    raise EngineError(answer.status, _message(await answer.read()))
                yield answer
        except (aiohttp.ClientConnectionError, TimeoutError) as error:
            raise StudiosError(
                "The Docker engine does not answer",
                f"{self.url}: {error or type(error).__name__}",
                "An administrator should check that it runs, and that the Hub may use its socket",
                status=503,
            ) from error


def _query(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    return value if isinstance(value, str) else json.dumps(value)


def _message(content: bytes) -> str:
    try:
        return str(json.loads(content)["message"])
    except (ValueError, KeyError, TypeError):
        return content.decode(errors="replace")[:500] or "no reason given"


def log_lines(stream: bytes) -> list[str]:
    """The lines of a container's log, which the engine sends in frames that say of which output each is."""
    text, at = b"", 0
    while at + 8 <= len(stream):
        (size,) = struct.unpack_from(">I", stream, at + 4)
        text += stream[at + 8 : at + 8 + size]
        at += 8 + size
    return text.decode(errors="replace").splitlines()
