"""A real gate in front of a real app on a unix socket, and visitors that come through the front door."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import tempfile
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from jupyterhub_studios import tickets
from jupyterhub_studios.agent.gate import Gate
from jupyterhub_studios.agent.upstream import Upstream
from jupyterhub_studios.models import Kind, LaunchSpec, StoreAccess, Template

TICKET_KEY = b"t" * 32
IDENTITY_KEY = b"i" * 32
PREFIX = "/user/ada/lab/"
SESSION = "ss-abcdef"


def launch_spec(strip_prefix: bool = False, **fields: object) -> LaunchSpec:
    template = Template(id="t", title="T", command=["app"], default_path="/home", strip_prefix=strip_prefix)
    given = {
        "session_id": SESSION, "studio_id": "st-1", "studio_name": "Ada's lab", "owner": "ada", "server_name": "lab",
        "prefix": PREFIX, "kind": Kind.LOCAL, "template": template, "control_url": "", "control_token": "",
        "ticket_key": base64.b64encode(TICKET_KEY).decode(), "enter_url": "/services/studios/enter", "epoch": 1,
        "store": StoreAccess(url="memory:///"), "scratch": "/nonexistent",
    }  # fmt: skip
    return LaunchSpec.model_validate(given | fields)


def ticket(user: str = "ada", *, audience: str = SESSION, ttl: float = 60, key: bytes = TICKET_KEY) -> str:
    claims = {"aud": audience, "sub": user, "name": user.title(), "own": user == "ada"}
    return tickets.sign(key, claims, ttl)


@dataclass
class App:
    """What the app behind the gate saw and did."""

    socket: Path
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: asyncio.Event = field(default_factory=asyncio.Event)
    sent: int = 0

    def handlers(self) -> web.Application:
        app = web.Application(client_max_size=2**30)
        add = app.router.add_route
        for prefix in ("/", PREFIX):
            add("GET", prefix + "ws", self.websocket)
            add("GET", prefix + "ws-flood", self.flood)
            add("*", prefix + "echo", self.echo)
            add("*", prefix + "digest", self.digest)
            add("GET", prefix + "stream", self.stream)
            add("GET", prefix + "half", self.half)
            add("GET", prefix + "wait", self.wait)
            add("GET", prefix + "ranges", self.ranges)
            add("GET", prefix + "moved", self.moved)
            add("GET", prefix + "cookies", self.cookies)
            add("GET", prefix + "empty", self.empty)
            add("POST", prefix + "early", self.early)
        return app

    async def echo(self, request: web.Request) -> web.Response:
        seen = {"method": request.method, "path": request.raw_path, "headers": list(request.headers.items())}
        return web.json_response(seen | {"body": (await request.text())})

    async def digest(self, request: web.Request) -> web.Response:
        total, sha = 0, hashlib.sha256()
        async for data in request.content.iter_any():
            total += len(data)
            sha.update(data)
        return web.json_response({"bytes": total, "sha256": sha.hexdigest()})

    async def stream(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.enable_chunked_encoding()
        await response.prepare(request)
        await response.write(b"first")
        self.waiting.set()
        await self.cancelled.wait()
        await response.write(b"last")
        return response

    async def half(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b"x" * 500)
        assert request.transport is not None
        request.transport.close()
        return response

    async def wait(self, request: web.Request) -> web.Response:
        self.waiting.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        return web.Response()

    async def ranges(self, request: web.Request) -> web.FileResponse:
        return web.FileResponse(self.socket.with_name("data"))

    async def moved(self, request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": request.query["to"]})

    async def cookies(self, request: web.Request) -> web.Response:
        response = web.Response(status=204)
        response.headers.add("Set-Cookie", "a=1; Path=/")
        response.headers.add("Set-Cookie", "b=2; HttpOnly; Path=/deep; SameSite=Lax")
        return response

    async def empty(self, request: web.Request) -> web.Response:
        return web.Response(status=304, headers={"ETag": '"x"'})

    async def early(self, request: web.Request) -> web.Response:
        return web.Response(status=413, text="too much")

    async def websocket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(protocols=("chat.v2", "chat.v1"), autoping=False)
        await socket.prepare(request)
        await socket.send_json(
            {"protocol": socket.ws_protocol, "identity": request.headers["X-Studio-Identity"]}
        )
        async for message in socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                if message.data == "close":
                    await socket.close(code=4321, message=b"as you wish")
                else:
                    await socket.send_str(message.data)
            elif message.type is aiohttp.WSMsgType.BINARY:
                await socket.send_bytes(message.data)
            elif message.type is aiohttp.WSMsgType.PING:
                await socket.pong(message.data)
        return socket

    async def flood(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        for _ in range(1024):
            await socket.send_bytes(bytes(64 * 1024))
            self.sent += 64 * 1024
        await socket.close()
        return socket


@pytest.fixture
async def app() -> AsyncIterator[App]:
    with tempfile.TemporaryDirectory() as folder:
        app = App(Path(folder) / "app")
        runner = web.AppRunner(app.handlers(), handler_cancellation=True, auto_decompress=False)
        await runner.setup()
        await web.UnixSite(runner, str(app.socket)).start()
        yield app
        await runner.cleanup()


@dataclass
class Place:
    """A gate and its address."""

    gate: Gate
    url: str

    def at(self, path: str) -> str:
        return self.url + PREFIX + path

    async def visitor(self, user: str = "ada", **fields: str) -> aiohttp.ClientSession:
        """Somebody's browser that came in by a ticket."""
        session = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True), auto_decompress=False)
        place = self.at("_studio/enter")
        async with session.get(place, params={"ticket": ticket(user)}, allow_redirects=False) as answer:
            assert answer.status == 302
        return session

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])


MakePlace = Callable[..., "asyncio.Future[Place]"]


@pytest.fixture
async def open_gate(app: App) -> AsyncIterator[MakePlace]:
    gates = []

    async def make(upstream: Upstream | None = None, **fields: object) -> Place:
        gate = Gate(launch_spec(**fields), upstream or Upstream(socket=app.socket), IDENTITY_KEY)  # type: ignore[arg-type]
        gates.append(gate)
        return Place(gate, await gate.start())

    yield make  # type: ignore[misc]
    for gate in gates:
        await gate.stop()


@pytest.fixture
async def place(open_gate: MakePlace) -> Place:
    return await open_gate()


@pytest.fixture
async def ada(place: Place) -> AsyncIterator[aiohttp.ClientSession]:
    async with await place.visitor("ada") as session:
        yield session


@pytest.fixture
async def bob(place: Place) -> AsyncIterator[aiohttp.ClientSession]:
    async with await place.visitor("bob") as session:
        yield session
