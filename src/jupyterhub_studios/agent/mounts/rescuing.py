"""Files that a killed rclone would lose. When a file is closed, it writes anew what it knows of it; killed just then,
it finds no record at its next start and removes the file, unsaved as it is.

So such files are taken out of its cache before it starts, and put back through the mount."""

from __future__ import annotations

import filecmp
import json
import os
import shutil
from pathlib import Path

from ..root.mounts import MountFault
from .draining import FOLDER, Drained
from .leftovers import content, files, records, skipped
from .mount import Mount
from .places import Places


def take_out(mount: Mount) -> None:
    """Of the cache of a mount that has ended."""
    cache, remote = mount.place.cache, mount.access.remote
    for file in list(files(content(cache))):
        inside = file.relative_to(content(cache)).as_posix()
        if not _known(records(cache) / inside):
            aside = _aside(mount) / inside[skipped(remote) :]
            aside.parent.mkdir(parents=True, exist_ok=True)
            file.replace(aside)


def put_back(mount: Mount, places: Places) -> Drained:
    """Each is written where the bucket has nothing. Where it has something else, nobody knows which is meant: both are
    kept, this one with the studio's own files."""
    name = mount.access.name
    found = Drained(folder=f"{FOLDER}/{name}")
    for file in list(files(_aside(mount))):
        inside = file.relative_to(_aside(mount)).as_posix()
        try:
            if not _is_there(file, mount.place.point / inside):
                if _has_holes(file):  # parts that nobody read, or wrote, yet
                    found.lost.append(inside)
                    found.why = "it was open when rclone was killed, and only parts of it are here"
                else:
                    places.keep([FOLDER, name, *inside.split("/")], file)
                    found.kept.append(inside)
            file.unlink()
        except (OSError, MountFault) as error:
            found.lost.append(inside)
            found.why = str(error)
    return found


def _aside(mount: Mount) -> Path:
    return mount.place.folder / "rescued"


def _known(record: Path) -> bool:
    try:
        return isinstance(json.loads(record.read_bytes()), dict)
    except (OSError, ValueError):
        return False


def _is_there(file: Path, target: Path) -> bool:
    """Whether the bucket has it, now or already."""
    if target.exists():
        return filecmp.cmp(file, target, shallow=False)
    target.parent.mkdir(parents=True, exist_ok=True)
    with file.open("rb") as source, target.open("xb") as written:
        shutil.copyfileobj(source, written, 1 << 20)
    return True


def _has_holes(file: Path) -> bool:
    with file.open("rb") as opened:
        size = os.fstat(opened.fileno()).st_size
        return size > 0 and os.lseek(opened.fileno(), 0, os.SEEK_HOLE) < size
