"""One mount: a program of its own that mounts, from its start to its end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import signal
from datetime import datetime
from pathlib import Path

from ...models import MountAccess, MountStatus, now
from ..root.mounts import MountFault, is_mounted, run
from . import rclone
from .driving import driver, words
from .keys import KeyServer
from .leftovers import Leftover
from .places import Places

log = logging.getLogger(__name__)

START_SECONDS = 60.0
END_SECONDS = 10.0


class NoFuse(MountFault):
    """File systems of this kind cannot be mounted here at all: trying again changes nothing."""


class Mount:
    """Between :meth:`start` and :meth:`end`. ``private``: bound into the session, see :mod:`.places`."""

    def __init__(
        self, access: MountAccess, folder: Path, places: Places, keys: KeyServer, room: rclone.Limits
    ) -> None:
        self.access = access
        self._places, self._keys = places, keys
        self._folder = folder
        point = folder / "fuse" if places.private else places.point(access.name)
        self.place = rclone.Place(folder, point)
        self.driver = driver(access, self.place, room)
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self.listed_at: datetime | None = None

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
        for folder in (self._folder, *([self.place.point] if self._places.private else [])):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.driver.prepare(self.access)

    async def _run(self) -> None:
        program = self.driver.found()
        if program is None:
            raise NoFuse(f"{self.driver.program} is not installed")
        fetched = self.driver.fetches(self.access)
        url, token = self._keys.place(self.access.name) if fetched else (None, None)
        # An ordinary user may let others in only where the machine's administrator allows it.
        others = self._places.private or os.geteuid() == 0
        # The kernel ends it with the agent. That watches the thread which starts it: the event loop's.
        bound = ["setpriv", "--pdeathsig", "KILL", "--"] if shutil.which("setpriv") else []
        self._process = await asyncio.create_subprocess_exec(
            *bound, program, *self.driver.arguments(self.access, others=others),
            cwd="/",
            env=self.driver.environment(url, token),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            pass_fds=self.driver.fds,
            start_new_session=True,
        )  # fmt: skip
        self._reader = asyncio.create_task(self._read(self._process))

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            text = line.decode(errors="replace").strip()
            self.driver.said.append(text)
            log.info("%s of %s: %s", self.driver.program, self.access.name, text)

    async def _until_mounted(self) -> None:
        deadline = asyncio.get_running_loop().time() + START_SECONDS
        while not (await asyncio.to_thread(is_mounted, self.place.point) and self.driver.answers()):
            if not self.alive:
                raise await self.why_ended()
            if asyncio.get_running_loop().time() > deadline:
                raise MountFault(f"{self.driver.program} did not mount within {START_SECONDS:.0f} s")
            await asyncio.sleep(0.02)

    async def why_ended(self) -> MountFault:
        """What its program said last, as a fault."""
        if self._process is not None:
            await self._process.wait()
        if self._reader is not None:
            await asyncio.wait([self._reader], timeout=1)
        said = self.driver.last_words()
        code = self._process.returncode if self._process is not None else None
        told = said or (f"signal {-code}" if code is not None and code < 0 else f"exit code {code}")
        if any(sign in said for sign in self.driver.no_fuse):
            return NoFuse(f"this machine lets nobody mount with FUSE ({told})")
        return MountFault(words(told))

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
        """What a program that was killed leaves behind."""
        if await asyncio.to_thread(is_mounted, self.place.point):
            command = ["umount", "--lazy"] if os.geteuid() == 0 else ["fusermount3", "-u", "-z"]
            with contextlib.suppress(MountFault):
                await run(*command, self.place.point)

    def close(self) -> None:
        self.driver.close()

    # --- how it is ---

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def ended(self) -> None:
        if self._process is not None:
            await self._process.wait()

    async def relist(self) -> None:
        """Reads its listings anew. :class:`MountFault` with what the store says where it cannot."""
        await self.driver.relist()
        self.listed_at = now()

    def leftovers(self) -> list[Leftover]:
        return self.driver.leftovers()

    async def status(self) -> MountStatus:
        """:class:`.driving.Silent` while its program does not answer."""
        found = await self.driver.look()
        return MountStatus(
            name=self.access.name,
            state="mounted",
            message=found.trouble,
            listed_at=self.listed_at,
            waiting_files=len(found.waiting),
            waiting_bytes=sum(max(one.size, 0) for one in found.waiting),
            failing_files=sum(one.tries > 1 for one in found.waiting),
            cached_bytes=found.cached_bytes,
        )

    async def take(self, access: MountAccess) -> bool:
        """A new credential for what is mounted. Whether the program takes it over as it runs."""
        self.access = access
        self._keys.put(access)
        return await asyncio.to_thread(self.driver.take, access)
