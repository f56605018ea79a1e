"""The built pages in Chromium, served by a real Hub and service below an odd base URL; sessions are played."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Page

import jupyterhub_studios.service

from ..chromium import open_page
from ..hub import PASSWORD, RealHub
from ..service.conftest import Play, make_hub

BASE = "/@/space%20word/"
PAGES = Path(jupyterhub_studios.service.__file__).parent / "static" / "app.js"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealHub]:
    assert PAGES.exists(), "the pages are not built: npm --prefix labextension run build"
    found = make_hub(tmp_path_factory.mktemp("hub"), base=BASE)
    found.start()
    try:
        yield found
    finally:
        found.close()


@pytest.fixture
def play(hub: RealHub) -> Play:
    return Play(hub)


@pytest.fixture
async def page(hub: RealHub) -> AsyncIterator[Page]:
    """Chromium, signed in as alice, at the list of studios. Errors on its console fail the test."""
    async with open_page() as page:
        await page.goto(f"{hub.url}services/studios/")
        await page.get_by_label("Username").fill("alice")
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_role("button", name="Sign in").click()
        await page.get_by_role("heading", name="Studios", exact=True).wait_for()
        yield page
