"""A limit on how many bytes of bodies are in memory at once."""

from __future__ import annotations

import asyncio

MOST = 256 * 1024 * 1024


class Allowance:
    """Bytes that may be taken; who finds too few left waits for others to give theirs back, in turn."""

    def __init__(self, most: int = MOST) -> None:
        self._left = most
        self._turn = asyncio.Lock()
        self._freed = asyncio.Event()

    async def take(self, count: int) -> None:
        async with self._turn:
            while count > self._left:
                self._freed.clear()
                await self._freed.wait()
            self._left -= count

    def give_back(self, count: int) -> None:
        self._left += count
        self._freed.set()
