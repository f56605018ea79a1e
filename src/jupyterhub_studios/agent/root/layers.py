"""How a restored layer, a squashfs file, becomes a folder."""

from __future__ import annotations

from pathlib import Path

from .daemons import Daemons
from .mounts import run


async def mount_as_root(file: Path, point: Path) -> None:
    """Through a loop device that the kernel frees with the last mount, however the agent ends."""
    await run("mount", "-t", "squashfs", "-o", "loop,ro,nodev", file, point)


async def mount_as_user(file: Path, point: Path, daemons: Daemons) -> None:
    """Ordinary users have no loop devices, but FUSE."""
    await daemons.mount(["squashfuse", "-f", "-o", "ro", str(file), str(point)], point)
