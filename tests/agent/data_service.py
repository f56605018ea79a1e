"""The studios service as agents see it when they ask for data, and the agent's socket in front of it."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from jupyterhub_studios.agent.data import DataSocket
from jupyterhub_studios.models import Kind, LaunchSpec, StoreAccess, Template

TOKEN = "the-control-token"
CHUNK = b"x" * 65536


@dataclass
class Service:
    """The studios service as agents see it, below the Hub's own address."""

    port: int = 0
    seen: list[web.Request] = field(default_factory=list)
    received: int = 0
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def control_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/@/space%20word/services/studios/agent/control"

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.seen.append(request)
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return problem(401, "This is for the agents of sessions")
        match request.path.rpartition("/")[2]:
            case "refused":
                return problem(403, "You may not")
            case "proxy":
                return web.Response(status=503, text="<h1>Service Unavailable</h1>", content_type="text/html")
            case "endless":
                return await self.endless(request)
            case "cut":
                return await self.cut(request)
            case "upload":
                async for data in request.content.iter_chunked(65536):
                    self.received += len(data)
                return web.json_response({"received": self.received})
        headers = {
            "Content-Range": "bytes 0-1/9",
            "Set-Cookie": "hub=1",
            "Content-Security-Policy": "sandbox",
        }
        return web.Response(status=206, body=b"ab", headers=headers, content_type="text/plain")

    async def endless(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(CHUNK)
        finally:
            self.cancelled.set()

    async def cut(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000000"})
        await response.prepare(request)
        await response.write(CHUNK)
        assert request.transport is not None
        request.transport.close()
        return response


def problem(status: int, title: str) -> web.Response:
    text = json.dumps({"type": "about:blank", "title": title, "status": status})
    return web.Response(status=status, text=text, content_type="application/problem+json")


@asynccontextmanager
async def played_service() -> AsyncIterator[Service]:
    found = Service()
    app = web.Application(client_max_size=1 << 40, handler_args={"handler_cancellation": True})
    app.router.add_route("*", "/{path:.*}", found.answer)
    runner = web.AppRunner(app, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    found.port = runner.addresses[0][1]
    yield found
    await runner.cleanup()


@asynccontextmanager
async def data_socket(service: Service, run: Path, token: str = TOKEN) -> AsyncIterator[None]:
    """The agent's socket in the folder ``run``."""
    spec = LaunchSpec(
        session_id="ss-1", studio_id="st-1", studio_name="Data", owner="ada", server_name="data",
        prefix="/user/ada/data/", kind=Kind.LOCAL, template=Template(id="t", title="T", command=["true"]),
        control_url=service.control_url, control_token=token,
        ticket_key=base64.b64encode(b"t" * 32).decode(), epoch=1, enter_url="/", scratch="/nowhere",
        store=StoreAccess(url="memory:///"),
    )  # fmt: skip
    data = DataSocket(spec, run)
    await data.start()
    try:
        yield
    finally:
        await data.stop()
