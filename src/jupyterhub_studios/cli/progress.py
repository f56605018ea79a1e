"""How far a transfer is, in one line of a terminal. Not on a terminal nothing is shown."""

from __future__ import annotations

import sys
import threading
import time
from typing import TextIO

from . import text

EVERY = 0.2  # seconds between two looks


class Progress:
    def __init__(self, total: int | None = None, stream: TextIO | None = None) -> None:
        self.total, self.done = total, 0
        self._stream = stream or sys.stderr
        self._shown = self._stream.isatty()
        self._began = self._told = time.monotonic()
        self._lock = threading.Lock()

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown:
            self._stream.write("\r\x1b[K")
            self._stream.flush()

    def add(self, count: int) -> None:
        with self._lock:
            self.done += count
            at = time.monotonic()
            if self._shown and at - self._told >= EVERY:
                self._told = at
                self._tell(self._line(at))

    def note(self, words: str) -> None:
        """Something else than bytes."""
        if self._shown:
            self._tell(words)

    def _tell(self, line: str) -> None:
        self._stream.write(f"\r\x1b[K  {line}")
        self._stream.flush()

    def _line(self, at: float) -> str:
        rate = f"{text.size(round(self.done / max(at - self._began, 0.001)))}/s"
        if not self.total:
            return f"{text.size(self.done)}  {rate}"
        return f"{100 * self.done // self.total} %  {text.size(self.done)} of {text.size(self.total)}  {rate}"
