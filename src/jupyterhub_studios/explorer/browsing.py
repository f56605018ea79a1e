"""One page of a folder, one entry: each a single request to the store where it can be."""

from __future__ import annotations

from ..models import Entry, EntryPage, StudiosError
from .backends.base import Backend, Object
from .cursors import Cursors
from .places import Place, readable
from .walking import exists_below, is_marker

LIMIT_MAX = 1000


async def browse(
    backend: Backend, cursors: Cursors, place: Place, *, search: str, after: str | None, limit: int
) -> EntryPage:
    """What lies in a folder and begins with ``search``, in the store's own order, folders first in each page."""
    folder = place.as_folder()
    if "/" in search:  # no name in this folder holds one
        return EntryPage(items=[])
    prefix = folder.key + search
    token = None
    if after is not None:
        link_id, of, token_ = cursors.read(after, purpose="browse")
        token = str(token_)
        if (link_id, of) != (place.link.id, prefix):
            raise StudiosError(
                "This is the cursor of another list",
                "it was made for another folder or another search",
                "Begin again without it",
                field="after",
            )
    page = await backend.page(prefix, token=token, limit=max(1, min(limit, LIMIT_MAX)))
    items = [folder.folder(key) for key in page.folders]
    for found in page.objects:
        # The folder's own marker is no file in it; an object with bytes under such a key is one.
        if not (found.key == folder.key and is_marker(found)) and found.key != folder.prefix:
            items.append(folder.file(found))
    following = cursors.write(place.link.id, prefix, page.token, purpose="browse") if page.token else None
    return EntryPage(items=items, next=following, truncated=page.truncated)


async def entry(backend: Backend, place: Place) -> Entry:
    """The file or the folder at a place; a folder's path may lack its slash, as people type it."""
    if place.is_root:
        return Entry(name=place.link.name, path="", kind="folder")
    if not place.is_folder:
        try:
            return place.file(await backend.stat(place.key))
        except StudiosError as error:
            if error.problem.status != 404:
                raise
    folder = place.as_folder()
    if await exists_below(backend, folder.key):
        return folder.folder(folder.key)
    raise missing(place)


async def stat_file(backend: Backend, place: Place) -> Object:
    """The object at a place that must be a file; one whose key ends with "/" is one when it holds something."""
    found = None if place.is_root else await backend.stat(place.key)
    if found is None or is_marker(found):
        raise StudiosError(
            f"“{place.name}” is a folder",
            "only files can be opened like this",
            "Open it in the list; to download it, take it as a zip",
            status=409,
            field="path",
        )
    return found


def missing(place: Place) -> StudiosError:
    return StudiosError(
        f"There is no “{readable(place.path)}” in “{place.link.name}”",
        "it was moved or deleted, or its name is written differently",
        "Look into the folder above it",
        status=404,
    )
