"""The handlers below every REST route: streams, raw bodies, queries, clients that go away. A real Tornado server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import pytest_asyncio
from pydantic import Field
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

from jupyterhub_studios.models import Model, StudiosError
from jupyterhub_studios.web import Call, Routes, rules
from jupyterhub_studios.web.allowance import Allowance

MIB = 1024 * 1024


class Asked(Model):
    path: str = ""
    many: list[str] = Field(default=[])


class Line(Model):
    number: int


@dataclass
class Bytes:
    chunks: AsyncIterator[bytes]
    headers: dict[str, str] = field(default_factory=dict)
    status: int = 200


@dataclass
class Work:
    """What the routes do, and what became of it."""

    sent: int = 0
    closed: asyncio.Event = field(default_factory=asyncio.Event)
    received: list[bytes] = field(default_factory=list)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def zeros(self, megabytes: int) -> AsyncIterator[bytes]:
        try:
            for _ in range(megabytes):
                self.sent += 1
                yield bytes(MIB)
        finally:
            self.closed.set()

    async def broken(self, error: Exception) -> AsyncIterator[bytes]:
        yield b"begun"
        raise error


routes = Routes("", "person")


@routes.route("GET", "query", Asked, query=Asked)
async def query(call: Call[Work, str]) -> Asked:
    """What arrived."""
    asked: Asked = call.query
    return asked


@routes.route("GET", "slow", None)
async def slow(call: Call[Work, str]) -> None:
    """Takes for ever."""
    try:
        await asyncio.sleep(3600)
    finally:
        call.service.closed.set()


@routes.lines("GET", "lines", Line, query=Asked)
async def lines(call: Call[Work, str]) -> AsyncIterator[Line]:
    """Lines, and what may happen to them."""
    if call.query.path == "refused":
        raise StudiosError("Not for you", "", "", status=403)
    try:
        yield Line(number=1)
        if call.query.path == "told":
            raise StudiosError("The store went away", "", "", status=502)
        if call.query.path == "bug":
            raise ValueError("an inner secret")
        await call.service.go_on.wait()
        yield Line(number=2)
    finally:
        call.service.closed.set()


async def content(call: Call[Work, str]) -> Bytes:
    """Bytes, and what may happen to them."""
    match call.query.path:
        case "cut":
            error = StudiosError("The store went away", "", "", status=502)
            return Bytes(call.service.broken(error), {"Content-Length": "100"})
        case "bug":
            return Bytes(call.service.broken(ValueError("an inner secret")))
        case "refused":
            raise StudiosError("Not for you", "", "", status=403)
    return Bytes(call.service.zeros(200), {"Content-Length": str(200 * MIB), "Content-Type": "text/plain"})


for method in ("GET", "HEAD"):
    routes.content(method, "bytes", "*/*", query=Asked)(content)


@routes.route("PUT", "raw", None, takes=2 * MIB)
async def raw(call: Call[Work, str]) -> None:
    """Keeps the body."""
    call.service.received.append(call.body)


class Host(RequestHandler):
    async def authorise(self, access: str) -> str:
        if self.request.headers.get("Authorization") == "nobody":
            raise StudiosError("You are not signed in", "", "", status=401)
        return "someone"


@dataclass
class Served:
    work: Work
    port: int
    http: httpx.AsyncClient


@pytest_asyncio.fixture
async def served() -> AsyncIterator[Served]:
    work = Work()
    application = Application(
        rules("/", routes.table, Host, work), compress_response=True, log_function=lambda _: None
    )
    server = HTTPServer(application, max_body_size=MIB)
    (socket,) = bind_sockets(0, "127.0.0.1")
    server.add_socket(socket)
    port = socket.getsockname()[1]
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20) as http:
        yield Served(work, port, http)
    server.stop()
    await server.close_all_connections()


async def until(check: Callable[[], Any]) -> None:
    async with asyncio.timeout(20):
        while not check():
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    "path", [" both ends ", "a//b/", "100%", "1+1=2", "tab\tnew\nline\x01", "ünï/中", "&=#?", "\u2028"]
)
async def test_queries_arrive_as_they_were_sent(served: Served, path: str) -> None:
    answer = await served.http.get("/query", params={"path": path, "many": [path, "x"]})
    assert answer.json() == {"path": path, "many": [path, "x"]}


async def test_what_hosts_add_to_queries_is_let_pass(served: Served) -> None:
    assert (await served.http.get("/query?path=a&_xsrf=x&token=t&1732323232323")).json()["path"] == "a"
    assert (await served.http.get("/query?path=a&nonsense=1")).status_code == 422
    broken = await served.http.get("/query?path=%FF")
    assert broken.status_code == 400 and broken.json()["title"] == "The query cannot be read"


async def test_lines_come_as_they_are_made(served: Served) -> None:
    async with served.http.stream("GET", "/lines") as answer:
        assert answer.headers["content-type"] == "application/x-ndjson"
        found = answer.aiter_lines()
        assert json.loads(await anext(found)) == {"number": 1}
        assert not served.work.closed.is_set()
        served.work.go_on.set()
        assert json.loads(await anext(found)) == {"number": 2}
        assert await anext(found, None) is None


async def test_a_fault_of_lines_is_the_answer_or_the_last_line(served: Served) -> None:
    answer = await served.http.get("/lines?path=refused")
    assert answer.status_code == 403 and answer.headers["content-type"] == "application/problem+json"
    told = [json.loads(one) for one in (await served.http.get("/lines?path=told")).text.splitlines()]
    assert told[0] == {"number": 1} and told[1]["problem"]["title"] == "The store went away"
    bug = (await served.http.get("/lines?path=bug")).text
    assert json.loads(bug.splitlines()[1])["problem"]["status"] == 500 and "secret" not in bug


@pytest.mark.parametrize("path", ["/lines", "/slow", "/bytes"])
async def test_work_for_a_client_that_went_away_ends(served: Served, path: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    await (asyncio.sleep(0.2) if path == "/slow" else reader.readuntil(b"\r\n\r\n"))
    assert not served.work.closed.is_set()
    writer.close()
    async with asyncio.timeout(20):
        await served.work.closed.wait()


async def test_bytes_are_sent_no_faster_than_they_are_read(served: Served) -> None:
    async with served.http.stream("GET", "/bytes") as answer:
        assert "content-encoding" not in answer.headers  # although the host compresses
        await asyncio.sleep(0.5)
        assert served.work.sent < 100
        got = 0
        async for chunk in answer.aiter_raw():
            got += len(chunk)
    assert got == 200 * MIB and served.work.sent == 200


async def test_head_tells_the_length_and_sends_nothing(served: Served) -> None:
    answer = await served.http.head("/bytes")
    assert answer.status_code == 200 and answer.headers["content-length"] == str(200 * MIB)
    assert served.work.sent == 0
    refused = await served.http.head("/bytes?path=refused")
    assert refused.status_code == 403


@pytest.mark.parametrize("path", ["cut", "bug"])
async def test_a_fault_of_bytes_cuts_the_connection(served: Served, path: str) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        await served.http.get(f"/bytes?path={path}")
    assert (await served.http.get("/bytes?path=refused")).status_code == 403


async def test_raw_bodies(served: Served) -> None:
    body = bytes(range(256)) * 4096
    assert (await served.http.put("/raw", content=body)).status_code == 204
    assert (await served.http.put("/raw", content=b"")).status_code == 204
    assert served.work.received == [body, b""]
    long = await served.http.put("/raw", content=bytes(3 * MIB))
    assert long.status_code == 413 and "at most 2097152 bytes" in long.json()["detail"]

    async def unknown() -> AsyncIterator[bytes]:
        yield b"x"

    assert (await served.http.put("/raw", content=unknown())).status_code == 411
    assert (await served.http.get("/raw")).status_code == 405
    assert len(served.work.received) == 2


async def test_a_strangers_body_is_not_kept(served: Served) -> None:
    who = {"Authorization": "nobody"}
    async with asyncio.TaskGroup() as group:  # together they are more than the allowance
        asked = [
            group.create_task(served.http.put("/raw", content=bytes(2 * MIB), headers=who))
            for _ in range(150)
        ]
    assert {one.result().status_code for one in asked} == {401}
    # Who waits to be let in need not send a byte; who closes after one request gets the answer, too.
    for header, body in (("Expect: 100-continue", b""), ("Connection: close", bytes(2 * MIB))):
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        head = f"PUT /raw HTTP/1.1\r\nHost: x\r\nAuthorization: nobody\r\n{header}\r\nContent-Length: {2 * MIB}\r\n\r\n"
        writer.write(head.encode() + body)
        async with asyncio.timeout(20):
            assert b"401" in await reader.readline()
        writer.close()
    assert served.work.received == []


async def test_a_body_that_ends_early_gives_its_memory_back(served: Served) -> None:
    for _ in range(200):  # more than the allowance holds
        _reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(f"PUT /raw HTTP/1.1\r\nHost: x\r\nContent-Length: {2 * MIB}\r\n\r\nxxx".encode())
        await writer.drain()
        await asyncio.sleep(0)
        writer.close()
    async with asyncio.timeout(20):
        assert (await served.http.put("/raw", content=b"whole")).status_code == 204
    assert served.work.received == [b"whole"]


async def test_the_allowance_is_taken_in_turn() -> None:
    allowance = Allowance(10)
    await allowance.take(8)
    second = asyncio.create_task(allowance.take(9))
    third = asyncio.create_task(allowance.take(1))
    await asyncio.sleep(0)
    assert not second.done() and not third.done()
    allowance.give_back(8)
    await second
    await third
