"""The main job on one machine, in Chromium: a studio starts, is used, stops into a checkpoint and comes back.

Once as root and once as an ordinary user. Screenshots go to ``test-results/local-<who>``; those of root, copied
to ``docs/images``, are the README's.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.demo import ROOT, Demo, running

from .browser import Person, chromium
from .penguins import (
    BASE_FILE,
    assert_everything_is_there,
    change_the_system,
    fork_it,
    run_the_notebook,
    see_the_checkpoint,
)

pytestmark = [pytest.mark.root, pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(900)]

ORDINARY = "studios-story"


@pytest.fixture(params=["root", "ordinary user"])
def demo(request: pytest.FixtureRequest) -> Iterator[Demo]:
    owner = None
    if request.param != "root":
        owner = ORDINARY
        if subprocess.run(["id", ORDINARY], capture_output=True, check=False).returncode:
            subprocess.run(["useradd", "--create-home", "--shell", "/bin/bash", ORDINARY], check=True)
    with running(request.param.split()[0], owner, environment={"STUDIOS_SAVE_INTERVAL": "5"}) as demo:
        yield demo


def test_a_studio_is_used_stopped_and_comes_back(demo: Demo) -> None:
    shots = ROOT / "test-results" / ("local-user" if demo.prefix else "local-root")
    base_before = Path(BASE_FILE).read_bytes()
    with chromium() as browser:
        alpha = Person(browser, demo, "alpha", shots)
        alpha.sign_in()
        make_first_studio(alpha)
        use_it(alpha)
        alpha.stop("Penguins")
        see_the_checkpoint(alpha)
        assert_host_untouched(base_before)

        alpha.start("Penguins")
        assert_everything_is_there(alpha)
        kill_the_job(alpha)
        alpha.start("Penguins")
        assert_everything_is_there(alpha)
        alpha.run("cat /workspace/just-before")
        alpha.stop("Penguins")

        make_another_studio(alpha)
        fork_it(alpha)

        dark = Person(browser, demo, "alpha", shots, color_scheme="dark")
        dark.sign_in()
        expect(dark.page.get_by_role("link", name="Penguins fork").first).to_be_visible()
        dark.shot("list-dark")
    assert_host_untouched(base_before)


def make_first_studio(person: Person) -> None:
    person.shot("empty")
    person.page.get_by_role("link", name="New studio").first.click()
    person.page.get_by_label("Name").first.fill("Penguins")
    person.shot("new")
    person.page.get_by_role("button", name="Create and start").click()
    expect(person.page.get_by_role("heading", name="Penguins", level=1)).to_be_visible()
    expect(person.page.locator("[data-phase=app][data-status=running]")).to_be_visible(timeout=60_000)
    person.shot("starting")
    person.enter("Penguins")


def use_it(person: Person) -> None:
    run_the_notebook(person)
    expect(person.page.locator(".jp-OutputArea-output img").first).to_be_visible(timeout=60_000)
    person.shot("lab")
    change_the_system(person)
    person.shot("terminal")


def kill_the_job(person: Person) -> None:
    demo = person.demo
    person.run("echo saved > /workspace/just-before")
    api = demo.api("demo")
    studio = api.find("Penguins")
    api.wait_saved_twice(studio["id"])
    for pid in demo.pids("jupyterhub_studios.agent"):
        os.kill(pid, signal.SIGKILL)
    api.wait_state(studio["id"], "errored")
    person.studio("Penguins")
    expect(person.page.get_by_text("ended without saving", exact=False).first).to_be_visible()
    person.shot("killed")


def make_another_studio(person: Person) -> None:
    person.studios()
    person.page.get_by_role("link", name="New studio").first.click()
    person.page.get_by_label("Name").first.fill("Another")
    person.page.get_by_role("button", name="Create and start").click()
    person.enter("Another")
    person.open_terminal()
    person.run(f"test ! -e /workspace/notes.txt && test ! -e /etc/studio-was-here && test -e {BASE_FILE}")
    person.run("! python -c 'import cowsay' && ! dpkg -s sl")
    person.stop("Another")


def assert_host_untouched(base_before: bytes) -> None:
    assert not Path("/etc/studio-was-here").exists()
    assert Path(BASE_FILE).read_bytes() == base_before
    assert not Path("/usr/games/sl").exists()
    assert subprocess.run(
        [sys.executable, "-c", "import cowsay"], capture_output=True, check=False
    ).returncode
