"""Directory entries as a tar stream for ``mksquashfs -tar``.

Python's tarfile cannot say what is needed here: names of any bytes, whiteouts, an overlay's opaque mark put on
or left out, holes, and files that change while they are read. PAX headers can, and are a few lines.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass, field
from typing import IO, NamedTuple

from .scan import OPAQUE, Entry, entry_of, parents

BLOCK = 512
WHOLE_READ = 1 << 20  # up to this size a file is read at once, and again when it changed meanwhile
ATTEMPTS = 3
_ACL = "system.posix_acl_access"
_OF_OVERLAYS = ("user.overlay.", "user.fuseoverlayfs.")  # whether a layer's folder hides is the layer's own
_TYPES = {
    stat.S_IFREG: b"0", stat.S_IFLNK: b"2", stat.S_IFCHR: b"3", stat.S_IFBLK: b"4",
    stat.S_IFDIR: b"5", stat.S_IFIFO: b"6",
}  # fmt: skip


class Item(NamedTuple):
    """One entry of a layer: ``source`` is where it lies now; None makes a whiteout."""

    path: bytes
    source: bytes | None
    opaque: bool = False  # only of directories: hide what lower layers hold there


@dataclass
class Report:
    """What became of the items."""

    captured: dict[bytes, Entry] = field(default_factory=dict)
    whiteouts: set[bytes] = field(default_factory=set)
    vanished: set[bytes] = field(default_factory=set)
    unstable: set[bytes] = field(default_factory=set)  # captured, but changed while they were read
    unreadable: set[bytes] = field(default_factory=set)  # left out
    acls: set[bytes] = field(default_factory=set)  # captured without their access list
    bytes: int = 0

    @property
    def count(self) -> int:
        return len(self.captured) + len(self.whiteouts)


def write(out: IO[bytes], items: Iterable[Item], below: Set[bytes]) -> Report:
    """Write ``items`` (directories before what is in them) to ``out``. An item that is gone by then is hidden
    if it is one of the paths ``below``."""
    writer = _Writer(out, below)
    for item in items:
        writer.add(item)
    out.write(bytes(2 * BLOCK))
    out.flush()
    return writer.report


class _Writer:
    def __init__(self, out: IO[bytes], below: Set[bytes]) -> None:
        self.out, self.below = out, below
        self.report = Report()
        self.links: dict[tuple[int, int], bytes] = {}
        self.not_dirs: set[bytes] = set()  # written as something that nothing can lie in

    def add(self, item: Item) -> None:
        if self.not_dirs and any(parent in self.not_dirs for parent in parents(item.path)):
            return
        if item.source is None:
            self.whiteout(item.path)
            return
        try:
            status = os.lstat(item.source)
            if stat.S_ISREG(status.st_mode):
                self.regular(item.path, item.source, status)
            elif stat.S_IFMT(status.st_mode) in _TYPES:
                self.special(item, item.source, status)
        except (FileNotFoundError, NotADirectoryError):
            self.report.vanished.add(item.path)  # gone since it was listed
            self.not_dirs.add(item.path)
            if item.path in self.below:
                self.whiteout(item.path)
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise
            self.report.unreadable.add(item.path)
            self.not_dirs.add(item.path)

    def whiteout(self, path: bytes) -> None:
        self.out.write(_header(path, b"3", mode=0))
        self.report.whiteouts.add(path)
        self.not_dirs.add(path)

    def special(self, item: Item, source: bytes, status: os.stat_result) -> None:
        kind = stat.S_IFMT(status.st_mode)
        target = os.readlink(source) if kind == stat.S_IFLNK else b""  # noqa: PTH115 (bytes)
        entry = entry_of(source, status)
        attributes, mode = self.attributes(item.path, source, status)
        if kind == stat.S_IFDIR and item.opaque:
            attributes[OPAQUE] = b"y"
        device = status.st_rdev if kind in (stat.S_IFCHR, stat.S_IFBLK) else 0
        self.out.write(
            _header(item.path, _TYPES[kind], status, mode, link=target, device=device, attributes=attributes)
        )
        self.report.captured[item.path] = entry
        if kind != stat.S_IFDIR:
            self.not_dirs.add(item.path)

    def regular(self, path: bytes, source: bytes, status: os.stat_result) -> None:
        identity = (status.st_dev, status.st_ino)
        if status.st_nlink > 1 and identity in self.links:
            self.out.write(_header(path, b"1", status, link=self.links[identity]))
            self.report.captured[path] = entry_of(source, status)
            return
        fd = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            status = os.fstat(fd)
            if status.st_size <= WHOLE_READ:
                status, steady = self.small(path, source, fd, status)
            else:
                steady = self.large(path, source, fd, status)
        finally:
            os.close(fd)
        if status.st_nlink > 1:
            self.links[identity] = path
        self.report.captured[path] = entry_of(source, status)
        self.report.bytes += status.st_size
        if not steady:
            self.report.unstable.add(path)

    def small(
        self, path: bytes, source: bytes, fd: int, status: os.stat_result
    ) -> tuple[os.stat_result, bool]:
        for _ in range(ATTEMPTS):
            content = os.pread(fd, WHOLE_READ + 1, 0)
            after = os.fstat(fd)
            steady = _same(status, after) and len(content) == after.st_size
            if steady:
                break
            status = after
        attributes, mode = self.attributes(path, source, status)
        header = _header(path, b"0", status, mode, size=len(content), attributes=attributes)
        self.out.write(header + content + bytes(-len(content) % BLOCK))
        return status, steady

    def large(self, path: bytes, source: bytes, fd: int, status: os.stat_result) -> bool:
        attributes, mode = self.attributes(path, source, status)
        size = status.st_size
        extents = [(0, size)] if status.st_blocks * 512 >= size else list(_extents(fd, size))
        sparse = extents != [(0, size)]
        stored = sum(length for _, length in extents)
        extra = _sparse_records(path, size, extents) if sparse else b""
        self.out.write(_header(path, b"0", status, mode, size=stored, attributes=attributes, extra=extra))
        whole = [self.copy(fd, start, length) for start, length in extents]
        self.out.write(bytes(-stored % BLOCK))
        return all(whole) and _same(status, os.fstat(fd))

    def copy(self, fd: int, start: int, length: int) -> bool:
        """Exactly ``length`` bytes, as the header has told; zeros for what cannot be had any more."""
        end, whole = start + length, True
        while start < end:
            want = min(WHOLE_READ, end - start)
            try:
                chunk = os.pread(fd, want, start)
            except OSError:
                chunk = b""
            if not chunk:
                chunk, whole = bytes(want), False
            self.out.write(chunk)
            start += len(chunk)
        return whole

    def attributes(self, path: bytes, source: bytes, status: os.stat_result) -> tuple[dict[str, bytes], int]:
        """The extended attributes that a layer keeps, and the mode. squashfs knows no POSIX ACLs; with one, the
        mode's group bits are its mask, so what is left of it must not give the group more than it had."""
        mode = stat.S_IMODE(status.st_mode)
        kept = {}
        for name in _attribute_names(source):
            if name.startswith(("user.", "security.", "trusted.")) and not name.startswith(_OF_OVERLAYS):
                try:
                    kept[name] = os.getxattr(source, name, follow_symlinks=False)
                except OSError:
                    continue  # removed meanwhile, or not ours to read
            elif name == _ACL:
                mode = _narrowed(mode, os.getxattr(source, name, follow_symlinks=False))
                self.report.acls.add(path)
        return kept, mode


def has_acl(path: bytes) -> bool:
    return _ACL in _attribute_names(path)


def _attribute_names(path: bytes) -> list[str]:
    try:
        return os.listxattr(path, follow_symlinks=False)
    except OSError:
        return []  # a filesystem without them (a squashfs in which none has any is one), or gone


def _narrowed(mode: int, acl: bytes) -> int:
    entries = [(acl[at] | acl[at + 1] << 8, acl[at + 2] & 7) for at in range(4, len(acl) - 7, 8)]
    group = next((rights for tag, rights in entries if tag == 0x04), 0)
    return mode & ~0o070 | (mode & (group << 3))


def _same(a: os.stat_result, b: os.stat_result) -> bool:
    return (a.st_size, a.st_mtime_ns, a.st_ctime_ns) == (b.st_size, b.st_mtime_ns, b.st_ctime_ns)


def _extents(fd: int, size: int) -> Iterator[tuple[int, int]]:
    """The parts of a sparse file that hold data."""
    end = 0
    while end < size:
        try:
            start = os.lseek(fd, end, os.SEEK_DATA)
        except OSError:
            return  # a hole up to the end
        end = min(os.lseek(fd, start, os.SEEK_HOLE), size)
        if end > start:
            yield start, end - start


def _sparse_records(path: bytes, size: int, extents: list[tuple[int, int]]) -> bytes:
    """GNU's sparse format 0.1, which needs no map inside the data."""
    extents = extents if extents and sum(extents[-1]) == size else [*extents, (size, 0)]
    numbers = ",".join(f"{start},{length}" for start, length in extents)
    return (
        _record("GNU.sparse.size", b"%d" % size)
        + _record("GNU.sparse.numblocks", b"%d" % len(extents))
        + _record("GNU.sparse.map", numbers.encode())
        + _record("GNU.sparse.name", path)
    )


def _record(keyword: str, value: bytes) -> bytes:
    body = b" " + keyword.encode("utf-8", "surrogateescape") + b"=" + value + b"\n"
    length = len(body) + 1
    while len(str(length)) + len(body) != length:
        length = len(str(length)) + len(body)
    return b"%d" % length + body


def _header(
    path: bytes,
    kind: bytes,
    status: os.stat_result | None = None,
    mode: int | None = None,
    *,
    size: int = 0,
    link: bytes = b"",
    device: int = 0,
    attributes: dict[str, bytes] | None = None,
    extra: bytes = b"",
) -> bytes:
    """The header block of one entry, after a PAX one when ustar's fields are too small for it."""
    uid, gid = (status.st_uid, status.st_gid) if status else (0, 0)
    mtime = min(max(0, int(status.st_mtime)), 0o37777777777) if status else 0
    if mode is None:
        mode = stat.S_IMODE(status.st_mode) if status else 0
    pax = extra + b"".join(_record(f"SCHILY.xattr.{key}", value) for key, value in (attributes or {}).items())
    if len(path) > 100:
        pax += _record("path", path)
    if len(link) > 100:
        pax += _record("linkpath", link)
    if size > 0o77777777777:
        pax, size = pax + _record("size", b"%d" % size), 0
    if uid > 0o7777777:
        pax, uid = pax + _record("uid", b"%d" % uid), 0
    if gid > 0o7777777:
        pax, gid = pax + _record("gid", b"%d" % gid), 0
    block = _block(path, mode, uid, gid, size, mtime, kind, link, device)
    if not pax:
        return block
    return _block(b"pax", 0, 0, 0, len(pax), 0, b"x", b"", 0) + pax + bytes(-len(pax) % BLOCK) + block


def _block(
    path: bytes, mode: int, uid: int, gid: int, size: int, mtime: int, kind: bytes, link: bytes, device: int
) -> bytes:
    start = b"%-100b%07o\0%07o\0%07o\0%011o\0%011o\0" % (b"", mode, uid, gid, size, mtime)
    start = path[:100].ljust(100, b"\0") + start[100:]
    end = kind + link[:100].ljust(100, b"\0") + b"ustar\x0000" + bytes(64)
    end += b"%07o\0%07o\0" % (os.major(device), os.minor(device)) + bytes(167)
    total = sum(start) + sum(end) + 8 * 32
    return start + b"%06o\0 " % total + end
