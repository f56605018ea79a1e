"""The Data panel in a real JupyterLab in Chromium, below an odd base URL: a folder and an S3 store from the
configuration file."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import expect

from .conftest import Data
from .panel import LOAD, Panel, chromium
from .plain import TOKEN, PlainLab

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.browser, pytest.mark.slow]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def panel(plain_lab: PlainLab) -> AsyncIterator[Panel]:
    async with chromium() as page:
        found = Panel(page, plain_lab)
        await found.open()
        yield found


async def test_browse_and_preview(panel: Panel, data: Data) -> None:
    data.put("birds/penguins.csv", "species,mass\nAdelie,3700\nGentoo,5000\n")
    data.put("birds/.command.log", "a line\n" * 100)
    for name in ("Results", "Reference", "Scratch", "Folder of this JupyterLab"):
        await expect(panel.node.get_by_text(name, exact=True).first).to_be_visible()
    await panel.shot("links")
    await panel.enter("Results")
    await panel.click("birds")
    await expect(panel.row("penguins.csv")).to_be_visible()
    await expect(panel.row(".command.log")).to_be_visible()
    await panel.click("penguins.csv")
    tab = panel.page.locator(".lm-DockPanel-tabBar").get_by_text("penguins.csv")
    await expect(tab).to_be_visible()
    await expect(panel.page.locator(".jp-DataPreview").get_by_text("Gentoo")).to_be_visible()
    await panel.shot("preview")
    # What was open is open again, also after a reload; and the panel is where it was.
    await panel.page.wait_for_timeout(1500)  # JupyterLab saves its layout a moment later
    await panel.page.goto(f"{panel.lab.url}lab")
    await expect(panel.page.locator(".jp-DataPreview").get_by_text("Gentoo")).to_be_visible(timeout=LOAD)
    await expect(panel.row("penguins.csv")).to_be_visible()


async def test_code_of_a_file_runs_in_a_notebook(panel: Panel, data: Data) -> None:
    data.put("birds/penguins.csv", "species,mass\nAdelie,3700\nGentoo,5000\n")
    await panel.enter("Results")
    await panel.click("birds")
    await panel.menu("penguins.csv", "Open in notebook")
    notebook = panel.page.locator(".jp-NotebookPanel:visible")
    idle = panel.page.get_by_role("button", name=re.compile(r"\| Idle$"))
    await expect(idle).to_be_visible(timeout=LOAD)  # JupyterLab drops what is run before
    code = notebook.locator(".jp-CodeCell .cm-content").first
    await expect(code).to_contain_text("penguins.csv")
    await expect(code).to_contain_text(data.bucket)
    await code.click()
    await expect(notebook.locator(".cm-focused")).to_be_visible()
    await panel.page.keyboard.press("Shift+Enter")
    await expect(notebook.locator(".jp-OutputArea-output").get_by_text("Gentoo")).to_be_visible(timeout=LOAD)
    await panel.shot("notebook")
    # The next one goes below the cell that is selected, into the same notebook.
    await panel.menu("penguins.csv", "Open in notebook")
    await expect(notebook.locator(".jp-CodeCell .cm-content").filter(has_text="penguins.csv")).to_have_count(
        2
    )
    await expect(panel.page.locator(".jp-NotebookPanel")).to_have_count(1)


async def test_upload_rename_and_delete(panel: Panel, data: Data, tmp_path: Path) -> None:
    (tmp_path / "new file.txt").write_text("new")
    await panel.enter("Results")
    await panel.node.get_by_role("button", name="Upload").click()
    async with panel.page.expect_file_chooser() as chosen:
        await panel.page.get_by_role("menuitem", name=re.compile("files", re.I)).first.click()
    await (await chosen.value).set_files(tmp_path / "new file.txt")
    await expect(panel.row("new file.txt")).to_be_visible(timeout=30_000)
    assert data.get("new file.txt") == b"new"

    await panel.menu("new file.txt", "Rename")
    dialog = panel.page.get_by_role("dialog")
    await dialog.get_by_role("textbox").first.fill("old file.txt")
    await panel.page.keyboard.press("Enter")
    await expect(panel.row("old file.txt")).to_be_visible(timeout=30_000)
    assert data.keys("new") == []

    await panel.menu("old file.txt", "Delete")
    await dialog.get_by_role("button", name=re.compile("^Delete")).click()
    await expect(panel.row("old file.txt")).to_have_count(0, timeout=30_000)
    assert data.keys("old") == []


async def test_a_folder_of_the_machine(panel: Panel, data: Data) -> None:
    (data.folder / "sub").mkdir(exist_ok=True)
    (data.folder / "sub" / "ä b.txt").write_text("umlaut")
    await panel.enter("Scratch")
    await panel.click("sub")
    await panel.click("ä b.txt")
    await expect(panel.page.locator(".jp-DataPreview:visible").get_by_text("umlaut")).to_be_visible()


async def test_what_is_read_only_is_not_changed(panel: Panel) -> None:
    await panel.enter("Reference")
    await panel.row("genes.txt").click(button="right")
    await expect(panel.page.get_by_role("menu")).to_be_visible()
    await expect(panel.page.get_by_role("menuitem", name="Delete", disabled=False)).to_have_count(0)
    await panel.page.keyboard.press("Escape")


async def test_with_the_keyboard_alone(panel: Panel, data: Data) -> None:
    data.put("keys/first.txt", "the first")
    await panel.command("Open the Data Explorer")
    await panel.command("Go to a Place in the Data")
    dialog = panel.page.get_by_role("dialog")
    await dialog.get_by_role("textbox").fill(f"s3://{data.bucket}/keys/")
    await panel.page.keyboard.press("Enter")
    await expect(panel.row("first.txt")).to_be_visible()
    await panel.node.get_by_role("grid").focus()
    await panel.page.keyboard.press("ArrowDown")
    await panel.page.keyboard.press("Home")
    await panel.page.keyboard.press("Enter")
    await expect(panel.page.locator(".jp-DataPreview:visible").get_by_text("the first")).to_be_visible()
    await panel.command("Copy the Address in the Store")
    await expect(panel.page.get_by_text("Copied").first).to_be_visible()
    assert await panel.page.evaluate("navigator.clipboard.readText()") == f"s3://{data.bucket}/keys/"


async def test_an_address_leads_to_a_place(panel: Panel, data: Data) -> None:
    data.put("deep/er/file.txt", "found")
    await panel.enter("Results")
    await panel.click("deep")
    await panel.click("er")
    await expect(panel.row("file.txt")).to_be_visible()
    await panel.command("Copy the Link to This Place")
    address = await panel.page.evaluate("navigator.clipboard.readText()")
    assert address.startswith(f"{panel.lab.url}lab?")
    await panel.page.goto("about:blank")
    await panel.page.goto(address)
    await expect(panel.row("file.txt")).to_be_visible(timeout=LOAD)
    await expect(panel.page.locator("#jupyterlab-splash")).to_have_count(0, timeout=LOAD)
    assert "data-link" not in panel.page.url


async def test_the_dark_theme(panel: Panel) -> None:
    await panel.enter("Results")
    light = await background(panel)
    await panel.command("Use Theme: JupyterLab Dark")
    await expect(panel.page.locator("body")).to_have_attribute("data-jp-theme-light", "false")
    await panel.page.wait_for_timeout(500)
    dark = await background(panel)
    await panel.shot("dark")
    await panel.command("Use Theme: JupyterLab Light")
    await expect(panel.page.locator("body")).to_have_attribute("data-jp-theme-light", "true")
    assert sum(light) > 600
    assert sum(dark) < 200


async def background(panel: Panel) -> list[int]:
    found: str = await panel.node.evaluate("node => getComputedStyle(node).backgroundColor")
    return [int(number) for number in re.findall(r"\d+", found)[:3]]


async def test_the_settings_move_the_preview_into_the_panel(panel: Panel, data: Data) -> None:
    data.put("keys/first.txt", "the first")
    settings = f"{panel.lab.url}lab/api/settings/@jupyterhub-studios/lab:plugin?token={TOKEN}"
    schema = httpx.get(settings).json()["schema"]
    assert set(schema["properties"]) == {"start", "preview", "largestText"}
    httpx.put(settings, json={"raw": '{"preview": "panel"}'}).raise_for_status()
    try:
        await panel.open()
        await panel.enter("Results")
        await panel.click("keys")
        await panel.click("first.txt")
        await expect(panel.node.get_by_text("the first")).to_be_visible()
    finally:
        httpx.put(settings, json={"raw": "{}"}).raise_for_status()
        await panel.open()


async def test_looking_around_is_no_activity(panel: Panel, data: Data) -> None:
    data.put("birds/penguins.csv", "species,mass\nAdelie,3700\n")
    asked: list[str] = []
    panel.page.on("request", lambda request: asked.append(request.url))
    await panel.enter("Results")
    await panel.click("birds")
    await panel.click("penguins.csv")
    await expect(panel.page.locator(".jp-DataPreview:visible").get_by_text("Adelie")).to_be_visible()
    ours = [url for url in asked if "/jupyterhub-studios/" in url]
    assert len(ours) >= 3
    # Counted by Jupyter is what goes to its own API: JupyterLab's polling, and nothing that was ours.
    assert not [
        url for url in asked if re.search(r"/api/(contents|sessions/|kernels/)", url) and "birds" in url
    ]
