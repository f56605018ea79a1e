"""Folders are empty objects whose keys end with "/"; a folder of this machine makes a real one of it."""

from __future__ import annotations

from ...models import Entry
from ..backends.base import Backend
from ..places import Place, new_place
from ..uploads import refuse_existing


async def make_folder(backend: Backend, place: Place) -> Entry:
    folder = place.as_folder()
    new_place(folder.link, folder.path)
    # Under the same name without the slash a file may be, which no disk could hold beside it.
    await refuse_existing(backend, Place(folder.link, folder.path.removesuffix("/")))
    await backend.put(folder.key, b"", replace=False)
    return folder.folder(folder.key)
