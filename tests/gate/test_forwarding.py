from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from jupyterhub_studios import tickets
from jupyterhub_studios.agent.upstream import Upstream

from .conftest import IDENTITY_KEY, PREFIX, App, MakePlace, Place

Session = aiohttp.ClientSession


async def echo(session: Session, url: str | URL, method: str = "GET", **fields: Any) -> dict[str, Any]:
    async with session.request(method, url, **fields) as answer:
        assert answer.status == 200
        return json.loads(await answer.read())


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"])
async def test_method_path_and_body_arrive(place: Place, ada: Session, method: str) -> None:
    body = None if method == "GET" else "some body"
    url = URL(place.at("echo?x=%2F&y=a+b&y=%C3%A9"), encoded=True)
    seen = await echo(ada, url, method, data=body)
    assert seen["method"] == method
    assert seen["path"] == PREFIX + "echo?x=%2F&y=a+b&y=%C3%A9"
    assert seen["body"] == (body or "")


async def test_the_app_learns_who_asks(place: Place, bob: Session) -> None:
    seen = await echo(
        bob, place.at("echo"), headers={"X-Studio-Identity": "forged", "X-Studio-Else": "forged"}
    )
    headers = [(name.lower(), value) for name, value in seen["headers"]]
    identity = [value for name, value in headers if name == "x-studio-identity"]
    claims = tickets.verify(IDENTITY_KEY, identity[0], audience="app")
    assert (claims["sub"], claims["name"], claims["own"]) == ("bob", "Bob", False)
    assert len(identity) == 1
    assert "forged" not in str(seen)
    assert not any("studio-" in value for name, value in headers if name == "cookie")


async def test_nothing_is_added_to_a_request(place: Place, ada: Session) -> None:
    without = {"skip_auto_headers": ("User-Agent", "Accept", "Accept-Encoding")}
    seen = await echo(ada, place.at("echo"), **without, headers={"Host": "hub.example"})
    names = {name.lower() for name, _ in seen["headers"]}
    assert names == {
        "host", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-studio-identity",
    }  # fmt: skip
    assert dict(seen["headers"])["Host"] == "hub.example"


async def test_head_has_the_length_and_no_body(place: Place, ada: Session) -> None:
    async with ada.head(place.at("echo")) as answer:
        assert int(answer.headers["Content-Length"]) > 100
        assert await answer.read() == b""
    await echo(ada, place.at("echo"))  # the connection is still in order


async def test_not_modified_has_no_body(place: Place, ada: Session) -> None:
    async with ada.get(place.at("empty")) as answer:
        assert (answer.status, answer.headers["ETag"], await answer.read()) == (304, '"x"', b"")


async def test_duplicate_headers_stay_apart(place: Place, ada: Session) -> None:
    async with ada.get(place.at("cookies")) as answer:
        assert answer.headers.getall("Set-Cookie") == [
            "a=1; Path=/",
            "b=2; HttpOnly; Path=/deep; SameSite=Lax",
        ]


async def test_ranges(place: Place, ada: Session, app: App) -> None:
    app.socket.with_name("data").write_bytes(bytes(range(256)) * 10)
    async with ada.get(place.at("ranges"), headers={"Range": "bytes=250-259"}) as answer:
        assert answer.status == 206
        assert answer.headers["Content-Range"] == "bytes 250-259/2560"
        assert await answer.read() == bytes([250, 251, 252, 253, 254, 255, 0, 1, 2, 3])


@pytest.mark.parametrize("chunked", [True, False])
async def test_a_large_upload_streams(place: Place, ada: Session, chunked: bool) -> None:
    block, count = bytes(range(256)) * 4096, 48

    async def blocks() -> AsyncIterator[bytes]:
        for _ in range(count):
            yield block

    headers = {} if chunked else {"Content-Length": str(len(block) * count)}
    seen = await echo(ada, place.at("digest"), "POST", data=blocks(), headers=headers)
    assert seen == {"bytes": len(block) * count, "sha256": hashlib.sha256(block * count).hexdigest()}


async def test_compressed_bodies_are_left_alone(place: Place, ada: Session) -> None:
    seen = await echo(ada, place.at("digest"), "POST", data=b"not gzip", headers={"Content-Encoding": "gzip"})
    assert seen["sha256"] == hashlib.sha256(b"not gzip").hexdigest()


async def test_the_first_bytes_come_before_the_last_are_made(place: Place, ada: Session, app: App) -> None:
    async with ada.get(place.at("stream")) as answer:
        assert await answer.content.readany() == b"first"
        app.cancelled.set()
        assert await answer.read() == b"last"


async def test_expect_continue(place: Place, ada: Session) -> None:
    seen = await echo(ada, place.at("digest"), "POST", data=b"x" * 100_000, expect100=True)
    assert seen["bytes"] == 100_000


async def test_an_early_answer_to_an_upload(place: Place, ada: Session) -> None:
    async with ada.post(place.at("early"), data=b"x" * 5_000_000) as answer:
        assert (answer.status, await answer.text()) == (413, "too much")


async def test_a_broken_off_answer_is_not_taken_for_a_whole(place: Place, ada: Session) -> None:
    with pytest.raises(aiohttp.ClientError):
        async with ada.get(place.at("half")) as answer:
            await answer.read()


async def test_a_visitor_who_goes_away_ends_the_work(place: Place, ada: Session, app: App) -> None:
    asking = asyncio.create_task(ada.get(place.at("wait")))
    await app.waiting.wait()
    asking.cancel()
    await asyncio.wait_for(app.cancelled.wait(), 10)


async def test_a_visitor_who_leaves_a_download_is_no_error(
    place: Place, ada: Session, app: App, caplog: pytest.LogCaptureFixture
) -> None:
    with app.socket.with_name("data").open("wb") as file:
        file.truncate(64 * 1024 * 1024)
    for _ in range(20):
        answer = await ada.get(place.at("ranges"))
        await answer.content.readany()
        answer.close()
    async with asyncio.timeout(10):
        while place.gate._open:
            await asyncio.sleep(0.01)
    assert caplog.records == []


async def test_redirects_of_the_app_are_the_visitors(place: Place, ada: Session) -> None:
    async with ada.get(place.at("moved?to=/elsewhere"), allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (302, "/elsewhere")


async def test_an_app_that_knows_no_prefix(open_gate: MakePlace) -> None:
    place = await open_gate(strip_prefix=True)
    async with await place.visitor() as ada:
        seen = await echo(ada, place.at("echo?x=1"))
        assert seen["path"] == "/echo?x=1"
        assert dict(seen["headers"])["X-Forwarded-Prefix"] == PREFIX.rstrip("/")
        async with ada.get(place.at("moved?to=/elsewhere"), allow_redirects=False) as answer:
            assert answer.headers["Location"] == PREFIX + "elsewhere"
        async with ada.get(place.at("cookies")) as answer:
            assert answer.headers.getall("Set-Cookie") == [
                f"a=1; Path={PREFIX}",
                f"b=2; HttpOnly; Path={PREFIX}deep; SameSite=Lax",
            ]


async def test_an_app_on_a_port(open_gate: MakePlace, app: App) -> None:
    runner = web.AppRunner(app.handlers())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    place = await open_gate(Upstream(port=port))
    async with await place.visitor() as ada:
        assert (await echo(ada, place.at("echo")))["method"] == "GET"
    await runner.cleanup()


async def test_an_app_that_is_not_up_yet(open_gate: MakePlace, app: App) -> None:
    place = await open_gate(Upstream(socket=app.socket.with_name("later")))
    async with await place.visitor() as ada:
        async with ada.get(place.at("lab"), headers={"Accept": "text/html"}) as answer:
            page = await answer.text()
            assert (answer.status, answer.content_type) == (503, "text/html")
            assert answer.headers["Retry-After"] == "2"
            assert "The app is starting" in page
            assert 'http-equiv="refresh"' in page
        async with ada.get(place.at("api")) as answer:
            assert (answer.status, answer.content_type) == (503, "application/problem+json")
            assert (await answer.json(content_type=None))["title"] == "The app is starting"


async def test_an_app_that_died(open_gate: MakePlace, app: App) -> None:
    place = await open_gate()
    async with await place.visitor() as ada:
        await echo(ada, place.at("echo"))
        app.socket.unlink()
        await asyncio.sleep(0)
        # Connections that were open are still served by the app; new ones find nobody.
        answers = await asyncio.gather(*(ada.get(place.at("echo")) for _ in range(4)))
        titles = [(await a.json(content_type=None))["title"] for a in answers if a.status == 502]
        assert set(titles) == {"The app does not answer"}


async def test_an_app_that_breaks_off(open_gate: MakePlace, app: App) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    rude = app.socket.with_name("rude")
    server = await asyncio.start_unix_server(hang_up, rude)
    place = await open_gate(Upstream(socket=rude))
    async with await place.visitor() as ada, ada.post(place.at("x")) as answer:
        assert answer.status == 502
        assert "broke off" in (await answer.json(content_type=None))["title"]
    server.close()
