"""The studio “Penguins”, which is used, stopped and found again: what is done in it, and how one sees that it is
all there."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from .browser import Person

BASE_FILE = "/etc/issue.net"  # a file of every Debian


def run_the_notebook(person: Person) -> None:
    page = person.page
    page.locator(".jp-DirListing-item", has_text="penguins.ipynb").dblclick()
    expect(page.locator(".jp-Notebook .jp-Cell").first).to_be_visible(timeout=30_000)
    person.run_all_cells()
    expect(page.locator(".jp-OutputArea-output", has_text="Gentoo").first).to_be_visible(timeout=90_000)


def change_the_system(person: Person) -> None:
    """The notebook is kept; packages are added, files of the system added and deleted."""
    person.wait_file("penguins.ipynb", lambda text: "Gentoo" in text)  # saved by itself
    person.open_terminal()
    person.run("pip install cowsay")
    person.run("apt-get update -qq && apt-get install -y -qq --no-install-recommends sl")
    person.run(f"echo mine > /workspace/notes.txt && echo outside > /etc/studio-was-here && rm {BASE_FILE}")


def see_the_checkpoint(person: Person) -> None:
    person.page.get_by_role("tab", name="Checkpoints").click()
    person.page.get_by_text(re.compile(r"packages changed")).first.click()
    for package in ("cowsay", "sl"):
        expect(person.page.get_by_text(package, exact=False).first).to_be_visible()
    expect(person.page.get_by_text("Finalised", exact=True).first).to_be_visible()
    person.shot("checkpoints")


def assert_everything_is_there(person: Person) -> None:
    person.open_terminal()
    assert person.run("cat /workspace/notes.txt /etc/studio-was-here") == "mine\noutside\n"
    person.run(f"test ! -e {BASE_FILE}")
    person.run("python -c 'import cowsay' && dpkg -s sl && test -x /usr/games/sl")


def fork_it(person: Person) -> None:
    person.studio("Penguins")
    person.page.get_by_role("tab", name="Checkpoints").click()
    person.page.get_by_role("link", name=re.compile("^Fork")).first.click()
    expect(person.page.get_by_role("heading", name="Fork", exact=False).first).to_be_visible()
    expect(person.page.get_by_role("button", name="Fork and start")).to_be_visible()
    person.shot("fork")
    person.page.get_by_role("button", name="Fork and start").click()
    person.enter("Penguins fork")
    assert_everything_is_there(person)
    person.stop("Penguins fork")
