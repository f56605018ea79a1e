"""A zip of many objects, sized before it starts and made while it is sent: no temporary file, bounded memory.

The objects are stored, not packed, so the length is known from their sizes. While one is sent the next ones are
already being read: each of ``AHEAD`` objects holds at most ``CHUNKS_EACH`` chunks in memory.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

from zipstream import ZipStream

from ..backends.base import Backend, Object
from ..downloads.sending import exactly
from ..streams import closing

AHEAD = 16
CHUNKS_EACH = 1  # of at most 1 MiB
BATCH = 1 << 18  # what is sent at once at least, so that many small files do not mean many small writes


@dataclass(frozen=True)
class Member:
    """``found`` None: an empty folder, whose name ends with "/"."""

    name: str
    found: Object | None


class Zip:
    def __init__(self, members: list[Member]) -> None:
        self._objects = [member.found for member in members if member.found is not None]
        self._chunk: bytes | None = None  # what the zip is to take next; None: its member is at its end
        self._ended = False
        self._zip = ZipStream(sized=True)
        for member in members:
            if member.found is None:
                self._zip.add(None, member.name)
            else:
                self._zip.add(self._take(), member.name, size=member.found.size or 0)

    def __len__(self) -> int:
        return len(self._zip)

    async def chunks(self, backend: Backend) -> AsyncIterator[bytes]:
        """The zip. A member that cannot be read as it was listed raises, and so cuts it short."""
        parts = iter(self._zip)
        held: list[bytes] = []
        size = 0
        async with closing(_in_order(backend, self._objects)) as chunks:
            async for chunk in chunks:
                for part in self._feed(parts, chunk):
                    held.append(part)
                    size += len(part)
                if size >= BATCH:
                    yield b"".join(held)
                    held, size = [], 0
        held += parts
        yield b"".join(held)

    def _feed(self, parts: Iterator[bytes], chunk: bytes | None) -> Iterator[bytes]:
        """What the zip makes of a chunk, or of the end of a member. It asks for no more than there is."""
        self._chunk, self._ended = chunk, False
        while self._chunk is not None or (chunk is None and not self._ended):
            yield next(parts)

    def _take(self) -> Iterator[bytes]:
        while (chunk := self._chunk) is not None:
            self._chunk = None
            yield chunk
        self._ended = True


async def _in_order(backend: Backend, objects: list[Object]) -> AsyncIterator[bytes | None]:
    """The chunks of each object and None after its last, while the next objects are being read already."""
    waiting = iter(objects)
    reading: deque[tuple[asyncio.Task[None], asyncio.Queue[bytes | Exception | None]]] = deque()

    def begin() -> None:
        found = next(waiting, None)
        if found is not None:
            queue: asyncio.Queue[bytes | Exception | None] = asyncio.Queue(CHUNKS_EACH)
            reading.append((asyncio.create_task(_read(backend, found, queue)), queue))

    try:
        for _ in range(AHEAD):
            begin()
        while reading:
            queue = reading[0][1]
            while (chunk := await queue.get()) is not None:
                if isinstance(chunk, Exception):
                    raise chunk
                yield chunk
            reading.popleft()
            begin()
            yield None
    finally:
        for task, _ in reading:
            task.cancel()
        await asyncio.gather(*(task for task, _ in reading), return_exceptions=True)


async def _read(backend: Backend, found: Object, queue: asyncio.Queue[bytes | Exception | None]) -> None:
    try:
        if found.size:
            async with closing(exactly(backend, found, 0, found.size)) as chunks:
                async for chunk in chunks:
                    if chunk:
                        await queue.put(chunk)
        await queue.put(None)
    except Exception as error:
        await queue.put(error)
