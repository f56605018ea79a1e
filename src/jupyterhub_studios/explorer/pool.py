"""Opened stores, kept while they are used and a little longer.

One for each link and credential: what was opened with somebody's credential never serves a link of somebody else,
and a changed credential opens anew.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from ..models import CredentialSpec, LinkView
from .backends import Guard, open_backend
from .backends.base import Backend

IDLE_SECONDS = 300.0


@dataclass
class _Opened:
    opening: asyncio.Task[Backend]
    users: int = 0
    idle_since: float = field(default_factory=time.monotonic)


class Backends:
    def __init__(self, key: bytes, guard: Guard) -> None:
        self._key = key
        self._guard = guard
        self._opened: dict[tuple[str, str, str], _Opened] = {}
        self._sweeper: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def lease(self, link: LinkView, spec: CredentialSpec | None) -> AsyncIterator[Backend]:
        """The store of a link; it stays open until everybody who has it is done."""
        if self._sweeper is None:
            self._sweeper = asyncio.create_task(self._sweep())
        key = (link.owner or "", link.id, self._fingerprint(link, spec))
        opened = self._opened.get(key)
        if opened is None or (opened.opening.done() and _failed(opened.opening)):
            opening = open_backend(spec, link.provider, link.bucket, guard=self._guard, region=link.region)
            opened = self._opened[key] = _Opened(asyncio.ensure_future(opening))
        opened.users += 1
        try:
            # Shielded: somebody who leaves must not end the opening for those who wait for it too.
            yield await asyncio.shield(opened.opening)
        finally:
            opened.users -= 1
            opened.idle_since = time.monotonic()

    def _fingerprint(self, link: LinkView, spec: CredentialSpec | None) -> str:
        secret = "" if spec is None else repr(spec.disclosed())
        text = "\0".join([link.provider, link.bucket, link.region or "", secret])
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(IDLE_SECONDS / 10)
            await self.close_idle(IDLE_SECONDS)

    async def close_idle(self, seconds: float) -> None:
        """Close what nobody has used for so long."""
        latest = time.monotonic() - seconds
        idle = [
            key for key, opened in self._opened.items() if not opened.users and opened.idle_since <= latest
        ]
        for opened in [self._opened.pop(key) for key in idle]:
            with suppress(Exception):  # it is given up: that it cannot be closed helps nobody
                await (await opened.opening).close()

    async def close(self) -> None:
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None
        for opened in self._opened.values():
            opened.users = 0
        await self.close_idle(-1)


def _failed(opening: asyncio.Task[Backend]) -> bool:
    return opening.cancelled() or opening.exception() is not None
