"""Several files and folders as one zip."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from ...web.streams import closing
from ..backends.base import Backend
from ..downloads.headers import disposition
from ..downloads.sending import Download, Lease
from ..places import Place
from .selecting import select
from .zips import Zip

__all__ = ["archive"]


async def archive(backend: Backend, places: Sequence[Place], lease: Lease, *, cap: int) -> Download:
    """Sized now; nothing is read before it is sent."""
    made = Zip(await select(backend, places, cap))
    name = places[0].name if len(places) == 1 else places[0].link.name
    headers = {
        "Content-Type": "application/zip",
        "Content-Length": str(len(made)),
        "Content-Disposition": disposition(f"{name}.zip"),
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-store",
    }
    return Download(200, headers, _chunks(made, lease))


async def _chunks(made: Zip, lease: Lease) -> AsyncIterator[bytes]:
    async with lease() as backend, closing(made.chunks(backend)) as chunks:
        async for chunk in chunks:
            yield chunk
