"""The Data Explorer's story, on the Hub's page and in a studio's JupyterLab, against three real stores."""

from __future__ import annotations

import io
import os
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Locator, expect

from jupyterhub_studios.demo.home import DemoHome
from jupyterhub_studios.demo.store import EXPLORER_KEY, endpoint
from tests.demo import ROOT, Demo, running, wait_for

from .browser import Person, chromium

pytestmark = [pytest.mark.browser, pytest.mark.root, pytest.mark.slow, pytest.mark.timeout(900)]

SHOTS = ROOT / "test-results" / "explorer"
HOSTILE = "<h1>Harmless</h1><script>parent.postMessage('pwned', '*'); document.title = 'pwned'</script>"


@pytest.fixture
def demo() -> Iterator[Demo]:
    with running("explorer", environment={"STUDIOS_CLOUDS": "1"}) as demo:
        yield demo


def test_data_of_three_clouds_is_browsed_read_and_written(demo: Demo, tmp_path: Path) -> None:
    with chromium() as browser:
        alpha = Person(browser, demo, "alpha", SHOTS)
        alpha.sign_in()
        see_all_links(alpha)
        find_links_with_an_own_credential(alpha)
        look_into_files(alpha)
        write_to_the_team_folder(alpha, tmp_path)
        download(alpha)
        change_and_delete(alpha)
        a_hostile_page_stays_in_its_box(alpha)
        write_to_azure(alpha, tmp_path)

        beta = Person(browser, demo, "beta", SHOTS, color_scheme="dark")
        beta.sign_in()
        follow_a_deep_link(alpha, beta)

        use_it_in_a_studio(alpha)
    no_secret_was_logged(demo)


def open_link(person: Person, name: str) -> None:
    person.page.goto(f"{person.demo.url}/services/studios/data")
    person.page.get_by_role("button", name=name, exact=True).click()
    expect(person.page.get_by_role("region", name=name)).to_be_visible()


def row(person: Person, name: str) -> Locator:
    return person.page.get_by_role("row").filter(has=person.page.get_by_text(name, exact=True))


def enter(person: Person, folder: str) -> None:
    row(person, folder).get_by_text(folder, exact=True).dblclick()


def command(person: Person, name: str, what: str) -> None:
    """One of the commands of a row's menu, by the keyboard's way: its button."""
    row(person, name).hover()
    row(person, name).get_by_role("button", name=f"Actions for {name}").click()
    person.page.get_by_role("menuitem", name=re.compile(rf"^{re.escape(what)}( \S+)?$")).click()


def see_all_links(person: Person) -> None:
    page = person.page
    page.get_by_role("link", name="Data", exact=True).click()
    links = page.get_by_role("list", name="Data links")
    for name in ("Demo data", "Penguin study", "Single cells", "Team folder"):
        expect(links.get_by_role("button", name=name, exact=True)).to_be_visible()
    for provider in ("S3", "Azure Blob Storage", "Google Cloud Storage"):
        expect(links.get_by_role("img", name=provider).first).to_be_visible()
    expect(links.get_by_role("img", name=re.compile("^Writable: ")).first).to_be_visible()
    person.shot("links")
    page.get_by_role("searchbox", name="Filter data links").fill("provider:azure")
    expect(links.get_by_role("listitem")).to_have_count(1)
    page.get_by_role("button", name="Star Penguin study").click()
    page.get_by_role("searchbox", name="Filter data links").fill("")
    expect(links.get_by_role("listitem").first).to_contain_text(
        "Penguin study"
    )  # what is starred comes first


def find_links_with_an_own_credential(person: Person) -> None:
    home, page = DemoHome(person.demo.home), person.page
    page.get_by_role("button", name="Credentials").click()
    page.get_by_role("button", name=re.compile("^Add a credential")).first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name of the credential").fill("My own key")
    dialog.get_by_label("Access key id").fill(EXPLORER_KEY)
    dialog.get_by_label("Secret access key").fill(home.secret("explorer-key"))
    dialog.get_by_label("Endpoint").fill(endpoint(home))
    person.shot("credential")
    dialog.get_by_role("button", name=re.compile("^Add")).click()
    expect(page.get_by_role("list", name="Credentials")).to_contain_text("My own key")
    page.get_by_role("button", name="Data links").click()
    expect(page.get_by_role("button", name="demo-data", exact=True)).to_be_visible(timeout=30_000)
    expect(page.get_by_role("button", name="studios-work", exact=True)).to_have_count(0)  # not this key's


def look_into_files(person: Person) -> None:
    page = person.page
    open_link(person, "Demo data")
    enter(person, "penguins")
    row(person, "penguins.csv").get_by_text("penguins.csv").dblclick()
    expect(page.get_by_text("bill_length_mm").first).to_be_visible(timeout=30_000)
    expect(page.get_by_text("Torgersen").first).to_be_visible()
    person.shot("preview")
    open_link(person, "Single cells")
    enter(person, "single-cell")
    row(person, "pbmc68k_reduced.h5ad").get_by_text("pbmc68k_reduced.h5ad").dblclick()
    expect(page.get_by_text("700", exact=False).first).to_be_visible(timeout=60_000)  # cells
    person.shot("anndata")


def write_to_the_team_folder(person: Person, tmp: Path) -> None:
    page = person.page
    run = tmp / "run-7"
    (run / "deep" / "er").mkdir(parents=True)
    (run / ".exitcode").write_text("0")
    (run / "log.txt").write_text("".join(f"line {n}\n" for n in range(5000)))
    (run / "deep" / "er" / "täst + 100%.txt").write_text("odd")
    (tmp / "big.bin").write_bytes(os.urandom(40 * 2**20))  # more than one request: sent in parts
    open_link(person, "Team folder")
    upload(person, "A whole folder…", run)
    upload(person, "Files…", tmp / "big.bin")
    expect(row(person, "big.bin")).to_be_visible(timeout=60_000)
    enter(person, "run-7")
    row(person, "log.txt").get_by_text("log.txt").dblclick()
    expect(page.get_by_label("Text of the file")).to_contain_text("line 0\n", timeout=30_000)
    person.shot("log")
    open_link(person, "Team folder")
    page.get_by_role("searchbox", name=re.compile("^Filter by the beginning")).fill("täst")
    page.keyboard.press("Enter")
    expect(page.get_by_text("täst + 100%.txt").first).to_be_visible(timeout=30_000)
    person.shot("search")


def upload(person: Person, kind: str, path: Path) -> None:
    with person.page.expect_file_chooser() as chooser:
        person.page.get_by_role("button", name="Upload", exact=True).click()
        person.page.get_by_role("menuitem", name=kind).click()
    chooser.value.set_files(path)


def download(person: Person) -> None:
    page = person.page
    open_link(person, "Team folder")
    with page.expect_download() as file:
        command(person, "big.bin", "Download")
    assert Path(file.value.path()).stat().st_size == 40 * 2**20
    with page.expect_download() as folder:
        command(person, "run-7", "Download as zip")
    with zipfile.ZipFile(io.BytesIO(Path(folder.value.path()).read_bytes())) as archive:
        assert {name.partition("/")[2] for name in archive.namelist() if not name.endswith("/")} >= {
            ".exitcode",
            "log.txt",
            "deep/er/täst + 100%.txt",
        }
        assert archive.testzip() is None
    command(person, "run-7", "Download with code…")
    expect(page.get_by_role("dialog")).to_contain_text("aws s3")
    person.shot("code")
    page.keyboard.press("Escape")


def change_and_delete(person: Person) -> None:
    page = person.page
    open_link(person, "Team folder")
    page.get_by_role("button", name="New folder").click()
    page.get_by_role("dialog").get_by_role("textbox").fill("archive")
    page.get_by_role("dialog").get_by_role("button", name=re.compile("^(Make|Create)")).click()
    expect(row(person, "archive")).to_be_visible()
    command(person, "run-7", "Rename…")
    page.get_by_role("dialog").get_by_label("New name").fill("run-8")
    page.get_by_role("dialog").get_by_role("button", name="Rename").click()
    expect(row(person, "run-8")).to_be_visible(timeout=30_000)
    expect(row(person, "run-7")).to_have_count(0)
    command(person, "big.bin", "Delete…")
    page.get_by_role("dialog").get_by_role("button", name=re.compile("^Delete")).click()
    expect(row(person, "big.bin")).to_have_count(0, timeout=30_000)
    # Where it is read-only, the page says why, and the API refuses as well.
    open_link(person, "Demo data")
    upload_button = page.get_by_role("button", name=re.compile("^Upload"))
    expect(upload_button).to_have_attribute("aria-disabled", "true")
    expect(upload_button).to_have_accessible_name(re.compile("not change them"))
    api = person.demo.api("alpha")
    problem = api.call("PUT", "/data-links/ol-demo-data/upload", 403, params={"path": "x"}, content=b"x")
    assert problem["action"]


def a_hostile_page_stays_in_its_box(person: Person) -> None:
    api, page = person.demo.api("alpha"), person.page
    api.call("PUT", "/data-links/ol-team/upload", params={"path": "hostile.html"}, content=HOSTILE.encode())
    open_link(person, "Team folder")
    page.evaluate("window.heard = []; addEventListener('message', e => heard.push(e.data))")
    row(person, "hostile.html").get_by_text("hostile.html").dblclick()
    expect(page.frame_locator("iframe").get_by_role("heading", name="Harmless")).to_be_visible(timeout=30_000)
    assert page.evaluate("heard") == []
    # Also when the address is opened by itself.
    raw = person.context.new_page()
    raw.goto(f"{person.demo.url}/services/studios/api/v1/data-links/ol-team/raw?path=hostile.html")
    assert raw.title() != "pwned"
    raw.close()


def write_to_azure(person: Person, tmp: Path) -> None:
    (tmp / "notes.md").write_text("# From the page\n")
    open_link(person, "Penguin study")
    upload(person, "Files…", tmp / "notes.md")
    expect(row(person, "notes.md")).to_be_visible(timeout=30_000)
    answer = person.demo.api("alpha").http.get("/data-links/ol-azure/download", params={"path": "notes.md"})
    assert answer.text == "# From the page\n"
    presigned = person.demo.api("alpha").call(
        "POST", "/data-links/ol-team/presign", json={"path": "run-8/log.txt", "seconds": 60}
    )
    assert httpx.get(presigned["url"]).text.startswith("line 0\n")  # with no account at all


def follow_a_deep_link(person: Person, colleague: Person) -> None:
    open_link(person, "Team folder")
    enter(person, "run-8")
    row(person, "log.txt").get_by_text("log.txt").dblclick()
    expect(person.page).to_have_url(re.compile("file="))
    colleague.page.goto(person.page.url)
    expect(colleague.page.get_by_label("Text of the file")).to_contain_text("line 0\n", timeout=30_000)
    colleague.shot("deep-link-dark")


def use_it_in_a_studio(person: Person) -> None:
    page = person.page
    studio = person.demo.api("alpha").create("Explorer")
    person.demo.api("alpha").wait_state(studio["id"], "running")
    person.studio("Explorer")
    person.enter("Explorer")
    page.get_by_role("tab", name="Data", exact=True).click()
    panel = page.get_by_role("region", name="Data", exact=True).first
    panel.get_by_role("button", name="Demo data", exact=True).click()
    panel.get_by_text("penguins", exact=True).first.dblclick()
    panel.get_by_text("penguins.csv", exact=True).first.click(button="right")
    page.get_by_role("menuitem", name="Open in notebook").click()
    expect(page.locator(".jp-Notebook .jp-Cell").first).to_be_visible(timeout=60_000)
    expect(page.locator(".jp-Notebook")).to_contain_text("penguins.csv", timeout=30_000)
    person.run_all_cells()
    expect(page.locator(".jp-OutputArea-output", has_text="Torgersen").first).to_be_visible(timeout=120_000)
    person.shot("lab-explorer")
    edit_in_place(person, panel)
    person.stop("Explorer")


def edit_in_place(person: Person, panel: Locator) -> None:
    """Text of a bucket in JupyterLab's own editor, saved back to the bucket."""
    page = person.page
    panel.get_by_role("button", name="Data", exact=True).first.click()
    panel.get_by_role("button", name="Team folder", exact=True).click()
    panel.get_by_text("run-8", exact=True).first.dblclick()
    panel.get_by_text("log.txt", exact=True).first.dblclick()
    editor = page.locator(".jp-FileEditor .cm-content").last
    expect(editor).to_contain_text("line 0", timeout=30_000)
    editor.click()
    page.keyboard.press("Control+Home")
    page.keyboard.type("edited in the studio\n")
    page.keyboard.press("Control+s")
    api = person.demo.api("alpha")

    def saved() -> bool:
        answer = api.http.get("/data-links/ol-team/download", params={"path": "run-8/log.txt"})
        return answer.text.startswith("edited in the studio\nline 0\n")

    wait_for("the edit to be in the bucket", saved)
    person.shot("lab-editor")


def no_secret_was_logged(demo: Demo) -> None:
    secret = DemoHome(demo.home).secret("explorer-key").encode()
    for log in [
        *demo.home.glob("hub/*.log"),
        *demo.home.glob("service/**/*"),
        *demo.home.glob("scratch/*/*.log"),
    ]:
        assert not log.is_file() or secret not in log.read_bytes(), log
