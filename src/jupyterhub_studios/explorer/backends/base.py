"""What the explorer needs of a store. Every backend passes the same conformance suite.

Keys are whole object keys in the bucket (folders: paths below the folder), text, never normalised: ``a//b``, a
trailing ``/``, ``%``, ``+``, spaces and control characters are all themselves. Sizes are bytes.
Faults are :class:`~jupyterhub_studios.models.StudiosError`: 404 gone, 403 refused, 409 exists already, 412 changed
meanwhile, 429 slow down, 502 store unreachable; never with anything secret in them.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from ...models import Provider, UploadedPart
from ...web.streams import closing


@dataclass(frozen=True)
class Object:
    key: str
    size: int | None
    modified: datetime | None = None
    storage_class: str | None = None
    etag: str | None = None


@dataclass(frozen=True)
class NativePage:
    """One answer of the store: common prefixes (ending with "/") and objects, in the store's order."""

    folders: list[str] = field(default_factory=list)
    objects: list[Object] = field(default_factory=list)
    token: str | None = None  # for the next page; a page may be empty and still have one
    truncated: bool = False  # the store cannot page, and has more


@dataclass(frozen=True)
class Bucket:
    name: str
    region: str | None = None


class Backend(Protocol):
    """One bucket (container, folder), opened with one credential. Safe for concurrent use on one event loop."""

    provider: Provider
    parallel_parts: bool  # parts of an upload may be sent at the same time
    part_size: int  # of an upload in parts, bytes; a multiple of what the store demands

    async def page(
        self, prefix: str, *, token: str | None = None, recursive: bool = False, limit: int = 1000
    ) -> NativePage:
        """One native page of what begins with ``prefix``; one level deep, or everything below."""

    async def stat(self, key: str) -> Object: ...

    async def read(self, key: str, start: int, length: int, *, etag: str | None = None) -> bytes:
        """The bytes of a range; fewer at the object's end, none beyond it. ``etag``: 412 when it changed."""

    def stream(
        self, key: str, start: int = 0, end: int | None = None, *, etag: str | None = None
    ) -> AsyncGenerator[bytes]:
        """``[start, end)`` in chunks of at most 1 MiB; closing the iterator ends the request."""

    async def put(self, key: str, body: bytes, *, replace: bool) -> Object:
        """A whole small object; ``replace=False``: 409 when the key exists, decided by the store where it can."""

    async def begin(self, key: str, size: int, *, replace: bool) -> str:
        """Begin an upload in parts; answers what the other three need, as text."""

    async def put_part(self, upload: str, number: int, body: bytes) -> UploadedPart: ...

    async def finish(self, upload: str, parts: Sequence[UploadedPart]) -> Object: ...

    async def abort(self, upload: str) -> None: ...

    async def copy(self, source: Object, target: str, *, replace: bool) -> Object:
        """A copy within the bucket, made by the store itself, of any size."""

    async def delete(self, keys: Sequence[str]) -> list[str]:
        """Delete objects; answers the keys that are still there. A key that does not exist is no fault."""

    async def presign(self, key: str, seconds: int, *, filename: str | None = None) -> str:
        """A link that reads the object until it expires. 409 where the credential cannot sign one."""

    async def close(self) -> None: ...


class ReadsByStream:
    """``read`` of a store whose every read is a request of a range, which ``stream`` makes."""

    async def read(self: Backend, key: str, start: int, length: int, *, etag: str | None = None) -> bytes:
        if length <= 0:
            return b""
        body = bytearray()
        async with closing(self.stream(key, start, start + length, etag=etag)) as chunks:
            async for chunk in chunks:
                body += chunk
        return bytes(body)
