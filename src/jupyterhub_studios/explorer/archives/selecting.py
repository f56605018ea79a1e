"""Which objects a zip is made of: everything below what was chosen, up to the administrator's cap."""

from __future__ import annotations

from collections.abc import Sequence

from ...models import StudiosError
from ...web.streams import closing
from ..backends.base import Backend, Object
from ..browsing import missing
from ..places import Place, parent_of
from ..walking import is_marker, pages
from .names import unique
from .zips import Member


async def select(backend: Backend, places: Sequence[Place], cap: int) -> list[Member]:
    """Files and empty folders of a zip, with names relative to the folder that each place lies in."""
    chosen: list[tuple[str, Object]] = []
    for place in places:
        base = len(parent_of(place.path)) if not place.is_root else 0
        if not place.is_folder:
            chosen.append((place.path[base:], await backend.stat(place.key)))
        else:
            before = len(chosen)
            async with closing(pages(backend, place.key)) as found:
                async for page in found:
                    if page.truncated:
                        raise _too_many(place, cap)
                    for object_ in page.objects:
                        if path := place.path_of(object_.key)[base:]:
                            chosen.append((path, object_))
                    if _files(chosen) > cap:
                        raise _too_many(place, cap)
            if len(chosen) == before and not place.is_root:
                raise missing(place)
        if _files(chosen) > cap:
            raise _too_many(place, cap)
    for path, object_ in chosen:
        if object_.size is None:
            raise StudiosError(
                f"The size of “{path}” is not known", "so a zip of it cannot be sized", "Download it alone",
                status=409,
            )  # fmt: skip
    return _members(chosen)


def _files(chosen: list[tuple[str, Object]]) -> int:
    return sum(not is_marker(object_) for _, object_ in chosen)


def _members(chosen: list[tuple[str, Object]]) -> list[Member]:
    """Markers of folders that hold something are left out."""
    filled = {parent_of(path) for path, _ in chosen}
    kept = [
        (path.removesuffix("/") if not is_marker(object_) else path, object_)
        for path, object_ in chosen
        if not (is_marker(object_) and path in filled)
    ]
    names = unique([path for path, _ in kept])
    return [
        Member(name, None if is_marker(object_) else object_)
        for name, (_, object_) in zip(names, kept, strict=True)
    ]


def _too_many(place: Place, cap: int) -> StudiosError:
    return StudiosError(
        "There are too many files for one zip",
        f"“{place.name}” brings it above {cap:,}, the most that an administrator allows",
        "Choose a smaller folder, or copy it with the commands under “Code”",
        status=413,
        field="path",
    )
