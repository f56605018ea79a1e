"""Files that a killed rclone would lose. When a file is closed, it writes anew what it knows of it; killed just then,
it finds no record at its next start and removes the file, unsaved as it is.

So such files are taken out of its cache before it starts, and put back through the mount."""

from __future__ import annotations

import filecmp
import json
import os
import shutil
from pathlib import Path

from .draining import Drained, reason
from .leftovers import content, files, records, skipped
from .mount import Mount
from .places import Places


def take_out(mount: Mount) -> None:
    """Of the cache of a mount that has ended."""
    cache, skip = mount.place.cache, skipped(mount.access.remote)
    for inside, file in list(files(content(cache))):
        if not _known(records(cache) / inside):
            aside = _aside(mount) / inside[skip:]
            aside.parent.mkdir(parents=True, exist_ok=True)
            file.replace(aside)


def put_back(mount: Mount, places: Places) -> Drained:
    """Each is written where the bucket has nothing. Where it has something else, nobody knows which is meant: both are
    kept, this one with the studio's own files. One that can be neither stays aside."""
    found = Drained(mount.access.name)
    for inside, file in list(files(_aside(mount))):
        try:
            if not _stored(file, mount.place.point / inside):
                if _has_holes(file):  # parts that nobody read, or wrote, yet
                    found.lose(inside, "it was open when rclone was killed, and only parts of it are here")
                elif not found.keep(places, inside, file):
                    continue
            file.unlink()
        except OSError as error:
            found.lose(inside, reason(error))
    return found


def _aside(mount: Mount) -> Path:
    return mount.place.folder / "rescued"


def _known(record: Path) -> bool:
    try:
        return isinstance(json.loads(record.read_bytes()), dict)
    except (OSError, ValueError):
        return False


def _stored(file: Path, target: Path) -> bool:
    """Written where nothing is. Whether the bucket has it, now or already."""
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
