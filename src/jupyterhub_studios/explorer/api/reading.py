"""What lies behind a link: browse, search, preview, download."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

from ...models import AnyPreview, Entry, EntryPage, Found, Model, Presigned, Snippet, Total
from ...web import Content, Page, Routes
from .answers import ArchiveQuery, BrowseQuery, PathQuery, PresignSpec, PreviewQuery, SearchQuery
from .call import Call, Run

routes = Routes("data-links/{link_id}/", "person")


@routes.route("GET", "browse", EntryPage, query=BrowseQuery)
async def browse(call: Call) -> EntryPage:
    """One page of a folder, as the store gives it; `next` leads on."""
    asked: BrowseQuery = call.query
    page: EntryPage = await call.service.engine.browse(
        call.person,
        call.path["link_id"],
        asked.path,
        search=asked.search,
        after=asked.after,
        limit=asked.limit,
    )
    return page


@routes.route("GET", "entry", Entry, query=PathQuery)
async def show_entry(call: Call) -> Entry:
    """One file or folder."""
    return await call.service.engine.entry(call.person, call.path["link_id"], call.query.path)


@routes.lines("GET", "search", Found, query=SearchQuery)
def search(call: Call) -> AsyncIterator[Found]:
    """Find by name everywhere below a folder; lines without `entry` tell how far it is. Close to stop."""
    asked: SearchQuery = call.query
    return call.service.engine.search(call.person, call.path["link_id"], asked.path, asked.q)


@routes.lines("GET", "total", Total, query=PathQuery)
def total(call: Call) -> AsyncIterator[Total]:
    """Count files and bytes below a folder; the last line is complete. Close to stop."""
    return call.service.engine.total(call.person, call.path["link_id"], call.query.path)


@routes.route("GET", "preview", AnyPreview, query=PreviewQuery)
async def preview(call: Call) -> AnyPreview:
    """A look into a file, from a small part of it."""
    asked: PreviewQuery = call.query
    found = await call.service.engine.preview(
        call.person, call.path["link_id"], asked.path, view=asked.view, at=asked.at, group=asked.group
    )
    return AnyPreview.model_validate(found)


def _with_head(path: str, media: str, query: type[Model], ranges: bool = False) -> Callable[[Run], Run]:
    """A HEAD asks whether it would begin, and how long it is, before a browser is sent there."""

    def add(run: Run) -> Run:
        routes.content("HEAD", path, media, query=query)(run)
        return routes.content("GET", path, media, query=query, ranges=ranges)(run)

    return add


def _range(call: Call) -> tuple[str | None, str | None]:
    return call.headers.get("Range"), call.headers.get("If-Range")


@_with_head("raw", "*/*", PathQuery, ranges=True)
async def raw(call: Call) -> Content:
    """A file for a sandboxed frame or an image element: nothing in it can act as the caller."""
    return await call.service.engine.raw(call.person, call.path["link_id"], call.query.path, *_range(call))


@_with_head("download", "*/*", PathQuery, ranges=True)
async def download(call: Call) -> Content:
    """A file, whole or a range of it."""
    return await call.service.engine.download(
        call.person, call.path["link_id"], call.query.path, *_range(call)
    )


@_with_head("archive", "application/zip", ArchiveQuery)
async def archive(call: Call) -> Content:
    """Files and folders as one zip, made while it is sent; its length is known before."""
    return await call.service.engine.archive(call.person, call.path["link_id"], call.query.path)


@routes.route("POST", "presign", Presigned, body=PresignSpec)
async def presign(call: Call) -> Presigned:
    """An address of the store itself that reads one file, without signing in, until it expires."""
    asked: PresignSpec = call.body
    return await call.service.engine.presign(
        call.person, call.path["link_id"], asked.path, seconds=asked.seconds
    )


@routes.route("GET", "snippets", Page[Snippet], query=PathQuery)
async def snippets(call: Call) -> Page[Snippet]:
    """Code that fetches a place with the usual tools."""
    return Page(items=await call.service.engine.snippets(call.person, call.path["link_id"], call.query.path))
