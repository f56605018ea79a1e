"""The programs that mount, as a mount sees them: what each is given, how it is asked how it is, what its end means."""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import shutil
import sys
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from ...models import MountAccess
from ..root.mounts import MountFault
from . import mountpoint, rclone
from .leftovers import Leftover, leftovers
from .rc import Rc, RcloneSilent, Stats, Waiting, short

CHECK_SECONDS = 60.0  # between two looks that ask the store: each is a request that costs
LIST_SECONDS = 120.0  # a folder of 200,000 entries takes a while
ANSWER_SECONDS = 10.0  # for what asks no store
RETRY_SECONDS = (
    20.0  # between two tries of one file while a session waits for it; rclone's own pauses reach 5 minutes
)
SAID = 20  # lines of a program's that are kept, to say why it ended


class Silent(Exception):
    """The program does not answer, or not as it should; the text says what it said."""


@dataclass(frozen=True)
class Look:
    """How a mount is. ``trouble``: what is wrong with it, for people."""

    trouble: str = ""
    waiting: Sequence[Waiting] = ()
    cached_bytes: int = 0


class Driver(ABC):
    """One program for one mount. What it says is put into ``said``. ``access`` is given anew with every question:
    its credential changes while the program runs."""

    program: ClassVar[str]
    no_fuse: ClassVar[tuple[str, ...]] = ("fusermount", "fuse device", "/dev/fuse")

    def __init__(self, place: rclone.Place, room: rclone.Limits) -> None:
        self.place, self.room = place, room
        self.said: deque[str] = deque(maxlen=SAID)
        self.fds: tuple[int, ...] = ()  # that it inherits

    # --- its start ---

    @classmethod
    def found(cls) -> str | None:
        """Its path."""
        return shutil.which(cls.program)

    def prepare(self, access: MountAccess) -> None:
        """What must be there when it starts. Blocks."""
        self.place.cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.said.clear()

    @abstractmethod
    def fetches(self, access: MountAccess) -> bool:
        """Whether it gets its keys from the agent's address (:mod:`.keys`)."""

    @abstractmethod
    def arguments(self, access: MountAccess, *, others: bool) -> list[str]: ...

    @abstractmethod
    def environment(self, keys_url: str | None, keys_token: str | None) -> dict[str, str]: ...

    def answers(self) -> bool:
        """Whether it can be asked, once its file system is there."""
        return True

    # --- how it is ---

    @abstractmethod
    async def relist(self) -> None:
        """Reads its listings anew, past any cache. :class:`MountFault` with what the store says where it cannot."""

    @abstractmethod
    async def look(self) -> Look:
        """:class:`Silent` while it does not answer."""

    def leftovers(self) -> list[Leftover]:
        """Files that were written and are not in the bucket. Blocks."""
        return []

    async def hurry(self) -> int:
        """What waits to be uploaded is tried now, what failed again soon. The bytes that were moved so far."""
        return 0

    # --- its credential, its end ---

    @abstractmethod
    def take(self, access: MountAccess) -> bool:
        """A new credential. Whether it takes it over as it runs. Blocks."""

    @abstractmethod
    def last_words(self) -> str:
        """Why it ended, as it said; empty: it said nothing."""

    @abstractmethod
    def close(self) -> None:
        """It has ended, and is started no more."""


# --- rclone -----------------------------------------------------------------------------------------


class Rclone(Driver):
    program = "rclone"

    def __init__(self, place: rclone.Place, room: rclone.Limits, access: MountAccess) -> None:
        super().__init__(place, room)
        self._remote = access.remote
        self._checked_at = 0.0  # when an empty listing was checked past the cache
        self._gone = ""  # why nothing is found in it, where its listing says no more than that it is empty
        self._hurried: dict[int, float] = {}  # when each file that waits was last told to go

    @classmethod
    def found(cls) -> str | None:
        return super().found() or shutil.which(Path(sys.executable).with_name(cls.program))

    def prepare(self, access: MountAccess) -> None:
        super().prepare(access)
        self.place.socket.unlink(missing_ok=True)
        self.take(access)
        if not self.fds:
            self.fds = (os.open(self.place.folder, os.O_PATH | os.O_DIRECTORY),)

    def fetches(self, access: MountAccess) -> bool:
        return access.keys is not None and access.expires_at is not None

    def arguments(self, access: MountAccess, *, others: bool) -> list[str]:
        return rclone.arguments(access, self.place, self.room, others=others, socket=self._socket)

    def environment(self, keys_url: str | None, keys_token: str | None) -> dict[str, str]:
        return rclone.environment(os.environ, keys_url, keys_token)

    def answers(self) -> bool:
        return self.place.socket.exists()

    @property
    def _socket(self) -> str:
        """Through the open folder its path is short."""
        return short(self.place.socket, self.fds[0])

    @property
    def _rc(self) -> Rc:
        return Rc(self._socket)

    async def relist(self) -> None:
        try:
            await self._rc.relist(LIST_SECONDS)
            await self._stats(anew=True)
        except RcloneSilent as error:
            raise MountFault(words(str(error))) from None
        if self._gone:
            raise MountFault(self._gone)

    async def look(self) -> Look:
        try:
            stats = await self._stats()
            waiting = await self._rc.queue() if stats.queued or stats.uploading else []
        except RcloneSilent as error:
            raise Silent(str(error)) from None
        full = "the disk under its cache is full" if stats.full else ""
        return Look(self._gone or full, waiting, stats.cached_bytes)

    async def _stats(self, *, anew: bool = False) -> Stats:
        """An empty folder is looked at past the cache: it may be one that is gone."""
        stats = await self._rc.stats()
        if stats.entries > 0:
            self._gone = ""
            return stats
        clock = asyncio.get_running_loop().time()
        if not anew and clock - self._checked_at < CHECK_SECONDS:
            return stats
        self._checked_at = clock
        try:
            await self._rc.look(f"{rclone.REMOTE}:{self._remote}", LIST_SECONDS)
            self._gone = ""
        except RcloneSilent as error:
            self._gone = words(str(error))
        return stats

    def leftovers(self) -> list[Leftover]:
        return leftovers(self.place.cache, self._remote)

    async def hurry(self) -> int:
        clock = asyncio.get_running_loop().time()
        with contextlib.suppress(RcloneSilent):
            for one in await self._rc.queue():
                if not one.uploading and clock - self._hurried.get(one.id, -math.inf) >= RETRY_SECONDS:
                    self._hurried[one.id] = clock
                    await self._rc.hurry(one)
            return await self._rc.uploaded()
        return 0

    def take(self, access: MountAccess) -> bool:
        """At once and whole: rclone reads its configuration again when what it knows has expired."""
        new = self.place.config.with_suffix(".new")
        new.touch(mode=0o600)
        new.write_text(rclone.config(access))
        new.rename(self.place.config)
        return rclone.replaceable(access)

    def last_words(self) -> str:
        said = next((line for line in reversed(self.said) if "fusermount" in line or "CRITICAL" in line), "")
        return said.partition("CRITICAL: ")[2] or said or next(iter(reversed(self.said)), "")

    def close(self) -> None:
        self.place.config.unlink(missing_ok=True)
        for fd in self.fds:
            os.close(fd)
        self.fds = ()


# --- Mountpoint for Amazon S3 -----------------------------------------------------------------------


class MountS3(Driver):
    """It has nothing to ask it by, and keeps no listings: so its file system itself is looked at, with a limit, in a
    thread of its own. One that hangs hangs alone, until the program is ended."""

    program = mountpoint.PROGRAM
    no_fuse = (*Driver.no_fuse, "FUSE session")

    def __init__(self, place: rclone.Place, room: rclone.Limits) -> None:
        super().__init__(place, room)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=self.program)
        self._checked_at = 0.0
        self._trouble = ""

    def fetches(self, access: MountAccess) -> bool:
        """Also keys that do not end: there is no other way past its arguments and its environment."""
        return access.keys is not None

    def arguments(self, access: MountAccess, *, others: bool) -> list[str]:
        return mountpoint.arguments(access, self.place, self.room, others=others)

    def environment(self, keys_url: str | None, keys_token: str | None) -> dict[str, str]:
        return mountpoint.environment(os.environ, keys_url, keys_token)

    async def relist(self) -> None:
        try:
            await self._limited(self._list, LIST_SECONDS)
        except Silent as error:
            raise MountFault(str(error)) from None
        if self._trouble:
            raise MountFault(self._trouble)

    async def look(self) -> Look:
        await self._limited(self._stat, ANSWER_SECONDS)
        clock = asyncio.get_running_loop().time()
        if clock - self._checked_at >= CHECK_SECONDS:
            self._checked_at = clock
            await self._limited(self._list, LIST_SECONDS)
        return Look(self._trouble)

    def _stat(self) -> None:
        with contextlib.suppress(OSError):  # of a program that has ended: its mount hears of that itself
            os.statvfs(self.place.point)

    def _list(self) -> None:
        """Its uppermost folder: that is asked of the store each time."""
        try:
            with os.scandir(self.place.point) as entries:
                next(entries, None)
            self._trouble = ""
        except OSError as error:
            self._trouble = words(": ".join(filter(None, (error.strerror, self.last_words()))))

    async def _limited(self, look: Callable[[], None], seconds: float) -> None:
        try:
            await asyncio.wait_for(asyncio.get_running_loop().run_in_executor(self._thread, look), seconds)
        except TimeoutError:
            raise Silent(f"its folder did not answer within {seconds:.0f} s") from None

    def take(self, access: MountAccess) -> bool:
        return True  # it asks for keys again before those that it has end

    def last_words(self) -> str:
        return mountpoint.last_words(list(self.said))

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)


# --- which ------------------------------------------------------------------------------------------


def driver(access: MountAccess, place: rclone.Place, room: rclone.Limits) -> Driver:
    """For the program that the service wants, where it is installed; else rclone. Only the agent's own path counts:
    a program that a studio's image brings would have the agent's rights."""
    if access.mounter == MountS3.program and MountS3.found() is not None:
        return MountS3(place, room)
    return Rclone(place, room, access)


def words(said: str) -> str:
    """What a store said, for people."""
    for meant, signs in _WORDS.items():
        if any(sign in said for sign in signs):
            return meant
    return said[:300]


_WORDS = {
    "the bucket or folder is not there": (
        "directory not found", "NoSuchBucket", "bucket does not exist",
    ),
    "the store refuses the data link's credential": (
        "AccessDenied", "Forbidden", "403", "InvalidAccessKeyId", "ExpiredToken", "No signing credentials",
    ),
    "the store cannot be reached": (
        "connection refused", "no such host", "i/o timeout", "deadline exceeded", "AWS_IO_SOCKET", "AWS_IO_DNS",
    ),
}  # fmt: skip
