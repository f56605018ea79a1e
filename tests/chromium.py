"""Debian's Chromium with one page, for tests of what is drawn; people's stories have their own, in tests/stories."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import Page, async_playwright

LAUNCH: dict[str, Any] = {
    "executable_path": Path(__file__).parent / "quiet_chromium.py",
    "args": [
        "--no-sandbox",  # the tests run as root, also in containers
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ],
}
CLIPBOARD = ["clipboard-read", "clipboard-write"]


@asynccontextmanager
async def open_page(**context: Any) -> AsyncIterator[Page]:
    """A page on which no script may fail. ``context``: of its browser's context."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(**LAUNCH)
        page = await (await browser.new_context(**context)).new_page()
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        yield page
        await browser.close()
        assert not faults
