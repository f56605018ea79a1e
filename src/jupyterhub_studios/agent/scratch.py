"""The folder that sessions of one machine share, where each has a folder of its own: whose session lives, and what
dead ones left.

A session holds a lock beside its folder as long as it lives, however it ends: the kernel lets go of it. The next agent
on the machine removes what no living session owns. A lock is taken before its folder is made, so a folder without one
is nobody's.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import re
import time
from pathlib import Path

from .root import Folders
from .root.mounts import remove

log = logging.getLogger(__name__)

KEEP_UNSAVED = 86400.0  # seconds that the work of a session which did not save is kept, to be rescued by hand
DISPOSABLE = ("layers", "fetched", "capture", "work", "tmp", "run", "root")  # not work of people
SAVED = (
    "saved"  # the file that says that nothing of a session's folder is needed any more: see compute/local.py
)
_SESSION = re.compile(r"se-[a-z0-9]+")


class Lease:
    """That a session lives. Held until :meth:`release`, or the end of this process."""

    def __init__(self, folders: Folders) -> None:
        folders.all.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._fd: int | None = os.open(_lock(folders.all), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def release(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


def sweep(own: Path, at: float | None = None) -> list[str]:
    """Removes what dead sessions left beside the folder ``own``: all of those that were saved; of the others at first
    only what is no work of people. ``at``: the time that counts as now. Answers whose folders are gone."""
    at = time.time() if at is None else at
    gone = []
    for folder in sorted(own.parent.iterdir()):
        if folder == own or not folder.is_dir() or not _SESSION.fullmatch(folder.name):
            continue
        with contextlib.suppress(OSError):
            if _sweep_one(folder, at):
                gone.append(folder.name)
    if gone:
        log.info("Removed what these sessions left on this machine: %s", ", ".join(gone))
    return gone


def _sweep_one(folder: Path, at: float) -> bool:
    """Whether ``folder`` is gone."""
    lock = os.open(_lock(folder), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # refused: its session lives
        age = at - max(entry.stat(follow_symlinks=False).st_mtime for entry in os.scandir(folder))
        if not (folder / SAVED).exists() and age < KEEP_UNSAVED:
            for name in DISPOSABLE:
                remove(folder / name)
            return False
        remove(folder)
        if folder.exists():
            return False
        _lock(folder).unlink(missing_ok=True)
        return True
    finally:
        os.close(lock)


def _lock(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.lock")
