"""Uploads: whole small files, and big ones in parts that can be sent again. Nothing is replaced unasked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..models import Entry, LinkView, StudiosError, Upload, UploadedPart
from .backends.base import Backend
from .catalogue import Caller
from .cursors import Cursors
from .places import Place, new_place, readable
from .walking import exists_below

PUT_MAX = 32 << 20
PARTS_MAX = 10_000


@dataclass(frozen=True)
class Begun:
    """What an upload's id holds, signed: whose it is, where it goes, how long it is."""

    link_id: str
    caller: str
    path: str
    size: int
    part_size: int
    store_id: str

    def write(self, cursors: Cursors) -> str:
        return cursors.write(
            self.link_id, self.caller, self.path, self.size, self.part_size, self.store_id, purpose="upload"
        )

    @classmethod
    def read(cls, cursors: Cursors, text: str, link: LinkView, caller: Caller) -> Begun:
        parts = cursors.read(text, purpose="upload", field="id")
        begun = cls(*parts)  # type: ignore[arg-type]
        if (begun.link_id, begun.caller) != (link.id, caller.name):
            raise StudiosError(
                "This upload is not yours to go on with",
                "it was begun by somebody else, or for another data link",
                "Begin the upload again",
                status=403,
                field="id",
            )
        return begun

    @property
    def count(self) -> int:
        return max(1, -(-self.size // self.part_size))

    def due(self, number: int) -> int:
        """The bytes that a part must have."""
        return self.part_size if number < self.count else self.size - (self.count - 1) * self.part_size


async def put(backend: Backend, place: Place, body: bytes, replace: bool) -> Entry:
    _check_file(place)
    if len(body) > PUT_MAX:
        raise StudiosError(
            "The file is too big for one request",
            f"{len(body):,} bytes came, and {PUT_MAX:,} fit",
            "Upload it in parts",
            status=413,
        )
    if not replace:
        await refuse_existing(backend, place)
    return place.file(await backend.put(place.key, body, replace=replace))


async def begin(
    backend: Backend, cursors: Cursors, caller: Caller, place: Place, size: int, replace: bool
) -> Upload:
    _check_file(place)
    if size > backend.part_size * PARTS_MAX:
        raise StudiosError(
            "The file is too big to upload from here",
            f"the most is {backend.part_size * PARTS_MAX >> 30:,} GiB",
            "Copy it with a tool of your own; “Code” shows how",
            status=413,
        )
    if not replace:
        await refuse_existing(backend, place)
    store_id = await backend.begin(place.key, size, replace=replace)
    begun = Begun(place.link.id, caller.name, place.path, size, backend.part_size, store_id)
    return Upload(id=begun.write(cursors), part_size=backend.part_size, parallel=backend.parallel_parts)


async def put_part(backend: Backend, begun: Begun, number: int, body: bytes) -> UploadedPart:
    if not 1 <= number <= begun.count:
        raise _wrong(f"there is no part {number} of {begun.count}", "number")
    if len(body) != begun.due(number):
        raise _wrong(f"part {number} has {len(body):,} bytes instead of {begun.due(number):,}", None)
    return await backend.put_part(begun.store_id, number, body)


async def finish(backend: Backend, begun: Begun, place: Place, parts: Sequence[UploadedPart]) -> Entry:
    numbers = sorted(part.number for part in parts)
    if numbers != list(range(1, begun.count + 1)):
        raise _wrong(f"{len(set(numbers))} of {begun.count} parts were named", "parts")
    ordered = sorted(parts, key=lambda part: part.number)
    made = place.file(await backend.finish(begun.store_id, ordered))
    if made.size is not None and made.size != begun.size:
        raise StudiosError(
            f"“{readable(place.path)}” is not what was sent",
            f"the store says that it has {made.size:,} bytes, and {begun.size:,} were sent",
            "Upload it again",
            status=502,
        )
    return made


async def refuse_existing(backend: Backend, place: Place) -> None:
    """409 when a file or a folder has this name: seen early, so that nothing is sent in vain."""
    if await is_there(backend, place):
        raise existing(place)


async def is_there(backend: Backend, place: Place) -> bool:
    if not place.is_folder:
        try:
            await backend.stat(place.key)
        except StudiosError as error:
            if error.problem.status != 404:
                raise
        else:
            return True
    return await exists_below(backend, place.as_folder().key)


def existing(place: Place) -> StudiosError:
    return StudiosError(
        f"“{readable(place.path)}” exists already",
        "nothing is replaced unasked",
        "Use another name, or choose to replace it",
        status=409,
        field="path",
    )


def _check_file(place: Place) -> None:
    new_place(place.link, place.path)
    if place.is_folder:
        raise StudiosError(
            "A file's name cannot end with “/”", "that is how folders are named", "Leave it out", field="path"
        )


def _wrong(why: str, field: str | None) -> StudiosError:
    return StudiosError("The upload does not fit together", why, "Send that part again", field=field)
