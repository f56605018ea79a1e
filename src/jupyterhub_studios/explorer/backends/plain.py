"""Any other fsspec filesystem: local to this machine's administrator, listed whole, with "truncated" said.

fsspec offers no paging in general. A folder is listed each time a page of it is asked for, in a thread, and cut
after ``LISTED`` entries.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import fsspec

from ...models import CredentialSpec, Provider, StudiosError, UploadedPart
from .base import Bucket, NativePage, Object
from .errors import changed, exists, gone, not_possible
from .guard import Guard
from .parts import PART_SIZE, UploadState, check_size

CHUNK = 1 << 20
LISTED = 10_000
TEMPORARY = ".studios-upload-"

T = TypeVar("T")


async def open_bucket(
    spec: CredentialSpec, bucket: str, *, guard: Guard, region: str | None = None
) -> PlainBackend:
    def make() -> PlainBackend:
        fs, root = fsspec.core.url_to_fs(bucket, skip_instance_cache=True, use_listings_cache=False)
        return PlainBackend(fs, root)

    try:
        return await asyncio.to_thread(make)
    except (ValueError, ImportError):
        raise StudiosError(
            "This kind of filesystem is not known here",
            "no installed fsspec package speaks it",
            "Ask an administrator to install it",
            field="url",
        ) from None
    except OSError:
        raise _failed() from None


async def buckets(spec: CredentialSpec, *, guard: Guard) -> list[Bucket]:
    return []


class PlainBackend:
    provider = Provider.OTHER
    parallel_parts = False  # parts are appended
    part_size = PART_SIZE

    def __init__(self, fs: Any, root: str):
        self.fs = fs
        self._root = root.rstrip("/")

    async def page(
        self, prefix: str, *, token: str | None = None, recursive: bool = False, limit: int = 1000
    ) -> NativePage:
        def list_() -> NativePage:
            below = prefix.rpartition("/")[0]
            found = self._below(below) if recursive else self._ls(below)
            listed: dict[str, Object] = {}
            for item in found:
                if item.key.startswith(prefix):
                    listed[item.key] = item
                if len(listed) > LISTED:
                    break
            if (
                recursive
                and below
                and (listed or self.fs.isdir(self._path(below)))
                and f"{below}/".startswith(prefix)
            ):
                listed[f"{below}/"] = Object(f"{below}/", 0)
            order = _folder_last if recursive else str
            keys = sorted(listed, key=order)[:LISTED]
            later = [key for key in keys if token is None or order(key) > order(token)]
            page = NativePage(
                token=later[limit - 1] if len(later) > limit else None,
                truncated=len(listed) > LISTED and len(later) <= limit,
            )
            for key in later[:limit]:
                if key.endswith("/") and not recursive:
                    page.folders.append(key)
                else:
                    page.objects.append(listed[key])
            return page

        return await self._run(list_, prefix)

    async def stat(self, key: str) -> Object:
        def stat() -> Object:
            info = self.fs.info(self._path(key))
            if info["type"] != "file":
                if key.endswith("/"):
                    return Object(key, 0)
                raise FileNotFoundError
            return _object(key, info)

        return await self._run(stat, key)

    async def read(self, key: str, start: int, length: int, *, etag: str | None = None) -> bytes:
        def read() -> bytes:
            self._check(key, etag)
            with self.fs.open(self._path(key), "rb", cache_type="none") as file:
                file.seek(start)
                return bytes(file.read(length))

        if length <= 0 or start >= ((await self.stat(key)).size or start + 1):
            return b""
        return await self._run(read, key)

    async def stream(
        self, key: str, start: int = 0, end: int | None = None, *, etag: str | None = None
    ) -> AsyncGenerator[bytes]:
        size = (await self.stat(key)).size
        end = size if end is None else end if size is None else min(end, size)
        while end is None or start < end:
            chunk = await self.read(key, start, CHUNK if end is None else min(CHUNK, end - start), etag=etag)
            if not chunk:
                return
            yield chunk
            start += len(chunk)

    async def put(self, key: str, body: bytes, *, replace: bool) -> Object:
        def put() -> None:
            path = self._path(key)
            if key.endswith("/"):
                self.fs.makedirs(path, exist_ok=replace)
                return
            if not replace and self.fs.exists(path):
                raise exists(key)
            self.fs.makedirs(path.rpartition("/")[0], exist_ok=True)
            self.fs.pipe_file(path, body)

        await self._run(put, key)
        return await self.stat(key)

    async def begin(self, key: str, size: int, *, replace: bool) -> str:
        check_size(size)
        temporary = f"{key.rpartition('/')[0]}/{TEMPORARY}{secrets.token_hex(16)}".lstrip("/")

        def begin() -> None:
            if not replace and self.fs.exists(self._path(key)):
                raise exists(key)
            self.fs.makedirs(self._path(temporary).rpartition("/")[0], exist_ok=True)
            self.fs.pipe_file(self._path(temporary), b"")

        await self._run(begin, key)
        return UploadState(key, size, replace, temporary).write()

    async def put_part(self, upload: str, number: int, body: bytes) -> UploadedPart:
        state = UploadState.read(upload)
        state.check_part(number, len(body))

        def append() -> None:
            there = self.fs.info(self._path(state.store_id))["size"]
            if there == state.offset(number) + len(body):
                return  # sent once more because its answer was lost
            if there != state.offset(number):
                raise StudiosError(
                    "This part came too early", "parts come in order", "Send them so", status=409
                )
            with self.fs.open(self._path(state.store_id), "ab") as file:
                file.write(body)

        await self._run(append, state.key)
        return UploadedPart(number=number, tag=str(number))

    async def finish(self, upload: str, parts: Sequence[UploadedPart]) -> Object:
        state = UploadState.read(upload)
        state.check_all(parts)

        def finish() -> None:
            path = self._path(state.key)
            if self.fs.exists(path):
                if not state.replace:
                    raise exists(state.key)
                self.fs.rm_file(path)
            self.fs.mv(self._path(state.store_id), path)

        await self._run(finish, state.key)
        return await self.stat(state.key)

    async def abort(self, upload: str) -> None:
        state = UploadState.read(upload)

        def abort() -> None:
            if self.fs.exists(self._path(state.store_id)):
                self.fs.rm_file(self._path(state.store_id))

        await self._run(abort, state.key)

    async def copy(self, source: Object, target: str, *, replace: bool) -> Object:
        def copy() -> None:
            if not replace and self.fs.exists(self._path(target)):
                raise exists(target)
            if source.key.endswith("/"):
                self.fs.makedirs(self._path(target), exist_ok=True)
                return
            self._check(source.key, source.etag)
            self.fs.makedirs(self._path(target).rpartition("/")[0], exist_ok=True)
            self.fs.cp_file(self._path(source.key), self._path(target))

        await self._run(copy, source.key)
        return await self.stat(target)

    async def delete(self, keys: Sequence[str]) -> list[str]:
        def delete() -> list[str]:
            left = set()
            for key in sorted(keys, key=lambda key: (key.endswith("/"), -key.count("/"))):
                try:
                    (self.fs.rmdir if key.endswith("/") else self.fs.rm_file)(self._path(key))
                except FileNotFoundError:
                    continue
                except (OSError, NotImplementedError):
                    left.add(key)
            return [key for key in keys if key in left]

        return await self._run(delete, keys[0]) if keys else []

    async def presign(self, key: str, seconds: int, *, filename: str | None = None) -> str:
        raise not_possible("this filesystem has no links that others could open", "Download the file instead")

    async def close(self) -> None:
        pass

    # --- in a thread ---

    def _ls(self, below: str) -> Iterator[Object]:
        try:
            listed = self.fs.ls(self._path(below), detail=True)
        except (FileNotFoundError, NotADirectoryError):
            if below:
                return  # as in a bucket: nothing begins with this prefix
            raise
        for info in listed:
            item = _object(info["name"].rstrip("/")[len(self._root) :].lstrip("/"), info)
            name = item.key.rpartition("/")[2]
            if name and not name.startswith(TEMPORARY) and info["name"].rstrip("/") != self._path(below):
                yield Object(f"{item.key}/", 0) if info["type"] == "directory" else item

    def _below(self, below: str) -> Iterator[Object]:
        for item in self._ls(below):
            if item.key.endswith("/"):
                yield from self._below(item.key.rstrip("/"))
            yield item

    def _check(self, key: str, etag: str | None) -> None:
        if etag is not None and _object(key, self.fs.info(self._path(key))).etag != etag:
            raise changed(key)

    def _path(self, key: str) -> str:
        marker, key = key, key.removesuffix("/")
        if marker and any(part in ("", ".", "..") for part in key.split("/")):
            raise not_possible("this filesystem cannot hold this name", "Choose another name", status=400)
        return f"{self._root}/{key}" if key else self._root or "/"

    async def _run(self, call: Callable[[], T], key: str) -> T:
        try:
            return await asyncio.to_thread(call)
        except StudiosError:
            raise
        except FileNotFoundError:
            raise gone(key) from None
        except FileExistsError:
            raise exists(key) from None
        except PermissionError:
            raise StudiosError("The filesystem refused this", status=403) from None
        except (NotImplementedError, TypeError):
            raise not_possible("this filesystem is read-only, or cannot do this") from None
        except Exception:
            # Each filesystem has faults of its own, whose texts may hold a password from its URL.
            raise _failed() from None


def _folder_last(key: str) -> str:
    """Sorts a folder after what is in it, so that removing in this order works."""
    return f"{key}\U0010ffff" if key.endswith("/") else key


def _failed() -> StudiosError:
    return StudiosError("The filesystem cannot be reached", "it gave an error", "Try again", status=502)


def _object(key: str, info: dict[str, Any]) -> Object:
    modified = info.get("mtime", info.get("created", info.get("LastModified")))
    if isinstance(modified, int | float):
        modified = datetime.fromtimestamp(modified, UTC)
    if not isinstance(modified, datetime):
        modified = None
    size = info.get("size")
    etag = info.get("ETag") or (f"{modified.timestamp():.6f}-{size}" if modified else None)
    return Object(key, size, modified, etag=etag)
