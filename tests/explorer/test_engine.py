"""The engine: rights before anything, one store for each credential, nothing left open."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from jupyterhub_studios.models import AccessKey, DataRole, StudiosError
from jupyterhub_studios.web.streams import closing

from .engines import ADA, BOB, Desk, desk_at, shared
from .stores import Server


@pytest.fixture
async def desk(s3: Server) -> AsyncIterator[Desk]:
    async with desk_at(shared(s3)) as desk:
        await desk.write("a.txt", "d/b.txt", body=b"hello")
        yield desk


async def drain(lines: AsyncIterator[Any]) -> None:
    async for _ in lines:
        pass


# What each operation needs, and a call of it.
OPERATIONS: dict[str, tuple[DataRole, Any]] = {
    "browse": (DataRole.VIEW, lambda e, c, i: e.browse(c, i, "")),
    "entry": (DataRole.VIEW, lambda e, c, i: e.entry(c, i, "a.txt")),
    "search": (DataRole.VIEW, lambda e, c, i: drain(e.search(c, i, "", "a"))),
    "total": (DataRole.VIEW, lambda e, c, i: drain(e.total(c, i, ""))),
    "preview": (DataRole.VIEW, lambda e, c, i: e.preview(c, i, "a.txt")),
    "snippets": (DataRole.VIEW, lambda e, c, i: e.snippets(c, i, "a.txt")),
    "download": (DataRole.DOWNLOAD, lambda e, c, i: e.download(c, i, "a.txt")),
    "raw": (DataRole.DOWNLOAD, lambda e, c, i: e.raw(c, i, "a.txt")),
    "archive": (DataRole.DOWNLOAD, lambda e, c, i: e.archive(c, i, ["d/"])),
    "presign": (DataRole.DOWNLOAD, lambda e, c, i: e.presign(c, i, "a.txt", seconds=60)),
    "put": (DataRole.WRITE, lambda e, c, i: e.put(c, i, "new", b"x", False)),
    "begin_upload": (DataRole.WRITE, lambda e, c, i: e.begin_upload(c, i, "new2", 5, False)),
    "put_part": (DataRole.WRITE, lambda e, c, i: e.put_part(c, i, "x", 1, b"")),
    "finish_upload": (DataRole.WRITE, lambda e, c, i: e.finish_upload(c, i, "x", [])),
    "abort_upload": (DataRole.WRITE, lambda e, c, i: e.abort_upload(c, i, "x")),
    "make_folder": (DataRole.WRITE, lambda e, c, i: e.make_folder(c, i, "f")),
    "move": (DataRole.WRITE, lambda e, c, i: drain(e.move(c, i, "a.txt", "b.txt", False))),
    "delete": (DataRole.WRITE, lambda e, c, i: drain(e.delete(c, i, ["d/"]))),
}


def test_every_operation_is_here(desk: Desk) -> None:
    offered = {name for name in dir(desk.engine) if not name.startswith("_")}
    assert offered - {"catalogue", "archive_cap", "close"} == set(OPERATIONS)


@pytest.mark.parametrize("name", OPERATIONS)
async def test_rights(desk: Desk, name: str) -> None:
    needs, call = OPERATIONS[name]
    order = list(DataRole)
    for has in order:
        desk.catalogue.change(role=has)
        status = await told(call(desk.engine, ADA, desk.link))
        assert (status == 403) == (order.index(has) < order.index(needs)), (has, status)
    assert await told(call(desk.engine, BOB, "dl-other")) == 404


async def told(awaitable: Any) -> int | None:
    try:
        await awaitable
    except StudiosError as error:
        return error.problem.status
    return None


async def test_nothing_leads_out_of_a_link(desk: Desk) -> None:
    await desk.write("d-secret/x")
    desk.catalogue.change(prefix="d")
    for path in ("../a.txt", "..", "x/../../a.txt", "./b.txt"):
        for name in ("browse", "entry", "search", "total", "preview", "download", "archive", "snippets"):
            call = getattr(desk.engine, name)
            asked = call(
                ADA, desk.link, [path] if name == "archive" else path, *(["x"] if name == "search" else [])
            )
            assert await told(drain(asked) if name in ("search", "total") else asked) == 400
    assert [entry.path for entry in (await desk.engine.browse(ADA, desk.link, "")).items] == ["b.txt"]


async def test_one_store_for_all_who_ask_at_once(desk: Desk) -> None:
    await asyncio.gather(*(desk.engine.browse(ADA, desk.link, "") for _ in range(10)))
    assert len(desk.engine._backends._opened) == 1


async def test_another_credential_opens_anew(desk: Desk) -> None:
    await desk.engine.browse(ADA, desk.link, "")
    assert desk.catalogue.spec
    wrong = AccessKey(access_key_id="AKIAWRONG", secret_access_key="not-it")
    desk.catalogue.spec = desk.catalogue.spec.model_copy(update={"secret": wrong})
    assert await told(desk.engine.browse(ADA, desk.link, "")) == 403
    assert len(desk.engine._backends._opened) == 2
    text = repr(desk.engine._backends._opened)
    assert "not-it" not in text


async def test_the_same_credential_of_another_owner_is_another_store(desk: Desk) -> None:
    await desk.engine.browse(ADA, desk.link, "")
    desk.catalogue.change(owner="bob")
    await desk.engine.browse(BOB, desk.link, "")
    assert len(desk.engine._backends._opened) == 2


async def test_idle_stores_are_closed_and_used_ones_are_not(desk: Desk) -> None:
    answer = await desk.engine.download(ADA, desk.link, "a.txt")
    async with closing(answer.chunks) as chunks:
        assert await anext(chunks) == b"hello"
        await desk.engine._backends.close_idle(0)
        assert len(desk.engine._backends._opened) == 1
    await desk.engine._backends.close_idle(0)
    assert not desk.engine._backends._opened
    assert (await desk.engine.entry(ADA, desk.link, "a.txt")).size == 5


async def test_a_presigned_link_reads_the_file_and_names_its_end(desk: Desk) -> None:
    import httpx

    signed = await desk.engine.presign(ADA, desk.link, "a.txt", seconds=60)
    async with httpx.AsyncClient() as client:
        assert (await client.get(signed.url)).content == b"hello"
    assert await told(desk.engine.presign(ADA, desk.link, "nothing", seconds=60)) == 404
