"""JupyterLab behind the gate in a real browser: the menus' Hub entries, and a notebook that runs."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Page, async_playwright, expect

from jupyterhub_studios import tickets
from tests.chromium import LAUNCH

from .conftest import PREFIX, TICKET_KEY, Lab

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.browser, pytest.mark.slow]


@pytest_asyncio.fixture(loop_scope="module")
async def page(lab: Lab) -> AsyncIterator[Page]:
    claims = {"aud": "ss-lab", "sub": "ada", "name": "Ada King Lovelace", "own": True}
    ticket = tickets.sign(TICKET_KEY, claims, 60)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(**LAUNCH)
        page = await browser.new_page()
        await page.goto(f"{lab.url}_studio/enter?ticket={ticket}&next={PREFIX}lab")
        await expect(page.locator("#jp-MainLogo")).to_be_visible(timeout=60_000)
        yield page
        await browser.close()


async def test_the_hubs_entries_in_the_file_menu(lab: Lab, page: Page) -> None:
    await expect(page.get_by_text("official Jupyter news")).to_have_count(0)
    await page.get_by_role("menuitem", name="File", exact=True).click()
    panel = page.get_by_role("menuitem", name="Hub Control Panel")
    await expect(panel).to_be_visible()
    await expect(page.get_by_role("menuitem", name="Shut Down", exact=True)).to_have_count(0)
    async with page.context.expect_page() as opened:
        await panel.click()
    assert (await opened.value).url.endswith("/base/hub/home")
    await page.get_by_role("menuitem", name="File", exact=True).click()
    await page.get_by_role("menuitem", name="Log Out").click()
    await page.wait_for_url("**/base/hub/logout")
    await page.goto(lab.url + "lab")
    assert "/base/services/studios/enter?" in page.url


async def test_a_notebook_runs(page: Page) -> None:
    await page.locator(".jp-LauncherCard[data-category='Notebook']").first.click()
    idle = page.get_by_role("button", name=re.compile(r"\| Idle$"))
    await expect(idle).to_be_visible(timeout=120_000)  # JupyterLab drops what is run before
    cell = page.locator(".jp-Notebook .cm-content").first
    await cell.click()
    await expect(page.locator(".jp-Notebook .cm-focused")).to_be_visible()
    await page.keyboard.type("print(6 * 7)", delay=20)
    await expect(cell).to_have_text("print(6 * 7)")
    await page.keyboard.press("Shift+Enter")
    await expect(page.locator(".jp-OutputArea-output").first).to_have_text("42\n", timeout=120_000)
