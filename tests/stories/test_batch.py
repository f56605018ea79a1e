"""The main job as jobs of AWS Batch, in Chromium: JupyterLab from our image, and an image that has nothing of ours.

AWS is moto's, the containers, the registry and the store are real. Screenshots go to ``test-results/batch``.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from jupyterhub_studios.images.bundle import Bundle
from tests.compute.conftest import moto, open_registry
from tests.demo import ROOT, wait_for
from tests.engine import Engine
from tests.images.conftest import bundle
from tests.moto_server import Moto
from tests.registries import Registry

from .aws import Aws, aws_demo
from .browser import START_MS, Person, chromium
from .penguins import (
    assert_everything_is_there,
    change_the_system,
    fork_it,
    run_the_notebook,
    see_the_checkpoint,
)

__all__ = ["bundle", "moto", "open_registry"]

pytestmark = [
    pytest.mark.root,
    pytest.mark.docker,
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.timeout(1200),
]

SHOTS = ROOT / "test-results" / "batch"


@pytest.fixture(scope="module")
def aws(
    engine: Engine,
    moto: Moto,
    open_registry: Registry,
    bundle: Bundle,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Aws]:
    folder = tmp_path_factory.mktemp("aws")
    with aws_demo(engine, moto, open_registry, bundle, folder, "batch") as found:
        yield found


def test_studios_are_jobs_of_aws_batch(aws: Aws) -> None:
    with chromium() as browser:
        alpha = Person(browser, aws.demo, "alpha", SHOTS)
        alpha.sign_in()
        make_first_studio(alpha, aws)
        run_the_notebook(alpha)
        change_the_system(alpha)
        alpha.shot("lab")
        alpha.stop("Penguins")
        see_the_checkpoint(alpha)
        see_what_the_job_said(alpha)

        alpha.start("Penguins")
        assert_everything_is_there(alpha)
        lose_the_machine(alpha, aws)
        assert_everything_is_there(alpha)
        alpha.run("cat /workspace/just-before")
        alpha.stop("Penguins")

        fork_it(alpha)
        run_an_image_that_has_nothing_of_ours(alpha)


def make_first_studio(person: Person, aws: Aws) -> None:
    aws.moto.slow_down(3.0)  # in each state before it runs, as a machine that has to boot
    try:
        new_studio(person, "Penguins", "JupyterLab")
        queued = person.page.locator("[data-phase=queued]")
        expect(queued).to_contain_text("Waiting for capacity", timeout=60_000)
        person.shot("waiting")
        expect(person.page.locator("[data-phase=app][data-status=running]")).to_be_visible(timeout=START_MS)
        expect(queued.locator(".st-phase-time")).to_have_text(re.compile(r"\d"))
        person.shot("starting")
    finally:
        aws.moto.slow_down(0)
    person.enter("Penguins")


def new_studio(person: Person, name: str, template: str) -> None:
    page = person.page
    person.studios()
    page.get_by_role("link", name="New studio").first.click()
    page.get_by_role("radio", name=template).check(force=True)
    page.get_by_label("Name").first.fill(name)
    page.get_by_role("button", name="Create and start").click()
    expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()


def see_what_the_job_said(person: Person) -> None:
    """CloudWatch has it when the job is over."""
    api = person.demo.api()
    session = api.find("Penguins")["session"]["id"]

    def told() -> bool:
        return "The control channel is up" in api.call("GET", f"/sessions/{session}/job-logs")["text"]

    wait_for("the job's own log", told)
    page = person.page
    page.get_by_role("tab", name="Sessions").click()
    page.locator(f"[data-session={session}] .st-session-head").click()
    page.get_by_role("button", name="Job", exact=True).click()
    line = page.get_by_text("The control channel is up", exact=False).first
    expect(line).to_be_visible(timeout=30_000)
    line.scroll_into_view_if_needed()
    person.shot("job-log")


def lose_the_machine(person: Person, aws: Aws) -> None:
    """A spot machine, or a broken one: the studio goes on elsewhere by itself, with what was saved last."""
    person.run("echo saved > /workspace/just-before")
    api = aws.demo.api()
    before = api.find("Penguins")
    api.wait_saved_twice(before["id"])
    aws.lose_machine(before["session"]["id"])

    def elsewhere() -> bool:
        now = api.find("Penguins")
        return bool(now["session"]["id"] != before["session"]["id"] and now["state"] == "running")

    wait_for("the studio to run elsewhere", elsewhere, 180)
    person.studio("Penguins")
    person.page.get_by_role("tab", name="Sessions").click()
    expect(person.page.get_by_text("its machine was lost", exact=False).first).to_be_visible()
    person.shot("lost")
    person.page.get_by_role("link", name=re.compile("^Open")).first.click()
    person.wait_for_lab()


def run_an_image_that_has_nothing_of_ours(person: Person) -> None:
    """It is given the agent before its first use, and its app gets what the image says."""
    new_studio(person, "Board", "Notice board")
    image = person.page.locator("[data-phase=image]")
    expect(image).to_contain_text("Adding the agent", timeout=60_000)
    person.shot("adapting")
    write_on_the_board(person, "first-day", "first-day")
    person.shot("board")
    person.stop("Board")
    person.studio("Board")
    person.page.get_by_role("button", name="Start and open").click()
    write_on_the_board(person, "second-day", "first-day\nsecond-day")
    person.stop("Board")


def write_on_the_board(person: Person, note: str, expected: str) -> None:
    page = person.page
    page.wait_for_url("**/user/alpha/board/cgi-bin/board", timeout=START_MS)  # it opens by itself
    page.goto(f"{page.url}?{note}")
    expect(page.locator("body")).to_have_text(f"board in /srv/board: /home/board\n{expected}")


# --- the same without a browser, as people with an AWS account do it ---


def tryout(aws: Aws, *options: str) -> tuple[int, dict[str, Any]]:
    """Exit code and report of `studios tryout`; whatever became of it, nothing of it is left."""
    done = subprocess.run(
        [
            Path(sys.executable).with_name("studios"), "tryout", "--url", aws.demo.url,
            "--token-file", aws.demo.home / "token", "--memory", "1024", "--json", *options,
        ],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout, done.stderr
    studios = aws.demo.api().call("GET", "/studios", params={"owner": "*"})["items"]
    assert [studio["name"] for studio in studios if studio["name"].startswith("Tryout")] == [], done.stderr
    return done.returncode, dict(json.loads(done.stdout))


def test_a_tryout_reports_what_it_saw(aws: Aws, tmp_path: Path) -> None:
    file = tmp_path / "report.md"
    code, report = tryout(aws, "--compute-environment", "aws", "--report", str(file))
    assert (code, report["ok"]) == (0, True), report["steps"]
    steps = [step["name"] for step in report["steps"]]
    assert steps[1:10] == [
        "first start", "work in it", "save on request", "stop saves", "the job's own log", "start again",
        "everything is there", "stop again", "fork: make it",
    ]  # fmt: skip
    assert [len(start["phases"]) for start in report["starts"]] == [7, 7, 7]
    assert "Everything worked." in file.read_text() and "| everything is there | ✓ |" in file.read_text()


def test_a_tryout_that_fails_says_why_and_tidies_up(aws: Aws) -> None:
    code, report = tryout(aws, "--template", "web")
    failed = [step for step in report["steps"] if not step["ok"]]
    assert (code, report["ok"]) == (1, False)
    assert [step["name"] for step in failed] == ["work in it"]
    assert "no Jupyter in the studio" in failed[0]["detail"]
