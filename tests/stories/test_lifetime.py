"""A session that ends itself, in Chromium with a real JupyterLab: what computes is kept, what nobody uses is asked
about, saved and stopped. With times of half a minute; screenshots go to ``test-results/lifetime``.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.demo import ROOT, Api, Demo, running, wait_for
from tests.stories.browser import Person, chromium

pytestmark = [pytest.mark.root, pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(1500)]

LOOP = """from pathlib import Path
Path("/workspace/{began}").touch()
while not Path("/workspace/{enough}").exists():
    sum(range(100_000))
"""
QUESTION_MS = 120_000  # half a minute, and what a busy machine adds


@pytest.fixture
def demo() -> Iterator[Demo]:
    with running("lifetime", config=Path(__file__).with_name("lifetime_config.py")) as found:
        yield found


def test_what_computes_is_kept_and_what_nobody_uses_is_stopped(demo: Demo) -> None:
    api = demo.api()
    with chromium() as browser:
        alpha = Person(browser, demo, "alpha", ROOT / "test-results" / "lifetime")
        alpha.sign_in()
        studio = api_of(demo, "alpha").create("Loop")["id"]
        api.wait_state(studio, "running")

        a_silent_loop_is_kept(alpha, api, studio)
        put(alpha, "enough")
        when_it_ends_it_is_asked_about_and_stopped(alpha, api, studio)

        api_of(demo, "alpha").call("POST", f"/studios/{studio}/start")
        api.wait_state(studio, "running")
        the_reason_greets(alpha)
        assert alpha.file("began") == "", "the checkpoint holds what the session did"

        an_answer_keeps_it(alpha, api, studio)
        an_idle_kernel_with_an_open_tab_is_stopped(alpha, api, studio)

        api_of(demo, "alpha").call("POST", f"/studios/{studio}/start")
        api.wait_state(studio, "running")
        the_lifespan_ends_a_busy_session(alpha, api, studio)
        api_of(demo, "alpha").call("POST", f"/studios/{studio}/start")
        api.wait_state(studio, "running")
        open_lab(alpha)
        assert alpha.file("began-again") == "", "the checkpoint of the busy session restores"

        admin = Person(browser, demo, "demo", alpha.shots)
        admin.sign_in()
        the_administrator_stops_it(admin, api, studio)


def api_of(demo: Demo, user: str) -> Api:
    return demo.api(user)


def open_lab(person: Person, path: str = "") -> None:
    person.page.goto(f"{person.demo.url}/user/alpha/loop/lab{path}")
    person.wait_for_lab()


def put(person: Person, path: str, text: str = "") -> None:
    """A file in /workspace, by a request of no person's hands."""
    base = f"{person.demo.url}/user/alpha/loop/"
    xsrf = next(
        one["value"] for one in person.context.cookies(base) if one["name"] == "_xsrf" and one["path"] in base
    )
    body = {"type": "file", "format": "text", "content": text}
    answer = person.context.request.put(
        f"{base}api/contents/{path}", data=json.dumps(body), headers={"X-XSRFToken": xsrf}
    )
    assert answer.ok, answer.text()


def run_loop(person: Person, began: str, enough: str) -> None:
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "outputs": [], "execution_count": None,
            "source": LOOP.format(began=began, enough=enough)}  # fmt: skip
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    open_lab(person)
    put(
        person,
        f"{began}.ipynb",
        json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": kernel, "cells": [cell]}),
    )
    open_lab(person, f"/tree/{began}.ipynb")
    person.run_all_cells(f"{began}.ipynb")
    wait_for("the loop", lambda: person.file(began) == "")


def told(api: Api, studio: str) -> list[dict[str, Any]]:
    """What the history of the latest session says of its end."""
    session = api.call("GET", f"/studios/{studio}")["session"]["id"]
    events = api.call("GET", f"/sessions/{session}/events?limit=1000")["items"]
    return [event for event in events if event["kind"] == "lifetime"]


def wait_told(api: Api, studio: str, words: str, count: int = 1) -> dict[str, Any]:
    def found() -> dict[str, Any] | None:
        matching = [event for event in told(api, studio) if words in event["message"]]
        return matching[count - 1] if len(matching) >= count else None

    event: dict[str, Any] = wait_for(f"“{words}” in the history", found, 150)
    return event


def a_silent_loop_is_kept(person: Person, api: Api, studio: str) -> None:
    run_loop(person, "began", "enough")
    held = datetime.fromisoformat(wait_told(api, studio, "Nobody is there, but it is kept")["at"])
    # Long enough for a question and its end, had there been one.
    wait_for("the grace to pass", lambda: datetime.now(UTC) > held + timedelta(seconds=25))
    view = api.call("GET", f"/studios/{studio}")
    assert view["state"] == "running" and view["lifetime"]["verdict"] == "keep"
    assert "A kernel is busy." in view["lifetime"]["reasons"]
    assert not [event for event in told(api, studio) if "Asked" in event["message"]]


def when_it_ends_it_is_asked_about_and_stopped(person: Person, api: Api, studio: str) -> None:
    page = person.context.new_page()
    page.goto(f"{person.demo.url}/services/studios/studios/{studio}")
    expect(page.get_by_role("heading", name="How long it runs")).to_be_visible()
    person.shot("kept", page)
    expect(page.get_by_role("heading", name="Still there?")).to_be_visible(timeout=QUESTION_MS)
    person.shot("prompt-page", page)
    dialog = person.page.get_by_role("dialog").filter(has_text="Still there?")
    expect(dialog).to_be_visible(timeout=QUESTION_MS)
    expect(dialog).to_contain_text("nothing computed")
    person.shot("prompt-lab")
    stopped = api.wait_state(studio, "stopped", seconds=150)
    assert "Nobody was there and nothing computed for 30 s" in stopped["message"]
    assert stopped["saved"]["status"] == "finalised"
    expect(page.get_by_text("nobody answered for 20 s")).to_be_visible()
    person.shot("stopped", page)
    page.close()


def the_reason_greets(person: Person) -> None:
    open_lab(person)
    expect(person.page.get_by_text("Welcome back. Last time: Nobody was there")).to_be_visible(timeout=30_000)
    expect(person.page.get_by_role("button", name=re.compile(r"\| Idle$"))).to_be_visible(timeout=120_000)
    person.shot("greeting")


def an_answer_keeps_it(person: Person, api: Api, studio: str) -> None:
    dialog = person.page.get_by_role("dialog").filter(has_text="Still there?")
    expect(dialog).to_be_visible(timeout=QUESTION_MS)
    dialog.get_by_role("button", name=re.compile("^Keep for")).click()
    kept = datetime.fromisoformat(wait_told(api, studio, "alpha keeps it for 30 s.")["at"])
    expect(dialog).to_have_count(0)
    wait_for("the grace to pass", lambda: datetime.now(UTC) > kept + timedelta(seconds=21))
    assert api.call("GET", f"/studios/{studio}")["state"] == "running"


def an_idle_kernel_with_an_open_tab_is_stopped(person: Person, api: Api, studio: str) -> None:
    put(person, "enough")
    person.page.goto(f"{person.demo.url}/user/alpha/loop/lab/tree/began.ipynb")
    person.wait_for_lab()
    expect(person.page.get_by_role("button", name=re.compile(r"\| Idle$"))).to_be_visible(timeout=120_000)
    stopped = api.wait_state(studio, "stopped", seconds=200)
    assert "nobody answered for 20 s" in stopped["message"] and stopped["saved"]["status"] == "finalised"


def the_lifespan_ends_a_busy_session(person: Person, api: Api, studio: str) -> None:
    run_loop(person, "began-again", "never")
    end_soon(person.demo, studio)
    person.page.get_by_text(re.compile("This studio is saved and stopped in")).first.wait_for(timeout=30_000)
    person.page.wait_for_timeout(1000)  # it slides in
    person.shot("warning-lab")
    stopped = api.wait_state(studio, "stopped", seconds=150)
    assert "Its lifespan" in stopped["message"] and stopped["saved"]["status"] == "finalised"


def end_soon(demo: Demo, studio: str) -> None:
    """Lifespans are of whole hours: the time itself is moved, as if most of it had passed."""
    ends = datetime.now(UTC).replace(tzinfo=None) + timedelta(seconds=15)
    with sqlite3.connect(demo.home / "service" / "studios.sqlite", timeout=30) as database:
        database.execute(
            "UPDATE sessions SET ends_at = ?, ready_at = datetime(ready_at, '-7 hours') || '.000000'"
            " WHERE id = (SELECT session_id FROM studios WHERE id = ?)",
            (ends.isoformat(sep=" "), studio),
        )
    database.close()


def the_administrator_stops_it(person: Person, api: Api, studio: str) -> None:
    person.page.get_by_role("link", name="All studios").click()
    row = person.page.get_by_role("row").filter(has_text="Loop")
    expect(row.get_by_text("per hour")).to_be_visible()
    expect(row).not_to_contain_text("not known", timeout=60_000)
    person.shot("admin")
    row.get_by_role("button", name="Stop Loop of alpha").click()
    person.page.get_by_role("button", name="Save and stop").click()
    stopped = api.wait_state(studio, "stopped", seconds=150)
    assert "demo" in stopped["message"] and stopped["saved"]["status"] == "finalised"
