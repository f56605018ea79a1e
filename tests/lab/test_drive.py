"""A text of a bucket in JupyterLab's own editor: read, saved, and never over what somebody else has changed."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Locator, expect

from .conftest import Data
from .panel import LOAD, Panel, chromium
from .plain import PlainLab

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.browser, pytest.mark.slow]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def panel(plain_lab: PlainLab) -> AsyncIterator[Panel]:
    async with chromium() as page:
        found = Panel(page, plain_lab)
        await found.open()
        yield found


async def edit(panel: Panel, link: str, name: str) -> Locator:
    """The editor of a file, opened by a double-click."""
    await panel.enter(link)
    await panel.row(name).get_by_text(name, exact=True).dblclick()
    editor = panel.page.locator(".jp-FileEditor:visible .cm-content")
    await expect(editor).to_be_visible(timeout=LOAD)
    return editor


async def write(panel: Panel, editor: Locator, text: str) -> None:
    await editor.click()
    await expect(panel.page.locator(".jp-FileEditor:visible .cm-focused")).to_be_visible()
    await panel.page.keyboard.press("Control+A")
    await panel.page.keyboard.type(text, delay=20)
    await expect(editor).to_have_text(text)
    await expect(panel.page.locator(".lm-TabBar-tab.lm-mod-current.jp-mod-dirty")).to_be_visible()
    await panel.page.keyboard.press("Control+S")


async def saved(panel: Panel) -> None:
    await expect(panel.page.locator(".lm-TabBar-tab.lm-mod-current.jp-mod-dirty")).to_have_count(0)


async def close(panel: Panel) -> None:
    """The editor, whatever is in it."""
    await panel.command("Close All Tabs")
    discard = panel.page.get_by_role("dialog").get_by_role("button", name="Discard")
    if await panel.page.locator(".jp-mod-dirty").count():
        await discard.click()
    await expect(panel.page.locator(".jp-FileEditor")).to_have_count(0)


async def test_read_and_save(panel: Panel, data: Data) -> None:
    data.put("notes.txt", "as it was\n")
    editor = await edit(panel, "Results", "notes.txt")
    await expect(editor).to_contain_text("as it was")
    # The click was half of a double-click: no preview beside the editor.
    await expect(panel.page.locator(".jp-DataPreview")).to_have_count(0)
    for text in ("the first change", "the second change"):
        await write(panel, editor, text)
        await saved(panel)
        assert data.get("notes.txt").decode() == text
    await close(panel)


async def test_a_colleagues_change_is_not_overwritten_unasked(panel: Panel, data: Data) -> None:
    data.put("shared.txt", "as it was\n")
    editor = await edit(panel, "Results", "shared.txt")
    await expect(editor).to_contain_text("as it was")
    data.put("shared.txt", "the colleague's")
    await write(panel, editor, "mine")
    dialog = panel.page.get_by_role("dialog")
    await expect(dialog).to_contain_text("shared.txt")
    assert data.get("shared.txt") == b"the colleague's"
    await dialog.get_by_role("button", name="Revert").click()
    await expect(editor).to_contain_text("the colleague's")
    data.put("shared.txt", "the colleague's second")
    await write(panel, editor, "mine after all")
    await dialog.get_by_role("button", name="Overwrite").click()
    await saved(panel)
    assert data.get("shared.txt") == b"mine after all"
    await close(panel)


async def test_what_is_read_only_stays(panel: Panel, data: Data) -> None:
    editor = await edit(panel, "Reference", "genes.txt")
    await expect(editor).to_contain_text("BRCA1")
    await expect(panel.page.get_by_text("file is read-only")).to_be_visible()
    await write(panel, editor, "changed")
    await expect(panel.page.get_by_role("alert")).to_contain_text("genes.txt is read-only")
    assert data.get("reference/genes.txt") == b"BRCA1\n"
    await close(panel)


async def test_what_cannot_be_edited_says_why(panel: Panel, data: Data) -> None:
    data.put("large.txt", "a line\n" * 1_500_000)
    data.put("binary.txt", b"\xff\xfe\x00\x01")
    for name, why in (("large.txt", "too large for the editor"), ("binary.txt", "not a text in UTF-8")):
        await panel.enter("Results")
        await panel.row(name).get_by_text(name, exact=True).dblclick()
        dialog = panel.page.get_by_role("dialog")
        await expect(dialog).to_contain_text(why)
        await panel.page.keyboard.press("Escape")
        await expect(dialog).to_have_count(0)


async def test_it_is_open_again_after_a_reload(panel: Panel, data: Data) -> None:
    data.put("a  b/50% +/odd ü.txt", "an odd name\n")
    await panel.enter("Results")
    for folder in ("a  b", "50% +"):
        await panel.click(folder)
    await panel.row("odd ü.txt").get_by_text("odd ü.txt", exact=True).dblclick()
    editor = panel.page.locator(".jp-FileEditor:visible .cm-content")
    await expect(editor).to_contain_text("an odd name", timeout=LOAD)
    await write(panel, editor, "saved")
    await saved(panel)
    assert data.get("a  b/50% +/odd ü.txt") == b"saved"
    await panel.page.wait_for_timeout(1500)  # JupyterLab saves its layout a moment later
    await panel.page.goto(f"{panel.lab.url}lab")
    await expect(editor).to_contain_text("saved", timeout=LOAD)
