"""How a restored layer, a squashfs file, becomes a folder."""

from __future__ import annotations

from pathlib import Path

from .daemons import Daemons
from .mounts import MountFault, run


async def mount_as_root(file: Path, point: Path, daemons: Daemons) -> None:
    """Through a loop device that the kernel frees with the last mount, however the agent ends. Containers that
    are not privileged have none: through FUSE, which is slower for readers."""
    try:
        await run("mount", "-t", "squashfs", "-o", "loop,ro,nodev", file, point)
    except MountFault as fault:
        try:
            await mount_as_user(file, point, daemons)
        except MountFault as other:
            raise MountFault(f"{fault}; {other}") from other


async def mount_as_user(file: Path, point: Path, daemons: Daemons) -> None:
    """Ordinary users have no loop devices, but FUSE."""
    await daemons.mount(["squashfuse", "-f", "-o", "ro", str(file), str(point)], point)
