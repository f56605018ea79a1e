"""An object as an HTTP answer: whole or a range of it, in bounded memory, told apart from one that changed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from ...models import StudiosError
from ...web.streams import closing
from ..backends.base import Backend, Object
from ..places import Place
from .headers import INLINE, SANDBOX, content_type, date_header, disposition, etag_header, still_the_same
from .ranges import parse

Lease = Callable[[], AbstractAsyncContextManager[Backend]]


@dataclass(frozen=True)
class Download:
    """An answer of bytes. Nothing is asked of the store before ``chunks`` is read; closing it ends the request."""

    status: int
    headers: dict[str, str]
    chunks: AsyncIterator[bytes]


def is_inline(place: Place) -> bool:
    return content_type(place.name) in INLINE


def send(
    place: Place, found: Object, lease: Lease, *, range_: str | None, if_range: str | None, inline: bool
) -> Download:
    size = found.size
    headers = {
        "Content-Type": content_type(place.name),
        "Content-Disposition": disposition(place.name, inline=inline),
        "Content-Security-Policy": SANDBOX,
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-cache",
    }
    for name, value in (("ETag", etag_header(found.etag)), ("Last-Modified", date_header(found.modified))):
        if value:
            headers[name] = value
    if size is None:  # not every filesystem knows it before the end
        return Download(200, headers, _chunks(lease, found, 0, None))
    headers["Accept-Ranges"] = "bytes"
    try:
        asked = parse(range_, size) if still_the_same(if_range, found.etag, found.modified) else None
    except ValueError:
        headers |= {"Content-Range": f"bytes */{size}", "Content-Length": "0"}
        return Download(416, headers, _nothing())
    start, end = asked or (0, size)
    headers["Content-Length"] = str(end - start)
    if asked:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    return Download(206 if asked else 200, headers, _chunks(lease, found, start, end))


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield b""


async def _chunks(lease: Lease, found: Object, start: int, end: int | None) -> AsyncIterator[bytes]:
    if end == start:
        return
    async with lease() as backend, closing(exactly(backend, found, start, end)) as chunks:
        async for chunk in chunks:
            yield chunk


async def exactly(backend: Backend, found: Object, start: int, end: int | None) -> AsyncIterator[bytes]:
    """The bytes that were promised, or a fault: never fewer, more, or of another version of the object."""
    got = 0
    promised = None if end is None else end - start
    async with closing(backend.stream(found.key, start, end, etag=found.etag)) as chunks:
        async for chunk in chunks:
            got += len(chunk)
            if promised is not None and got > promised:
                raise changed()
            yield chunk
    if promised is not None and got != promised:
        raise changed()


def changed() -> StudiosError:
    return StudiosError(
        "The file changed while it was read",
        "its size is not what it was when the answer began",
        "Read it again",
        status=412,
    )
