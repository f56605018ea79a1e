"""Everything below a folder, page by page: while one is used the next is on its way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from .backends.base import Backend, NativePage, Object

PAGE = 1000


async def pages(backend: Backend, prefix: str) -> AsyncIterator[NativePage]:
    """All native pages below ``prefix``, recursively. Close it to end the request that is on its way."""
    coming: asyncio.Task[NativePage] | None = asyncio.create_task(
        backend.page(prefix, recursive=True, limit=PAGE)
    )
    try:
        while coming is not None:
            page = await coming
            coming = None
            if page.token is not None:
                coming = asyncio.create_task(
                    backend.page(prefix, token=page.token, recursive=True, limit=PAGE)
                )
            yield page
    finally:
        if coming is not None:
            coming.cancel()


def is_marker(found: Object) -> bool:
    """An object that only says that there is a folder."""
    return found.key.endswith("/") and not found.size


async def exists_below(backend: Backend, prefix: str) -> bool:
    """Whether a folder exists: something, at least its marker, begins with its key."""
    token: str | None = None
    while True:
        page = await backend.page(prefix, token=token, limit=1)
        if page.objects or page.folders:
            return True
        if (token := page.token) is None:
            return False
