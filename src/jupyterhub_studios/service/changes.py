"""Who waits for what: long polls wake when the row that they watch has changed."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import TypeVar

R = TypeVar("R")


class Changes:
    """Wake-ups by key (a studio's or a session's id). The truth is in the database: a wake-up only says
    that it is worth reading again, so one too many does no harm."""

    def __init__(self) -> None:
        self._waiting: dict[str, set[asyncio.Event]] = defaultdict(set)

    def announce(self, *keys: str) -> None:
        for key in keys:
            for event in self._waiting.get(key, ()):
                event.set()

    async def until(self, key: str, wait: float, read: Callable[[], Awaitable[R | None]]) -> R | None:
        """The first answer of ``read`` that is not None, read again at each change; None after ``wait``."""
        event = asyncio.Event()
        self._waiting[key].add(event)
        try:
            async with asyncio.timeout(wait) if wait > 0 else asyncio.timeout(None):
                while True:
                    event.clear()
                    if (answer := await read()) is not None or wait <= 0:
                        return answer
                    await event.wait()
        except TimeoutError:
            return None
        finally:
            self._waiting[key].discard(event)
            if not self._waiting[key]:
                del self._waiting[key]
