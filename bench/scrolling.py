"""Scrolling through 100,000 rows of the Data page in Chromium, from the browser's own trace.

The built page is served with a small API that has one folder of 100,000 files. All of them are loaded; then the list
is scrolled by the wheel and, as with its bar, by jumps. A frame's time is what the trace has between its beginning
and its presentation; other work of the machine lengthens it. The second row does not hang on that: the CPU time of
the longest piece of work of the page's own thread, which is what one frame has to wait for. Bar: 50 ms for both.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any, TypeAlias

from playwright.sync_api import Page, sync_playwright
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler, StaticFileHandler

import jupyterhub_studios.service
from tests.chromium import LAUNCH

Event: TypeAlias = dict[str, Any]

ROWS = 100_000
BAR_MS = 50
STATIC = Path(jupyterhub_studios.service.__file__).parent / "static"
CONFIG = {
    "base": "/",
    "api": "/api/v1",
    "hub": "/hub/",
    "logout": "/hub/logout",
    "user": {"name": "bench", "admin": False},
}
SHELL = f"""<!DOCTYPE html><html lang="en"><head><title>bench</title>
<link rel="stylesheet" href="/static/app.css"><script type="module" src="/static/app.js"></script></head>
<body><div id="root" data-config='{json.dumps(CONFIG)}'></div></body></html>"""
LINK = {
    "id": "l1", "name": "Many", "description": "", "provider": "s3", "url": "s3://many/", "bucket": "many",
    "prefix": "", "region": None, "endpoint": None, "source": "added", "owner": "bench", "workspace": None,
    "workspace_role": None, "credential": None, "role": "write", "writable": True, "why": "", "starred": False,
    "hidden": False, "status": "valid", "message": "", "may_edit": True,
}  # fmt: skip
# The trace's account of every frame, from its beginning to its presentation.
CATEGORIES = ["cc", "benchmark", "disabled-by-default-devtools.timeline"]


def rows() -> list[dict[str, Any]]:
    with _serving() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(**LAUNCH)
        try:
            page = browser.new_page(viewport={"width": 1400, "height": 900})
            page.goto(f"{url}/data/l1")
            page.get_by_role("button", name="Load all").click()
            page.get_by_text(f"{ROWS:,} items").wait_for(timeout=120_000)
            page.wait_for_timeout(1000)  # tidying up after the loading is no scrolling
            events = _trace(page, _wheel), _trace(page, _jumps)
        finally:
            browser.close()
    frames = sorted(one for found in events for one in _frames(found))
    work = max(one for found in events for one in _work(found))
    assert len(frames) > 100, f"the trace has {len(frames)} frames"
    return [
        _row(f"scrolling {ROWS:,} rows: 99th of 100 frames", frames[int(len(frames) * 0.99)]),
        _row(f"scrolling {ROWS:,} rows: longest work for one frame (CPU)", work),
    ]


def _row(name: str, ours: float) -> dict[str, Any]:
    ratio = ours / BAR_MS
    return {
        "name": name,
        "ours": ours,
        "peer": BAR_MS,
        "unit": "ms",
        "ratio": ratio,
        "bar": "<= 1",
        "holds": ratio <= 1,
    }


def _wheel(page: Page) -> None:
    page.get_by_role("grid").hover()
    for _ in range(120):
        page.mouse.wheel(0, 600)
        page.wait_for_timeout(16)


def _jumps(page: Page) -> None:
    page.get_by_role("grid").evaluate(
        """async (grid) => {
            for (let n = 1; n <= 60; n += 1) {
                grid.scrollTop = (grid.scrollHeight * ((n * 37) % 60)) / 60;
                await new Promise(requestAnimationFrame);
                await new Promise(requestAnimationFrame);
            }
        }"""
    )


def _trace(page: Page, scroll: Callable[[Page], None]) -> list[Event]:
    """What the browser's trace has of it."""
    session = page.context.new_cdp_session(page)
    events: list[Event] = []
    ended: list[Event] = []
    session.on("Tracing.dataCollected", lambda found: events.extend(found["value"]))
    session.on("Tracing.tracingComplete", lambda found: ended.append(found))
    config = {"includedCategories": CATEGORIES}
    session.send("Tracing.start", {"traceConfig": config, "transferMode": "ReportEvents"})
    scroll(page)
    session.send("Tracing.end")
    while not ended:
        page.wait_for_timeout(50)
    return sorted(events, key=lambda event: event["ts"])


def _frames(events: list[Event]) -> list[float]:
    """Milliseconds of the frames that were presented; those without news take no time at all."""
    begun: dict[tuple[Any, Any], float] = {}
    found = []
    for event in events:
        if event["name"] != "PipelineReporter":
            continue
        key = (event["pid"], event["id2"]["local"])
        if event["ph"] == "b" and "PRESENTED" in event["args"].get("frame_reporter", {}).get("state", ""):
            begun[key] = event["ts"]
        elif event["ph"] == "e" and key in begun:
            found.append((event["ts"] - begun.pop(key)) / 1000)
    return found


def _work(events: list[Event]) -> list[float]:
    """Milliseconds of CPU of each task of the page's thread."""
    main = {
        (event["pid"], event["tid"])
        for event in events
        if event["name"] == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }
    return [
        event["tdur"] / 1000
        for event in events
        if event["name"] == "RunTask" and (event["pid"], event["tid"]) in main and "tdur" in event
    ]


# --- the page and its folder ---


class Shell(RequestHandler):
    def get(self) -> None:
        self.finish(SHELL)


class Me(RequestHandler):
    def get(self) -> None:
        self.finish({"name": "bench", "display_name": "bench", "admin": False, "groups": []})


class Link(RequestHandler):
    def get(self) -> None:
        self.finish(LINK)


class Browse(RequestHandler):
    def get(self) -> None:
        start = int(self.get_argument("after", "0"))
        end = min(ROWS, start + int(self.get_argument("limit", "200")))
        items = [
            {
                "name": f"sample_{n:06d}_S{n % 96}_L001_R1_001.fastq.gz",
                "path": f"sample_{n:06d}_S{n % 96}_L001_R1_001.fastq.gz",
                "kind": "file",
                "size": n * 997,
                "modified": "2026-11-22T10:00:00Z",
                "storage_class": "STANDARD_IA" if n % 3 else None,
                "etag": None,
            }
            for n in range(start, end)
        ]
        self.finish({"items": items, "next": str(end) if end < ROWS else None, "truncated": False})


@contextmanager
def _serving() -> Iterator[str]:
    sockets = bind_sockets(0, "127.0.0.1")
    loop = asyncio.new_event_loop()

    def run() -> None:
        asyncio.set_event_loop(loop)
        application = Application(
            [
                (r"/static/(.*)", StaticFileHandler, {"path": STATIC}),
                (r"/api/v1/me", Me),
                (r"/api/v1/data-links/l1", Link),
                (r"/api/v1/data-links/l1/browse", Browse),
                (r"/data.*", Shell),
            ]
        )
        HTTPServer(application).add_sockets(sockets)
        loop.run_forever()

    thread = Thread(target=run, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
