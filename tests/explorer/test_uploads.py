"""Uploads: whole and in parts, bound to who began them, nothing replaced unasked."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from jupyterhub_studios.models import DataRole, StudiosError, UploadedPart

from .engines import ADA, BOB, Desk, desk_at, shared
from .stores import Server


@pytest.fixture(params=["s3", "folder"])
async def desk(request: pytest.FixtureRequest) -> AsyncIterator[Desk]:
    server: Server = request.getfixturevalue(request.param)
    async with desk_at(shared(server), prefix="" if request.param == "folder" else "team/") as desk:
        yield desk


async def read(desk: Desk, path: str) -> bytes:
    return await desk.read(desk.catalogue.link_.prefix.removeprefix(desk.root) + path)


def refused(raised: pytest.ExceptionInfo[StudiosError]) -> tuple[int, str | None]:
    return raised.value.problem.status, raised.value.problem.field


async def test_a_small_file(desk: Desk) -> None:
    entry = await desk.engine.put(ADA, desk.link, "new folder/größe +1.txt", b"hello", False)
    assert (entry.path, entry.size, entry.kind) == ("new folder/größe +1.txt", 5, "file")
    assert await read(desk, "new folder/größe +1.txt") == b"hello"


async def test_nothing_is_replaced_unasked(desk: Desk) -> None:
    await desk.engine.put(ADA, desk.link, "a", b"old", False)
    for attempt in (
        desk.engine.put(ADA, desk.link, "a", b"new", False),
        desk.engine.begin_upload(ADA, desk.link, "a", 3, False),
    ):
        with pytest.raises(StudiosError, match="“a” exists already") as raised:
            await attempt
        assert refused(raised) == (409, "path")
    await desk.engine.put(ADA, desk.link, "a", b"new", True)
    assert await read(desk, "a") == b"new"


async def test_a_file_does_not_take_the_name_of_a_folder(desk: Desk) -> None:
    await desk.engine.put(ADA, desk.link, "folder/a", b"x", False)
    with pytest.raises(StudiosError) as raised:
        await desk.engine.put(ADA, desk.link, "folder", b"x", False)
    assert refused(raised)[0] == 409


async def test_in_parts_sent_in_any_order_and_twice(desk: Desk) -> None:
    size = (16 << 20) * 2 + 1000
    body = bytes(range(256)) * (size // 256 + 1)
    body = body[:size]
    upload = await desk.engine.begin_upload(ADA, desk.link, "big.bin", size, False)
    step = upload.part_size
    pieces = [body[start : start + step] for start in range(0, size, step)]
    order = [3, 1, 2, 1] if upload.parallel else [1, 2, 3]
    parts = {n: await desk.engine.put_part(ADA, desk.link, upload.id, n, pieces[n - 1]) for n in order}
    entry = await desk.engine.finish_upload(ADA, desk.link, upload.id, list(parts.values()))
    assert (entry.path, entry.size) == ("big.bin", size)
    assert await read(desk, "big.bin") == body


async def test_parts_that_do_not_fit(desk: Desk) -> None:
    size = (16 << 20) + 10
    upload = await desk.engine.begin_upload(ADA, desk.link, "big.bin", size, False)

    async def part(number: int, length: int) -> UploadedPart:
        return await desk.engine.put_part(ADA, desk.link, upload.id, number, bytes(length))

    for number, length in [(1, 10), (2, 11), (2, 16 << 20), (3, 10), (0, 10)]:
        with pytest.raises(StudiosError) as raised:
            await part(number, length)
        assert refused(raised)[0] == 400
    last = await part(2, 10)
    for parts in ([], [last], [last, last], [last, UploadedPart(number=3, tag="x")]):
        with pytest.raises(StudiosError):
            await desk.engine.finish_upload(ADA, desk.link, upload.id, parts)
    await desk.engine.abort_upload(ADA, desk.link, upload.id)
    assert await desk.keys() == []


async def test_an_upload_belongs_to_who_began_it(desk: Desk) -> None:
    upload = await desk.engine.begin_upload(ADA, desk.link, "a", 5, False)
    with pytest.raises(StudiosError) as raised:
        await desk.engine.put_part(BOB, desk.link, upload.id, 1, b"hello")
    assert refused(raised) == (403, "id")
    for id_ in (upload.id[:-1] + ("A" if upload.id[-1] != "A" else "B"), "x", ""):
        with pytest.raises(StudiosError) as raised:
            await desk.engine.put_part(ADA, desk.link, id_, 1, b"hello")
        assert refused(raised) == (400, "id")
    desk.catalogue.change(id="dl-2")
    with pytest.raises(StudiosError) as raised:
        await desk.engine.put_part(ADA, "dl-2", upload.id, 1, b"hello")
    assert refused(raised) == (403, "id")


async def test_a_cursor_is_no_upload(desk: Desk) -> None:
    await desk.engine.put(ADA, desk.link, "a", b"x", False)
    await desk.engine.put(ADA, desk.link, "b", b"x", False)
    cursor = (await desk.engine.browse(ADA, desk.link, "", limit=1)).next
    assert cursor
    with pytest.raises(StudiosError) as raised:
        await desk.engine.abort_upload(ADA, desk.link, cursor)
    assert refused(raised) == (400, "id")


async def test_rights_are_asked_at_every_step(desk: Desk) -> None:
    upload = await desk.engine.begin_upload(ADA, desk.link, "a", 5, False)
    for change in (
        {"role": DataRole.DOWNLOAD},
        {"role": DataRole.WRITE, "writable": False, "why": "it may only be read"},
    ):
        desk.catalogue.change(**change)
        for attempt in (
            desk.engine.put(ADA, desk.link, "b", b"x", False),
            desk.engine.begin_upload(ADA, desk.link, "b", 5, False),
            desk.engine.put_part(ADA, desk.link, upload.id, 1, b"hello"),
            desk.engine.finish_upload(ADA, desk.link, upload.id, [UploadedPart(number=1, tag="1")]),
            desk.engine.abort_upload(ADA, desk.link, upload.id),
            desk.engine.make_folder(ADA, desk.link, "f/"),
        ):
            with pytest.raises(StudiosError) as raised:
                await attempt
            assert refused(raised)[0] == 403


@pytest.mark.parametrize("path", ["", "a/", "a//b", "/a", "../a", "a\nb", "x" * 1100])
async def test_names_that_are_not_made(desk: Desk, path: str) -> None:
    for attempt in (
        desk.engine.put(ADA, desk.link, path, b"x", False),
        desk.engine.begin_upload(ADA, desk.link, path, 5, False),
    ):
        with pytest.raises(StudiosError) as raised:
            await attempt
        assert refused(raised) == (400, "path")
