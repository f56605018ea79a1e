"""What lies in an overlay's upperdir, and what changed there since the last save.

A manifest maps each path (bytes, relative, no leading slash: names need not be UTF-8) to what ``lstat`` said
of it. Two manifests tell what a new layer must hold, without reading a single file.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Iterable, Set
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

RACY_NS = 1_000_000_000
"""Timestamps are as coarse as a filesystem likes: a file changed this shortly before it was read may change
again without looking different, so it is read again at the next save (git does the same)."""

TICK_NS = 50_000_000
"""How far a local filesystem's timestamps may lag behind the clock."""

OPAQUE = "user.overlay.opaque"


class Entry(NamedTuple):
    mode: int
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int
    rdev: int
    opaque: bool  # a directory that hides what lies below it

    @property
    def is_dir(self) -> bool:
        return stat.S_ISDIR(self.mode)

    @property
    def is_whiteout(self) -> bool:
        return stat.S_ISCHR(self.mode) and self.rdev == 0


Manifest = dict[bytes, Entry]


class Changes(NamedTuple):
    changed: set[bytes]  # new, or no longer as they were
    removed: set[bytes]  # gone, with all that was below
    opened: set[bytes]  # directories that became opaque: everything below them is in ``changed``


def entry_of(path: bytes, status: os.stat_result) -> Entry:
    """``status`` as an entry; reads the opaque mark of a directory."""
    opaque = False
    if stat.S_ISDIR(status.st_mode):
        with suppress(OSError):
            opaque = os.getxattr(path, OPAQUE, follow_symlinks=False) == b"y"
    return Entry(
        status.st_mode,
        status.st_ino,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
        status.st_rdev,
        opaque,
    )


def scan(upper: Path) -> tuple[Manifest, list[bytes]]:
    """Everything below ``upper`` but sockets (which mean nothing without their process) and what is mounted
    there, which lies elsewhere; and the directories that could not be listed."""
    root = os.fsencode(upper)
    device = upper.stat().st_dev
    manifest: Manifest = {}
    unreadable: list[bytes] = []
    pending = [b""]
    skip = len(root) + 1
    is_dir, is_sock = stat.S_ISDIR, stat.S_ISSOCK
    while pending:
        directory = pending.pop()
        try:
            entries = os.scandir(root + b"/" + directory if directory else root)
        except OSError as error:
            if not directory:
                raise  # an upperdir that is gone is not an empty one
            if error.errno == errno.ENOENT:
                continue  # removed since it was listed; the next save sees it
            unreadable.append(directory)
            continue
        with entries:
            for found in entries:
                try:
                    status = found.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                except OSError as error:
                    if error.errno != errno.ENOTCONN:
                        raise
                    continue  # a mount whose daemon has died
                path, mode = found.path[skip:], status.st_mode
                if is_dir(mode) and status.st_dev != device:
                    continue
                if is_dir(mode):
                    pending.append(path)
                    manifest[path] = entry_of(found.path, status)
                elif not is_sock(mode):
                    manifest[path] = Entry(
                        mode,
                        status.st_ino,
                        status.st_size,
                        status.st_mtime_ns,
                        status.st_ctime_ns,
                        status.st_rdev,
                        False,
                    )
    return manifest, unreadable


def folders(upper: Path) -> dict[bytes, int]:
    """The directories below ``upper`` and their inodes: a quick look, as files are not asked about."""
    root = os.fsencode(upper)
    device = upper.stat().st_dev
    found: dict[bytes, int] = {}
    pending = [root]
    while pending:
        with suppress(OSError), os.scandir(pending.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    status = entry.stat(follow_symlinks=False)
                    if status.st_dev == device:
                        found[entry.path[len(root) + 1 :]] = status.st_ino
                        pending.append(entry.path)
    return found


def is_larger(upper: Path, files: int, size: int) -> bool:
    """Whether ``upper`` holds at least that many entries or bytes; looks no further than it must."""
    pending, device = [os.fspath(upper)], upper.stat().st_dev
    while pending:
        with suppress(OSError), os.scandir(pending.pop()) as entries:
            for entry in entries:
                files -= 1
                if entry.is_dir(follow_symlinks=False):
                    if entry.stat(follow_symlinks=False).st_dev == device:
                        pending.append(entry.path)
                else:
                    size -= entry.stat(follow_symlinks=False).st_size
                if files <= 0 or size <= 0:
                    return True
    return False


def parents(path: bytes) -> Iterable[bytes]:
    """The directories above ``path``, nearest first, without the root."""
    while (cut := path.rfind(b"/")) > 0:
        path = path[:cut]
        yield path


def diff(before: Manifest, after: Manifest, dirty: set[bytes] | None = None) -> Changes:
    """What to capture so that ``before``'s layers become ``after``. ``dirty`` paths count as changed."""
    changed = {path for path, entry in after.items() if before.get(path) != entry}
    changed |= (dirty or set()) & after.keys()
    opened = {path for path in changed if after[path].opaque and not _opaque_in(before, path)}
    if opened:
        # What an opaque mark hides includes our own earlier layers: repeat all that lies below it.
        changed |= {path for path in after if any(parent in opened for parent in parents(path))}
    return Changes(changed, before.keys() - after.keys(), opened)


def within(budget: int, before: Manifest, after: Manifest, dirty: Set[bytes]) -> tuple[Manifest, set[bytes]]:
    """``after`` with as many of the changed files, smallest first, as have ``budget`` bytes together; the others
    stay as they were in ``before``, or are not there yet. And the paths of those."""
    regular = [path for path, entry in after.items() if stat.S_ISREG(entry.mode)]
    changed = [path for path in regular if before.get(path) != after[path] or path in dirty]
    late: set[bytes] = set()
    for path in sorted(changed, key=lambda path: after[path].size):
        budget -= after[path].size
        if budget < 0:
            late.add(path)
    kept = {path: before.get(path, entry) if path in late else entry for path, entry in after.items()}
    return {path: entry for path, entry in kept.items() if path not in late or path in before}, late


def _opaque_in(manifest: Manifest, path: bytes) -> bool:
    return path in manifest and manifest[path].opaque


def topmost(gone: Set[bytes], after: Manifest) -> set[bytes]:
    """Those of ``gone`` whose parent is still a directory: a whiteout there hides the rest as well."""
    found = set()
    for path in gone:
        parent = next(iter(parents(path)), None)
        if parent is None or (parent in after and after[parent].is_dir):
            found.add(path)
    return found


def racy(manifest: Manifest, since_ns: int) -> set[bytes]:
    """Paths whose last change is too close to ``since_ns``, when reading began, to tell a later one."""
    limit = since_ns - RACY_NS
    return {path for path, entry in manifest.items() if entry.ctime_ns > limit or entry.mtime_ns > limit}


def content_bytes(manifest: Manifest, paths: Iterable[bytes]) -> int:
    return sum(manifest[path].size for path in paths if stat.S_ISREG(manifest[path].mode))


def clock_ns() -> int:
    return time.time_ns()
