"""What somebody may try who means ill."""

from __future__ import annotations

import asyncio
import json
import time

import aiohttp
import pytest

from jupyterhub_studios import tickets

from .conftest import PREFIX, SESSION, TICKET_KEY, Place, ticket

Session = aiohttp.ClientSession
COOKIE = f"studio-{SESSION}"


def cookie(
    *, audience: str = f"{SESSION}:cookie", key: bytes = TICKET_KEY, ttl: float = 60
) -> dict[str, str]:
    token = tickets.sign(key, {"aud": audience, "sub": "ada", "name": "Ada", "own": True}, ttl)
    return {"Cookie": f"{COOKIE}={token}"}


async def test_the_cookie_below_would_do(place: Place) -> None:
    async with Session() as visitor, visitor.get(place.at("echo"), headers=cookie()) as answer:
        assert answer.status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Cookie": f"{COOKIE}=garbage"},
        {"Cookie": f"{COOKIE}="},
        {"Cookie": f"{COOKIE}={'x' * 9000}"},
        cookie(key=b"o" * 32),
        cookie(audience="ss-other:cookie"),
        cookie(audience=SESSION),
        cookie(audience="app"),
        cookie(ttl=-1),
        {"X-Studio-Identity": ticket(audience="app", key=b"i" * 32)},
        {"Authorization": f"Bearer {ticket()}"},
    ],
    ids=[
        "none",
        "garbage",
        "empty",
        "long",
        "key",
        "session",
        "ticket",
        "identity",
        "expired",
        "header",
        "bearer",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "OPTIONS", "WEBSOCKET"])
async def test_nobody_passes_without_a_cookie_of_ours(
    place: Place, headers: dict[str, str], method: str
) -> None:
    async with Session() as visitor:
        if method == "WEBSOCKET":
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await visitor.ws_connect(place.at("ws"), headers=headers)
            assert refused.value.status == 403
            return
        async with visitor.request(method, place.at("echo"), headers=headers) as answer:
            assert answer.status == 403
            assert answer.content_type == "application/problem+json"


async def test_only_opening_a_page_leads_to_the_service(place: Place) -> None:
    async with Session() as visitor:
        for method, headers in [("POST", {"Accept": "text/html"}), ("GET", {"Sec-Fetch-Mode": "cors"})]:
            async with visitor.request(
                method, place.at(""), headers=headers, allow_redirects=False
            ) as answer:
                assert answer.status == 403


@pytest.mark.parametrize(
    "bad",
    [
        ticket(ttl=-1),
        ticket(audience="ss-other"),
        ticket(audience=f"{SESSION}:cookie"),
        ticket(key=b"o" * 32),
        "",
        "a.b",
    ],
    ids=["expired", "session", "cookie", "key", "none", "garbage"],
)
async def test_bad_tickets(place: Place, bad: str) -> None:
    async with (
        Session() as visitor,
        visitor.get(place.at("_studio/enter"), params={"ticket": bad}, allow_redirects=False) as answer,
    ):
        assert answer.status == 403
        assert COOKIE not in answer.cookies


async def test_a_ticket_works_once(place: Place) -> None:
    params = {"ticket": ticket()}
    async with Session() as visitor:
        for status in (302, 403):
            async with visitor.get(
                place.at("_studio/enter"),
                params=params,
                allow_redirects=False,
                headers={"Accept": "text/html"},
            ) as answer:
                assert answer.status == status
                assert answer.headers["Cache-Control"] == "no-store"
                assert answer.headers["Referrer-Policy"] == "no-referrer"


async def test_the_ticket_is_not_repeated_on_the_page(place: Place) -> None:
    params = {"ticket": ticket(ttl=-1), "next": '"><script>alert(1)</script>'}
    async with (
        Session() as visitor,
        visitor.get(place.at("_studio/enter"), params=params, headers={"Accept": "text/html"}) as answer,
    ):
        page = await answer.text()
        assert params["ticket"] not in page
        assert "<script" not in page
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1.evil.example"])
async def test_websockets_from_pages_of_other_sites(place: Place, ada: Session, origin: str) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await ada.ws_connect(place.at("ws"), headers={"Origin": origin})
    assert refused.value.status == 403
    async with ada.ws_connect(place.at("ws"), headers={"Origin": place.url}) as socket:
        await socket.receive()


async def raw(place: Place, data: bytes) -> bytes:
    """The gate's answer to exactly these bytes, until it closes or falls silent."""
    reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
    writer.write(data)
    answer = b""
    try:
        async with asyncio.timeout(1):
            while more := await reader.read(65536):
                answer += more
    except (TimeoutError, ConnectionResetError):
        pass
    writer.close()
    return answer


def post(headers: str, body: str) -> bytes:
    head = f"POST {PREFIX}digest HTTP/1.1\r\nHost: h\r\nCookie: {cookie()['Cookie']}\r\n{headers}\r\n"
    return (head + body).encode("latin-1")


SMUGGLED = f"GET {PREFIX}echo HTTP/1.1\r\nHost: h\r\nX-Smuggled: 1\r\n\r\n"


@pytest.mark.parametrize(
    "headers",
    [
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
        "Content-Length: 4\r\nContent-Length: 5\r\n",
        "Content-Length: 4, 4\r\n",
        "Content-Length: +4\r\n",
        "Content-Length: -1\r\n",
        "Content-Length: 0x4\r\n",
        "Content-Length : 4\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        "Transfer-Encoding : chunked\r\n",
        "Transfer-Encoding:\x0bchunked\r\n",
        " Transfer-Encoding: chunked\r\n",
        "X: 1\nTransfer-Encoding: chunked\r\n",
        "X: \x00\r\nTransfer-Encoding: chunked\r\n",
    ],
)
async def test_two_readings_of_one_request(place: Place, headers: str) -> None:
    """What two servers might cut differently is refused, and nothing after it is read as a request."""
    answer = await raw(place, post(headers, "0\r\n\r\n" + SMUGGLED))
    assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.0 400")), answer
    assert answer.count(b"HTTP/1.") == 1
    assert b"Smuggled" not in answer


async def test_the_app_gets_one_request_for_one(place: Place) -> None:
    answer = await raw(place, post(f"Content-Length: {len(SMUGGLED)}\r\nConnection: close\r\n", SMUGGLED))
    assert answer.count(b"HTTP/1.1 ") == 1
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["bytes"] == len(SMUGGLED)


@pytest.mark.parametrize(
    "chunk", ["4;x=\nabcd", "-4\r\nabcd", "0x4\r\nabcd", "4 \r\nabcd", "4\r\nabcdef\r\n", "g\r\n"]
)
async def test_bad_chunks(place: Place, chunk: str) -> None:
    answer = await raw(place, post("Transfer-Encoding: chunked\r\n", f"{chunk}\r\n0\r\n\r\n{SMUGGLED}"))
    assert b"Smuggled" not in answer
    assert b"HTTP/1.1 200" not in answer


async def test_what_follows_a_declined_upgrade_is_not_read(place: Place) -> None:
    head = f"GET {PREFIX}echo HTTP/1.1\r\nHost: h\r\nCookie: {cookie()['Cookie']}\r\n"
    answer = await raw(place, f"{head}Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n{SMUGGLED}".encode())
    assert answer.count(b"HTTP/1.1 ") == 1
    assert b"Smuggled" not in answer
    seen = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert not any(name.lower() in ("upgrade", "connection") for name, _ in seen["headers"])


@pytest.mark.parametrize("target", ["http://evil.example/", "*", f"{PREFIX}x#y", f"{PREFIX}../../x y"])
async def test_odd_targets(place: Place, target: str) -> None:
    answer = await raw(
        place, f"GET {target} HTTP/1.1\r\nHost: h\r\n{_cookie_line()}Connection: close\r\n\r\n".encode()
    )
    assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.0 400", b"HTTP/1.1 404")), answer


@pytest.mark.parametrize("method", ["CONNECT", "TRACE"])
async def test_methods_that_are_not_for_apps(place: Place, method: str) -> None:
    request = f"{method} {PREFIX}echo HTTP/1.1\r\nHost: h\r\n{_cookie_line()}Connection: close\r\n\r\n"
    answer = await raw(place, request.encode())
    assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.0 400", b"HTTP/1.1 404")), answer


def _cookie_line() -> str:
    return f"Cookie: {cookie()['Cookie']}\r\n"


async def test_huge_heads_are_refused(place: Place) -> None:
    head = f"GET {PREFIX}echo HTTP/1.1\r\nHost: h\r\nX: {'x' * 200_000}\r\n\r\n"
    answer = await raw(place, head.encode())
    assert answer.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4")) or answer == b""


async def test_used_tickets_are_not_kept_forever(place: Place) -> None:
    door = place.gate._door
    for _ in range(100):
        door.admit(ticket(ttl=0.2))
    await asyncio.sleep(0.3)
    door.admit(ticket())
    assert len(door._used) == 1
    assert all(expires > time.time() for expires in door._used.values())
