"""The account that an image's own program runs as: the image names it, its system's files say what that means."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from ..models import StudiosError

LONGEST = 1 << 20  # bytes of a file of accounts


@dataclass(frozen=True)
class Account:
    uid: int = 0
    gid: int = 0
    groups: tuple[int, ...] = ()  # beside the first
    name: str = "root"
    home: str = ""  # empty: its system names none


def account(user: str, passwd: str, group: str) -> Account:
    """``user`` as images write it (``rstudio``, ``1000``, ``1000:100``, ``web:www``), by the text of ``/etc/passwd``
    and ``/etc/group``. A number needs no entry there; a name does."""
    wanted, colon, own_group = user.partition(":")
    entries = [line.split(":") for line in passwd.splitlines() if line.count(":") >= 6]
    groups = [line.split(":") for line in group.splitlines() if line.count(":") >= 3]
    wanted = wanted or "0"
    known = next((e for e in entries if e[0] == wanted), None) or next(
        (e for e in entries if e[2] == wanted and wanted.isdigit()), None
    )
    if known is None and not wanted.isdigit():
        raise _unknown("account", wanted, "/etc/passwd")
    name, uid, home = (known[0], known[2], known[5]) if known else (wanted, wanted, "")
    if colon and own_group:
        return Account(int(uid), _gid(own_group, groups), (), name, home)
    further = tuple(int(e[2]) for e in groups if name in e[3].split(",") and e[2].isdigit())
    return Account(int(uid), int(known[3]) if known else 0, further, name, home)


def _gid(wanted: str, groups: list[list[str]]) -> int:
    found = next((e[2] for e in groups if e[0] == wanted), wanted)
    if not found.isdigit():
        raise _unknown("group", wanted, "/etc/group")
    return int(found)


def _unknown(what: str, wanted: str, file: str) -> StudiosError:
    return StudiosError(
        f"The image runs as the {what} “{wanted}”, which it does not have",
        f"there is no such entry in its {file}",
        "Choose another image, or give the template a command of its own",
    )


def text_of(file: Path) -> str:
    """A file that the session may have changed: read only if it is one, and of a sensible size."""
    try:
        fd = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        found = os.fstat(fd)
        sensible = stat.S_ISREG(found.st_mode) and found.st_size <= LONGEST
        return os.read(fd, LONGEST).decode(errors="replace") if sensible else ""
    finally:
        os.close(fd)
