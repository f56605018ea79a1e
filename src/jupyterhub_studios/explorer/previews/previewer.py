"""Previews: the bytes come from here, what they mean is found out by a worker that has nothing else."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Literal

from pydantic import ValidationError

from ...models import AnyPreview, Preview, StudiosError, ViewName
from ..backends.base import Backend, Object
from ..browsing import stat_file
from ..places import Place
from . import wire
from .ask import Ask
from .zygote import Zygote

TOTAL_MAX = 66 << 20  # bytes of the store for one preview, whatever a worker asks for
READS_MAX = 2000
ANSWER_SECONDS = 15.0  # for a worker to ask for the next range, or to be done
PREVIEW_SECONDS = 60.0


class Previewer:
    """``at_once``: files that are read at the same time; others wait."""

    def __init__(self, at_once: int = 2) -> None:
        self._zygote = Zygote()
        self._free = asyncio.Semaphore(at_once)

    async def preview(
        self,
        backend: Backend,
        place: Place,
        *,
        view: ViewName | None,
        at: int | Literal["start", "end"] | None,
        group: int | None,
    ) -> Preview:
        found = await stat_file(backend, place)
        if found.size is None:
            raise StudiosError(
                f"“{place.name}” cannot be shown", "the store does not say how long it is", "Download it",
                status=409,
            )  # fmt: skip
        ask = Ask(place.path, found.size, view, at, group)
        async with self._free:
            try:
                return await self._read(backend, found, ask)
            except (wire.Ended, TimeoutError):
                why = (
                    "It could not be read within the time and memory of a preview, or is damaged: "
                    "these are its first bytes."
                )
            try:
                shown = await self._read(backend, found, ask, only_bytes=True)
            except (wire.Ended, TimeoutError):
                raise StudiosError(
                    f"“{place.name}” cannot be shown now", "the program that reads files does not run",
                    "Try again, or download it", status=503,
                ) from None  # fmt: skip
            return shown.model_copy(update={"note": why})

    async def _read(self, backend: Backend, found: Object, ask: Ask, *, only_bytes: bool = False) -> Preview:
        async with asyncio.timeout(PREVIEW_SECONDS), self._zygote.child() as (reader, writer):
            writer.write(wire.frame({**asdict(ask), "only_bytes": only_bytes}))
            total = 0
            for _ in range(READS_MAX):
                async with asyncio.timeout(ANSWER_SECONDS):
                    await wire.drain(writer)
                    asked, body = await wire.receive_async(reader)
                if asked.get("done"):
                    return _checked(body)
                start, length = _range(asked)
                total += length
                if total > TOTAL_MAX:
                    break
                data = await backend.read(found.key, start, length, etag=found.etag)
                writer.write(wire.frame({}, data))
            raise wire.Ended("it asked for too much")

    async def close(self) -> None:
        self._zygote.close()


def _range(asked: dict[str, object]) -> tuple[int, int]:
    match asked.get("read"):
        case [int(start), int(length)] if start >= 0 and 0 < length <= wire.BYTES_MAX:
            return start, length
    raise wire.Ended("it asked for no range")


def _checked(body: bytes) -> Preview:
    """A worker's answer is not trusted to be one."""
    try:
        return AnyPreview.model_validate_json(body).root
    except ValidationError:
        raise wire.Ended("it answered no preview") from None
