"""Recursive search and totals: streams that say how far they are, and end when nobody listens."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Callable, Iterator
from fnmatch import translate

from ..models import Found, Total
from ..web.streams import closing
from .backends.base import Backend, NativePage
from .places import Place, name_of
from .walking import is_marker, pages

TELL_SECONDS = 0.2


async def search(backend: Backend, place: Place, q: str) -> AsyncIterator[Found]:
    """Files and folders below ``place`` whose names hold ``q``, or match it where it is a pattern.

    Upper and lower case are the same. With a "/" in ``q`` it is compared with the path below the folder.
    """
    folder = place.as_folder()
    matches = matcher(q)
    scanned = 0
    told = time.monotonic()
    seen: set[str] = set()
    async with closing(pages(backend, folder.key)) as found:
        async for page in found:
            for key in _folders_of(page, folder.key):
                if key not in seen and matches(key.removeprefix(folder.key)):
                    seen.add(key)
                    yield Found(entry=folder.folder(key), scanned=scanned)
            for object_ in page.objects:
                scanned += 1
                if not is_marker(object_) and matches(object_.key.removeprefix(folder.key)):
                    yield Found(entry=folder.file(object_), scanned=scanned)
            if time.monotonic() - told >= TELL_SECONDS:
                told = time.monotonic()
                yield Found(scanned=scanned)
    yield Found(scanned=scanned, complete=True)


def matcher(q: str) -> Callable[[str], bool]:
    """Whether a path below the folder is meant."""
    wanted = q.casefold()
    whole = "/" in q
    pattern = re.compile(translate(wanted)).match if set("*?[") & set(q) else None

    def matches(path: str) -> bool:
        text = (path.removesuffix("/") if whole else name_of(path)).casefold()
        return bool(pattern(text)) if pattern else wanted in text

    return matches


def _folders_of(page: NativePage, root: str) -> Iterator[str]:
    """The folders that the keys of a page lie in, below ``root``; each once where the keys are in order."""
    before = ""
    for key in [*page.folders, *(found.key for found in page.objects)]:
        head = key[: key.rfind("/") + 1]
        if head == before:
            continue
        before = head
        end = len(root)
        while (end := head.find("/", end) + 1) > 0:
            yield head[:end]


async def total(backend: Backend, place: Place) -> AsyncIterator[Total]:
    """Files and bytes below ``place``, so far and at last."""
    files = size = 0
    told = time.monotonic()
    async with closing(pages(backend, place.as_folder().key)) as found:
        async for page in found:
            for object_ in page.objects:
                if not is_marker(object_):
                    files += 1
                    size += object_.size or 0
            if time.monotonic() - told >= TELL_SECONDS:
                told = time.monotonic()
                yield Total(files=files, bytes=size, complete=False)
    yield Total(files=files, bytes=size, complete=True)
