"""Deleting many: page by page as they are found, with progress, and with what is left at the end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from ...models import Done, StudiosError
from ...web.streams import closing
from ..backends.base import Backend
from ..places import Place
from ..walking import is_marker, pages

FAILED_MAX = 100  # paths that are named; more are only counted


async def delete(backend: Backend, places: Sequence[Place]) -> AsyncIterator[Done]:
    """Delete files, and folders with all below them. Ended early, what was not reached is as it was."""
    for place in places:
        if place.is_root:
            raise StudiosError(
                f"“{place.link.name}” itself cannot be deleted",
                "it is the root of the data link",
                "Delete what is in it, or remove the link from your list",
                field="paths",
            )
    done = 0
    left: list[str] = []
    for place in places:
        if not place.is_folder:
            still = await backend.delete([place.key])
            done += 1 - len(still)
            left += still
            yield Done(done=done)
            continue
        async with closing(_delete_below(backend, place)) as steps:
            async for removed, still in steps:
                done += removed
                left += still
                yield Done(done=done)
    yield finished(done, [places[0].path_of(key) for key in left], "deleted")


async def _delete_below(backend: Backend, place: Place) -> AsyncIterator[tuple[int, list[str]]]:
    """Counts of what was deleted, and keys that are still there."""
    folders: list[str] = []  # their turn comes last: a folder of a disk must be empty then
    async with closing(pages(backend, place.key)) as found:
        async for page in found:
            folders += [object_.key for object_ in page.objects if is_marker(object_)]
            keys = [object_.key for object_ in page.objects if not is_marker(object_)]
            if keys:
                still = await backend.delete(keys)
                yield len(keys) - len(still), still
    if folders:
        still = await backend.delete(sorted(folders, key=lambda key: -key.count("/")))
        yield 0, still


def finished(done: int, failed: list[str], verb: str, more: str = "") -> Done:
    """The last line of a change."""
    message = f"{len(failed):,} could not be {verb} and are as they were" if failed else ""
    if len(failed) > FAILED_MAX:
        message += f"; the first {FAILED_MAX} are named"
    return Done(
        done=done,
        complete=True,
        failed=failed[:FAILED_MAX],
        message=". ".join(part for part in (message, more) if part),
    )
