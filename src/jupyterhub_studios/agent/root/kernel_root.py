"""The root of a session where the agent is root: overlay file systems of the kernel."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from ...models import LaunchSpec
from . import Folders, enter
from .daemons import Daemons
from .layers import mount_as_root
from .mounts import Mount, MountFault, run, submounts, unmount
from .overlay_root import OverlayRoot

# `userxattr` and the rest: what an ordinary user may mount too, so that layers are the same for both.
# "nofollow", because some kernels take "off" for "follow", which they refuse together with userxattr.
OPTIONS = "userxattr,redirect_dir=nofollow,metacopy=off,index=off"


class KernelRoot(OverlayRoot):
    """An overlay of ``/``, and one of every file system that is mounted below it: an overlay does not cross
    into another file system. The upper folder of each is a folder of the one upper tree, so a layer does not
    know how the machine's disks are divided."""

    def __init__(self, spec: LaunchSpec, folders: Folders) -> None:
        super().__init__(spec, folders)
        self._daemons = Daemons()

    async def open(self, layers: Sequence[Path]) -> None:
        points = await asyncio.to_thread(self._layer_points, len(layers))
        for file, point in zip(layers, points, strict=True):
            await mount_as_root(file, point, self._daemons)
        self.layers = points
        await self._overlay(Path("/"), self._folders.work / "root")
        for number, mount in enumerate(await asyncio.to_thread(submounts, self.hidden)):
            await self._submount(mount, self._folders.work / str(number))
        await asyncio.to_thread(self._make_workspace)
        self._read_only += enter.name_service_files(self._read_only)

    async def _submount(self, mount: Mount, work: Path) -> None:
        if not mount.point.is_dir():
            self._read_only.append(mount.point)
            return
        if not self.place(str(mount.point)).is_dir():
            return  # a folder below something that the session has deleted
        try:
            await self._overlay(mount.point, work)
        except MountFault:
            # Some network and FUSE file systems cannot lie under an overlay.
            self._read_only.append(mount.point)
            self.notices.append(f"{mount.point} ({mount.kind}) is read-only here")

    async def _overlay(self, place: Path, work: Path) -> None:
        inside = str(place).lstrip("/")
        await asyncio.to_thread(_make_like, self._folders.upper, place)
        await asyncio.to_thread(work.mkdir)
        above = [point / inside for point in reversed(self.layers) if (point / inside).is_dir()]
        # Relative to the session's folder: many layers must fit into one page of options.
        base = self._folders.all
        lowers = [*(_escaped(point.relative_to(base)) for point in above), _escaped(place)]
        upper, work = (self._folders.upper / inside).relative_to(base), work.relative_to(base)
        options = f"lowerdir={':'.join(lowers)},upperdir={_escaped(upper)},workdir={work},{OPTIONS}"
        await run("mount", "-t", "overlay", "overlay", "-o", options, self.place(inside), cwd=base)

    async def close(self) -> None:
        await unmount(self._folders.root)
        for point in self.layers:
            await unmount(point)
        await self._daemons.end()


def _make_like(upper: Path, place: Path) -> None:
    """The folders down to ``place`` in the upper tree, each with the owner and mode of the machine's own."""
    folder = upper
    for name in place.parts[1:]:
        folder = folder / name
        if not folder.exists():
            folder.mkdir()
            original = Path("/") / folder.relative_to(upper)
            shutil.copystat(original, folder)
            os.chown(folder, original.stat().st_uid, original.stat().st_gid)


def _escaped(place: Path) -> str:
    return str(place).replace("\\", "\\\\").replace(":", "\\:").replace(",", "\\,")
