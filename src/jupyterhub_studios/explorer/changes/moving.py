"""Rename and move: everything is copied and checked before anything is deleted.

A fault while copying leaves all of it at the old place, and the copies made so far are taken away again. A fault
while deleting leaves some of it at both places. What was written at the old place meanwhile stays there.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

from ...models import Done, StudiosError
from ...web.streams import closing
from ..backends.base import Backend, Object
from ..places import Place, new_place, readable
from ..uploads import existing, is_there
from ..walking import is_marker, pages
from .deleting import finished

COPIES = 8  # at the same time
MOVE_MAX = 100_000  # objects: their list is held in memory


async def move(backend: Backend, source: Place, target: Place, replace: bool) -> AsyncIterator[Done]:
    """``target`` is the new path itself, not a folder to move into."""
    source, target = _checked(source, target)
    found = await _found(backend, source)
    if not replace and await is_there(backend, target):
        raise existing(target)
    copied: dict[str, Object] = {}  # key of the source → the copy
    try:
        for start in range(0, len(found), COPIES):
            await _copy(backend, found[start : start + COPIES], source, target, replace, copied)
            yield Done(done=len(copied), total=len(found))
    except BaseException:
        # Copies that replaced something stay: taking them away would not bring back what was there.
        if not replace:
            await asyncio.shield(_take_back(backend, copied))
        raise
    async with closing(_delete(backend, source, found)) as steps:
        async for failed, changed in steps:
            if failed is None:
                yield Done(done=len(copied), total=len(found))
                continue
            more = "they are at the new place too" if failed else ""
            if changed:
                more = f"{changed:,} of them changed while they were copied, so their new state stayed" + (
                    "" if not more else f"; {more}"
                )
            line = finished(len(copied), [source.path_of(key) for key in failed], "removed here", more)
            yield line.model_copy(update={"total": len(found)})


def _checked(source: Place, target: Place) -> tuple[Place, Place]:
    if source.is_root:
        raise StudiosError(
            "The root of a data link cannot be moved", "the link would be empty", "Move what is in it",
            field="source",
        )  # fmt: skip
    if source.is_folder:
        target = target.as_folder()
    elif target.is_folder:
        raise StudiosError(
            "A file cannot become a folder", "the new name ends with “/”", "Leave it out", field="target"
        )
    new_place(target.link, target.path)
    if source.key == target.key:
        raise StudiosError("It has this name already", "old and new place are the same", field="target")
    if source.is_folder and target.key.startswith(source.key):
        raise StudiosError(
            "A folder cannot be moved into itself",
            f"“{readable(target.path)}” lies in “{readable(source.path)}”",
            "Choose another place",
            field="target",
        )
    return source, target


async def _found(backend: Backend, source: Place) -> list[Object]:
    """What is to be moved, as it is now."""
    if not source.is_folder:
        return [await backend.stat(source.key)]
    found: list[Object] = []
    async with closing(pages(backend, source.key)) as listed:
        async for page in listed:
            found += page.objects
            if page.truncated or len(found) > MOVE_MAX:
                raise StudiosError(
                    "The folder is too big to be moved from here",
                    f"at most {MOVE_MAX:,} files are moved at once",
                    "Move its folders one by one, or use a tool of your own; “Code” shows how",
                    status=413,
                )
    if not found:
        raise StudiosError(
            f"There is no “{readable(source.path)}”", "nothing begins with its name", "Reload the folder",
            status=404,
        )  # fmt: skip
    return found


async def _copy(
    backend: Backend,
    batch: list[Object],
    source: Place,
    target: Place,
    replace: bool,
    copied: dict[str, Object],
) -> None:
    async def one(original: Object) -> None:
        key = target.key + original.key.removeprefix(source.key)
        if is_marker(original):  # made anew: not every store copies what has no bytes
            copied[original.key] = await backend.put(key, b"", replace=True)
            return
        copied[original.key] = await backend.copy(original, key, replace=replace)
        there = await backend.stat(key)
        if original.size is not None and there.size != original.size:
            raise StudiosError(
                f"The copy of “{readable(source.path_of(original.key))}” is not complete",
                f"it has {there.size} bytes instead of {original.size}; everything is still at the old place",
                "Try again",
                status=502,
            )

    results = await asyncio.gather(*map(one, batch), return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result


async def _take_back(backend: Backend, copied: dict[str, Object]) -> None:
    """Delete copies of ours, and nothing that somebody wrote there since."""
    ours = []
    for copy in copied.values():
        with suppress(StudiosError):
            if (await backend.stat(copy.key)).etag == copy.etag:
                ours.append(copy.key)
    with suppress(StudiosError):
        await backend.delete(ours)


async def _delete(
    backend: Backend, source: Place, found: list[Object]
) -> AsyncIterator[tuple[list[str] | None, int]]:
    """Progress as (None, 0); at last the keys that are still there, and how many of them changed meanwhile."""
    now = {object_.key: object_ for object_ in await _now(backend, source)}
    same: list[str] = []
    changed: list[str] = []
    for object_ in found:
        current = now.get(object_.key)
        if current is not None:
            unchanged = (current.etag, current.size) == (object_.etag, object_.size) or is_marker(object_)
            (same if unchanged else changed).append(object_.key)
    files = [key for key in same if not key.endswith("/")]
    folders = sorted((key for key in same if key.endswith("/")), key=lambda key: -key.count("/"))
    left: list[str] = []
    for keys in (files, folders):
        for start in range(0, len(keys), 1000):
            batch = keys[start : start + 1000]
            try:
                left += await backend.delete(batch)
            except StudiosError:
                left += batch
            yield None, 0
    yield left + changed, len(changed)


async def _now(backend: Backend, source: Place) -> list[Object]:
    try:
        return await _found(backend, source)
    except StudiosError as error:
        if error.problem.status == 404:
            return []  # somebody else deleted it; the copies are there
        raise
