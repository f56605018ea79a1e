"""A folder of this machine as a bucket.

Keys are paths below the folder; a folder in it is the key that ends with "/". Every path is opened part by part
from the folder's own descriptor and then asked where it really is, so that no link, made before or meanwhile,
leads out. Links to folders are followed in a listing of one level, and left out of a recursive one.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import heapq
import os
import secrets
import shutil
import stat as modes
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from ...models import CredentialSpec, Provider, StudiosError, UploadedPart
from .base import Bucket, NativePage, Object
from .errors import changed, exists, gone, not_possible, shown
from .folder_files import (
    TEMPORARY,
    closing,
    etag_of,
    is_there,
    listed_name,
    names_in,
    object_of,
    settle,
    time_of,
    unlink,
)
from .guard import Guard
from .parts import PART_SIZE, UploadState, check_size

CHUNK = 1 << 20
_O_DIR = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC

T = TypeVar("T")


async def open_bucket(
    spec: CredentialSpec, bucket: str, *, guard: Guard, region: str | None = None
) -> FolderBackend:
    return FolderBackend(Path(bucket))


async def buckets(spec: CredentialSpec, *, guard: Guard) -> list[Bucket]:
    return []


class FolderBackend:
    provider = Provider.FOLDER
    parallel_parts = True
    part_size = PART_SIZE

    def __init__(self, root: Path):
        self._root = root

    async def page(
        self, prefix: str, *, token: str | None = None, recursive: bool = False, limit: int = 1000
    ) -> NativePage:
        list_ = self._page_below if recursive else self._page_of
        return await self._run(list_, prefix, token, limit, key=prefix)

    async def stat(self, key: str) -> Object:
        return await self._run(self._stat, key, key=key)

    async def read(self, key: str, start: int, length: int, *, etag: str | None = None) -> bytes:
        def read() -> bytes:
            with self._file(key, etag) as file:
                return os.pread(file, length, start)

        return await self._run(read, key=key) if length > 0 else b""

    async def stream(
        self, key: str, start: int = 0, end: int | None = None, *, etag: str | None = None
    ) -> AsyncGenerator[bytes]:
        stack = contextlib.ExitStack()
        file = await self._run(lambda: stack.enter_context(self._file(key, etag)), key=key)
        try:
            while end is None or start < end:
                size = CHUNK if end is None else min(CHUNK, end - start)
                chunk = await asyncio.to_thread(os.pread, file, size, start)
                if not chunk:
                    return
                yield chunk
                start += len(chunk)
        finally:
            stack.close()

    async def put(self, key: str, body: bytes, *, replace: bool) -> Object:
        def put() -> Object:
            if key.endswith("/"):
                return self._make_folder(key, body, replace)
            with self._parent(key, make=True) as (folder, name):
                temporary = f"{TEMPORARY}{secrets.token_hex(8)}"
                file = os.open(
                    temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666, dir_fd=folder
                )
                try:
                    with os.fdopen(file, "wb") as writer:
                        writer.write(body)
                    settle(folder, temporary, name, key, replace)
                except BaseException:
                    unlink(temporary, folder)
                    raise
            return self._stat(key)

        return await self._run(put, key=key)

    async def begin(self, key: str, size: int, *, replace: bool) -> str:
        check_size(size)

        def begin() -> str:
            with self._parent(key, make=True) as (folder, name):
                if not replace and is_there(name, folder):
                    raise exists(key)
                temporary = f"{TEMPORARY}{secrets.token_hex(16)}"
                os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666, dir_fd=folder))
            return UploadState(key, size, replace, temporary).write()

        return await self._run(begin, key=key)

    async def put_part(self, upload: str, number: int, body: bytes) -> UploadedPart:
        state = UploadState.read(upload)
        state.check_part(number, len(body))

        def put() -> UploadedPart:
            with self._parent(state.key) as (folder, _):
                file = os.open(state.store_id, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
                with os.fdopen(file, "wb", buffering=0) as writer:
                    writer.seek(state.offset(number))
                    view = memoryview(body)
                    while view:
                        view = view[writer.write(view) :]
            return UploadedPart(number=number, tag=str(number))

        return await self._run(put, key=state.key)

    async def finish(self, upload: str, parts: Sequence[UploadedPart]) -> Object:
        state = UploadState.read(upload)
        state.check_all(parts)

        def finish() -> Object:
            with self._parent(state.key) as (folder, name):
                if os.stat(state.store_id, dir_fd=folder).st_size != state.size:
                    raise StudiosError("The upload is not complete", "parts are missing", "Send them")
                settle(folder, state.store_id, name, state.key, state.replace)
            return self._stat(state.key)

        return await self._run(finish, key=state.key)

    async def abort(self, upload: str) -> None:
        state = UploadState.read(upload)

        def abort() -> None:
            with self._parent(state.key) as (folder, _):
                unlink(state.store_id, folder)

        with contextlib.suppress(StudiosError):  # its folder is gone, and with it the upload
            await self._run(abort, key=state.key)

    async def copy(self, source: Object, target: str, *, replace: bool) -> Object:
        def copy() -> Object:
            if source.key.endswith("/"):
                return self._make_folder(target, b"", replace)
            with (
                self._file(source.key, source.etag) as file,
                self._parent(target, make=True) as (folder, name),
            ):
                temporary = f"{TEMPORARY}{secrets.token_hex(8)}"
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
                try:
                    with (
                        os.fdopen(os.dup(file), "rb") as reader,
                        os.fdopen(os.open(temporary, flags, 0o666, dir_fd=folder), "wb") as writer,
                    ):
                        shutil.copyfileobj(reader, writer, CHUNK)
                    settle(folder, temporary, name, target, replace)
                except BaseException:
                    unlink(temporary, folder)
                    raise
            return self._stat(target)

        return await self._run(copy, key=source.key)

    async def delete(self, keys: Sequence[str]) -> list[str]:
        # Files first, then folders from the deepest up, so that a folder is empty when its turn comes.
        order = sorted(keys, key=lambda key: (key.endswith("/"), -key.count("/")))
        left = set()
        for key in order:
            try:
                await self._run(self._delete, key, key=key)
            except StudiosError as error:
                if error.problem.status != 404:
                    left.add(key)
        return [key for key in keys if key in left]

    async def presign(self, key: str, seconds: int, *, filename: str | None = None) -> str:
        raise not_possible("a folder has no links that others could open", "Download the file instead")

    async def close(self) -> None:
        pass

    # --- listing, in a thread ---

    def _page_of(self, prefix: str, token: str | None, limit: int) -> NativePage:
        """One level, in the order of the keys. Only the entries of this page are asked for size and date."""
        below, _, start = prefix.rpartition("/")
        below = f"{below}/" if below else ""
        try:
            folder = self._open_folder(below)
        except (FileNotFoundError, NotADirectoryError):
            if below:
                return NativePage()  # as in a bucket: nothing begins with this prefix
            raise
        with closing(folder), os.scandir(folder) as entries:
            names = (listed_name(entry) for entry in entries if entry.name.startswith(start))
            later = (name for name in names if name and (token is None or name > token))
            first = heapq.nsmallest(limit + 1, later)
            page = NativePage(token=first[limit - 1] if len(first) > limit else None)
            for name in first[:limit]:
                if name.endswith("/"):
                    page.folders.append(below + name)
                else:
                    page.objects.append(object_of(below + name, self._look(below + name, name, folder)))
        return page

    def _page_below(self, prefix: str, token: str | None, limit: int) -> NativePage:
        """Everything below; a folder comes after what is in it, so that removing in this order works."""
        below, _, _ = prefix.rpartition("/")
        page = NativePage()
        for item in self._walk(f"{below}/" if below else "", prefix, token):
            if len(page.objects) == limit:
                return NativePage(objects=page.objects, token=page.objects[-1].key)
            page.objects.append(item)
        return page

    def _walk(self, below: str, prefix: str, token: str | None) -> Iterator[Object]:
        try:
            folder = self._open_folder(below)
        except OSError:
            return  # gone meanwhile, or not ours to read
        with closing(folder):
            with os.scandir(folder) as entries:
                names = sorted(name for entry in entries if (name := listed_name(entry, follow=False)))
            for name in names:
                key = below + name
                if token is not None and key <= token and not (key.endswith("/") and token.startswith(key)):
                    continue
                if key.endswith("/") and key != token:
                    if key.startswith(prefix) or prefix.startswith(key):
                        inside = token if token is not None and token.startswith(key) else None
                        yield from self._walk(key, prefix, inside)
                elif key.startswith(prefix) and not key.endswith("/"):
                    found = self._look(key, name, folder)
                    if found is not None:
                        yield object_of(key, found)
        if below and below.startswith(prefix) and below != token:
            yield Object(below, 0)

    # --- single files, in a thread ---

    def _stat(self, key: str) -> Object:
        if key.endswith("/"):
            with closing(self._open_folder(key)) as folder:
                return Object(key, 0, time_of(os.fstat(folder)))
        with self._file(key) as file:
            return object_of(key, os.fstat(file))

    def _make_folder(self, key: str, body: bytes, replace: bool) -> Object:
        if body:
            raise not_possible("a folder has no content", status=400)
        with self._parent(key.rstrip("/"), make=True) as (folder, name):
            try:
                os.mkdir(name, dir_fd=folder)
            except FileExistsError:
                if not replace or not modes.S_ISDIR(os.stat(name, dir_fd=folder).st_mode):
                    raise exists(key) from None
        return self._stat(key)

    def _delete(self, key: str) -> None:
        with self._parent(key.rstrip("/")) as (folder, name):
            if key.endswith("/"):
                os.rmdir(name, dir_fd=folder)
            else:
                os.unlink(name, dir_fd=folder)

    @contextlib.contextmanager
    def _file(self, key: str, etag: str | None = None) -> Iterator[int]:
        """A descriptor of the regular file ``key``, wherever below the folder links lead."""
        if key.endswith("/"):
            raise gone(key)
        names_in(key)
        # Without O_NONBLOCK, opening a named pipe waits for whoever may write to it.
        with closing(os.open(self._root / key, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)) as file:
            self._check_inside(file, key)
            found = os.fstat(file)
            if not modes.S_ISREG(found.st_mode):
                raise not_possible(f"“{shown(key)}” is not a file", status=404)
            if etag is not None and etag != etag_of(found):
                raise changed(key)
            yield file

    @contextlib.contextmanager
    def _parent(self, key: str, *, make: bool = False) -> Iterator[tuple[int, str]]:
        """A descriptor of the folder that ``key`` lies in, and its name there."""
        *above, name = names_in(key)
        if name.startswith(TEMPORARY):
            raise not_possible(f"names beginning with {TEMPORARY} are kept for uploads", status=400)
        below = ""
        folder = self._open_folder(below)
        try:
            for part in above:
                if make:
                    with contextlib.suppress(FileExistsError):
                        os.mkdir(part, dir_fd=folder)
                below += f"{part}/"
                inner = self._open_folder(below)
                os.close(folder)
                folder = inner
            yield folder, name
        finally:
            os.close(folder)

    def _open_folder(self, below: str) -> int:
        names_in(below.rstrip("/")) if below else None
        folder = os.open(self._root / below, _O_DIR)
        try:
            self._check_inside(folder, below)
        except BaseException:
            os.close(folder)
            raise
        return folder

    def _check_inside(self, descriptor: int, key: str) -> None:
        """Where an opened file really is; what was opened does not change any more."""
        proc = Path(f"/proc/self/fd/{descriptor}")
        real = proc.readlink() if proc.is_symlink() else (self._root / key).resolve()
        if not real.is_relative_to(self._root.resolve()):
            raise StudiosError(
                f"“{shown(key)}” leads out of this folder",
                "it is a link to a place outside, which is not offered",
                status=403,
            )

    def _look(self, key: str, name: str, folder: int) -> os.stat_result | None:
        """None for a link that leads out or nowhere, and for what went away meanwhile."""
        try:
            found = os.stat(name, dir_fd=folder, follow_symlinks=False)
            if not modes.S_ISLNK(found.st_mode):
                return found
            if not (self._root / key).resolve().is_relative_to(self._root.resolve()):
                return None
            return os.stat(name, dir_fd=folder)
        except (OSError, RuntimeError):
            return None

    async def _run(self, call: Callable[..., T], *args: object, key: str) -> T:
        try:
            return await asyncio.to_thread(call, *args)
        except OSError as error:
            raise self._told(error, key) from None

    def _told(self, error: OSError, key: str) -> StudiosError:
        if isinstance(error, FileNotFoundError | NotADirectoryError | IsADirectoryError):
            if not self._root.is_dir():
                return StudiosError("This folder does not exist", str(self._root), status=404)
            return gone(key)
        if isinstance(error, FileExistsError):
            return exists(key)
        if isinstance(error, PermissionError):
            return StudiosError(
                f"“{shown(key)}” may not be opened", "its permissions do not allow it", status=403
            )
        words = {
            errno.ENOSPC: ("the disk is full", 507),
            errno.EROFS: ("the disk is read-only", 403),
            errno.ENAMETOOLONG: ("the name is too long for this disk", 400),
            errno.ENOTEMPTY: ("the folder is not empty", 409),
            errno.ELOOP: ("it is a link that leads nowhere", 404),
            errno.EILSEQ: ("the disk does not take this name", 400),
        }
        title, status = words.get(error.errno or 0, ("the disk failed", 502))
        return StudiosError(title, os.strerror(error.errno or errno.EIO), status=status)
