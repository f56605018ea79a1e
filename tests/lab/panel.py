"""The Data panel, as a person at JupyterLab uses it."""

from __future__ import annotations

import os
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from playwright.async_api import Locator, Page, expect

from ..chromium import CLIPBOARD, open_page
from .plain import PlainLab

SHOTS = os.environ.get("STUDIOS_SHOTS")  # a folder: then what is seen is kept
LOAD = 90_000


class Panel:
    """What a person does in it."""

    def __init__(self, page: Page, lab: PlainLab) -> None:
        self.page, self.lab = page, lab
        self.node = page.locator("#jupyterhub-studios-data")

    async def open(self, **query: str) -> None:
        """JupyterLab loaded anew, with nothing of before, and the panel in front."""
        await self.page.goto(self.lab.lab(reset="", **query))
        await expect(self.page.locator("#jp-MainLogo")).to_be_visible(timeout=LOAD)
        await self.page.wait_for_function("() => !document.querySelector('#jupyterlab-splash')", timeout=LOAD)
        if not await self.node.is_visible():
            await self.page.locator(".jp-SideBar [data-id='jupyterhub-studios-data']").click()
        await expect(self.node).to_be_visible()

    async def enter(self, link: str) -> None:
        """From anywhere into a data link."""
        back = self.node.get_by_role("button", name="Data", exact=True)
        await expect(back.or_(self.node.get_by_text("Credentials"))).to_be_visible(timeout=LOAD)
        if await back.is_visible():
            await back.click()
        await self.node.get_by_text(link, exact=True).first.click()
        await expect(self.node.get_by_label("Place").get_by_text(link, exact=True)).to_be_visible()

    def row(self, name: str) -> Locator:
        return self.node.get_by_role("row").filter(has=self.page.get_by_text(name, exact=True))

    async def click(self, name: str) -> None:
        """Into a folder, or the preview of a file."""
        await self.row(name).get_by_text(name, exact=True).click()

    async def menu(self, name: str, command: str) -> None:
        await self.row(name).click(button="right")
        await self.page.get_by_role("menuitem", name=command).first.click()

    async def command(self, label: str) -> None:
        """From JupyterLab's command palette."""
        await self.page.keyboard.press("Control+Shift+C")
        palette = self.page.locator(".lm-CommandPalette")
        await palette.locator("input").fill(label)
        await palette.locator(".lm-CommandPalette-item").filter(has_text=label).first.click()

    async def shot(self, name: str) -> None:
        if SHOTS:
            await self.page.screenshot(path=Path(SHOTS) / f"{name}.png")


def chromium() -> AbstractAsyncContextManager[Page]:
    return open_page(viewport={"width": 1280, "height": 860}, permissions=CLIPBOARD)
