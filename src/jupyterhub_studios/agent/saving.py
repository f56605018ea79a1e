"""When a session is saved, and what happens when it cannot be."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, Protocol

from ..checkpoints import Fenced, installed
from ..models import Checkpoint, Event, Package, StudiosError, now
from .root import Root

log = logging.getLogger(__name__)

LONGEST_PAUSE = 60.0
LATE_SHOWN = 5  # files that are named
REPEAT_FIRST, REPEAT_LONGEST = 60.0, 1800.0  # seconds between two events about one and the same trouble

Tell = Callable[[Event], None]


class Saves(Protocol):
    """What of the checkpoints package is used here."""

    async def save(
        self,
        final: bool = False,
        name: str | None = None,
        author: str | None = None,
        installed: Sequence[Package] | None = None,
        hurry: bool = False,
    ) -> Checkpoint: ...

    def late(self) -> list[str]: ...


class Trouble:
    """A fault that lasts, told when it begins, now and then, and when it is over; not at every try."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._since: float | None = None
        self._began = ""
        self._count = 0
        self._next = 0.0
        self._pause = REPEAT_FIRST

    def failed(self, what: str, error: Exception, level: Literal["warning", "error"]) -> None:
        self._count += 1
        clock = time.monotonic()
        if self._since is None:
            self._since, self._began, self._pause = clock, f"{now():%H:%M} UTC", REPEAT_FIRST
            self._next = clock + self._pause
            self._event("save-failed", f"{what} failed and will be tried again: {error}", level)
        elif clock >= self._next:
            self._pause = min(self._pause * 2, REPEAT_LONGEST)
            self._next = clock + self._pause
            self._event(
                "save-failed",
                f"{what} has failed {self._count} times since {self._began}, and is tried again: {error}",
                level,
            )
        log.warning("%s failed: %s", what, error)

    def over(self) -> None:
        if self._since is not None:
            self._event(
                "saved", f"Saving works again, after {self._count} failures since {self._began}", "info"
            )
        self._since, self._count = None, 0

    def _event(self, kind: str, message: str, level: Literal["info", "warning", "error"]) -> None:
        self._tell(Event(at=now(), kind=kind, message=message, level=level))


class Saving:
    """The saves of one session, one after the other."""

    def __init__(self, root: Root, saver: Saves, tell: Tell) -> None:
        self._root, self._saver = root, saver
        self._lock = asyncio.Lock()
        self._tell = tell
        self._trouble = Trouble(tell)

    async def save(
        self,
        final: bool = False,
        name: str | None = None,
        author: str | None = None,
        *,
        hurry: bool = False,
    ) -> Checkpoint:
        async with self._lock:
            await self._root.settle()
            packages = None if hurry else await asyncio.to_thread(self._installed)
            return await self._saver.save(
                final=final, name=name, author=author, installed=packages, hurry=hurry
            )

    async def every(self, interval: float, saved: Callable[[Checkpoint], None]) -> None:
        """Interim saves until cancelled. :class:`Fenced` ends it."""
        while True:
            await asyncio.sleep(interval)
            await self.now(saved)

    async def now(self, saved: Callable[[Checkpoint], None]) -> Checkpoint | None:
        """An interim save; None when it failed, which is told. Raises :class:`Fenced` alone."""
        try:
            checkpoint = await self.save()
            self._trouble.over()
        except Fenced:
            raise
        except Exception as error:
            self._trouble.failed("Saving", error, "warning")
            return None
        saved(checkpoint)
        return checkpoint

    async def quick(self, saved: Callable[[Checkpoint], None]) -> None:
        """Before a last save that may be cut off: all but the largest files, and a word on those."""
        try:
            saved(await self.save(hurry=True))
        except Fenced:
            raise
        except Exception as error:
            self._trouble.failed("The quick save", error, "warning")
            return
        if late := self._saver.late():
            more = f" and {len(late) - LATE_SHOWN} more" if len(late) > LATE_SHOWN else ""
            self._tell(
                Event(
                    at=now(),
                    kind="save-late",
                    message=f"All is saved but the largest of the changed files: {', '.join(late[:LATE_SHOWN])}{more}. "
                    "They are saved now; should the machine end before, they are as they were at the save before.",
                    level="warning",
                )
            )

    async def last(self, hurry: bool = False) -> Checkpoint:
        """The final save: tried until it is durable, for as long as that takes."""
        pause = 1.0
        while True:
            try:
                checkpoint = await self.save(final=True, hurry=hurry)
                self._trouble.over()
                return checkpoint
            except Fenced:
                raise
            except Exception as error:
                self._trouble.failed("The last save", error, "error")
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    def _installed(self) -> list[Package] | None:
        """What was installed, for people to read: never a reason not to save."""
        try:
            return installed(self._root.upper, self._root.layers, Path("/"))
        except (OSError, ValueError, StudiosError) as error:
            log.warning("What was installed could not be found out: %s", error)
            return None  # as it was
