"""Nextflow's configuration in a session: a profile that runs tasks on the compute environment of the studio itself.

It is written at each start, because a studio may start somewhere else than before, and only as long as nobody has
changed it: its head holds a digest of the rest, by which the agent knows its own work.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from ..models import NextflowAccess

FOLDER, FILE = ".nextflow", "config"
HEAD = """\
// Written by the studio at each start, for the compute environment that it runs on.
// Change or add what you like: from then on the file is yours, and is left alone.
// sha256:"""
LONGEST = 1 << 20  # bytes of a file that could be ours


def config(access: NextflowAccess) -> str:
    """The whole file."""
    batch = {
        "process.executor": "awsbatch",
        "process.queue": access.queue,
        "aws.region": access.region,
        **({"aws.batch.jobRole": access.job_role} if access.job_role else {}),
        "workDir": access.work_dir,
    }
    profiles = {"awsbatch": batch, "local": {"process.executor": "local"}}
    lines = ["profiles {"]
    for name, settings in profiles.items():
        lines += [
            f"    {name} {{",
            *(f"        {key} = {quoted(value)}" for key, value in settings.items()),
            "    }",
        ]
    body = "\n".join([*lines, "}", ""])
    return f"{HEAD}{_digest(body)}\n{body}"


def quoted(text: str) -> str:
    """A string of Groovy in which nothing is filled in."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("\r", "\\r").replace("\n", "\\n")
    return f"'{escaped}'"


def is_ours(text: str) -> bool:
    """Whether ``text`` is a configuration that :func:`config` made, of whatever environment, and nobody changed."""
    digest, _, body = text.removeprefix(HEAD).partition("\n")
    return text.startswith(HEAD) and digest == _digest(body)


def write(access: NextflowAccess, home: Path) -> bool:
    """Puts the file below ``home``; False when one is there that is not ours. Everything below ``home`` is the
    person's, so links in it are not followed: they could lead out of the session.

    Raises OSError."""
    text = config(access)
    with _folder(home) as outer:
        with contextlib.suppress(FileExistsError):
            os.mkdir(FOLDER, mode=0o755, dir_fd=outer)
        try:
            with _folder(FOLDER, outer) as inner:
                there = _read(inner)
                if there is not None and not is_ours(there):
                    return False
                if there != text:
                    _replace(inner, text)
        except NotADirectoryError:  # a file or a link of theirs
            return False
    return True


def _digest(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()


@contextlib.contextmanager
def _folder(place: Path | str, within: int | None = None) -> Iterator[int]:
    fd = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=within)
    try:
        yield fd
    finally:
        os.close(fd)


def _read(folder: int) -> str | None:
    """The file as it is, None where there is none. What cannot be ours is answered as something that is not."""
    try:
        found = os.stat(FILE, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(found.st_mode) or found.st_size > LONGEST:
        return ""
    fd = os.open(FILE, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=folder)
    with os.fdopen(fd, encoding="utf-8", errors="replace") as file:
        return file.read()


def _replace(folder: int, text: str) -> None:
    """In one step: half a file would pass for somebody's own."""
    new = f"{FILE}.new"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(new, dir_fd=folder)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    fd = os.open(new, flags, 0o644, dir_fd=folder)
    with os.fdopen(fd, "w", encoding="utf-8") as file:
        file.write(text)
    os.rename(new, FILE, src_dir_fd=folder, dst_dir_fd=folder)
