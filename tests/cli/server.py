"""A small real HTTP server in place of the Hub: canned answers by "METHOD path", and a record of what was asked."""

from __future__ import annotations

import asyncio
import inspect
import json
import threading
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from aiohttp import web

from jupyterhub_studios.models import now

PREFIX = "/hub space/services/studios/api/v1"


@dataclass
class Asked:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


def problem(status: int, **fields: str) -> web.Response:
    document = {"type": "about:blank", "status": status, **fields}
    return web.Response(status=status, text=json.dumps(document), content_type="application/problem+json")


class Server:
    """Listens on a free loopback port, in a thread of its own. A route's answer is a document, a response, or
    a function of the request; a list of answers is given out one after the other, the last one for ever."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self._routes: dict[str, Any] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._runner, port = asyncio.run_coroutine_threadsafe(self._serve(), self._loop).result()
        self.url = f"http://127.0.0.1:{port}/hub%20space"

    def on(self, route: str, answer: Any) -> Server:
        self._routes[route] = answer
        return self

    def find(self, method: str, path: str) -> Asked:
        return [a for a in self.asked if (a.method, a.path) == (method, path)][-1]

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _serve(self) -> tuple[web.AppRunner, int]:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        return runner, runner.addresses[0][1]

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if not request.path.startswith(PREFIX):
            return web.Response(status=404, text="<h1>Not here</h1>", content_type="text/html")
        asked = Asked(
            request.method,
            request.path.removeprefix(PREFIX),
            dict(request.query),
            dict(request.headers),
            await request.json() if request.can_read_body else None,
        )
        self.asked.append(asked)
        if asked.headers.get("Authorization") != "token secret":
            return problem(
                403, title="This needs a Hub token", detail="the given one is not valid", action="Make one"
            )
        key = f"{asked.method} {asked.path}"
        if key not in self._routes:
            return problem(404, title=f"no such route: {key}")
        answer = self._routes[key]
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if inspect.isfunction(answer):
            answer = answer(asked)
        if isinstance(answer, web.Response):
            return answer
        return web.Response(status=204) if answer is None else web.json_response(answer)


def ago(seconds: float) -> str:
    return (now() - timedelta(seconds=seconds)).isoformat()


def phase(name: str, took: float, message: str = "", status: str = "done") -> dict[str, Any]:
    start = now()
    end = (start + timedelta(seconds=took)).isoformat()
    return {
        "name": name,
        "status": status,
        "started_at": start.isoformat(),
        "ended_at": end,
        "message": message,
    }


def session(**changes: Any) -> dict[str, Any]:
    return {
        "id": "se-1", "studio_id": "st-1", "state": "running", "message": "", "started_at": "2026-11-22T21:30:00Z",
        "ready_at": None, "ended_at": None, "phases": [], "connected": True, "people": [],
    } | changes  # fmt: skip


def checkpoint(**changes: Any) -> dict[str, Any]:
    return {
        "id": "cp-1", "studio_id": "st-1", "session_id": "se-1", "name": "2026-11-22 21:30", "status": "finalised",
        "created_at": "2026-11-22T21:30:00Z", "saved_at": ago(185), "author": "alpha", "size": 120_000_000,
        "layers": [{"digest": "0" * 64, "size": 120_000_000, "files": 3, "created_at": "2026-11-22T21:30:00Z"}],
        "installed": [], "base": {"image": "host", "digest": "sha256:0"}, "root_mode": "overlay", "parent": None,
        "message": "", "current": True,
    } | changes  # fmt: skip


def studio(**changes: Any) -> dict[str, Any]:
    return {
        "id": "st-1", "name": "Atlas", "description": "", "owner": "alpha", "server_name": "atlas",
        "template": "jupyter", "compute_environment": "local", "state": "stopped", "message": "",
        "url": "/hub%20space/user/alpha/atlas/lab", "created_at": "2026-11-22T21:00:00Z", "cpus": 2.0,
        "memory_mib": 8192, "gpus": 0, "lifespan_hours": 8, "image": None, "environment": {}, "session": None,
        "mounts": [], "saved": None, "forked_from": None, "root_mode": None, "may": [],
    } | changes  # fmt: skip


def page(*items: Any, following: str | None = None) -> dict[str, Any]:
    return {"items": list(items), "next": following}


def link(**changes: Any) -> dict[str, Any]:
    return {
        "id": "dl-1", "name": "Lake", "description": "", "provider": "s3", "url": "s3://lake/", "bucket": "lake",
        "prefix": "", "region": None, "endpoint": None, "source": "added", "owner": "alpha", "workspace": None,
        "workspace_role": None, "credential": None, "role": "write", "writable": False, "why": "", "starred": False,
        "hidden": False, "status": "unknown", "message": "", "may_edit": True,
    } | changes  # fmt: skip
