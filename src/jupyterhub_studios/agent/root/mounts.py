"""What is mounted on this machine, and mounting."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from collections.abc import Container, Sequence
from dataclasses import dataclass
from pathlib import Path

# Never part of a studio: the session gets its own of these.
OWN = ("/proc", "/sys", "/dev", "/run", "/tmp")

# File systems that hold no files of anybody, or that are another program's inner works.
PSEUDO = {
    "proc", "sysfs", "devtmpfs", "devpts", "cgroup", "cgroup2", "securityfs", "debugfs", "tracefs", "pstore", "bpf",
    "mqueue", "hugetlbfs", "configfs", "fusectl", "binfmt_misc", "autofs", "efivarfs", "nsfs", "rpc_pipefs",
    "selinuxfs", "overlay", "fuse.fuse-overlayfs", "fuse.portal", "fuse.gvfsd-fuse",
}  # fmt: skip


class MountFault(Exception):
    """Something could not be mounted; the text says what and why."""


@dataclass(frozen=True)
class Mount:
    point: Path
    kind: str


def mounted(table: str | None = None) -> list[Mount]:
    """What is mounted and visible, in the order of mounting, one entry for each place."""
    found: dict[Path, Mount] = {}
    for line in (table or Path("/proc/self/mountinfo").read_text(errors="surrogateescape")).splitlines():
        left, _, right = line.partition(" - ")
        point = Path(_unescaped(left.split(" ")[4]))
        found.pop(point, None)  # a later mount on the same place hides the earlier one
        found[point] = Mount(point, right.split(" ")[0])
    return list(found.values())


def submounts(hidden: Sequence[Path], table: str | None = None) -> list[Mount]:
    """The real file systems below ``/`` that belong into a session's root, parents first."""
    skipped = [*map(Path, OWN), *hidden]
    wanted = [
        mount
        for mount in mounted(table)
        if mount.point != Path("/")
        and mount.kind not in PSEUDO
        and not any(mount.point.is_relative_to(place) for place in skipped)
    ]
    return sorted(wanted, key=lambda mount: len(mount.point.parts))


def _unescaped(word: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), word)


async def run(
    *command: str | os.PathLike[str], cwd: Path | None = None, accepted: Container[int] = (0,)
) -> str:
    """The output of a command that must succeed; :class:`MountFault` with what it said otherwise."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=cwd,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
    except FileNotFoundError:
        raise MountFault(f"{command[0]} is not installed") from None
    output, errors = await process.communicate()
    if process.returncode not in accepted:
        said = errors.decode(errors="replace").strip() or f"exit code {process.returncode}"
        raise MountFault(f"{command[0]}: {said}")
    return output.decode(errors="surrogateescape")


def is_mounted(point: Path) -> bool:
    """``os.path.ismount`` does not notice a folder that is bound within one file system."""
    return any(mount.point == point for mount in mounted())


async def unmount(point: Path) -> None:
    """Unmounts ``point`` and all below it, now or when its last user ends."""
    if await asyncio.to_thread(is_mounted, point):
        await run("umount", "--lazy", point)


def remove(folder: Path) -> None:
    """Deletes ``folder``; never what is mounted below it, which may be the machine's own files."""
    if not any(mount.point.is_relative_to(folder) for mount in mounted()):
        shutil.rmtree(folder, ignore_errors=True)
