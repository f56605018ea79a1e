"""Recursive search and totals: hits, progress, and an end when nobody listens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from jupyterhub_studios.explorer import searching
from jupyterhub_studios.explorer.backends import NativePage, Object
from jupyterhub_studios.models import Found
from jupyterhub_studios.web.streams import closing

from .engines import ADA, Desk, desk_at, shared
from .stores import Server


@pytest.fixture(params=["s3", "folder"])
async def desk(request: pytest.FixtureRequest) -> AsyncIterator[Desk]:
    server: Server = request.getfixturevalue(request.param)
    async with desk_at(shared(server)) as desk:
        await desk.write(
            "d/Sample_1.fastq.gz",
            "d/sample_2.fastq.gz",
            "d/deep/er/sample.txt",
            "d/samples/readme",
            "other/sample",
            "d/x",
        )
        yield desk


async def hits(desk: Desk, path: str, q: str) -> tuple[set[str], Found]:
    lines = [line async for line in desk.engine.search(ADA, desk.link, path, q)]
    assert [line.complete for line in lines] == [False] * (len(lines) - 1) + [True]
    return {line.entry.path for line in lines if line.entry}, lines[-1]


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("sample", {"d/Sample_1.fastq.gz", "d/sample_2.fastq.gz", "d/deep/er/sample.txt", "d/samples/"}),
        ("SAMPLE_1", {"d/Sample_1.fastq.gz"}),
        ("*.gz", {"d/Sample_1.fastq.gz", "d/sample_2.fastq.gz"}),
        ("sample_?.*", {"d/Sample_1.fastq.gz", "d/sample_2.fastq.gz"}),
        ("deep/er", {"d/deep/er/", "d/deep/er/sample.txt"}),
        ("deep/*.txt", {"d/deep/er/sample.txt"}),
        ("er", {"d/deep/er/"}),
        ("nothing", set()),
    ],
)
async def test_search(desk: Desk, q: str, found: set[str]) -> None:
    paths, last = await hits(desk, "d", q)
    assert paths == found and last.scanned >= 5


async def test_total(desk: Desk) -> None:
    lines = [line async for line in desk.engine.total(ADA, desk.link, "d/")]
    assert (lines[-1].files, lines[-1].bytes, lines[-1].complete) == (5, 5, True)
    whole = [line async for line in desk.engine.total(ADA, desk.link, "")]
    assert whole[-1].files == 6


class Endless:
    """A bucket whose listing never ends; tells when a request was ended."""

    def __init__(self) -> None:
        self.pages = 0
        self.ended = 0

    async def page(self, prefix: str, **asked: Any) -> NativePage:
        assert asked["recursive"]
        self.pages += 1
        start = (self.pages - 1) * 1000
        try:
            await asyncio.sleep(0 if self.pages < 5 else 3600)
        except asyncio.CancelledError:
            self.ended += 1
            raise
        return NativePage(
            objects=[Object(f"{prefix}{n:09}", 1) for n in range(start, start + 1000)], token="more"
        )


async def test_progress_is_told_and_the_end_ends_the_request(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "TELL_SECONDS", 0.0)
    await desk.engine.browse(ADA, desk.link, "")
    endless = Endless()
    desk.watch(endless)
    for stream in (desk.engine.search(ADA, desk.link, "", "nothing"), desk.engine.total(ADA, desk.link, "")):
        endless.pages = endless.ended = 0
        async with closing(stream) as lines:
            counts = [
                line.scanned if isinstance(line, Found) else line.files async for line in some(lines, 4)
            ]
            await asyncio.sleep(0)  # the next request is on its way
        assert counts == [1000, 2000, 3000, 4000]
        await asyncio.sleep(0)
        assert (endless.pages, endless.ended) == (5, 1)


async def some(lines: Any, count: int) -> Any:
    for _ in range(count):
        yield await anext(lines)


async def test_hits_come_before_the_end(desk: Desk) -> None:
    await desk.engine.browse(ADA, desk.link, "")
    desk.watch(Endless())
    async with closing(desk.engine.search(ADA, desk.link, "", "000000007")) as lines:
        first = await anext(lines)
    assert first.entry and first.entry.path == "000000007" and first.scanned == 8
