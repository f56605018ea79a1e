"""Downloads: whole, by ranges, under any name, and cut when the object changes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyterhub_studios.explorer.downloads import Download
from jupyterhub_studios.explorer.downloads.headers import content_type, disposition, etag_header
from jupyterhub_studios.explorer.downloads.ranges import parse
from jupyterhub_studios.models import DataRole, StudiosError
from jupyterhub_studios.web.streams import closing

from .engines import ADA, Desk, desk_at, shared
from .stores import Server

BODY = bytes(range(256)) * 4


@pytest.fixture(params=["s3", "folder"])
async def desk(request: pytest.FixtureRequest) -> AsyncIterator[Desk]:
    server: Server = request.getfixturevalue(request.param)
    async with desk_at(shared(server)) as desk:
        await desk.write("data.bin", body=BODY)
        yield desk


async def get(
    desk: Desk, path: str = "data.bin", *headers: str | None, raw: bool = False
) -> tuple[Download, bytes]:
    ask = desk.engine.raw if raw else desk.engine.download
    answer = await ask(ADA, desk.link, path, *headers)
    return answer, b"".join([chunk async for chunk in answer.chunks])


async def test_whole(desk: Desk) -> None:
    answer, body = await get(desk)
    assert (answer.status, body) == (200, BODY)
    headers = answer.headers
    assert headers["Content-Length"] == "1024" and headers["Accept-Ranges"] == "bytes"
    assert headers["ETag"].startswith('"') and headers["Last-Modified"].endswith("GMT")
    assert headers["Content-Disposition"] == 'attachment; filename="data.bin"'
    assert headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [("bytes=0-99", 0, 100), ("bytes=1000-", 1000, 1024), ("bytes=-10", 1014, 1024), ("bytes=5-5", 5, 6),
     ("bytes=1000-99999", 1000, 1024), ("bytes=-99999", 0, 1024), ("Bytes = 1 - 2", 1, 3)],
)  # fmt: skip
async def test_a_range(desk: Desk, asked: str, start: int, end: int) -> None:
    answer, body = await get(desk, "data.bin", asked)
    assert (answer.status, body) == (206, BODY[start:end])
    assert answer.headers["Content-Range"] == f"bytes {start}-{end - 1}/1024"
    assert answer.headers["Content-Length"] == str(end - start)


@pytest.mark.parametrize(
    "asked", ["bytes=1024-", "bytes=-0", "bytes=5000-6000,2000-", "bytes=99999999999999999999-"]
)
async def test_a_range_beyond_the_end(desk: Desk, asked: str) -> None:
    answer, body = await get(desk, "data.bin", asked)
    assert (answer.status, body, answer.headers["Content-Range"]) == (416, b"", "bytes */1024")


@pytest.mark.parametrize(
    "asked", ["bytes=0-1,5-6", "bytes=5-1", "lines=1-2", "bytes", "bytes=a-b", "bytes=-", "", "bytes=1-2-3"]
)
async def test_what_is_answered_with_all(desk: Desk, asked: str) -> None:
    answer, body = await get(desk, "data.bin", asked)
    assert (answer.status, body) == (200, BODY) and "Content-Range" not in answer.headers


async def test_if_range(desk: Desk) -> None:
    whole, _ = await get(desk)
    etag, date = whole.headers["ETag"], whole.headers["Last-Modified"]
    for same in (etag, date):
        assert (await get(desk, "data.bin", "bytes=0-1", same))[0].status == 206
    old = format_datetime(datetime.now(UTC) - timedelta(days=400), usegmt=True)
    for other in ('"else"', f"W/{etag}", old, "never", "Sun, 40 Foo"):
        assert (await get(desk, "data.bin", "bytes=0-1", other))[0].status == 200


async def test_an_empty_file(desk: Desk) -> None:
    await desk.write("empty", body=b"")
    answer, body = await get(desk, "empty")
    assert (answer.status, answer.headers["Content-Length"], body) == (200, "0", b"")
    assert (await get(desk, "empty", "bytes=0-"))[0].status == 416


async def test_head_reads_nothing(desk: Desk) -> None:
    answer = await desk.engine.download(ADA, desk.link, "data.bin")
    desk.watch(object())  # would fail on any use
    async with closing(answer.chunks):
        assert answer.headers["Content-Length"] == "1024"


async def test_what_is_not_there_and_what_is_a_folder(desk: Desk) -> None:
    await desk.write("sub/x")
    for path, status in (("nothing", 404), ("", 409)):
        with pytest.raises(StudiosError) as raised:
            await get(desk, path)
        assert raised.value.problem.status == status
    with pytest.raises(StudiosError):
        await get(desk, "sub/")


ODD = [
    "a b",
    "50%",
    "a+b",
    "größe 日本.txt",
    "quo\"te's",
    "a\nb",
    "a?b#c&d",
    "$HOME",
    "semi;colon",
    "x" * 200,
]


@pytest.mark.parametrize("name", ODD)
async def test_odd_names(desk: Desk, name: str) -> None:
    await desk.write(f"odd/{name}", body=b"odd")
    answer, body = await get(desk, f"odd/{name}")
    assert body == b"odd"
    value = answer.headers["Content-Disposition"]
    assert value.isascii() and value.isprintable()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("a.txt", 'attachment; filename="a.txt"'),
        ("a b.txt", 'attachment; filename="a b.txt"'),
        ("größe", "attachment; filename=\"gr__e\"; filename*=UTF-8''gr%C3%B6%C3%9Fe"),
        ('a"b', "attachment; filename=\"a_b\"; filename*=UTF-8''a%22b"),
        ("50%", "attachment; filename=\"50_\"; filename*=UTF-8''50%25"),
        ("a\r\nSet-Cookie: x", 'attachment; filename="a__Set-Cookie: x"'),
        ("..\\..\\x", 'attachment; filename=".._.._x"'),
        ("", 'attachment; filename="download"'),
    ],
)
def test_the_name_of_a_download(name: str, value: str) -> None:
    assert disposition(name) == value


@given(st.text())
def test_any_name_is_one_header(name: str) -> None:
    try:
        name.encode()
    except UnicodeEncodeError:
        return
    value = disposition(name)
    assert value.isascii() and value.isprintable()


@given(st.text(alphabet="bytes=0123456789-, ", max_size=40), st.integers(0, 100))
def test_any_range(header: str, size: int) -> None:
    try:
        found = parse(header, size)
    except ValueError:
        return
    assert found is None or 0 <= found[0] < found[1] <= size


def test_types_and_tags() -> None:
    assert content_type("a.svg") == "image/svg+xml" and content_type("a.csv.gz") == "application/gzip"
    assert content_type("noending") == "application/octet-stream"
    assert etag_header('"abc"') == etag_header("abc") == '"abc"'
    assert etag_header(None) is etag_header('W/"a"') is etag_header('a"\r\nb') is None


# --- shown by the browser ---


async def test_raw_is_shown_only_where_it_is_a_document(desk: Desk) -> None:
    await desk.write(
        "a.svg", "a.html", "a.pdf", "a.png", "a.js", "a.xhtml", "a.xml", body=b"<script>alert(1)</script>"
    )
    for name, shown in [("a.svg", True), ("a.html", True), ("a.pdf", True), ("a.png", True), ("a.js", False),
                        ("a.xhtml", False), ("a.xml", False), ("data.bin", False)]:  # fmt: skip
        headers = (await get(desk, name, raw=True))[0].headers
        assert headers["Content-Disposition"].startswith("inline" if shown else "attachment"), name
        policy = headers["Content-Security-Policy"]
        assert policy.startswith("sandbox;") and "allow-" not in policy and "default-src 'none'" in policy
        assert headers["X-Content-Type-Options"] == "nosniff"


async def test_looking_is_not_downloading(desk: Desk) -> None:
    await desk.write("a.png", "a.csv")
    desk.catalogue.change(role=DataRole.VIEW)
    assert (await get(desk, "a.png", raw=True))[0].status == 200
    for path, raw in (("a.png", False), ("a.csv", True), ("a.csv", False)):
        with pytest.raises(StudiosError) as raised:
            await get(desk, path, raw=raw)
        assert raised.value.problem.status == 403
    with pytest.raises(StudiosError):
        await desk.engine.archive(ADA, desk.link, ["a.png"])
    with pytest.raises(StudiosError):
        await desk.engine.presign(ADA, desk.link, "a.png", seconds=60)


# --- while it is read ---


async def test_a_change_between_question_and_answer_is_told(desk: Desk) -> None:
    answer = await desk.engine.download(ADA, desk.link, "data.bin")
    await desk.write("data.bin", body=b"something else")
    with pytest.raises(StudiosError) as raised:
        await anext(answer.chunks)
    assert raised.value.problem.status == 412


class Streaming:
    """A store whose answer is not what was promised; tells when it was closed."""

    def __init__(self, inner: Any, chunks: list[bytes]) -> None:
        self._inner = inner
        self._chunks = chunks
        self.closed = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def stream(self, *args: Any, **kwargs: Any) -> AsyncIterator[bytes]:
        try:
            for chunk in self._chunks:
                yield chunk
        finally:
            self.closed = True


@pytest.mark.parametrize("chunks", [[BODY[:500]], [BODY, b"more"], []])
async def test_too_few_or_too_many_bytes_cut_it(desk: Desk, chunks: list[bytes]) -> None:
    answer = await desk.engine.download(ADA, desk.link, "data.bin")
    desk.watch(Streaming(desk.backend, chunks))
    got = b""
    with pytest.raises(StudiosError, match="changed while it was read"):
        async for chunk in answer.chunks:
            got += chunk
    assert len(got) <= 1024


async def test_whoever_leaves_ends_the_request(desk: Desk) -> None:
    answer = await desk.engine.download(ADA, desk.link, "data.bin")
    streaming = Streaming(desk.backend, [BODY[:10]] * 100)
    desk.watch(streaming)
    async with closing(answer.chunks) as chunks:
        assert await anext(chunks) == BODY[:10]
        assert not streaming.closed
    assert streaming.closed
