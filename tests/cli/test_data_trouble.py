"""`studios data` when the way breaks off: the real routes, above an engine that fails as it is told to."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

from jupyterhub_studios.explorer.api import handlers
from jupyterhub_studios.explorer.downloads import Download
from jupyterhub_studios.models import (
    DataRole,
    Done,
    Entry,
    Found,
    LinkView,
    Provider,
    StudiosError,
    Upload,
    UploadedPart,
)

LINK = LinkView(
    id="dl-1", name="Data", description="", provider=Provider.S3, url="s3://b/", bucket="b", prefix="", region=None,
    endpoint=None, source="added", owner="alpha", workspace=None, workspace_role=None, credential=None,
    role=DataRole.WRITE, writable=True, why="",
)  # fmt: skip
BODY = bytes(range(256)) * 2000
CHUNK = 100_000
PART = 8 * 1024 * 1024


class Engine:
    """Breaks downloads off after a piece of each; refuses parts and lines where a test says so."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.etags = ['"one"']  # of one request after the other, the last one for ever
        self.piece = CHUNK  # bytes that come before it breaks
        self.refuse: Callable[[int], StudiosError | None] = lambda number: None
        self.lines: list[Any] = []

    async def entry(self, caller: Any, link_id: str, path: str) -> Entry:
        return Entry(name=path, path=path, kind="file", size=len(BODY))

    async def download(
        self, caller: Any, link: str, path: str, range_: str | None, if_range: str | None
    ) -> Download:
        self.asked.append((range_, if_range))
        etag = self.etags.pop(0) if len(self.etags) > 1 else self.etags[0]
        start = int(range_.removeprefix("bytes=").rstrip("-")) if range_ and if_range == etag else 0
        headers = {"ETag": etag, "Content-Length": str(len(BODY) - start)}
        return Download(206 if start else 200, headers, self._chunks(start))

    async def _chunks(self, start: int) -> AsyncIterator[bytes]:
        yield BODY[start : start + self.piece]
        if start + self.piece < len(BODY):
            raise StudiosError("The store went away", "", "", status=502)

    async def begin_upload(self, caller: Any, link: str, path: str, size: int, replace: bool) -> Upload:
        return Upload(id="up-1", part_size=PART, parallel=True)

    async def put_part(self, caller: Any, link: str, upload: str, number: int, body: bytes) -> UploadedPart:
        self.asked.append(number)
        if error := self.refuse(number):
            raise error
        return UploadedPart(number=number, tag=f"tag {number}")

    async def finish_upload(self, caller: Any, link: str, upload: str, parts: list[UploadedPart]) -> Entry:
        self.asked.append([part.number for part in parts])
        return Entry(name="big", path="big", kind="file", size=3 * PART)

    async def abort_upload(self, caller: Any, link: str, upload: str) -> None:
        self.asked.append("aborted")

    async def search(self, caller: Any, link: str, path: str, q: str) -> AsyncIterator[Found]:
        for line in self.lines:
            if isinstance(line, Exception):
                raise line
            yield line

    move = search

    async def delete(self, caller: Any, link: str, paths: list[str]) -> AsyncIterator[Done]:
        for line in self.lines:
            yield line


class Catalogue:
    async def links(self, caller: Any) -> list[LinkView]:
        return [LINK]


class Host(RequestHandler):
    async def authorise(self, access: str) -> str:
        return "alpha"


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Engine]:
    found = Engine()
    explorer = SimpleNamespace(engine=found, catalogue=Catalogue())
    loop = asyncio.new_event_loop()
    (socket,) = bind_sockets(0, "127.0.0.1")
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def serve() -> HTTPServer:
        rules = handlers("/services/studios/api/v1/", Host, explorer)
        server = HTTPServer(Application(rules, log_function=lambda _: None))
        server.add_socket(socket)
        return server

    server = asyncio.run_coroutine_threadsafe(serve(), loop).result()
    monkeypatch.setenv("STUDIOS_URL", f"http://127.0.0.1:{socket.getsockname()[1]}/")
    monkeypatch.setenv("STUDIOS_TOKEN", "any")
    monkeypatch.chdir(tmp_path)
    yield found
    server.stop()
    asyncio.run_coroutine_threadsafe(server.close_all_connections(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def test_a_download_that_breaks_off_goes_on(engine: Engine, run, tmp_path: Path) -> None:
    code, out, err = run("data", "get", "Data:file")
    assert (code, out) == (0, "“file”, 512 kB\n"), err
    assert (tmp_path / "file").read_bytes() == BODY
    assert engine.asked == [(None, None), *[(f"bytes={n * CHUNK}-", '"one"') for n in range(1, 6)]]


def test_a_file_that_changed_meanwhile_is_not_put_together(engine: Engine, run, tmp_path: Path) -> None:
    engine.etags = ['"one"', '"two"']
    code, _, err = run("data", "get", "Data:file")
    assert code == 1 and "changed while it was fetched" in err and err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_stays_away_is_told(engine: Engine, run, tmp_path: Path) -> None:
    engine.piece = 0
    code, _, err = run("data", "get", "Data:file")
    assert code == 1 and "The answer broke off" in err and err.count("\n") == 1
    assert len(engine.asked) == 5 and list(tmp_path.iterdir()) == []


def big(tmp_path: Path) -> str:
    with (tmp_path / "big").open("wb") as file:
        file.truncate(3 * PART)
    return str(tmp_path / "big")


def test_a_part_is_sent_again(engine: Engine, run, tmp_path: Path) -> None:
    busy = StudiosError("The store asks to slow down", "", "", status=503)
    refused = iter([busy, busy])
    engine.refuse = lambda number: next(refused, None) if number == 2 else None
    code, out, err = run("data", "put", big(tmp_path), "Data:big")
    assert (code, out) == (0, "“big”, 25 MB\n"), err
    assert engine.asked.count(2) == 3 and engine.asked[-1] == [1, 2, 3]


def test_an_upload_that_is_refused_leaves_nothing(engine: Engine, run, tmp_path: Path) -> None:
    engine.refuse = lambda number: StudiosError("It is full", "", "", status=409) if number == 3 else None
    code, _, err = run("data", "put", big(tmp_path), "Data:big")
    assert (code, err) == (1, "studios: It is full.\n")
    assert engine.asked[-1] == "aborted"


def test_a_fault_in_the_middle_of_a_search(engine: Engine, run) -> None:
    hit = Found(entry=Entry(name="a\x1b[31m", path="a\x1b[31m", kind="file"), scanned=1)
    engine.lines = [hit, StudiosError("The store went away", "no answer", "Try again", status=502)]
    code, out, err = run("data", "find", "Data", "a")
    assert (code, out) == (1, "a\\x1b[31m\n")  # nothing of a name acts on the terminal
    assert err == "studios: The store went away: no answer. Try again.\n"
    engine.lines = [hit]  # and then nothing: cut off
    code, _, err = run("data", "find", "Data", "a")
    assert code == 1 and "The answer broke off" in err


def test_what_could_not_be_deleted_is_named(engine: Engine, run) -> None:
    engine.lines = [Done(done=1), Done(done=1, complete=True, failed=["kept"], message="")]
    code, _, err = run("data", "rm", "-y", "Data:x")
    assert code == 1 and "“kept” are as they were" in err and err.count("\n") == 1


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["put", "nowhere.txt", "Data:"], "“nowhere.txt” cannot be read"),
        (["get", "Data:file", "no/such/folder/x"], "cannot be written"),
        (["mv", "Data:a", "Other:b"], "There is no data link “Other”"),
    ],
)
def test_one_clear_message(engine: Engine, run, argv: list[str], words: str) -> None:
    code, out, err = run("data", *argv)
    assert (code, out) == (1, "") and words in err and err.count("\n") == 1


@pytest.mark.parametrize(
    "argv", [["data"], ["data", "link"], ["data", "presign", "x", "--for", "soon"], ["data", "put", "x"]]
)
def test_wrong_usage(run, argv: list[str]) -> None:
    code, out, err = run(*argv)
    assert (code, out) == (2, "") and err.startswith("usage: studios")
