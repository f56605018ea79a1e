"""The metadata service of an EC2 machine, version 2, as far as spot notices go."""

from __future__ import annotations

import secrets
from datetime import datetime

from aiohttp import web


class Metadata:
    def __init__(self) -> None:
        self.tokens: set[str] = set()
        self.taken_back_at: datetime | None = None
        self.asked = 0
        self.broken = False
        self.url = ""

    async def __aenter__(self) -> Metadata:
        app = web.Application()
        app.router.add_put("/latest/api/token", self._token)
        app.router.add_get("/latest/meta-data/spot/instance-action", self._action)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _token(self, request: web.Request) -> web.Response:
        if self.broken:
            raise web.HTTPServiceUnavailable
        assert 0 < int(request.headers["X-aws-ec2-metadata-token-ttl-seconds"]) <= 21600
        token = secrets.token_hex(8)
        self.tokens.add(token)
        return web.Response(text=token)

    async def _action(self, request: web.Request) -> web.Response:
        self.asked += 1
        if self.broken:
            raise web.HTTPServiceUnavailable
        if request.headers.get("X-aws-ec2-metadata-token") not in self.tokens:
            raise web.HTTPUnauthorized
        if self.taken_back_at is None:
            raise web.HTTPNotFound
        return web.json_response({"action": "terminate", "time": f"{self.taken_back_at:%Y-%m-%dT%H:%M:%SZ}"})
