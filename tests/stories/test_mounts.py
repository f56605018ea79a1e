"""Buckets of three clouds as folders of one studio: chosen on the page, read and written from a terminal and a
notebook in it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from jupyterhub_studios.demo.home import DemoHome
from tests.demo import ROOT, Demo, running

from .browser import Person, chromium

pytestmark = [pytest.mark.browser, pytest.mark.root, pytest.mark.slow, pytest.mark.timeout(900)]

SHOTS = ROOT / "test-results" / "mounts"
NAME = "Mounted"
CODE = """\
import pandas
birds = pandas.read_csv("data/penguins/penguins.csv")
birds[birds.species == "Gentoo"].to_csv("data/team-folder/out/gentoo.csv", index=False)
print(len(birds), "birds read")
try:
    birds.to_csv("data/penguins/new.csv")
except OSError as error:
    print(error.strerror)
"""
NOTEBOOK = {
    "nbformat": 4,
    "nbformat_minor": 5,
    "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    "cells": [
        {
            "cell_type": "code",
            "id": "a",
            "metadata": {},
            "outputs": [],
            "execution_count": None,
            "source": CODE,
        }
    ],
}
LINKS = ("Team folder", "Penguin study", "Single cells", "Demo data")


@pytest.fixture
def demo() -> Iterator[Demo]:
    with running("mounts", environment={"STUDIOS_CLOUDS": "1"}) as demo:
        yield demo


def test_buckets_are_folders(demo: Demo) -> None:
    with chromium() as browser:
        alpha = Person(browser, demo, "alpha", SHOTS)
        alpha.sign_in()
        choose(alpha)
        use_in_a_terminal(alpha)
        use_in_a_notebook(alpha)
        see_on_the_page(alpha)
        alpha.stop(NAME)
        see_in_the_explorer(alpha)
        alpha.start(NAME)
        alpha.open_terminal()
        assert alpha.run("cat data/team-folder/out/result.txt") == "result\n"
        alpha.stop(NAME)
        change_while_it_is_stopped(alpha)
    nothing_secret_was_logged(demo)


def choose(person: Person) -> None:
    """In the explorer's own list: whole links, and a folder of one."""
    page = person.page
    page.get_by_role("link", name="New studio").first.click()
    page.get_by_label("Name").first.fill(NAME)
    for link in LINKS:
        page.get_by_role("button", name="Add data").click()
        dialog = page.get_by_role("dialog", name="Add data")
        dialog.get_by_role("button", name=link, exact=True).click()
        if link == "Demo data":
            dialog.get_by_text("penguins", exact=True).dblclick()
            expect(dialog.get_by_role("button", name="Mount this folder")).to_be_enabled()
            person.shot("picker")
        dialog.get_by_role("button", name=re.compile("^Mount this")).click()
        expect(dialog).to_have_count(0)
    expect(page.get_by_role("textbox", name="Name of mount 4")).to_have_value("penguins")
    expect(page.get_by_text(re.compile("lists s3://demo-team as writable"))).to_be_visible()
    expect(page.get_by_text(re.compile("does not list s3://demo-data as writable"))).to_be_visible()
    person.shot("form")
    page.get_by_role("button", name="Create and start").click()
    person.enter(NAME)


def use_in_a_terminal(person: Person) -> None:
    person.open_terminal()
    assert person.run("ls data").split() == ["penguin-study", "penguins", "single-cells", "team-folder"]
    assert "Torgersen" in person.run("grep -m1 Torgersen data/penguins/penguins.csv")
    assert "pbmc68k_reduced.h5ad" in person.run("ls data/single-cells/single-cell")
    person.run("mkdir -p data/team-folder/out && echo result > data/team-folder/out/result.txt")
    person.run("cp data/penguins/penguins.csv data/penguin-study/copy.csv")
    for name in ("penguins", "single-cells"):
        assert "Read-only file system" in person.run(f"! touch data/{name}/new")
    code = "import pandas; print(len(pandas.read_csv('data/penguins/penguins.csv')))"
    assert person.run(f'python3 -c "{code}"') == "344\n"


def use_in_a_notebook(person: Person) -> None:
    """A cell reads from one mount and writes into another; the terminal sees what it wrote."""
    page = person.page
    at = re.match(r".*/user/[^/]+/[^/]+", page.url)
    assert at, page.url
    made = page.evaluate(
        """async ([url, content]) => {
            const xsrf = document.cookie.match(/_xsrf=([^;]+)/)[1];
            const headers = { "X-XSRFToken": xsrf, "Content-Type": "application/json" };
            const body = JSON.stringify({ type: "notebook", format: "json", content });
            return (await fetch(url, { method: "PUT", headers, body })).status;
        }""",
        [f"{at.group()}/api/contents/mounted.ipynb", NOTEBOOK],
    )
    assert made == 201
    page.goto(f"{at.group()}/lab/tree/mounted.ipynb")
    person.wait_for_lab()
    person.run_all_cells("mounted.ipynb")
    output = page.locator(".jp-OutputArea-output")
    expect(output.filter(has_text="344 birds read")).to_contain_text("Read-only file system", timeout=90_000)
    person.shot("notebook")
    person.open_terminal()
    assert person.run("wc -l < data/team-folder/out/gentoo.csv").strip() == "125"


def see_on_the_page(person: Person) -> None:
    """How each is; and a file that somebody else wrote, at once."""
    page, api = person.page, person.demo.api("alpha")
    person.studio(NAME)
    page.get_by_role("tab", name="Data").click()
    team = page.get_by_role("listitem", name="team-folder")
    expect(team).to_contain_text("Writable.")
    expect(team).to_contain_text("Nothing waits to be uploaded.", timeout=60_000)
    expect(page.get_by_role("listitem", name="penguins")).to_contain_text("Read-only.")
    person.shot("running")
    api.call("PUT", "/data-links/ol-team/upload", params={"path": "from-outside.txt"}, content=b"hello")
    team.get_by_role("button", name="Refresh team-folder").click()
    expect(team).to_contain_text(re.compile(r"Listed anew (just now|\d s ago)"), timeout=30_000)
    page.get_by_role("link", name=re.compile("^Open")).first.click()
    person.wait_for_lab()
    person.open_terminal()
    assert person.run("cat data/team-folder/from-outside.txt") == "hello"


def see_in_the_explorer(person: Person) -> None:
    """All that was written is in the buckets, byte for byte."""
    api = person.demo.api("alpha")
    page = person.page
    page.goto(f"{person.demo.url}/services/studios/data")
    page.get_by_role("button", name="Team folder", exact=True).click()
    page.get_by_text("out", exact=True).dblclick()
    expect(page.get_by_text("result.txt").first).to_be_visible()
    original = api.http.get(
        "/data-links/ol-demo-data/download", params={"path": "penguins/penguins.csv"}
    ).content
    copied = api.http.get("/data-links/ol-azure/download", params={"path": "copy.csv"}).content
    assert original == copied
    from_notebook = api.http.get("/data-links/ol-team/download", params={"path": "out/gentoo.csv"}).text
    assert from_notebook.count("\n") == 125 and from_notebook.startswith("species,")


def change_while_it_is_stopped(person: Person) -> None:
    page, api = person.page, person.demo.api("alpha")
    person.studio(NAME)
    page.get_by_role("tab", name="Data").click()
    page.get_by_role("button", name="Remove mount single-cells").click()
    name = page.get_by_role("textbox", name="Name of mount 1")
    name.fill("team")
    person.shot("stopped")
    page.get_by_role("button", name="Save mounts").click()
    wanted = ["team", "penguin-study", "penguins"]
    for _ in range(40):  # it is being saved
        studio = next(one for one in api.call("GET", "/studios")["items"] if one["name"] == NAME)
        if [one["name"] for one in studio["mounts"]] == wanted:
            break
        page.wait_for_timeout(250)
    assert [one["name"] for one in studio["mounts"]] == wanted
    expect(page.get_by_role("button", name="Save mounts")).to_be_disabled()


def nothing_secret_was_logged(demo: Demo) -> None:
    home = DemoHome(demo.home)
    for secret in (home.secret("explorer-key"), home.secret("azure")):
        for log in [*demo.home.glob("hub/*.log"), *demo.home.glob("scratch/*/*.log")]:
            assert secret.encode() not in log.read_bytes(), log
