"""One mount: an rclone of its own, from its start to its end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import signal
import sys
from collections import deque
from datetime import datetime
from pathlib import Path

from ...models import MountAccess, MountStatus, now
from ..root.mounts import MountFault, is_mounted, run
from . import rclone
from .keys import KeyServer
from .leftovers import Leftover, leftovers
from .places import Places
from .rc import Rc, RcloneSilent, Stats, Waiting, short

log = logging.getLogger(__name__)

START_SECONDS = 60.0
CHECK_SECONDS = 60.0  # between two looks past the cache of an empty folder: each is a request that costs
LIST_SECONDS = 120.0  # a folder of 200,000 entries takes a while
END_SECONDS = 10.0
SAID = 20  # lines of rclone's that are kept, to say why it ended


class NoFuse(MountFault):
    """File systems of this kind cannot be mounted here at all: trying again changes nothing."""


class Mount:
    """Between :meth:`start` and :meth:`end`. ``private``: bound into the session, see :mod:`.places`."""

    def __init__(
        self, access: MountAccess, folder: Path, places: Places, keys: KeyServer, room: rclone.Limits
    ) -> None:
        self.access = access
        self._places, self._keys, self._room = places, keys, room
        self._folder = folder
        point = folder / "fuse" if places.private else places.point(access.name)
        self.place = rclone.Place(folder, point)
        self._fd = -1  # the folder, through which its socket has a short path
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._said: deque[str] = deque(maxlen=SAID)
        self.listed_at: datetime | None = None
        self._checked_at = 0.0  # when an empty listing was checked past the cache
        self.gone = ""  # why nothing is found in it, where its listing says no more than that it is empty

    # --- beginning and end ---

    async def start(self) -> None:
        """Returns when its uppermost folder was listed and the session sees it. :class:`MountFault` says why not."""
        await asyncio.to_thread(self._prepare)
        await self._run()
        try:
            await self._until_mounted()
            await self.relist()
            if self._places.private:
                await asyncio.to_thread(self._places.show, self.access.name, self.place.point)
        except BaseException:
            await self.end()
            raise

    def _prepare(self) -> None:
        if not Path("/dev/fuse").exists():
            raise NoFuse("this machine gives its sessions no FUSE (/dev/fuse is not there)")
        for folder in (self._folder, self.place.cache, *([self.place.point] if self._places.private else [])):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.place.socket.unlink(missing_ok=True)
        self.write_config()
        if self._fd < 0:
            self._fd = os.open(self._folder, os.O_PATH | os.O_DIRECTORY)

    def write_config(self) -> None:
        """At once and whole: rclone reads it again when what it knows has expired."""
        new = self.place.config.with_suffix(".new")
        new.touch(mode=0o600)
        new.write_text(rclone.config(self.access))
        new.rename(self.place.config)

    async def _run(self) -> None:
        program = shutil.which("rclone") or shutil.which(Path(sys.executable).with_name("rclone"))
        if program is None:
            raise NoFuse("rclone is not installed")
        fetched = self.access.keys is not None and self.access.expires_at is not None
        url, token = self._keys.place(self.access.name) if fetched else (None, None)
        # An ordinary user may let others in only where the machine's administrator allows it.
        others = self._places.private or os.geteuid() == 0
        arguments = rclone.arguments(self.access, self.place, self._room, others=others, socket=self._socket)
        # The kernel ends it with the agent. That watches the thread which starts it: the event loop's.
        bound = ["setpriv", "--pdeathsig", "KILL", "--"] if shutil.which("setpriv") else []
        self._process = await asyncio.create_subprocess_exec(
            *bound, program, *arguments,
            cwd="/",
            env=rclone.environment(os.environ, url, token),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            pass_fds=(self._fd,),
            start_new_session=True,
        )  # fmt: skip
        self._said.clear()
        self._reader = asyncio.create_task(self._read(self._process))

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stderr is not None
        async for line in process.stderr:
            text = line.decode(errors="replace").strip()
            self._said.append(text)
            log.info("rclone of %s: %s", self.access.name, text)

    async def _until_mounted(self) -> None:
        deadline = asyncio.get_running_loop().time() + START_SECONDS
        while not (await asyncio.to_thread(is_mounted, self.place.point) and self.place.socket.exists()):
            if not self.alive:
                raise await self.why_ended()
            if asyncio.get_running_loop().time() > deadline:
                raise MountFault(f"rclone did not mount within {START_SECONDS:.0f} s")
            await asyncio.sleep(0.02)

    async def why_ended(self) -> MountFault:
        """What rclone said last, as a fault."""
        if self._process is not None:
            await self._process.wait()
        if self._reader is not None:
            await asyncio.wait([self._reader], timeout=1)
        said = next((line for line in reversed(self._said) if "fusermount" in line or "CRITICAL" in line), "")
        said = said.partition("CRITICAL: ")[2] or said or next(iter(reversed(self._said)), "")
        code = self._process.returncode if self._process is not None else None
        told = said or (f"signal {-code}" if code is not None and code < 0 else f"exit code {code}")
        if "fusermount" in said or "fuse device" in said or "/dev/fuse" in said:
            return NoFuse(f"this machine lets nobody mount with FUSE ({told})")
        return MountFault(told)

    async def end(self, grace: float = END_SECONDS) -> None:
        """Unmounts. What waits to be uploaded stays in the cache; rclone itself would wait for it for minutes."""
        await asyncio.to_thread(self._places.take_away, self.access.name)
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(self._process.wait(), grace)
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self._process.pid, signal.SIGKILL)
                await self._process.wait()
        if self._reader is not None:
            await asyncio.wait([self._reader], timeout=1)
            self._reader.cancel()
        await self._unmount()

    async def _unmount(self) -> None:
        """What an rclone that was killed leaves behind."""
        if await asyncio.to_thread(is_mounted, self.place.point):
            command = ["umount", "--lazy"] if os.geteuid() == 0 else ["fusermount3", "-u", "-z"]
            with contextlib.suppress(MountFault):
                await run(*command, self.place.point)

    def close(self) -> None:
        self.place.config.unlink(missing_ok=True)
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    # --- how it is ---

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def ended(self) -> None:
        if self._process is not None:
            await self._process.wait()

    @property
    def _socket(self) -> str:
        return short(self.place.socket, self._fd)

    @property
    def rc(self) -> Rc:
        return Rc(self._socket)

    async def relist(self) -> None:
        """Reads its listings anew. :class:`MountFault` with what the store says where it cannot."""
        try:
            await self.rc.relist(LIST_SECONDS)
            await self.look(anew=True)
        except RcloneSilent as error:
            raise MountFault(_words(str(error))) from None
        if self.gone:
            raise MountFault(self.gone)
        self.listed_at = now()

    async def look(self, *, anew: bool = False) -> Stats:
        """How rclone is. An empty folder is looked at past the cache: it may be one that is gone."""
        stats = await self.rc.stats()
        if stats.entries > 0:
            self.gone = ""
            return stats
        clock = asyncio.get_running_loop().time()
        if not anew and clock - self._checked_at < CHECK_SECONDS:
            return stats
        self._checked_at = clock
        try:
            await self.rc.look(f"{rclone.REMOTE}:{self.access.remote}", LIST_SECONDS)
            self.gone = ""
        except RcloneSilent as error:
            self.gone = _words(str(error))
        return stats

    def leftovers(self) -> list[Leftover]:
        return leftovers(self.place.cache, self.access.remote)

    async def status(self) -> MountStatus:
        """:class:`RcloneSilent` while it does not answer."""
        stats = await self.look()
        waiting: list[Waiting] = []
        if stats.queued or stats.uploading:
            waiting = await self.rc.queue()
        failing = sum(one.tries > 1 for one in waiting)
        return MountStatus(
            name=self.access.name,
            state="mounted",
            message=self.gone or ("the disk under its cache is full" if stats.full else ""),
            listed_at=self.listed_at,
            waiting_files=len(waiting),
            waiting_bytes=sum(max(one.size, 0) for one in waiting),
            failing_files=failing,
            cached_bytes=stats.cached_bytes,
        )


def _words(said: str) -> str:
    """What a store said, for people."""
    if "directory not found" in said or "NoSuchBucket" in said:
        return "the bucket or folder is not there"
    if any(
        word in said for word in ("AccessDenied", "Forbidden", "403", "InvalidAccessKeyId", "ExpiredToken")
    ):
        return "the store refuses the data link's credential"
    if any(
        word in said for word in ("connection refused", "no such host", "i/o timeout", "deadline exceeded")
    ):
        return "the store cannot be reached"
    return said[:300]
