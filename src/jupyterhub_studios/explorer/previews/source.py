"""The file that a preview is made of, as a worker sees it: bytes that it asks for, counted and capped."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

HEAD = 64 << 10
BLOCK = 64 << 10
BUDGET = 1_900_000  # bytes of one preview, if its format does not say otherwise
READ_MAX = 8 << 20  # of one request to the store

Fetch = Callable[[int, int], bytes]


class TooMuch(Exception):
    """More bytes would be needed than a preview may read."""


class Source(io.RawIOBase):
    """A read-only, seekable file. Small reads are rounded to blocks, which are kept."""

    def __init__(self, size: int, fetch: Fetch, *, block: int = BLOCK, budget: int = BUDGET) -> None:
        self.size = size
        self.budget = budget
        self.bytes_read = 0
        self.exceeded = False  # for libraries that lose what was raised in a file's methods
        self._fetch = fetch
        self._block = block
        self._blocks: dict[int, bytes] = {}
        self._at = 0
        self._head: bytes | None = None

    @property
    def head(self) -> bytes:
        """The first 64 KiB, of which a format is recognised."""
        if self._head is None:
            self._head = self._ask(0, min(HEAD, self.size))
            for start in range(0, len(self._head), self._block):
                self._blocks[start // self._block] = self._head[start : start + self._block]
        return self._head

    def use_blocks(self, block: int) -> None:
        """Formats with many small parts far from each other read less with smaller blocks."""
        self._block = block
        self._blocks.clear()

    def get(self, start: int, length: int) -> bytes:
        """The bytes of a range; fewer at the end."""
        end = min(start + length, self.size)
        if start >= end:
            return b""
        if self._head is not None and end <= len(self._head):
            return self._head[start:end]
        first, last = start // self._block, (end - 1) // self._block
        self._load(first, last)
        joined = b"".join(self._blocks[index] for index in range(first, last + 1))
        return joined[start - first * self._block : end - first * self._block]

    def _load(self, first: int, last: int) -> None:
        """Fetch what is missing, neighbours in one request."""
        index = first
        while index <= last:
            if index in self._blocks:
                index += 1
                continue
            run = index
            while run <= last and run not in self._blocks and (run - index) * self._block < READ_MAX:
                run += 1
            data = self._ask(index * self._block, (run - index) * self._block)
            for offset in range(run - index):
                self._blocks[index + offset] = data[offset * self._block : (offset + 1) * self._block]
            index = run

    def _ask(self, start: int, length: int) -> bytes:
        length = min(length, self.size - start)
        if self.bytes_read + length > self.budget:
            self.exceeded = True
            raise TooMuch
        data = self._fetch(start, length)
        self.bytes_read += len(data)
        return data

    # --- a file, for the libraries ---

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size}[whence]
        if base + offset < 0:
            raise OSError("a place before the start")
        self._at = base + offset
        return self._at

    def read(self, size: int | None = -1) -> bytes:
        data = self.get(self._at, self.size if size is None or size < 0 else size)
        self._at += len(data)
        return data

    def readinto(self, buffer: Any) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)
