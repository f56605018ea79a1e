"""Everything that can be done behind a data link, for whoever hosts the explorer.

Each operation first asks the catalogue for the link as the caller sees it, and then whether the caller's role
on it is enough. Only then is the store opened.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Literal

from ..models import (
    DataRole,
    Done,
    Entry,
    EntryPage,
    Found,
    LinkView,
    Presigned,
    Preview,
    Snippet,
    StudiosError,
    Total,
    Upload,
    UploadedPart,
    ViewName,
)
from ..web.streams import closing
from . import archives, browsing, changes, downloads, searching, uploads
from .backends import Backend, Guard
from .catalogue import Caller, Catalogue
from .cursors import Cursors
from .downloads import Download
from .places import Place
from .pool import Backends
from .previews.previewer import Previewer
from .rights import require
from .snippets import snippets

PRESIGN_SECONDS_MAX = 7 * 86400  # what S3 and GCS sign at most


class Engine:
    """``key`` signs cursors and upload ids: of two processes that share it, each reads the other's."""

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        key: bytes,
        guard: Guard,
        archive_cap: int = 1000,
        preview_workers: int = 2,
    ) -> None:
        self.catalogue = catalogue
        self.archive_cap = archive_cap
        self._cursors = Cursors(key)
        self._backends = Backends(key, guard)
        self._previewer = Previewer(at_once=preview_workers)

    async def close(self) -> None:
        await self._previewer.close()
        await self._backends.close()

    # --- looking ---

    async def browse(
        self,
        caller: Caller,
        link_id: str,
        path: str,
        *,
        search: str = "",
        after: str | None = None,
        limit: int = 200,
    ) -> EntryPage:
        place = await self._place(caller, link_id, path, DataRole.VIEW)
        async with self._lease(place.link) as backend:
            return await browsing.browse(
                backend, self._cursors, place, search=search, after=after, limit=limit
            )

    async def entry(self, caller: Caller, link_id: str, path: str) -> Entry:
        place = await self._place(caller, link_id, path, DataRole.VIEW)
        async with self._lease(place.link) as backend:
            return await browsing.entry(backend, place)

    async def search(self, caller: Caller, link_id: str, path: str, q: str) -> AsyncIterator[Found]:
        place = await self._place(caller, link_id, path, DataRole.VIEW)
        async with self._lease(place.link) as backend, closing(searching.search(backend, place, q)) as lines:
            async for line in lines:
                yield line

    async def total(self, caller: Caller, link_id: str, path: str) -> AsyncIterator[Total]:
        place = await self._place(caller, link_id, path, DataRole.VIEW)
        async with self._lease(place.link) as backend, closing(searching.total(backend, place)) as lines:
            async for line in lines:
                yield line

    async def preview(
        self,
        caller: Caller,
        link_id: str,
        path: str,
        *,
        view: ViewName | None = None,
        at: int | Literal["start", "end"] | None = None,
        group: int | None = None,
    ) -> Preview:
        """One of the subclasses of Preview."""
        place = await self._place(caller, link_id, path, DataRole.VIEW)
        async with self._lease(place.link) as backend:
            return await self._previewer.preview(backend, place, view=view, at=at, group=group)

    async def snippets(self, caller: Caller, link_id: str, path: str) -> list[Snippet]:
        place = await self._place(caller, link_id, path, DataRole.VIEW)
        return snippets(place, place.is_folder, await self.catalogue.credential_of(place.link))

    # --- downloads ---

    async def download(
        self, caller: Caller, link_id: str, path: str, range_: str | None = None, if_range: str | None = None
    ) -> Download:
        """``range_`` and ``if_range`` are the request's headers. Also for HEAD: nothing is read before it is sent."""
        return await self._send(caller, link_id, path, range_, if_range, inline=False)

    async def raw(
        self, caller: Caller, link_id: str, path: str, range_: str | None = None, if_range: str | None = None
    ) -> Download:
        """As download, to be shown by the browser in a sandbox where it is a document or an image.

        Whoever may look may look at those; all else is a download, and needs the right to.
        """
        return await self._send(caller, link_id, path, range_, if_range, inline=True)

    async def _send(
        self,
        caller: Caller,
        link_id: str,
        path: str,
        range_: str | None,
        if_range: str | None,
        *,
        inline: bool,
    ) -> Download:
        place = await self._place(caller, link_id, path, DataRole.VIEW)
        inline = inline and downloads.is_inline(place)
        if not inline:
            require(place.link, DataRole.DOWNLOAD)
        async with self._lease(place.link) as backend:
            found = await browsing.stat_file(backend, place)
        return downloads.send(
            place,
            found,
            lambda: self._lease(place.link),
            range_=range_,
            if_range=if_range,
            inline=inline,
        )

    async def archive(self, caller: Caller, link_id: str, paths: Sequence[str]) -> Download:
        link = await self._link(caller, link_id, DataRole.DOWNLOAD)
        places = _places(link, paths)
        async with self._lease(link) as backend:
            return await archives.archive(backend, places, lambda: self._lease(link), cap=self.archive_cap)

    async def presign(self, caller: Caller, link_id: str, path: str, *, seconds: int) -> Presigned:
        place = await self._place(caller, link_id, path, DataRole.DOWNLOAD)
        seconds = max(1, min(seconds, PRESIGN_SECONDS_MAX))
        async with self._lease(place.link) as backend:
            await browsing.stat_file(backend, place)  # a link to what does not exist helps nobody
            expires = datetime.now(UTC) + timedelta(seconds=seconds)
            url = await backend.presign(place.key, seconds, filename=place.name)
        return Presigned(url=url, expires_at=expires)

    # --- changes ---

    async def put(self, caller: Caller, link_id: str, path: str, body: bytes, replace: bool) -> Entry:
        place = await self._place(caller, link_id, path, DataRole.WRITE)
        async with self._lease(place.link) as backend:
            return await uploads.put(backend, place, body, replace)

    async def begin_upload(self, caller: Caller, link_id: str, path: str, size: int, replace: bool) -> Upload:
        place = await self._place(caller, link_id, path, DataRole.WRITE)
        async with self._lease(place.link) as backend:
            return await uploads.begin(backend, self._cursors, caller, place, size, replace)

    async def put_part(
        self, caller: Caller, link_id: str, upload_id: str, number: int, body: bytes
    ) -> UploadedPart:
        begun, place = await self._begun(caller, link_id, upload_id)
        async with self._lease(place.link) as backend:
            return await uploads.put_part(backend, begun, number, body)

    async def finish_upload(
        self, caller: Caller, link_id: str, upload_id: str, parts: Sequence[UploadedPart]
    ) -> Entry:
        begun, place = await self._begun(caller, link_id, upload_id)
        async with self._lease(place.link) as backend:
            return await uploads.finish(backend, begun, place, parts)

    async def abort_upload(self, caller: Caller, link_id: str, upload_id: str) -> None:
        begun, place = await self._begun(caller, link_id, upload_id)
        async with self._lease(place.link) as backend:
            await backend.abort(begun.store_id)

    async def _begun(self, caller: Caller, link_id: str, upload_id: str) -> tuple[uploads.Begun, Place]:
        link = await self._link(caller, link_id, DataRole.WRITE)
        begun = uploads.Begun.read(self._cursors, upload_id, link, caller)
        return begun, Place(link, begun.path)

    async def make_folder(self, caller: Caller, link_id: str, path: str) -> Entry:
        place = await self._place(caller, link_id, path, DataRole.WRITE)
        async with self._lease(place.link) as backend:
            return await changes.make_folder(backend, place)

    async def move(
        self, caller: Caller, link_id: str, source: str, target: str, replace: bool
    ) -> AsyncIterator[Done]:
        link = await self._link(caller, link_id, DataRole.WRITE)
        old, new = Place(link, source), Place(link, target)
        async with self._lease(link) as backend, closing(changes.move(backend, old, new, replace)) as lines:
            async for line in lines:
                yield line

    async def delete(self, caller: Caller, link_id: str, paths: Sequence[str]) -> AsyncIterator[Done]:
        link = await self._link(caller, link_id, DataRole.WRITE)
        places = _places(link, paths)
        async with self._lease(link) as backend, closing(changes.delete(backend, places)) as lines:
            async for line in lines:
                yield line

    # --- what all of them begin with ---

    async def _link(self, caller: Caller, link_id: str, role: DataRole) -> LinkView:
        link = await self.catalogue.link(caller, link_id)
        require(link, role)
        return link

    async def _place(self, caller: Caller, link_id: str, path: str, role: DataRole) -> Place:
        return Place(await self._link(caller, link_id, role), path)

    @asynccontextmanager
    async def _lease(self, link: LinkView) -> AsyncIterator[Backend]:
        async with self._backends.lease(link, await self.catalogue.credential_of(link)) as backend:
            yield backend


def _places(link: LinkView, paths: Sequence[str]) -> list[Place]:
    if not paths:
        raise StudiosError("Nothing was chosen", "no path was given", "Choose files or folders", field="path")
    return [Place(link, path) for path in dict.fromkeys(paths)]
