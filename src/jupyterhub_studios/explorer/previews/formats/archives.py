"""What is in a zip or a tar, without unpacking it."""

from __future__ import annotations

import io
import tarfile
import zipfile
from typing import IO

from ....models import ArchivePreview, Member, ViewName
from ..ask import Ask, Unreadable
from ..source import Source, TooMuch
from . import packed

MEMBERS = 5000
TAR_BLOCK = 4 << 10  # only the headers of a tar are read, and they lie apart
TAR_HEADERS = 300  # each may be a request of its own
UNPACKED = 16 << 20  # bytes of a tar.gz


def zip_listing(source: Source, ask: Ask, views: list[ViewName]) -> ArchivePreview:
    """From the table of contents at its end."""
    try:
        with zipfile.ZipFile(source) as opened:
            found = opened.infolist()
    except TooMuch:
        raise Unreadable("Its table of contents is longer than a preview reads.") from None
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, MemoryError):
        raise Unreadable("It begins as a zip, but its table of contents is missing or damaged.") from None
    members = [
        Member(path=_shown(item.filename), size=item.file_size, folder=item.is_dir())
        for item in found[:MEMBERS]
    ]
    return _listing(source, ask, views, "zip", members, len(found) > MEMBERS, f"{len(found):,} members.")


def tar_listing(source: Source, ask: Ask, views: list[ViewName]) -> ArchivePreview:
    source.use_blocks(TAR_BLOCK)
    members, complete, damaged = _members(source, TAR_HEADERS)  # type: ignore[arg-type]
    return _tar(source, ask, views, "tar", members, complete, damaged)


def packed_tar_listing(source: Source, ask: Ask, views: list[ViewName]) -> ArchivePreview:
    found = packed.unpack(source, UNPACKED)
    members, complete, damaged = _members(io.BytesIO(found.data), MEMBERS)
    # That the part which was unpacked ends within a member says nothing of the file.
    return _tar(
        source,
        ask,
        views,
        "tar.gz",
        members,
        complete and found.complete,
        found.damaged or (damaged and found.complete),
    )


def _tar(
    source: Source,
    ask: Ask,
    views: list[ViewName],
    format_: str,
    members: list[Member],
    complete: bool,
    damaged: bool,
) -> ArchivePreview:
    if not members and damaged:
        raise Unreadable("It begins as a tar, but no member can be read: it is damaged or cut off.")
    if damaged:
        note = "It is damaged or cut off after these members."
    else:
        note = f"{len(members):,} members." if complete else f"The first {len(members):,} members."
    return _listing(source, ask, views, format_, members, not complete, note)


def _members(file: IO[bytes], most: int) -> tuple[list[Member], bool, bool]:
    """Members; whether these are all; whether the file is damaged after them."""
    members: list[Member] = []
    try:
        with tarfile.open(fileobj=file, mode="r:") as opened:
            while (item := opened.next()) is not None:
                if len(members) == most:
                    return members, False, False
                members.append(Member(path=_shown(item.name), size=item.size, folder=item.isdir()))
    except TooMuch:
        return members, False, False
    except (tarfile.TarError, OSError, ValueError, MemoryError, RecursionError):
        return members, False, True
    return members, True, False


def _shown(path: str) -> str:
    return path.encode(errors="replace").decode()[:4096]


def _listing(
    source: Source,
    ask: Ask,
    views: list[ViewName],
    format_: str,
    members: list[Member],
    truncated: bool,
    note: str,
) -> ArchivePreview:
    return ArchivePreview(
        path=ask.path, size=source.size, bytes_read=source.bytes_read, views=views, note=note,
        format=format_, members=members, truncated=truncated,
    )  # fmt: skip
