"""An event loop whose time passes only as fast as there is nothing to do: hours in a test's seconds, nothing slept."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

REAL_SECONDS = 0.005  # that a socket or a thread is really waited for before time is passed over


class _Selector(selectors.DefaultSelector):
    skipped = 0.0

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None:
            return super().select(None)
        ready = super().select(min(timeout, REAL_SECONDS))
        if not ready:
            self.skipped += max(0.0, timeout - REAL_SECONDS)
        return ready


class Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._passing = _Selector()
        super().__init__(self._passing)

    def time(self) -> float:
        return super().time() + self._passing.skipped


def run(work: Coroutine[Any, Any, T]) -> T:
    """What ``work`` answers. Its ``asyncio.sleep`` and time-outs take no time when all else rests."""
    with asyncio.Runner(loop_factory=Loop) as runner:
        return runner.run(work)
