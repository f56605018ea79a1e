"""Restoring by copying, where layers cannot be mounted: one layer's folder on top of what is there."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import stat
import tempfile
from pathlib import Path

from .marks import OPAQUE
from .mounts import MountFault, run

# A line of `unsquashfs -lln`: mode, owner, device numbers, time, then the name, which may hold anything.
_WHITEOUT = re.compile(
    rb"^c[rwxsStT-]{9} +\d+/\d+ +0, +0 \d{4}-\d\d-\d\d \d\d:\d\d squashfs-root/(.*)$", re.DOTALL
)
_LINE = re.compile(rb"^[a-z-][rwxsStT-]{9} +\d+/\d+ ", re.MULTILINE)


async def apply(layer: Path, folder: str, target: Path, scratch: Path) -> None:
    """Puts ``folder`` of ``layer`` over ``target``: deletions delete, opaque folders replace."""
    if shutil.which("unsquashfs") is None:
        raise MountFault("squashfs-tools is not installed")
    with tempfile.TemporaryDirectory(dir=scratch, ignore_cleanup_errors=True) as name:
        unpacked = Path(name) / "layer"
        listing = await run("unsquashfs", "-lln", layer, folder)
        # Exit code 2: what an ordinary user cannot make, the devices that stand for deletions.
        await run("unsquashfs", "-no-progress", "-quiet", "-d", unpacked, layer, folder, accepted=(0, 2))
        await asyncio.to_thread(_merge_all, listing, folder, unpacked / folder, target)


def _merge_all(listing: str, folder: str, source: Path, target: Path) -> None:
    for path in whiteouts(os.fsencode(listing)):
        if path.startswith(os.fsencode(f"{folder}/")):
            _remove(target / os.fsdecode(path[len(folder) + 1 :]))
    if source.is_dir():
        _merge(source, target)


def whiteouts(listing: bytes) -> list[bytes]:
    """The deletions in a listing of ``unsquashfs -lln``."""
    starts = [match.start() for match in _LINE.finditer(listing)]
    lines = [
        listing[a:b].removesuffix(b"\n") for a, b in zip(starts, [*starts[1:], len(listing)], strict=True)
    ]
    return [match[1] for line in lines if (match := _WHITEOUT.match(line))]


def _merge(source: Path, target: Path) -> None:
    """Moves what is in ``source`` over ``target``, both folders."""
    if _is_opaque(source):
        for old in list(target.iterdir()):
            _remove(old)
    for new in list(source.iterdir()):
        old, found = target / new.name, new.lstat()
        if stat.S_ISCHR(found.st_mode) and found.st_rdev == 0:
            _remove(old)
        elif stat.S_ISDIR(found.st_mode) and old.is_dir() and not old.is_symlink():
            _merge(new, old)
        else:
            _remove(old)
            new.rename(old)
    shutil.copystat(source, target)
    with contextlib.suppress(PermissionError):
        os.chown(target, source.stat().st_uid, source.stat().st_gid)


def _is_opaque(folder: Path) -> bool:
    with contextlib.suppress(OSError):
        return os.getxattr(folder, OPAQUE) == b"y"
    return False


def _remove(path: Path) -> None:
    try:
        path.unlink()
    except (FileNotFoundError, NotADirectoryError):
        pass
    except (IsADirectoryError, PermissionError):
        shutil.rmtree(path)
