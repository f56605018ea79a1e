"""The root of a session where the agent is an ordinary user: fuse-overlayfs in a user namespace.

Why not the kernel's overlay, which user namespaces may mount too: the machine's files belong to a root that the
namespace does not have, so nothing of theirs could be changed, not even by the session's root, and ``/`` itself
is refused because of what is mounted below it. Over a FUSE view that gives all to the session's root the kernel
opens files with O_NOATIME, which is refused for files of others. fuse-overlayfs can do both, and crosses mounts.

It was tried with apt-get and pip, deletions of the machine's files, and new folders at the top.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence
from pathlib import Path

from ...models import LaunchSpec
from . import Folders, enter
from .daemons import Daemons
from .layers import mount_as_user
from .marks import NOBODY, settle
from .mask import make_mask
from .mounts import MountFault, mounted, run, unmount
from .overlay_root import OverlayRoot

# Owners that the namespace does not have appear as "nobody": shown as root. What the session makes as root
# stays root. Then all other ids as they are.
_MANY = f"{NOBODY}:0:1:0:0:1:1:1:{NOBODY - 1}"


class FuseRoot(OverlayRoot):
    def __init__(self, spec: LaunchSpec, folders: Folders, single: bool) -> None:
        super().__init__(spec, folders)
        self._daemons = Daemons()
        self._single = single
        self._host, self._mask = folders.all / "host", folders.all / "mask"
        if single:
            self.notices.append(
                "This account has no subordinate uids (/etc/subuid): "
                "packages that need users of their own cannot be installed"
            )

    def _trial(self, spec: LaunchSpec, folders: Folders) -> FuseRoot:
        return FuseRoot(spec, folders, self._single)

    async def probe(self) -> None:
        for program in ("fuse-overlayfs", "squashfuse", "setpriv"):
            if shutil.which(program) is None:
                raise MountFault(f"{program} is not installed")
        await super().probe()

    async def open(self, layers: Sequence[Path]) -> None:
        points = await asyncio.to_thread(self._layer_points, len(layers))
        for file, point in zip(layers, points, strict=True):
            await mount_as_user(file, point, self._daemons)
        self.layers = points
        await self._bind_host()
        await asyncio.to_thread(make_mask, self._mask, self.hidden, self._single)
        above = [str(point.relative_to(self._folders.all)) for point in reversed(points)]
        options = [
            f"lowerdir={':'.join([*above, 'mask', 'host'])}", "upperdir=upper", "workdir=work",
            "static_nlink",  # counting a folder's folders at every look at it halves the speed of imports
            "squash_to_root" if self._single else f"uidmapping={_MANY},gidmapping={_MANY}",
        ]  # fmt: skip
        await self._daemons.mount(
            ["fuse-overlayfs", "-f", "-o", ",".join(options), "root"], self._folders.root, self._folders.all
        )
        await asyncio.to_thread(self._make_workspace)
        self._read_only += enter.name_service_files([mount.point for mount in mounted()])

    async def _bind_host(self) -> None:
        """A second view of the machine's files for the daemon to read. It lacks what is mounted after it, as
        the session's root: the daemon would wait for itself there. And it lacks what must be hidden."""
        self._host.mkdir()
        await run("mount", "--rbind", "/", self._host)
        await run("mount", "--make-rprivate", self._host)
        await run("mount", "-o", "remount,bind,ro", self._host)
        for place in self.hidden:
            if place.is_dir():
                await run(
                    "mount", "-t", "tmpfs", "-o", "size=4k,mode=755", "none", self._host / str(place)[1:]
                )

    async def settle(self) -> None:
        await asyncio.to_thread(settle, self.upper)

    async def close(self) -> None:
        await unmount(self._folders.root)
        for point in self.layers:
            await unmount(point)
        await self._daemons.end()
        await unmount(self._host)
