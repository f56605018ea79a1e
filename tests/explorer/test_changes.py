"""Folders, moves and deletes; and with faults at every step, nothing is ever lost."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from jupyterhub_studios.explorer.changes import moving
from jupyterhub_studios.models import DataRole, Done, StudiosError
from jupyterhub_studios.web.streams import closing

from .engines import ADA, Desk, desk_at, shared
from .stores import Server


@pytest.fixture(params=["s3", "folder", "azure", "gcs"])
async def desk(request: pytest.FixtureRequest) -> AsyncIterator[Desk]:
    server: Server = request.getfixturevalue(request.param)
    async with desk_at(shared(server)) as desk:
        yield desk


@pytest.fixture
async def bucket(s3: Server) -> AsyncIterator[Desk]:
    async with desk_at(shared(s3)) as desk:
        yield desk


async def move(desk: Desk, source: str, target: str, replace: bool = False) -> list[Done]:
    return [line async for line in desk.engine.move(ADA, desk.link, source, target, replace)]


async def delete(desk: Desk, *paths: str) -> list[Done]:
    return [line async for line in desk.engine.delete(ADA, desk.link, paths)]


async def refused(awaitable: Any) -> int:
    with pytest.raises(StudiosError) as raised:
        await awaitable
    return raised.value.problem.status


# --- folders ---


async def test_a_new_folder_is_there_and_empty(desk: Desk) -> None:
    entry = await desk.engine.make_folder(ADA, desk.link, "new")
    assert (entry.kind, entry.path) == ("folder", "new/")
    assert [item.path for item in (await desk.engine.browse(ADA, desk.link, "")).items] == ["new/"]
    assert (await desk.engine.browse(ADA, desk.link, "new/")).items == []
    assert await refused(desk.engine.make_folder(ADA, desk.link, "new/")) == 409
    await desk.write("full/a", "file")
    assert await refused(desk.engine.make_folder(ADA, desk.link, "full")) == 409
    assert await refused(desk.engine.make_folder(ADA, desk.link, "file")) == 409


# --- moves ---


async def test_a_file_is_renamed(desk: Desk) -> None:
    await desk.write("a b.txt", body=b"hello")
    lines = await move(desk, "a b.txt", "sub/c+d.txt")
    assert lines[-1] == Done(done=1, total=1, complete=True)
    assert await desk.keys() == ["sub/c+d.txt"] and await desk.read("sub/c+d.txt") == b"hello"


async def test_a_folder_is_moved_with_all_in_it(desk: Desk) -> None:
    for n in range(20):
        await desk.write(f"old/{n:02}", f"old/deep/{n:02}", body=str(n).encode())
    await desk.write("old/empty/", body=b"")
    await desk.write("older", "old2/x")
    lines = await move(desk, "old/", "there/new")
    assert lines[-1].complete and lines[-1].failed == [] and lines[-1].done == lines[-1].total
    assert [line.done for line in lines] == sorted(line.done for line in lines)
    keys = await desk.keys()
    assert len([key for key in keys if key.startswith("there/new/")]) == 40
    assert [key for key in keys if not key.startswith("there/")] == ["old2/x", "older"]
    assert await desk.read("there/new/deep/07") == b"7"
    assert "there/new/empty/" in await desk.all_keys() and not await desk.all_keys("old/")


async def test_what_exists_is_not_replaced_unasked(desk: Desk) -> None:
    await desk.write("a", body=b"a")
    await desk.write("b", "d/x", "e/x", body=b"b")
    assert await refused(move(desk, "a", "b")) == 409
    assert await refused(move(desk, "d/", "e/")) == 409
    assert await refused(move(desk, "a", "d")) == 409
    assert await desk.keys() == ["a", "b", "d/x", "e/x"] and await desk.read("b") == b"b"
    await move(desk, "a", "b", replace=True)
    assert await desk.keys() == ["b", "d/x", "e/x"] and await desk.read("b") == b"a"


@pytest.mark.parametrize(
    ("source", "target", "status"),
    [("d/", "d/e/", 400), ("d/", "d", 400), ("a", "a", 400), ("", "x/", 400), ("a", "x/", 400), ("d/", "", 400),
     ("nothing", "x", 404), ("nothing/", "x", 404), ("a", "../x", 400), ("a", "x//y", 400)],
)  # fmt: skip
async def test_moves_that_are_refused(bucket: Desk, source: str, target: str, status: int) -> None:
    await bucket.write("a", "d/x")
    assert await refused(move(bucket, source, target)) == status
    assert await bucket.keys() == ["a", "d/x"]


async def test_a_folder_beside_one_that_begins_alike(bucket: Desk) -> None:
    await bucket.write("d/x")
    await move(bucket, "d/", "d2/")
    assert await bucket.keys() == ["d2/x"]


async def test_odd_names_can_be_moved_away(bucket: Desk) -> None:
    await bucket.write("odd//key", "tab\there")
    await move(bucket, "odd//key", "good")
    await move(bucket, "tab\there", "better")
    assert await bucket.keys() == ["better", "good"]


class Failing:
    """A store that fails at the given call of a kind, and that can be changed by others meanwhile."""

    def __init__(self, inner: Any, **at: int) -> None:
        self._inner = inner
        self._at = at
        self.meanwhile: Any = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def _count(self, name: str) -> None:
        if name in self._at:
            self._at[name] -= 1
            if self._at[name] == 0:
                raise StudiosError("the store failed", status=502)

    async def page(self, *args: Any, **asked: Any) -> Any:
        self._count("page")
        return await self._inner.page(*args, **asked)

    async def stat(self, key: str) -> Any:
        self._count("stat")
        return await self._inner.stat(key)

    async def copy(self, *args: Any, **asked: Any) -> Any:
        self._count("copy")
        made = await self._inner.copy(*args, **asked)
        self._count("copied")
        return made

    async def delete(self, keys: Sequence[str]) -> Any:
        if self.meanwhile:
            await self.meanwhile()
        self._count("delete")
        left = await self._inner.delete(keys[1:] if "left" in self._at else keys)
        return [*left, keys[0]] if "left" in self._at else left


FAULTS = [
    *({"copy": n} for n in (1, 5, 12)), *({"copied": n} for n in (1, 5, 12)), *({"stat": n} for n in (1, 6, 12)),
    *({"page": n} for n in (1, 2, 3)), {"delete": 1}, {"left": 1},
]  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS, ids=str)
@pytest.mark.parametrize("replace", [False, True])
async def test_a_fault_at_any_step_loses_nothing(bucket: Desk, fault: dict[str, int], replace: bool) -> None:
    files = {f"{n:02}": str(n).encode() for n in range(12)}
    for name, body in files.items():
        await bucket.write(f"old/{name}", body=body)
    await bucket.engine.browse(ADA, bucket.link, "")
    bucket.watch(Failing(bucket.backend, **fault))
    last = None
    try:
        last = (await move(bucket, "old/", "new/", replace))[-1]
        failed = False
    except StudiosError:
        failed = True
    keys = await bucket.keys()
    if failed:
        # All of it is at the old place, and unless something might have been replaced, nothing at the new one.
        assert {key for key in keys if key.startswith("old/")} == {f"old/{name}" for name in files} or set(
            keys
        ) >= {f"new/{name}" for name in files}
    else:
        assert last is not None and set(keys) >= {f"new/{name}" for name in files}
        assert last.failed == [key for key in keys if key.startswith("old/")]
        assert not last.failed or "new place" in last.message
    for name, body in files.items():
        places = [key for key in (f"old/{name}", f"new/{name}") if key in keys]
        assert places
        for key in places:
            assert await bucket.read(key) == body


async def test_copies_are_taken_away_again(bucket: Desk) -> None:
    await bucket.write(*(f"old/{n:02}" for n in range(20)))
    await bucket.engine.browse(ADA, bucket.link, "")
    bucket.watch(Failing(bucket.backend, copy=15))
    with pytest.raises(StudiosError, match="store failed"):
        await move(bucket, "old/", "new/")
    assert await bucket.keys() == [f"old/{n:02}" for n in range(20)]


async def test_whoever_leaves_while_it_copies(bucket: Desk) -> None:
    await bucket.write(*(f"old/{n:02}" for n in range(20)))
    async with closing(bucket.engine.move(ADA, bucket.link, "old/", "new/", False)) as lines:
        assert (await anext(lines)).done == moving.COPIES
    assert await bucket.keys() == [f"old/{n:02}" for n in range(20)]


async def test_what_was_written_meanwhile_stays(bucket: Desk) -> None:
    """Somebody saves into the folder while it is moved: the new state is not deleted."""
    await bucket.write("old/a", "old/b", body=b"1")
    await bucket.engine.browse(ADA, bucket.link, "")
    seen: list[int] = []

    class Meanwhile(Failing):
        async def copy(self, *args: Any, **asked: Any) -> Any:
            made = await super().copy(*args, **asked)
            seen.append(1)
            if len(seen) == 2:
                await bucket.write("old/b", "old/c", body=b"newer")
            return made

    bucket.watch(Meanwhile(bucket.backend))
    last = (await move(bucket, "old/", "new/"))[-1]
    assert last.failed == ["old/b"] and "changed while" in last.message
    assert await bucket.keys() == ["new/a", "new/b", "old/b", "old/c"]
    assert await bucket.read("old/b") == await bucket.read("old/c") == b"newer"


async def test_a_folder_that_is_too_big_to_move(bucket: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moving, "MOVE_MAX", 5)
    await bucket.write(*(f"old/{n}" for n in range(6)))
    assert await refused(move(bucket, "old/", "new/")) == 413
    assert len(await bucket.keys("old/")) == 6


# --- deletes ---


async def test_files_and_folders_are_deleted(desk: Desk) -> None:
    await desk.write(*(f"d/{n}" for n in range(15)), "d/deep/x", "d2/x", "a", "b", "d.txt")
    await desk.write("d/empty/", body=b"")
    lines = await delete(desk, "d/", "a", "nothing")
    assert lines[-1].complete and lines[-1].failed == [] and lines[-1].done >= 17
    assert await desk.keys() == ["b", "d.txt", "d2/x"]
    assert not await desk.all_keys("d/")


async def test_more_than_a_page_with_progress(folder: Server) -> None:
    async with desk_at(folder.place()) as desk:
        await desk.write(*(f"d/{n:04}" for n in range(1100)))
        lines = await delete(desk, "d/")
        assert [line.done for line in lines] == [1000, 1100, 1100, 1100] and lines[-1].complete
        assert await desk.all_keys() == []


async def test_the_root_is_not_deleted(bucket: Desk) -> None:
    await bucket.write("a")
    assert await refused(delete(bucket, "a", "")) == 400
    assert await bucket.keys() == ["a"]


async def test_what_is_left_is_named(bucket: Desk) -> None:
    await bucket.write("d/a", "d/b", "d/c")
    await bucket.engine.browse(ADA, bucket.link, "")
    bucket.watch(Failing(bucket.backend, left=1))
    last = (await delete(bucket, "d/"))[-1]
    assert (last.done, last.failed, last.complete) == (2, ["d/a"], True) and "as they were" in last.message
    assert await bucket.keys() == ["d/a"]


async def test_rights(bucket: Desk) -> None:
    await bucket.write("a", "d/x")
    bucket.catalogue.change(writable=False, why="its bucket is read-only")
    assert await refused(move(bucket, "a", "b")) == 403
    assert await refused(delete(bucket, "a")) == 403
    bucket.catalogue.change(writable=True, role=DataRole.DOWNLOAD)
    assert await refused(delete(bucket, "a")) == 403
    assert await bucket.keys() == ["a", "d/x"]


async def test_symbolic_links_are_deleted_and_not_followed(folder: Server, tmp_path: Any) -> None:
    place = folder.place()
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("x")
    async with desk_at(place) as desk:
        await desk.write("d/a")
        Path(place.bucket, "d", "link").symlink_to(outside)
        await delete(desk, "d/")
    assert (outside / "precious").read_text() == "x"
