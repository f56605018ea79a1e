"""A zip of many objects, sized before it starts and made while it is sent: no temporary file, bounded memory.

The objects are stored, not packed, so the length is known from their sizes. While one is sent the next ones are
read already, ``AHEAD`` at a time, until ``HELD_MAX`` bytes wait to be sent.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass

from zipstream import ZipStream

from ...web.streams import closing
from ..backends.base import Backend, Object
from ..downloads.sending import exactly

AHEAD = 16
HELD_MAX = 32 << 20  # bytes that wait to be sent; and at most one chunk more of each that is being read
BATCH = 64 << 10  # smaller parts are sent together


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
        small = bytearray()  # headers and little files, sent together
        async with closing(_Ahead(backend, self._objects).chunks()) as chunks:
            async for chunk in chunks:
                for part in self._feed(parts, chunk):
                    if len(part) < BATCH:
                        small += part
                        continue
                    if small:
                        yield bytes(small)
                        small.clear()
                    yield part
                if len(small) >= BATCH:
                    yield bytes(small)
                    small.clear()
        for part in parts:
            small += part
        yield bytes(small)

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


class _Ahead:
    """Reads several objects at the same time, and gives their chunks in order."""

    def __init__(self, backend: Backend, objects: Sequence[Object]) -> None:
        self._backend = backend
        self._waiting = iter(objects)
        self._slots: deque[_Slot] = deque()  # in order; the first is the one that is sent
        self._reading = 0
        self._held = 0  # bytes
        self._coming = 0  # bytes that are being read
        self._taken = asyncio.Event()

    async def chunks(self) -> AsyncIterator[bytes | None]:
        """The chunks of each object, and None after its last."""
        try:
            self._begin()
            while self._slots:
                queue = self._slots[0].queue
                while (chunk := await queue.get()) is not None:
                    if isinstance(chunk, Exception):
                        raise chunk
                    self._held -= len(chunk)
                    self._taken.set()
                    self._begin()
                    yield chunk
                self._slots.popleft()
                self._taken.set()
                yield None
        finally:
            self._waiting = iter(())  # one that ends just now begins no other
            for slot in self._slots:
                slot.task.cancel()
            await asyncio.gather(*(slot.task for slot in self._slots), return_exceptions=True)

    def _begin(self) -> None:
        """Read more, as far as what is being read will fit: if all had to stop when nothing fits any more, only the
        one that is sent would go on, alone."""
        while self._reading < AHEAD and (self._reading < 2 or self._held + self._coming < HELD_MAX):
            if (found := next(self._waiting, None)) is None:
                return
            self._reading += 1
            self._coming += found.size or 0
            slot = _Slot()
            slot.task = asyncio.create_task(self._read(found, slot))
            self._slots.append(slot)

    async def _read(self, found: Object, slot: _Slot) -> None:
        end: Exception | None = None
        left = found.size or 0
        try:
            if found.size:
                async with closing(exactly(self._backend, found, 0, found.size)) as chunks:
                    async for chunk in chunks:
                        self._held += len(chunk)
                        self._coming -= len(chunk)
                        left -= len(chunk)
                        slot.queue.put_nowait(chunk)
                        # The one that is sent may go on when all is full, but not faster than it is sent.
                        while self._held >= HELD_MAX and (
                            slot is not self._slots[0] or slot.queue.qsize() > 1
                        ):
                            self._taken.clear()
                            await self._taken.wait()
        except Exception as error:
            end = error
        self._reading -= 1
        self._coming -= left
        slot.queue.put_nowait(end)
        self._begin()


class _Slot:
    """One object: what was read of it and not sent yet."""

    task: asyncio.Task[None]

    def __init__(self) -> None:
        self.queue: asyncio.Queue[bytes | Exception | None] = asyncio.Queue()
