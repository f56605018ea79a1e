"""All mounts of a session: made, watched, mounted again when one dies, drained at the end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from ...models import Event, LaunchSpec, MountAccess, MountStatus, now
from ..root import Root
from ..root.mounts import MountFault
from ..root.namespaces import Namespace
from . import rclone
from .draining import HASTY_SECONDS, Drained, drain, keep
from .driving import Silent
from .keys import KeyServer
from .leftovers import Leftover
from .mount import Mount, NoFuse
from .places import Places
from .renewing import AGAIN, Renewal, renew
from .rescuing import put_back, take_out

log = logging.getLogger(__name__)

LOOK_SECONDS = 5.0
LAST_SECONDS = 1.0  # for an rclone to end that has been waited for already
PAUSES = (0.0, 2.0, 5.0, 15.0, 60.0)  # before a mount that ended is mounted again
WITHOUT = "The Data Explorer and fsspec still reach the data."

Tell = Callable[[list[MountStatus]], None]


class Mounts:
    """Between :meth:`open` and :meth:`close`. ``tell`` hears how all of them are, whenever that has changed."""

    def __init__(
        self, spec: LaunchSpec, folder: Path, namespace: Namespace, tell: Tell, event: Callable[[Event], None]
    ) -> None:
        self._spec, self.folder = spec, folder
        self._private = namespace is not Namespace.NONE
        self._tell, self._event = tell, event
        self._keys = KeyServer()
        self._places: Places | None = None
        self._mounts: dict[str, Mount] = {}
        self._status = {one.name: MountStatus(name=one.name, state="mounting") for one in spec.mounts}
        self._tasks: list[asyncio.Task[None]] = []
        self._renewal = Renewal(spec)
        self._drained = False
        self.unsaved = False  # the caches hold what is nowhere else

    # --- the start ---

    async def open(self, root: Root, progress: Callable[[str], None]) -> None:
        """Returns when each mount lists or has failed: a session starts without those, and says so."""
        if not self._spec.mounts:
            return
        self._places = Places(root, private=self._private)
        try:
            await asyncio.to_thread(self._places.open)
        except (MountFault, OSError) as error:
            for access in self._spec.mounts:
                self._failed(access, str(error))
            return
        await self._keys.start()
        free = (await asyncio.to_thread(shutil.disk_usage, self.folder.parent)).free
        room = rclone.limits(free, len(self._spec.mounts))
        await asyncio.gather(*(self._begin(one, self._places, room, progress) for one in self._spec.mounts))
        self._tasks.append(asyncio.create_task(self._renew()))

    async def _begin(
        self, access: MountAccess, places: Places, room: rclone.Limits, progress: Callable[[str], None]
    ) -> None:
        fault: Exception | None = None
        if access.refusal:
            self._failed(access, access.refusal)
        else:
            self._keys.put(access)
            try:
                mount = Mount(access, self.folder / access.name, places, self._keys, room)
                self._mounts[access.name] = mount
                self._notice(mount, places)
                await mount.start()
                self._set(MountStatus(name=access.name, state="mounted", listed_at=mount.listed_at))
            except (MountFault, OSError) as error:
                fault = error
                self._failed(access, str(error))
            if not isinstance(fault, NoFuse) and access.name in self._mounts:
                self._tasks.append(asyncio.create_task(self._watch(self._mounts[access.name])))
        progress(self.lines())

    def _notice(self, mount: Mount, places: Places) -> None:
        """What is not as somebody may expect it."""
        access, program = mount.access, mount.driver.program
        if program != access.mounter:
            said = f"{access.mounter}, which this compute environment asks for, is not installed here"
            self._say(f"data/{access.name} is mounted by {program}: {said}.", "info")
        if places.hides(access.name):
            self._say(
                f"The studio's own files in data/{access.name} are hidden by the mount of {access.url}.",
                "info",
            )

    @property
    def statuses(self) -> list[MountStatus]:
        return list(self._status.values())

    def lines(self) -> str:
        """How each mount is, one in a line."""
        access = {one.name: one for one in self._spec.mounts}
        return "\n".join(
            f"{name}: {_line(status, access[name])}" for name, status in sorted(self._status.items())
        )

    # --- while it runs ---

    async def _watch(self, mount: Mount) -> None:
        """Looks at a mount, and mounts it again when it ended."""
        tries = 0 if mount.alive else 1
        while True:
            if mount.alive:
                tries = 0
                ended = asyncio.create_task(mount.ended())
                await asyncio.wait([ended], timeout=LOOK_SECONDS)
                if not ended.done():
                    ended.cancel()
                    await self._look(mount)
                    continue
                why = await mount.why_ended()
                self._failed(mount.access, f"it ended ({why}) and is mounted again", "warning")
            await asyncio.sleep(PAUSES[min(tries, len(PAUSES) - 1)])
            tries += 1
            await self._again(mount)

    async def _look(self, mount: Mount) -> None:
        try:
            status = await mount.status()
        except Silent as error:
            if not mount.alive:
                return
            status = self._status[mount.access.name].model_copy(
                update={"message": f"it does not answer: {error}"}
            )
        before = self._status[mount.access.name]
        if status.message and status.message != before.message:
            self._say(f"data/{status.name}: {status.message}.", "warning")
        if status.failing_files and not before.failing_files:
            self._say(f"data/{status.name}: an upload failed, and is tried again.", "warning")
        # What is cached changes with every read, and interests nobody that often.
        if status.model_copy(update={"cached_bytes": before.cached_bytes}) != before:
            self._set(status)

    async def _again(self, mount: Mount) -> None:
        name = mount.access.name
        try:
            await mount.end()
            if mount.access.writable:
                await asyncio.to_thread(take_out, mount)
            await mount.start()
        except (MountFault, OSError) as error:
            if self._status[name].message != str(error):
                self._failed(mount.access, str(error), "warning")
            return
        if mount.access.writable and self._places is not None:
            self._report(mount, await asyncio.to_thread(put_back, mount, self._places))
        self._set(MountStatus(name=name, state="mounted", listed_at=mount.listed_at))
        self._say(f"data/{name} is mounted again.", "info")

    async def refresh(self, name: str | None) -> None:
        """Has a mount's listings read anew. :class:`MountFault` where that cannot be done now."""
        mount = self._mounts.get(name or "")
        if mount is None or not mount.alive:
            raise MountFault(f"data/{name} is not mounted")
        await mount.relist()
        with contextlib.suppress(Silent):
            self._set(await mount.status())

    async def _renew(self) -> None:
        """Credentials anew, long before they expire."""
        while True:
            await asyncio.sleep(self._renewal.pause(self._accesses()))
            due = self._renewal.due(self._accesses())
            try:
                for access in await renew(self._spec, due) if due else []:
                    await self._take(access)
            except MountFault as fault:
                log.warning("The mounts' credentials were not renewed: %s", fault)
            if self._renewal.due(self._accesses()):
                await asyncio.sleep(AGAIN)

    def _accesses(self) -> list[MountAccess]:
        return [mount.access for mount in self._mounts.values()]

    async def _take(self, access: MountAccess) -> None:
        mount = self._mounts.get(access.name)
        if mount is None or access.refusal:
            if mount is not None and mount.access.refusal != access.refusal:
                mount.access = mount.access.model_copy(update={"refusal": access.refusal})
                self._say(f"data/{access.name}: its credential is not renewed: {access.refusal}", "warning")
            return
        before = mount.access
        # What is mounted stays what it is until the studio starts again, only with another credential.
        renewed = {
            "options": access.options,
            "keys": access.keys,
            "expires_at": access.expires_at,
            "refusal": "",
        }
        if not await mount.take(before.model_copy(update=renewed)) and mount.alive:
            await drain([mount], self._waits)
            await self._again(mount)

    # --- the end ---

    async def drain(self, hasty: bool) -> None:
        """Waits until all that was written is in the buckets, as long as something moves. What is left is kept with
        the studio's files, and told. The app has ended."""
        await self._rest()
        writable = [mount for mount in self._mounts.values() if mount.access.writable]
        if not writable or self._places is None or self._drained:
            return
        self._drained = True
        try:
            await drain(writable, self._waits, limit=HASTY_SECONDS if hasty else math.inf)
            for mount in writable:
                await mount.end(LAST_SECONDS)
                self._report(mount, await asyncio.to_thread(keep, mount, self._places))
        except Exception as error:  # whatever it is, the studio's own files are still to be saved
            log.exception("The mounts could not be drained")
            self.unsaved = True
            self._say(f"What was written last may not be in the buckets: {type(error).__name__}.", "error")

    def _waits(self, mount: Mount, left: list[Leftover]) -> None:
        before = self._status[mount.access.name]
        size = sum(one.size for one in left)
        status = before.model_copy(update={"waiting_files": len(left), "waiting_bytes": size})
        if left and not before.waiting_files:
            self._say(
                f"data/{status.name}: {len(left)} files are still to be uploaded, {size / 1e6:.1f} MB.",
                "info",
            )
        if status != before:
            self._set(status)

    def _report(self, mount: Mount, found: Drained) -> None:
        url, verb = mount.access.url, "are" if len(found.kept) > 1 else "is"
        if found.kept:
            self._say(
                f"{_names(found.kept)} could not be written to {url} and {verb} kept in {found.folder}: "
                "copy what you need from there.",
                "error",
            )
        if found.lost:
            self.unsaved = True
            self._say(f"{_names(found.lost)} could not be written to {url}, nor kept: {found.why}.", "error")
        self._waits(mount, [])

    async def _rest(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    async def close(self) -> None:
        await self._rest()
        await asyncio.gather(*(mount.end() for mount in self._mounts.values()))
        for mount in self._mounts.values():
            mount.close()
        self._mounts.clear()
        if self._places is not None:
            await asyncio.to_thread(self._places.close)
            self._places = None
        await self._keys.stop()

    # --- telling ---

    def _failed(self, access: MountAccess, why: str, level: str = "error") -> None:
        self._set(MountStatus(name=access.name, state="failed", message=why))
        self._say(f"data/{access.name} is not mounted: {why.rstrip('.')}. {WITHOUT}", level)

    def _set(self, status: MountStatus) -> None:
        self._status[status.name] = status
        self._tell(self.statuses)

    def _say(self, message: str, level: str) -> None:
        self._event(Event.model_validate({"at": now(), "kind": "data", "message": message, "level": level}))


def _line(status: MountStatus, access: MountAccess) -> str:
    if status.state != "mounted":
        return status.message or "mounting"
    return "mounted for writing" if access.writable else "mounted, read-only"


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(names[:5])
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more files"
