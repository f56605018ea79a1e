"""Sharing, in Chromium: two people in one notebook by a link, and one of them shown out.

Two browser contexts are two people of the real demo. Screenshots go to ``test-results/sharing``; some of them, copied
to ``docs/images``, are the documentation's.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from tests.demo import ROOT, Demo, running
from tests.stories.browser import START_MS, Person, chromium

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]

SHOTS = ROOT / "test-results" / "sharing"
OUT_SECONDS = 2.0
NOTEBOOK = {
    "cells": [
        {
            "cell_type": "code",
            "id": name,
            "metadata": {},
            "outputs": [],
            "execution_count": None,
            "source": text,
        }
        for name, text in (("first", "# of alpha"), ("second", "# of beta"))
    ],
    "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    "nbformat": 4,
    "nbformat_minor": 5,
}


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    with running("sharing") as found:
        yield found


@pytest.fixture(scope="module")
def people(demo: Demo) -> Iterator[tuple[Person, Person]]:
    with chromium() as browser:
        alpha, beta = (Person(browser, demo, name, SHOTS) for name in ("alpha", "beta"))
        alpha.sign_in()
        yield alpha, beta


def test_two_people_in_one_notebook(demo: Demo, people: tuple[Person, Person]) -> None:
    alpha, beta = people
    api = demo.api("alpha")
    studio = api.create("Together")
    api.wait_state(studio["id"], "running")
    open_notebook(alpha, studio)
    address = share_from_lab(alpha)

    # The visitor signs in on the way, and is in the same notebook without further questions.
    beta.page.goto(address)
    beta.page.get_by_label("Username").fill("beta")
    beta.page.get_by_label("Password").fill("for-tests-only")
    beta.page.get_by_role("button", name="Sign in").click()
    beta.wait_for_lab()
    expect(cell(beta.page, 0)).to_contain_text("# of alpha", timeout=60_000)

    write_together(alpha, beta)
    see_each_other(alpha, beta, studio)
    own_link(alpha, address)
    dialog_of_tokens_is_gone(alpha.page, beta.page)
    data_beside_it(beta)

    out(alpha, beta, studio, address)
    told_before_a_stop(alpha, beta, studio)
    landing_of_a_stopped_studio(alpha, beta, studio)


def test_a_visitor_cannot_start_what_nobody_allowed(demo: Demo, people: tuple[Person, Person]) -> None:
    alpha, beta = people
    api = demo.api("alpha")
    studio = api.create("Asleep", start=False)
    link = api.call("POST", f"/studios/{studio['id']}/share-links", json={})
    beta.page.goto(demo.url + link["url"])
    expect(beta.page.get_by_text("Ask alpha to start it.")).to_be_visible()
    expect(beta.page.get_by_role("button", name=re.compile("^Start"))).to_have_count(0)
    beta.studios()
    beta.page.get_by_role("link", name="Shared with me").click()
    expect(beta.page.get_by_role("link", name="Asleep", exact=True).first).to_be_visible()

    alpha.page.goto(f"{demo.url}/services/studios/studios/{studio['id']}?tab=sharing")
    alpha.page.get_by_role("button", name="Take out beta").click()
    expect(alpha.page.get_by_role("button", name="Take out beta")).to_have_count(0)
    beta.page.goto(demo.url + link["url"])
    expect(beta.page.get_by_text("Ask alpha to let you in again")).to_be_visible()


# --- what they do ---------------------------------------------------------------------------------------


def open_notebook(alpha: Person, studio: dict[str, Any]) -> None:
    root = f"{alpha.demo.url}/user/alpha/{studio['server_name']}"
    alpha.page.goto(f"{root}/lab")
    alpha.wait_for_lab()
    made = alpha.page.evaluate(
        """async ([url, content]) => {
            const xsrf = document.cookie.match(/_xsrf=([^;]+)/)[1];
            const headers = { "X-XSRFToken": xsrf, "Content-Type": "application/json" };
            const body = JSON.stringify({ type: "notebook", format: "json", content });
            return (await fetch(url, { method: "PUT", headers, body })).status;
        }""",
        [f"{root}/api/contents/shared.ipynb", NOTEBOOK],
    )
    assert made == 201
    alpha.page.goto(f"{root}/lab/tree/shared.ipynb")
    alpha.wait_for_lab()
    expect(cell(alpha.page, 1)).to_contain_text("# of beta", timeout=60_000)


def share_from_lab(alpha: Person) -> str:
    """From Lab's button to a link, on the studio's page; its address."""
    with alpha.context.expect_page() as opened:
        alpha.page.locator("#jp-top-bar").get_by_role("button", name="Share").click()
    page = opened.value
    expect(page.get_by_text("Whoever comes in acts as alpha.")).to_be_visible()
    page.get_by_role("button", name="Make a link").click()
    address = page.get_by_label("Address of the link")
    expect(address).to_have_value(
        re.compile(r"/services/studios/j/[\w-]{43}\?open=lab%2Ftree%2Fshared\.ipynb$")
    )
    expect(page.get_by_text("Ends in 6 d 23 h")).to_be_visible()
    alpha.shot("share", page)
    value = address.input_value()
    page.close()
    return value


def write_together(alpha: Person, beta: Person) -> None:
    for person, number, text in (
        (alpha, 0, "from_alpha = 40 + 1"),
        (beta, 1, "print('sum', from_alpha + 1)"),
    ):
        editor = cell(person.page, number).locator(".cm-content")
        editor.click()
        person.page.keyboard.press("Control+a")
        person.page.keyboard.type(text)
    for page in (alpha.page, beta.page):
        expect(cell(page, 0)).to_contain_text("from_alpha = 40 + 1")
        expect(cell(page, 1)).to_contain_text("print('sum', from_alpha + 1)")


def see_each_other(alpha: Person, beta: Person, studio: dict[str, Any]) -> None:
    # Each sees the other's cursor, under the other's name.
    cell(alpha.page, 0).locator(".cm-content").click()
    cell(beta.page, 1).locator(".cm-content").click()
    flag(alpha, beta)
    flag(beta, alpha)
    colours = {
        page.locator(".jp-remote-cursor").first.evaluate("e => getComputedStyle(e).borderLeftColor")
        for page in (alpha.page, beta.page)
    }
    assert len(colours) == 2

    # One kernel: what one runs, both see.
    alpha.run_all_cells()
    for page in (alpha.page, beta.page):
        output = cell(page, 1).locator(".jp-OutputArea-output", has_text="sum 42")
        expect(output).to_be_visible(timeout=60_000)
        expect(output).to_have_count(1)
    cell(alpha.page, 0).locator(".cm-content").click()
    cell(beta.page, 1).locator(".cm-content").click()
    flag(beta, alpha)
    alpha.shot("two-cursors")
    cell(alpha.page, 0).locator(".cm-content").click()
    flag(alpha, beta)
    beta.shot("two-cursors-beta")

    # It is in the file, whoever saves, and without a question about a file changed on disk.
    def saved() -> bool:
        return "from_alpha + 1" in (json.dumps(contents(alpha, "shared.ipynb")))

    wait_until(alpha.page, saved)
    for page in (alpha.page, beta.page):
        expect(page.locator(".jp-Dialog")).to_have_count(0)

    page = alpha.context.new_page()
    page.goto(f"{alpha.demo.url}/services/studios/studios/{studio['id']}")
    expect(page.get_by_text("Here now: alpha, beta")).to_be_visible(timeout=60_000)
    page.close()


def own_link(alpha: Person, address: str) -> None:
    page = alpha.context.new_page()
    page.goto(address)
    expect(page).to_have_url(re.compile("/user/alpha/together/lab"), timeout=START_MS)
    page.close()


def dialog_of_tokens_is_gone(*pages: Page) -> None:
    """The one of jupyter-collaboration, whose links hold a token or ask the Hub for rights."""
    for page in pages:
        config = json.loads(page.locator("#jupyter-config-data").text_content() or "{}")
        assert "@jupyter/collaboration-extension:shared-link" in config["disabledExtensions"]
        assert config["token"] == ""
    # A visitor has nothing to share.
    expect(pages[1].locator("#jp-top-bar").get_by_role("button", name="Share")).to_have_count(0)


def data_beside_it(beta: Person) -> None:
    """The Data Explorer goes on beside what is edited together."""
    beta.page.get_by_role("tab", name="Data").click()
    expect(beta.page.get_by_role("region", name="Data")).to_be_visible()
    beta.page.get_by_role("tab", name=re.compile("^File Browser")).click()


def out(alpha: Person, beta: Person, studio: dict[str, Any], address: str) -> None:
    """Ending the link cuts the visitor's open sockets within two seconds, and the way back."""
    sockets = open_sockets(beta.page)
    link = alpha.demo.api("alpha").call("GET", f"/studios/{studio['id']}/share-links")["items"][0]
    page = alpha.context.new_page()
    page.goto(f"{alpha.demo.url}/services/studios/studios/{studio['id']}?tab=sharing")
    expect(page.get_by_text("came by it: beta")).to_be_visible()
    page.get_by_role("button", name="End link").click()
    started = time.monotonic()
    beta.page.wait_for_function("() => window.__cut !== undefined", timeout=30_000)
    took = time.monotonic() - started
    assert sockets > 0
    assert took < OUT_SECONDS, took
    expect(page.get_by_text("came by it: beta")).to_have_count(0)
    page.close()
    assert link["people"] == ["beta"]

    answer = beta.context.request.get(f"{beta.demo.url}/user/alpha/{studio['server_name']}/api/contents/")
    assert answer.status == 403
    beta.page.goto(address)
    expect(beta.page.get_by_text("This link was ended")).to_be_visible()
    expect(beta.page.get_by_text("Ask alpha for a new one")).to_be_visible()
    beta.shot("ended")
    # The owner is not touched.
    alpha.page.reload()
    alpha.wait_for_lab()
    expect(cell(alpha.page, 1).locator(".jp-OutputArea-output", has_text="sum 42")).to_be_visible(
        timeout=60_000
    )


def told_before_a_stop(alpha: Person, beta: Person, studio: dict[str, Any]) -> None:
    api = alpha.demo.api("alpha")
    api.call("POST", f"/studios/{studio['id']}/shares", json={"user": "beta", "may_start": True})
    beta.page.goto(f"{beta.demo.url}{studio['url']}")
    beta.wait_for_lab()
    page = alpha.context.new_page()
    page.goto(f"{alpha.demo.url}/services/studios/studios/{studio['id']}")
    expect(page.get_by_text(re.compile("Here now:.*beta"))).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="Stop", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("beta is in it now.")
    alpha.shot("stop", page)
    dialog.get_by_role("button", name="Tell them and stop").click()
    expect(beta.page.get_by_text("Stopped by alpha.", exact=False).first).to_be_visible(timeout=20_000)
    beta.page.wait_for_timeout(800)  # it slides in
    beta.shot("told")
    api.wait_state(studio["id"], "stopped", seconds=120)
    page.close()


def landing_of_a_stopped_studio(alpha: Person, beta: Person, studio: dict[str, Any]) -> None:
    api = alpha.demo.api("alpha")
    body = {"may_start": True, "expires_in_hours": 1}
    link = api.call("POST", f"/studios/{studio['id']}/share-links", json=body)
    beta.page.goto(f"{beta.demo.url}{link['url']}")
    expect(beta.page.get_by_text("It does not run now. You may start it.")).to_be_visible()
    beta.shot("stopped")
    beta.page.get_by_role("button", name="Start and open").click()
    beta.page.wait_for_url(re.compile("/user/alpha/together/"), timeout=START_MS)
    beta.wait_for_lab()
    # What was written together is back, with its history in the checkpoint.
    assert "from_alpha + 1" in json.dumps(contents(beta, "shared.ipynb"))
    beta.open_terminal()
    beta.run(
        "test -s /workspace/.jupyter_ystore.db && test -s /workspace/.local/share/jupyter/file_id_manager.db"
    )


# --- in words -------------------------------------------------------------------------------------------


def cell(page: Page, number: int) -> Locator:
    return page.locator(".jp-Notebook .jp-CodeCell").nth(number)


def contents(person: Person, path: str) -> Any:
    root = re.match(r".*/user/[^/]+/[^/]+/", person.page.url)
    assert root, person.page.url
    answer = person.context.request.get(f"{root.group()}api/contents/{path}?content=1")
    assert answer.ok, answer.text()
    return answer.json()["content"]


def flag(mover: Person, watcher: Person) -> None:
    """Moves the one's cursor until the other sees whose it is: the name stands there for two seconds each time."""
    name = watcher.page.locator(".jp-remote-userFlag-name", has_text=mover.name).first
    for key in itertools.islice(itertools.cycle(("Home", "End")), 20):
        mover.page.keyboard.press(key)
        with contextlib.suppress(PlaywrightTimeout):
            name.wait_for(timeout=1500)
            return
    raise AssertionError(f"{watcher.name} does not see {mover.name}'s cursor")


def open_sockets(page: Page) -> int:
    """Opens a WebSocket of the page's own beside JupyterLab's, and notes when it is cut."""
    return int(
        page.evaluate(
            """() => new Promise((resolve, reject) => {
                const root = location.pathname.match(/^.*?\\/user\\/[^/]+\\/[^/]+\\//)[0];
                const socket = new WebSocket(`ws://${location.host}${root}api/events/subscribe`);
                socket.onopen = () => resolve(1);
                socket.onerror = reject;
                socket.onclose = () => { window.__cut = Date.now(); };
            })"""
        )
    )


def wait_until(page: Page, check: Any, seconds: int = 60) -> None:
    for _ in range(seconds * 2):
        if check():
            return
        page.wait_for_timeout(500)
    raise AssertionError(f"not in {seconds} s")
