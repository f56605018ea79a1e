"""Zips: sized before they start, the same bytes, names that stay in their folder, cut when something changes."""

from __future__ import annotations

import asyncio
import io
import zipfile
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyterhub_studios.explorer.archives import zips
from jupyterhub_studios.explorer.archives.names import safe, unique
from jupyterhub_studios.explorer.backends import Object
from jupyterhub_studios.models import StudiosError
from jupyterhub_studios.web.streams import closing

from .engines import ADA, Desk, desk_at, shared
from .stores import Server


@pytest.fixture(params=["s3", "folder"])
async def desk(request: pytest.FixtureRequest) -> AsyncIterator[Desk]:
    server: Server = request.getfixturevalue(request.param)
    async with desk_at(shared(server)) as desk:
        yield desk


async def zipped(desk: Desk, *paths: str) -> dict[str, bytes]:
    answer = await desk.engine.archive(ADA, desk.link, paths)
    body = b"".join([chunk async for chunk in answer.chunks])
    assert len(body) == int(answer.headers["Content-Length"])
    with zipfile.ZipFile(io.BytesIO(body)) as opened:
        assert opened.testzip() is None
        assert all(info.compress_type == zipfile.ZIP_STORED for info in opened.infolist())
        names = opened.namelist()
        assert len(set(names)) == len(names)
        return {name: opened.read(name) for name in names}


async def test_a_folder(desk: Desk) -> None:
    big = bytes(range(256)) * 20_000  # of several chunks
    await desk.write("run/a.txt", body=b"a")
    await desk.write("run/deep/big", body=big)
    await desk.write("run/deep/zero", "run/empty/", body=b"")
    found = await zipped(desk, "run/")
    kept = {name: body for name, body in found.items() if name not in ("run/", "run/deep/")}
    assert kept == {"run/a.txt": b"a", "run/deep/big": big, "run/deep/zero": b"", "run/empty/": b""}


async def test_the_root_and_single_files(desk: Desk) -> None:
    await desk.write("x/a", "x/sub/b", "c", body=b"1")
    assert set(await zipped(desk, "x/a", "x/sub/", "c")) == {"a", "sub/b", "c"}
    assert {name for name in await zipped(desk, "") if not name.endswith("/")} == {"x/a", "x/sub/b", "c"}


async def test_only_empty_files(desk: Desk) -> None:
    await desk.write("e/1", "e/2", "e/3", body=b"")
    assert await zipped(desk, "e/") == {"e/1": b"", "e/2": b"", "e/3": b""}


async def test_many_small_files_in_order(desk: Desk) -> None:
    for n in range(60):
        await desk.write(f"many/{n:02}", body=str(n).encode() * (n * 50))
    found = await zipped(desk, "many/")
    assert list(found) == [f"many/{n:02}" for n in range(60)]
    assert all(body == name[-2:].lstrip("0").encode() * (int(name[-2:]) * 50) for name, body in found.items())


async def test_above_the_cap_the_commands_are_named(desk: Desk) -> None:
    await desk.write(*(f"many/{n}" for n in range(12)))
    desk.engine.archive_cap = 12
    assert len(await zipped(desk, "many/")) == 12
    desk.engine.archive_cap = 11
    for paths in (["many/"], [f"many/{n}" for n in range(12)]):
        with pytest.raises(StudiosError) as raised:
            await desk.engine.archive(ADA, desk.link, paths)
        assert raised.value.problem.status == 413 and "Code" in raised.value.problem.action
        assert "11" in raised.value.problem.detail


async def test_what_is_not_there(desk: Desk) -> None:
    for paths in (["nothing/"], ["nothing"], []):
        with pytest.raises(StudiosError):
            await desk.engine.archive(ADA, desk.link, paths)


async def test_a_changed_file_cuts_the_zip(desk: Desk) -> None:
    await desk.write("d/a", body=b"a" * 1000)
    await desk.write("d/b", body=b"b" * 1000)
    answer = await desk.engine.archive(ADA, desk.link, ["d/"])
    await desk.write("d/b", body=b"other")
    got = b""
    with pytest.raises(StudiosError) as raised:
        async for chunk in answer.chunks:
            got += chunk
    assert raised.value.problem.status == 412 and len(got) < int(answer.headers["Content-Length"])


async def test_odd_keys(moto: Server) -> None:
    keys = [
        "d/a b",
        "d//double",
        "d/größe",
        "d/50%",
        "d/tab\there",
        "d/back\\slash",
        "d/C:x",
        "d/same",
        "d/same/inner",
    ]
    async with desk_at(shared(moto)) as desk:
        await desk.write(*keys)
        found = await zipped(desk, "d/")
        assert set(found) == {
            "d/a b", "d/double", "d/größe", "d/50%", "d/tab_here", "d/back_slash", "d/C:x", "d/same (2)", "d/same/inner"
        }  # fmt: skip


class Memory:
    """Objects of any size, made while they are read; counts what is read at once."""

    def __init__(self, sizes: dict[str, int], fail: str = "") -> None:
        self.sizes = sizes
        self.fail = fail
        self.open = self.most = self.begun = 0

    async def stream(
        self, key: str, start: int = 0, end: int | None = None, *, etag: str | None = None
    ) -> Any:
        self.open += 1
        self.begun += 1
        self.most = max(self.most, self.open)
        try:
            left = self.sizes[key]
            while left:
                await asyncio.sleep(0)
                if key == self.fail:
                    raise StudiosError("the store failed", status=502)
                yield bytes(min(left, 1 << 20))
                left -= min(left, 1 << 20)
        finally:
            self.open -= 1


def zip_of(sizes: dict[str, int]) -> zips.Zip:
    return zips.Zip([zips.Member(key, Object(key, size)) for key, size in sizes.items()])


async def test_several_are_read_ahead_and_all_are_closed() -> None:
    sizes = {f"{n:03}": 3 << 20 for n in range(100)}
    memory = Memory(sizes)
    async with closing(zip_of(sizes).chunks(memory)) as chunks:  # type: ignore[arg-type]
        for _ in range(10):
            await anext(chunks)
        assert memory.begun < 30
    assert memory.open == 0
    assert 2 <= memory.most <= zips.AHEAD


async def test_a_fault_is_told_at_its_place_and_closes_the_others() -> None:
    sizes = {f"{n:03}": 1000 for n in range(100)}
    memory = Memory(sizes, fail="050")
    got = 0
    with pytest.raises(StudiosError, match="store failed"):
        async for chunk in zip_of(sizes).chunks(memory):  # type: ignore[arg-type]
            got += len(chunk)
    assert memory.open == 0 and got < 51 * 1200


@pytest.mark.slow
async def test_more_than_four_gigabytes() -> None:
    """zip64, by its length and its last bytes: the zeros between are not kept."""
    sizes = {"big": (4 << 30) + 5, "after": 10}
    made = zip_of(sizes)
    length, tail = 0, b""
    async for chunk in made.chunks(Memory(sizes)):  # type: ignore[arg-type]
        length += len(chunk)
        tail = (tail + chunk)[-4096:]
    assert length == len(made)
    assert b"PK\x06\x06" in tail and b"PK\x06\x07" in tail


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/etc/passwd", "etc/passwd"), ("../../x", "__/__/x"), ("a/../b", "a/__/b"), ("C:/x", "C_/x"),
        ("C:\\x", "C__x"), ("a\0b", "a_b"), ("./a/./b", "a/b"), ("//", "_/"), ("a//b/", "a/b/"), ("..", "__"),
        ("", "_"), ("a\u2028b", "a_b"),
    ],
)  # fmt: skip
def test_names_that_stay_in_their_folder(path: str, name: str) -> None:
    assert safe(path) == name


@given(st.lists(st.text(alphabet="ab./\\:C\n ", max_size=8), max_size=12))
def test_every_file_has_a_name_of_its_own(paths: list[str]) -> None:
    names = unique(paths)
    files = [name for name in names if not name.endswith("/")]
    assert len(set(files)) == len(files)
    folders = {parent for name in names for parent in _parents(name)}
    assert not folders & set(files)
    for name in names:
        assert not name.startswith("/") and not {"..", "", "."} & set(name.removesuffix("/").split("/"))
        assert "\\" not in name and name.isprintable()


def _parents(name: str) -> list[str]:
    parts = name.split("/")[:-1]
    return ["/".join(parts[: n + 1]) for n in range(len(parts))]
