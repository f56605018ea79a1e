"""What a person does in a browser, in words: sign in, make, start, open, type in a terminal, stop."""

from __future__ import annotations

import itertools
import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.chromium import LAUNCH
from tests.demo import PASSWORD, Demo

START_MS = 90_000


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**LAUNCH)
        yield browser
        browser.close()


class Person:
    """One signed-in person with one page, and a folder for screenshots."""

    def __init__(self, browser: Browser, demo: Demo, name: str, shots: Path, **context: str) -> None:
        self.demo, self.name, self.shots = demo, name, shots
        self.context = browser.new_context(viewport={"width": 1280, "height": 860}, **context)  # type: ignore[arg-type]
        self.page: Page = self.context.new_page()
        self._markers = itertools.count()

    def shot(self, name: str, page: Page | None = None) -> None:
        self.shots.mkdir(parents=True, exist_ok=True)
        (page or self.page).screenshot(path=self.shots / f"{name}.png")

    def sign_in(self) -> None:
        self.page.goto(f"{self.demo.url}/")
        self.page.get_by_label("Username").fill(self.name)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()
        expect(self.page.get_by_role("heading", name="Studios", level=1)).to_be_visible()

    def studios(self) -> None:
        self.page.goto(f"{self.demo.url}/services/studios/")

    def studio(self, name: str) -> None:
        self.studios()
        self.page.get_by_role("link", name=name, exact=True).first.click()
        expect(self.page.get_by_role("heading", name=name, level=1)).to_be_visible()

    def start(self, name: str) -> None:
        """Start a stopped studio from its page and go in."""
        self.studio(name)
        self.page.get_by_role("button", name="Start and open").click()
        self.enter(name)

    def enter(self, name: str) -> None:
        """From the studio's page into JupyterLab, when it is ready; the page goes there by itself if asked."""
        self.page.wait_for_function(
            "() => location.pathname.startsWith('/user/')"
            " || [...document.querySelectorAll('a')].some(a => /^Open/.test(a.textContent.trim()))",
            timeout=START_MS,
        )
        self.page.wait_for_timeout(1500)
        if "/user/" not in self.page.url:
            self.page.get_by_role("link", name=re.compile("^Open")).first.click()
        self.wait_for_lab()

    def wait_for_lab(self) -> None:
        expect(self.page.locator("#jp-main-dock-panel")).to_be_visible(timeout=START_MS)
        expect(self.page.locator("#jupyterlab-splash")).to_have_count(0, timeout=START_MS)

    def stop(self, name: str) -> None:
        self.studio(name)
        self.page.get_by_role("button", name="Stop", exact=True).first.click()
        confirm = self.page.get_by_role("dialog").get_by_role("button", name=re.compile("^Stop"))
        if confirm.count():
            confirm.click()
        expect(self.page.locator("[data-state]").first).to_have_attribute(
            "data-state", "stopped", timeout=START_MS
        )

    # --- in JupyterLab ---

    def menu(self, *names: str) -> None:
        self.page.get_by_role("menuitem", name=names[0], exact=True).first.click()
        for name in names[1:]:
            item = self.page.locator(".lm-Menu").last.get_by_role(
                "menuitem", name=re.compile(rf"^{re.escape(name)}")
            )
            item.first.click()

    def run_all_cells(self, notebook: str = "") -> None:
        """Of the notebook in front (``notebook``: once it is this one), when its cells and its kernel are there:
        JupyterLab drops what comes earlier."""
        front = self.page.locator(".jp-NotebookPanel:visible")
        if notebook:
            front = front.and_(self.page.get_by_role("tabpanel", name=notebook))
        expect(front.locator(".jp-CodeCell .cm-line").first).not_to_be_empty(timeout=60_000)
        expect(self.page.get_by_role("button", name=re.compile(r"\| Idle$"))).to_be_visible(timeout=120_000)
        self.menu("Run", "Run All Cells")

    def open_terminal(self) -> None:
        self.page.keyboard.press("Control+Shift+l")  # the launcher
        card = self.page.locator(".jp-LauncherCard:visible[title*='terminal']")
        card.first.click()
        expect(self.page.locator(".jp-Terminal .xterm-screen").last).to_be_visible(timeout=30_000)

    def run(self, line: str, seconds: float = 180) -> str:
        """Type ``line`` into the open terminal; its output and errors, when it has ended well."""
        marker = f"marker-{next(self._markers)}-{uuid.uuid4().hex[:6]}"
        terminal = self.page.locator(".jp-Terminal .xterm-screen").last
        terminal.click()
        # Into a file, because a terminal's picture is pixels; `done` ends the wait also when the line fails.
        self.page.keyboard.type(
            f"({line}) > /workspace/{marker}.txt 2>&1; echo $? > /workspace/{marker}.code\n"
        )
        code = self.wait_file(f"{marker}.code", lambda text: text.endswith("\n"), seconds).strip()
        output = self.file(f"{marker}.txt") or ""
        self.page.keyboard.type(f"rm -f /workspace/{marker}.*\n")
        assert code == "0", f"{line}: exit {code}\n{output}"
        return output

    def file(self, path: str) -> str | None:
        """A file of /workspace through Jupyter's own API, with the page's cookies."""
        root = re.match(r".*/user/[^/]+/[^/]+/", self.page.url)
        assert root, self.page.url
        answer = self.context.request.get(f"{root.group()}api/contents/{path}?type=file&format=text")
        return str(answer.json()["content"]) if answer.ok else None

    def wait_file(self, path: str, wanted: Callable[[str], bool], seconds: float = 60) -> str:
        """The content of a file of /workspace, once it is as ``wanted``."""
        for _ in range(int(seconds * 2)):
            if (content := self.file(path)) and wanted(content):
                return content
            self.page.wait_for_timeout(500)
        raise AssertionError(
            f"{path} is not as it should be after {seconds} s: {(self.file(path) or '')[-500:]}"
        )
