"""Layers: squashfs files that hold a filesystem delta the way overlayfs keeps it.

A whole upperdir goes through ``mksquashfs`` itself, which is fastest; anything less, and every merge of
layers, is a tar stream that Python writes (see :mod:`.tarstream`), which can leave out, add and repeat.
Blocks are 128 KiB with zstd 1: larger ones cost cold readers more than they save.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hashlib
import os
import secrets
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence, Set
from pathlib import Path
from typing import IO, TypeVar

from ..models import LayerRef, StudiosError, now
from .tarstream import Item, Report, write

SUFFIX = ".sqsh"
PARTIAL = ".partial"  # of files that are being written: removed at the next start
OPTIONS = [
    "-comp", "zstd", "-Xcompression-level", "1", "-b", "128K", "-xattrs",
    "-noappend", "-no-progress", "-no-recovery", "-quiet",
]  # fmt: skip
_ENVIRONMENT = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
_PIPE = 1 << 20
DISK_FULL = 507

T = TypeVar("T")


class Builder:
    """Runs one ``mksquashfs`` at a time, which :meth:`cancel` ends from another thread."""

    def __init__(self, scratch: Path) -> None:
        self.scratch = scratch
        self.process: subprocess.Popen[bytes] | None = None
        self.cancelled = False
        scratch.mkdir(parents=True, exist_ok=True)
        self.clear()  # of what a killed session left

    def clear(self) -> None:
        for path in [*self.scratch.glob(f"*{PARTIAL}"), *self.scratch.glob(f"*{SUFFIX}")]:
            path.unlink(missing_ok=True)

    async def run(self, work: Callable[[], T]) -> T:
        """``work`` in a thread; when the caller is cancelled, the process ends first, then the thread."""
        self.cancelled = False
        task = asyncio.ensure_future(asyncio.to_thread(work))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            self.cancel()
            with contextlib.suppress(Exception):
                await task
            raise

    def cancel(self) -> None:
        self.cancelled = True
        if self.process is not None:
            self.process.kill()

    def whole(self, upper: Path) -> tuple[Path, str]:
        """A layer of everything in ``upper``, and what mksquashfs had to say about it."""
        arguments = [os.fspath(upper), "-action", "exclude@type(s)"]
        with self._target() as target:
            said = self._mksquashfs(target, arguments, None)
            return self._keep(target), said

    def of(self, items: Sequence[Item], root: Path, below: Set[bytes]) -> tuple[Path, Report]:
        """A layer of ``items`` over others that show ``below``; its root has the rights and owner of ``root``."""
        status = root.stat()
        arguments = [
            "-", "-tar", "-root-mode", f"{status.st_mode & 0o7777:o}",
            "-root-uid", str(status.st_uid), "-root-gid", str(status.st_gid),
        ]  # fmt: skip
        reports: list[Report] = []
        with self._target() as target:
            self._mksquashfs(target, arguments, lambda out: reports.append(write(out, items, below)))
            return self._keep(target), reports[0]

    @contextlib.contextmanager
    def _target(self) -> Iterator[Path]:
        target = self.scratch / f"{secrets.token_hex(8)}{PARTIAL}"
        try:
            yield target
        finally:
            target.unlink(missing_ok=True)

    def _keep(self, target: Path) -> Path:
        """A finished layer. A block that squashfs does not look at makes each one different: equal changes in
        the same second must not give one name to two layers of a chain, which overlayfs refuses."""
        try:
            with target.open("ab") as file:
                file.write(secrets.token_bytes(16).ljust(4096, b"\0"))
        except OSError as error:
            raise self._failure(1, os.strerror(error.errno or 0)) from None
        kept = target.with_suffix(SUFFIX)
        target.rename(kept)
        return kept

    def _mksquashfs(
        self, target: Path, arguments: list[str], feed: Callable[[IO[bytes]], None] | None
    ) -> str:
        source, *rest = arguments
        command = ["mksquashfs", source, os.fspath(target), *OPTIONS, *rest]
        with tempfile.TemporaryFile() as errors:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL if feed is None else subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                env=_ENVIRONMENT,
                bufsize=_PIPE,
            )
            try:
                if self.cancelled:
                    self.process.kill()
                if feed is not None:
                    self._feed(feed)
                code = self.process.wait()
            except BaseException:
                self.process.kill()
                self.process.wait()
                raise
            finally:
                self.process = None
            errors.seek(0)
            said = errors.read().decode(errors="replace")
        if code != 0:
            raise self._failure(code, said)
        return said

    def _feed(self, feed: Callable[[IO[bytes]], None]) -> None:
        assert self.process is not None and self.process.stdin is not None
        with contextlib.suppress(OSError):  # the limit of an ordinary user may be lower
            fcntl.fcntl(self.process.stdin, fcntl.F_SETPIPE_SZ, _PIPE)
        try:
            feed(self.process.stdin)
        except BrokenPipeError:
            pass  # mksquashfs gave up, and its exit code says why
        finally:
            with contextlib.suppress(BrokenPipeError):
                self.process.stdin.close()

    def _failure(self, code: int, said: str) -> StudiosError:
        if "No space left on device" in said or "out of space" in said:
            free = os.statvfs(self.scratch)
            return StudiosError(
                "The disk is full: nothing was saved",
                f"a new layer is written to the session's scratch disk first, which has "
                f"{free.f_bavail * free.f_frsize >> 20} MiB left",
                "Delete files that are not needed; the next save tries again",
                status=DISK_FULL,
            )
        reason = " ".join(said.split())[-300:] or f"exit code {code}"
        return StudiosError(
            "Capturing the files failed: nothing was saved",
            f"packing the layer ended with: {reason}",
            "The next save tries again",
            status=500,
        )


def reference(path: Path, files: int) -> LayerRef:
    """The name of a finished layer: the SHA-256 of its bytes."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return LayerRef(digest=digest, size=path.stat().st_size, files=files, created_at=now())


def listing(layer: Path, directories: Sequence[bytes]) -> set[bytes]:
    """Paths inside ``layer`` directly in or below ``directories`` (all of it when one of them is the root)."""
    wanted = [] if b"" in directories else [_escaped(name) for name in directories]
    told = subprocess.run(
        ["unsquashfs", "-l", "-quiet", "-no-progress", "-d", "", os.fspath(layer), *wanted],
        capture_output=True, env=_ENVIRONMENT, check=True,
    )  # fmt: skip
    return {line[1:] for line in told.stdout.split(b"\n") if line.startswith(b"/")}


def _escaped(name: bytes) -> bytes:
    """unsquashfs takes patterns: a backslash before each special character makes it a plain one."""
    return b"".join(b"\\" + bytes([c]) if c in b"\\*?[]" else bytes([c]) for c in name)
