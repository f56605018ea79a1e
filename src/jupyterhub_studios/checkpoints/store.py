"""The bucket below a work dir, through obstore: small documents with conditions, layers in parallel.

Every failure becomes a :class:`StudiosError` that names the bucket and never a credential. Transient ones are
tried again by obstore, a bounded number of times; longer outages are the caller's to wait out.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import hashlib
import os
import re
import secrets
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, cast
from urllib.parse import unquote, urlsplit

import obstore
from obstore import exceptions
from obstore.store import LocalStore, MemoryStore, from_url

from ..models import StudiosError

FOLDER = ".studios"  # below the work dir
PART = 8 << 20  # bytes of one part of an upload or download
PARALLEL = 6
RETRIES = {
    "max_retries": 5,
    "retry_timeout": timedelta(seconds=60),
    "backoff": {"init_backoff": timedelta(milliseconds=200), "max_backoff": timedelta(seconds=5), "base": 2},
}
_CLIENT = (
    "allow_http",
    "allow_invalid_certificates",
    "connect_timeout",
    "proxy_url",
    "timeout",
    "user_agent",
)

T = TypeVar("T")


class Conflict(Exception):
    """A conditional write found something else than it was promised."""


class Version(NamedTuple):
    """Identifies the bytes that were read or written: an ETag, and the generation of stores that have one."""

    e_tag: str | None
    version: str | None

    def condition(self) -> dict[str, str]:
        return {name: value for name, value in self._asdict().items() if value is not None}


class Found(NamedTuple):
    key: str
    size: int
    modified: datetime


class Store:
    """Objects by key, below ``.studios/`` of a work dir."""

    def __init__(self, backend: Any, where: str, folder: Path | None = None) -> None:
        self._backend = backend
        self._where = where  # how people know it; holds no credential
        self._folder = folder  # of a file:// store

    @classmethod
    def open(cls, url: str, options: Mapping[str, str] | None = None) -> Store:
        """``s3:// gs:// az:// file:// memory:``; ``options`` are obstore's, those of its client included."""
        parts = urlsplit(url)
        where = f"{parts.scheme}://{parts.hostname or ''}{parts.path}".rstrip("/")
        given = {key.lower(): value for key, value in (options or {}).items()}
        try:
            if parts.scheme == "memory":
                return cls(MemoryStore(), where)
            if parts.scheme == "file":
                folder = Path(unquote(parts.path)) / FOLDER
                folder.mkdir(parents=True, exist_ok=True)
                return cls(LocalStore(folder), where, folder)
            client: dict[str, Any] = {key: given.pop(key) for key in _CLIENT if key in given}
            endpoint = next((value for key, value in given.items() if key.endswith("endpoint")), "")
            client = {"timeout": timedelta(seconds=120), "connect_timeout": timedelta(seconds=10)} | client
            if endpoint.startswith("http://"):
                client["allow_http"] = True
            backend = cast(Any, from_url)(
                f"{url.rstrip('/')}/{FOLDER}",
                config=given,
                client_options=client,
                retry_config=RETRIES,
            )
        except OSError as error:
            raise _told(error, where, "be opened") from None
        except Exception as error:
            raise StudiosError(
                f"The work dir {where} cannot be opened",
                f"its options are not understood ({type(error).__name__})",
                "Check work_dir and store_options of the compute environment",
                status=500,
            ) from None
        return cls(backend, where)

    def __repr__(self) -> str:
        return f"Store({self._where!r})"

    async def _do(self, action: Awaitable[T], verb: str) -> T:
        try:
            return await action
        except (exceptions.AlreadyExistsError, exceptions.PreconditionError):
            raise Conflict from None
        except (exceptions.BaseError, OSError) as error:
            raise _told(error, self._where, verb) from None

    # --- documents -----------------------------------------------------------------------------

    async def get(self, key: str) -> tuple[bytes, Version] | None:
        """The bytes at ``key`` and their version, or None when there are none."""

        async def read() -> tuple[bytes, Version] | None:
            try:
                result = await obstore.get_async(self._backend, key)
                data = bytes(await result.bytes_async())
            except FileNotFoundError as error:
                if "NoSuchBucket" in str(error):
                    raise
                return None
            return data, Version(result.meta["e_tag"], result.meta.get("version"))

        return await self._do(read(), "be read")

    async def create(self, key: str, data: bytes) -> Version:
        """Write ``data`` where nothing is yet; :class:`Conflict` where something is."""
        return await self._conditional(key, data, "create")

    async def replace(self, key: str, data: bytes, version: Version) -> Version:
        """Write ``data`` in place of ``version``; :class:`Conflict` when that is no longer what is there."""
        if self._folder is not None:
            return await self._do(
                asyncio.to_thread(self._replace_locally, key, data, version), "be written to"
            )
        return await self._conditional(key, data, version.condition())

    async def _conditional(self, key: str, data: bytes, mode: Any) -> Version:
        try:
            result = await self._do(obstore.put_async(self._backend, key, data, mode=mode), "be written to")
        except Conflict:
            # A request that was repeated because its answer got lost meets its own first try.
            found = await self.get(key)
            if found is not None and found[0] == data:
                return found[1]
            raise
        await self._durable(key)
        return Version(result["e_tag"], result.get("version"))

    def _replace_locally(self, key: str, data: bytes, version: Version) -> Version:
        """A folder has no conditional write: all our processes on it take turns through a lock file instead.
        (That holds on one machine, and on network filesystems that support locks.)"""
        assert self._folder is not None
        with (self._folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            try:
                current = obstore.head(self._backend, key)["e_tag"]
            except FileNotFoundError:
                raise Conflict from None
            if current != version.e_tag:
                raise Conflict
            written = obstore.put(self._backend, key, data)
            _flush(self._folder / key)
            return Version(written["e_tag"], None)

    async def _durable(self, key: str) -> None:
        if self._folder is not None:
            await self._do(asyncio.to_thread(_flush, self._folder / key), "be written to")

    # --- layers --------------------------------------------------------------------------------

    async def size(self, key: str) -> int | None:
        """Bytes at ``key``, or None when there is nothing."""

        async def head() -> int | None:
            try:
                return int((await obstore.head_async(self._backend, key))["size"])
            except FileNotFoundError:
                return None

        return await self._do(head(), "be read")

    async def put_file(self, key: str, path: Path) -> None:
        """Upload a file, in parallel parts when it is big. It appears complete or not at all."""
        put = obstore.put_async(self._backend, key, path, chunk_size=PART, max_concurrency=PARALLEL)
        await self._do(put, "be written to")
        await self._durable(key)

    async def fetch(
        self, key: str, path: Path, size: int, progress: Callable[[int], None] | None = None
    ) -> str | None:
        """Download ``size`` bytes to ``path`` in parallel ranges; answers their SHA-256, hashed as they come,
        or None when there is nothing at ``key``."""
        hasher = hashlib.sha256()

        async def part(start: int) -> Any:
            return await obstore.get_range_async(self._backend, key, start=start, end=min(start + PART, size))

        def keep(fd: int, data: Any) -> None:
            hasher.update(data)
            _write_all(fd, data)

        async def run() -> str | None:
            fd = await asyncio.to_thread(
                os.open, path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600
            )
            starts = deque(range(0, size, PART))
            window: deque[asyncio.Task[Any]] = deque()
            try:
                while starts or window:
                    while starts and len(window) < PARALLEL:
                        window.append(asyncio.ensure_future(part(starts.popleft())))
                    data = await window.popleft()
                    await asyncio.to_thread(keep, fd, data)
                    if progress is not None:
                        progress(len(data))
                return hasher.hexdigest()
            except FileNotFoundError:
                return None
            finally:
                for task in window:
                    task.cancel()
                await asyncio.gather(*window, return_exceptions=True)
                os.close(fd)

        return await self._do(run(), "be read")

    # --- housekeeping --------------------------------------------------------------------------

    async def list(self, prefix: str) -> list[Found]:
        async def collect() -> list[Found]:
            found = []
            async for chunk in obstore.list(self._backend, prefix):
                found += [Found(item["path"], item["size"], item["last_modified"]) for item in chunk]
            return found

        return await self._do(collect(), "be listed")

    async def delete(self, keys: Sequence[str]) -> None:
        """Remove objects; those that are gone already do not matter."""

        async def remove() -> None:
            try:
                if keys:
                    await obstore.delete_async(self._backend, list(keys))
            except FileNotFoundError:
                for key in keys:  # a folder stops at the first that is gone
                    await _delete_one(self._backend, key)

        await self._do(remove(), "be cleaned")

    async def check(self) -> None:
        """Raise what keeps the work dir from holding checkpoints: not there, not writable, no conditions."""
        key, data = f"check/{secrets.token_hex(8)}", secrets.token_bytes(8)
        version = await self.create(key, data)
        try:
            stale = Version('"none"', None)
            for write in (lambda: self.create(key, b"other"), lambda: self.replace(key, b"other", stale)):
                try:
                    await write()
                except Conflict:
                    continue
                raise StudiosError(
                    f"The work dir {self._where} cannot hold checkpoints",
                    "its object store ignores conditional writes (If-Match, If-None-Match), "
                    "so a lost job could overwrite its successor",
                    "Use a store that honours them",
                    status=500,
                )
            await self.replace(key, data + b".", version)
        finally:
            await self.delete([key])


async def _delete_one(backend: Any, key: str) -> None:
    try:
        await obstore.delete_async(backend, key)
    except FileNotFoundError:
        return


def _write_all(fd: int, data: Any) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def _flush(path: Path) -> None:
    """A folder's write is acknowledged once it would survive a power cut."""
    for target in (path, path.parent):
        fd = os.open(target, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


_ADVICE = "Check work_dir and store_options of the compute environment"


def _told(error: Exception, where: str, verb: str) -> StudiosError:
    """``error`` for people. Only known words of its text are repeated: the rest may hold credentials."""
    text = str(error)
    code = re.search(r"<Code>(\w+)</Code>", text)
    title = f"The work dir {where} cannot {verb}"
    if "NoSuchBucket" in text or "ContainerNotFound" in text:
        return StudiosError(title, "its bucket does not exist", _ADVICE, status=503)
    if isinstance(
        error, exceptions.PermissionDeniedError | exceptions.UnauthenticatedError | PermissionError
    ):
        return StudiosError(title, f"access was denied{_code(code)}", _ADVICE, status=503)
    if "SignatureDoesNotMatch" in text or "InvalidAccessKeyId" in text:
        return StudiosError(title, f"its credential was refused{_code(code)}", _ADVICE, status=503)
    number = re.search(r"os error (\d+)", text)
    if (number and int(number[1]) == errno.ENOSPC) or getattr(error, "errno", None) == errno.ENOSPC:
        return StudiosError(title, "the disk is full", "Make room", status=507)
    if number and int(number[1]) in (errno.EACCES, errno.EPERM, errno.EROFS):
        return StudiosError(title, "access was denied", _ADVICE, status=503)
    if re.search(r"kind: (Connect|Timeout|Request)|error sending request|timed out", text):
        return StudiosError(title, "its server does not answer", "It is tried again later", status=503)
    answered = code or re.search(r"status: (\d{3})", text)
    reason = f"the server answered {answered[1]}" if answered else type(error).__name__
    if isinstance(error, OSError) and error.strerror:
        reason = error.strerror
    return StudiosError(title, reason, _ADVICE, status=503)


def _code(match: re.Match[str] | None) -> str:
    return f" ({match[1]})" if match else ""
