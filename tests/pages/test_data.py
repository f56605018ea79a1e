"""What a person does on the Data page, against the real service and a real store."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from ..chromium import CLIPBOARD, open_page
from ..hub import PASSWORD
from ..service import datahub
from ..service.conftest import make_hub
from ..service.datahub import DataHub
from ..stores import SeaweedFS
from .conftest import BASE, PAGES
from .test_browser import AXE

pytestmark = pytest.mark.browser

HOSTILE = b"<h1>report</h1><script>parent.document.title = 'taken over'</script>"
MANY = 250  # more than the first page of a listing
ODD = "odd/100% plus+ü \t.txt"  # this store cannot hold “//”; other tests have it


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, seaweed: SeaweedFS) -> Iterator[DataHub]:
    """A Hub below an odd base URL; wendy may write to “drop”, everybody may read “Genomes”."""
    assert PAGES.exists(), "the pages are not built: npm --prefix labextension run build"
    folder = tmp_path_factory.mktemp("data-page")
    more, bucket = datahub.config(seaweed, folder)
    hub = make_hub(folder, base=BASE, more=more)
    hub.start()
    try:
        found = DataHub(hub, seaweed, bucket)
        found.people()
        client = seaweed.client()
        for number in range(MANY):
            client.put_object(Bucket=bucket, Key=f"genomes/many/object-{number:05d}.txt", Body=b"hello")
        found.put("genomes/README.md", b"# Genomes\n\n<img src=x onerror=\"document.title='taken over'\">\n")
        found.put("genomes/report.html", HOSTILE)
        found.put("genomes/run.log", b"".join(b"line %06d\n" % n for n in range(100_000)))
        found.put(f"genomes/{ODD}", b"odd indeed")
        yield found
    finally:
        hub.close()


@pytest.fixture
async def page(data: DataHub) -> AsyncIterator[Page]:
    """Chromium at the list of links, signed in as wendy. Errors of its scripts fail the test."""
    async with open_page(permissions=CLIPBOARD) as page:
        await page.goto(f"{data.hub.url}services/studios/data")
        await page.get_by_label("Username").fill("wendy")
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_role("button", name="Sign in").click()
        await page.get_by_role("heading", name="Data", exact=True).wait_for()
        yield page


async def visit(page: Page, data: DataHub, place: str) -> None:
    await page.goto(f"{data.hub.url}services/studios/data/{place}")
    await page.get_by_role("grid").wait_for()


async def test_from_the_list_into_folders_by_keys_and_back(page: Page) -> None:
    await page.get_by_role("button", name="Genomes", exact=True).click()
    await page.get_by_role("grid").focus()
    await expect(page.get_by_role("row", name="many folder")).to_be_visible()
    await page.keyboard.press("m")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("200 loaded, the store has more")).to_be_visible()
    assert page.url.endswith("/data/ol-genomes?path=many%2F")
    await page.keyboard.press("End")
    await expect(page.get_by_text(f"{MANY} items")).to_be_visible()
    await page.keyboard.press("Backspace")
    await expect(page.get_by_role("row", name="many folder")).to_have_class(re.compile("dx-row-active"))
    await page.go_back()
    await expect(page.get_by_role("navigation", name="Place")).to_contain_text("many")


async def test_filter_in_the_store_and_search_below(page: Page, data: DataHub) -> None:
    await visit(page, data, "ol-genomes?path=many/")
    await page.get_by_role("searchbox").fill("object-0012")
    await expect(page.get_by_text("10 items")).to_be_visible()
    await visit(page, data, "ol-genomes")
    await page.get_by_role("searchbox").fill("object-0014")
    await page.get_by_role("button", name="Search below").click()
    await expect(page.get_by_text(re.compile("10 hits for “object-0014” among"))).to_be_visible()
    await page.get_by_text("object-00141.txt").click()
    await expect(page.get_by_role("region", name="Text of the file")).to_have_text("hello")


async def test_a_deep_link_leads_a_colleague_to_the_very_place(page: Page, data: DataHub) -> None:
    await visit(page, data, "ol-genomes")
    await page.get_by_role("row", name="run.log").click(button="right")
    await page.get_by_role("menuitem", name="Copy a link to this place").click()
    copied = await page.evaluate("navigator.clipboard.readText()")
    assert copied == f"{data.hub.url}services/studios/data/ol-genomes?file=run.log"
    await page.goto(copied)
    text = page.get_by_role("region", name="Text of the file")
    await expect(text).to_contain_text("line 000000")
    await page.get_by_role("button", name="Tail", exact=True).click()
    await expect(text).to_contain_text("line 099999")
    await page.get_by_role("textbox", name="Jump to a percentage or a byte").fill("50%")
    await page.keyboard.press("Enter")
    await expect(text).to_contain_text("line 050001")


async def test_nothing_from_a_bucket_runs(page: Page, data: DataHub) -> None:
    await visit(page, data, "ol-genomes?file=report.html")
    await expect(page.frame_locator("iframe").get_by_role("heading", name="report")).to_be_visible()
    await page.get_by_text("README.md").click()
    await expect(page.locator(".dx-markdown")).to_contain_text("[picture: x]")
    assert await page.title() == "Data · JupyterHub"


async def test_odd_names_are_browsed_previewed_and_downloaded(page: Page, data: DataHub) -> None:
    await visit(page, data, "ol-genomes")
    await page.get_by_text("odd", exact=True).click()
    await page.get_by_text("100% plus+ü ␉.txt").click()
    await expect(page.get_by_role("region", name="Text of the file")).to_have_text("odd indeed")
    async with page.expect_download() as coming:
        await page.get_by_role("button", name="Download", exact=True).click()
    download = await coming.value
    assert Path(await download.path()).read_bytes() == b"odd indeed"


async def test_a_zip_within_the_cap_and_code_beyond_it(page: Page, data: DataHub) -> None:
    await visit(page, data, "ol-genomes")
    for name in ("README.md", "report.html"):
        await page.get_by_role("row", name=name).get_by_role("gridcell").first.click()
    async with page.expect_download() as coming:
        await page.get_by_role("button", name="Download", exact=True).click()
    download = await coming.value
    with zipfile.ZipFile(io.BytesIO(Path(await download.path()).read_bytes())) as archive:
        assert {Path(name).name for name in archive.namelist()} == {"README.md", "report.html"}

    await visit(page, data, "ol-genomes")
    await page.get_by_role("row", name="many folder").click(button="right")
    await page.get_by_role("menuitem", name="Download as zip").click()
    dialog = page.get_by_role("dialog", name="Fetch “many” with code")
    await expect(dialog).to_contain_text(str(datahub.CAP))
    await expect(dialog).to_contain_text("aws s3 sync")
    await dialog.get_by_role("button", name="Copy: rclone").click()
    assert "rclone copy" in await page.evaluate("navigator.clipboard.readText()")


async def test_upload_rename_move_and_delete(page: Page, data: DataHub, tmp_path: Path) -> None:
    big = tmp_path / "big.bin"
    big.write_bytes(b"\0" * 20_000_000)
    note = tmp_path / "note.txt"
    note.write_text("first")
    await visit(page, data, "ol-drop")
    await upload(page, big, note)
    await expect(page.get_by_text("2 files uploaded")).to_be_visible(timeout=60_000)
    await expect(page.get_by_role("row", name="big.bin")).to_contain_text("20 MB")

    note.write_text("second")
    await upload(page, note)
    await page.get_by_role("button", name="Keep both").click()
    await expect(page.get_by_role("row", name="note (2).txt")).to_be_visible()

    await page.get_by_role("button", name="New folder").click()
    await page.get_by_role("textbox", name="Name").fill("kept")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("row", name="kept folder")).to_be_visible()

    await page.get_by_role("row", name="note (2).txt").click()
    await page.get_by_role("grid").focus()
    await page.keyboard.press("F2")
    await page.get_by_role("textbox", name="New name").fill("second.txt")
    await page.keyboard.press("Enter")
    await page.get_by_role("row", name="second.txt").click(button="right")
    await page.get_by_role("menuitem", name="Move…").click()
    dialog = page.get_by_role("dialog", name="Move “second.txt”")
    await dialog.get_by_role("button", name="kept").click()
    await dialog.get_by_role("button", name="Move here").click()
    await expect(page.get_by_role("row", name="second.txt")).to_have_count(0)
    body = data.store.client().get_object(Bucket=data.bucket, Key="drop/kept/second.txt")["Body"].read()
    assert body == b"second"

    await page.get_by_role("grid").focus()
    await page.keyboard.press("Control+a")
    await page.keyboard.press("Delete")
    dialog = page.get_by_role("dialog", name="Delete 1 folder and 2 files?")
    await expect(dialog).to_contain_text("The folder holds 1 file")
    await dialog.get_by_role("button", name="Delete").click()
    await expect(page.get_by_role("heading", name="This folder is empty")).to_be_visible()
    left = data.store.client().list_objects_v2(Bucket=data.bucket, Prefix="drop/")
    assert [one["Key"] for one in left.get("Contents", []) if not one["Key"].endswith("/")] == []


async def upload(page: Page, *files: Path) -> None:
    async with page.expect_file_chooser() as asked:
        await page.get_by_role("button", name="Upload").click()
        await page.get_by_role("menuitem", name="Files…").click()
    await (await asked.value).set_files(list(files))


async def test_what_may_not_be_done_says_why(page: Page, data: DataHub) -> None:
    await visit(page, data, "ol-genomes")
    button = page.get_by_role("button", name=re.compile("^Upload"))
    await expect(button).to_have_attribute("aria-disabled", "true")
    await expect(button).to_have_attribute("title", re.compile("not change them"))
    await page.get_by_role("row", name="README.md").click()
    await page.get_by_role("grid").focus()
    await page.keyboard.press("Delete")
    await expect(page.get_by_role("dialog")).to_have_count(0)


async def test_a_credential_and_a_link_of_ones_own(page: Page, data: DataHub) -> None:
    await page.get_by_role("button", name="Add a link").click()
    await page.get_by_role("textbox", name="Address").fill(f"s3://{data.bucket}/genomes/many/")
    await page.get_by_role("combobox", name="Access").select_option("New credential…")
    await page.get_by_role("textbox", name="Name of the credential").fill("own key")
    await page.get_by_role("textbox", name="Access key id").fill(data.store.access_key)
    await page.get_by_role("textbox", name="Secret access key").fill(data.store.secret_key)
    await page.get_by_role("textbox", name="Endpoint").fill(data.store.endpoint)
    await page.get_by_role("button", name="Add the link").click()
    await page.get_by_role("button", name="Star many", exact=True).click()
    await expect(page.get_by_role("button", name="Unstar many", exact=True)).to_be_visible()
    await page.get_by_role("button", name="many", exact=True).click()
    await expect(page.get_by_role("row", name="object-00000.txt")).to_be_visible()
    assert data.store.secret_key not in await page.content()

    await page.get_by_role("button", name="Data", exact=True).click()
    await page.get_by_role("button", name="Credentials").click()
    await expect(page.get_by_role("listitem").filter(has_text="own key")).to_contain_text("Works")


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_no_accessibility_faults_that_can_be_found_by_machine(
    page: Page, data: DataHub, theme: str
) -> None:
    await page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    for place in ("", "/ol-genomes?path=many/", "/ol-genomes?file=README.md", "/ol-genomes?file=run.log"):
        await page.goto(f"{data.hub.url}services/studios/data{place}")
        shown = page.get_by_role("list", name="Data links") if place == "" else page.get_by_role("grid")
        await shown.wait_for()
        if "file" in place:
            await page.locator(".dx-preview-body").wait_for()
        await page.evaluate(AXE.read_text())
        faults = await page.evaluate(
            "axe.run().then(({violations}) => violations.map((v) => [v.id, v.nodes.map((n) => n.html)]))"
        )
        assert faults == [], (place, faults)
