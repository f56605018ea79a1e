"""Single files and names of a folder, and how a whole file gets its name at once."""

from __future__ import annotations

import contextlib
import os
import stat as modes
from collections.abc import Iterator
from datetime import UTC, datetime

from .base import Object
from .errors import exists, not_possible, shown

TEMPORARY = ".studios-upload-"  # what a name begins with until its file is whole; never listed


def names_in(key: str) -> list[str]:
    """The names in a key; a 400 for what a disk cannot hold or what would lead elsewhere."""
    parts = key.split("/")
    if any(part in ("", ".", "..") for part in parts) or "\0" in key:
        raise not_possible(
            f"a folder of this machine cannot hold “{shown(key)}”", "Choose another name", status=400
        )
    try:
        key.encode()
    except UnicodeEncodeError:
        raise not_possible("the name is not valid text", "Choose another name", status=400) from None
    return parts


def listed_name(entry: os.DirEntry[str], *, follow: bool = True) -> str:
    """How an entry is listed: a folder with "/"; empty for what is not listed."""
    if entry.name.startswith(TEMPORARY):
        return ""
    try:
        entry.name.encode()
        if entry.is_dir(follow_symlinks=follow):
            return f"{entry.name}/"
        return "" if not follow and entry.is_symlink() else entry.name
    except (OSError, UnicodeEncodeError):
        return ""  # no text could name it in a request


def object_of(key: str, found: os.stat_result | None) -> Object:
    """None: a link that leads nowhere, or a file that went away: listed, without a size."""
    if found is None or not modes.S_ISREG(found.st_mode):
        return Object(key, None)
    return Object(key, found.st_size, time_of(found), etag=etag_of(found))


def etag_of(found: os.stat_result) -> str:
    return f"{found.st_mtime_ns:x}-{found.st_size:x}-{found.st_ino:x}"


def time_of(found: os.stat_result) -> datetime:
    return datetime.fromtimestamp(found.st_mtime, UTC)


def settle(folder: int, temporary: str, name: str, key: str, replace: bool) -> None:
    """Give a whole file its name, at once or not at all."""
    if is_there(name, folder) and modes.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
        raise exists(key)
    if replace:
        os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
        return
    try:
        os.link(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    except FileExistsError:
        raise exists(key) from None
    except OSError:  # a disk without hard links
        if is_there(name, folder):
            raise exists(key) from None
        os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
        return
    os.unlink(temporary, dir_fd=folder)


def is_there(name: str, folder: int) -> bool:
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def unlink(name: str, folder: int) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(name, dir_fd=folder)


@contextlib.contextmanager
def closing(descriptor: int) -> Iterator[int]:
    try:
        yield descriptor
    finally:
        os.close(descriptor)
