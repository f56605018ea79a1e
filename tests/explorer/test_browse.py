"""Folders page by page, and single entries, through the engine."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from jupyterhub_studios.models import EntryPage, StudiosError

from .engines import ADA, Desk, desk_at, shared
from .stores import Server


@pytest.fixture
async def desk(s3: Server) -> AsyncIterator[Desk]:
    async with desk_at(shared(s3), prefix="team/") as desk:
        yield desk


async def browse(desk: Desk, path: str = "", **asked: object) -> EntryPage:
    return await desk.engine.browse(ADA, desk.link, path, **asked)  # type: ignore[arg-type]


def names(page: EntryPage) -> list[tuple[str, str]]:
    return [(entry.kind, entry.path) for entry in page.items]


async def test_a_folder(desk: Desk) -> None:
    await desk.write("team/a.txt", "team/sub/b.txt", "team-secret/c.txt", "other.txt", body=b"hello")
    page = await browse(desk)
    assert names(page) == [("folder", "sub/"), ("file", "a.txt")]
    assert (page.items[0].name, page.items[0].size) == ("sub", None)
    entry = page.items[1]
    assert (entry.name, entry.size) == ("a.txt", 5) and entry.modified and entry.etag
    assert page.next is None and not page.truncated
    assert names(await browse(desk, "sub/")) == names(await browse(desk, "sub")) == [("file", "sub/b.txt")]


async def test_pages_follow_each_other(desk: Desk) -> None:
    await desk.write(*(f"team/d/{n:03}" for n in range(25)))
    found, after = [], None
    for _ in range(10):
        page = await browse(desk, "d/", limit=10, after=after)
        assert len(page.items) <= 10
        found += [entry.name for entry in page.items]
        if (after := page.next) is None:
            break
    assert found == [f"{n:03}" for n in range(25)]


async def test_a_cursor_belongs_to_its_list(desk: Desk) -> None:
    await desk.write(*(f"team/{folder}/{n}" for n in range(3) for folder in "de"))
    after = (await browse(desk, "d/", limit=1)).next
    assert after
    for path, search, cursor in [
        ("e/", "", after),
        ("d/", "1", after),
        ("d/", "", after[:-2] + "xx"),
        ("d/", "", "x"),
    ]:
        with pytest.raises(StudiosError) as raised:
            await browse(desk, path, search=search, after=cursor)
        assert (raised.value.problem.status, raised.value.problem.field) == (400, "after")
    desk.catalogue.change(prefix="")
    with pytest.raises(StudiosError):
        await browse(desk, "d/", after=after)


async def test_a_name_is_searched_by_the_store(desk: Desk) -> None:
    await desk.write("team/apple", "team/apricot", "team/banana", "team/apex/x")
    assert names(await browse(desk, search="ap")) == [
        ("folder", "apex/"),
        ("file", "apple"),
        ("file", "apricot"),
    ]
    assert names(await browse(desk, search="AP")) == []
    assert names(await browse(desk, search="apex/")) == []


async def test_markers_of_folders_are_no_files(desk: Desk) -> None:
    await desk.write("team/", "team/empty/", body=b"")
    assert names(await browse(desk)) == [("folder", "empty/")]
    assert names(await browse(desk, "empty/")) == []


async def test_a_link_to_a_whole_bucket(desk: Desk) -> None:
    await desk.write("a", "team/b")
    desk.catalogue.change(prefix="")
    assert names(await browse(desk)) == [("folder", "team/"), ("file", "a")]


async def test_an_empty_place_is_empty(desk: Desk) -> None:
    assert (await browse(desk)).items == []
    assert (await browse(desk, "nothing/")).items == []


async def test_one_entry(desk: Desk) -> None:
    await desk.write("team/a.txt", "team/sub/b.txt", body=b"hello")

    async def entry(path: str) -> tuple[str, str, int | None]:
        found = await desk.engine.entry(ADA, desk.link, path)
        return found.kind, found.path, found.size

    assert await entry("") == ("folder", "", None)
    assert await entry("a.txt") == ("file", "a.txt", 5)
    assert await entry("sub/") == await entry("sub") == ("folder", "sub/", None)
    for path in ("nothing", "nothing/", "a.txt/"):
        with pytest.raises(StudiosError) as raised:
            await entry(path)
        assert raised.value.problem.status == 404


async def test_a_disk(folder: Server) -> None:
    async with desk_at(folder.place()) as desk:
        await desk.write("a.txt", "sub/b.txt")
        assert names(await browse(desk)) == [("folder", "sub/"), ("file", "a.txt")]
        with pytest.raises(StudiosError):
            await browse(desk, "/etc")
