"""What a person does in VS Code, in words; and the files that they bring along."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import secrets
import tarfile
import zipfile
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, expect

from tests.demo import free_port

READY_MS = 90_000
PALETTE_MS = 3_000

# A web app as people write them: pages, and a WebSocket. Nothing but Python's own library is sure to be there.
APP = """
import base64, hashlib, http.server, os, sys

class App(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.headers.get("Upgrade", "").lower() != "websocket":
            return super().do_GET()
        key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key.encode()).digest()).decode())
        self.end_headers()
        self.wfile.flush()
        length = self.rfile.read(2)[1] & 127
        mask = self.rfile.read(4)
        text = bytes(byte ^ mask[n % 4] for n, byte in enumerate(self.rfile.read(length)))
        self.wfile.write(bytes([0x81, len(text)]) + text)
        self.close_connection = True

os.chdir(os.environ["HOME"])
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), App).serve_forever()
"""
PAGE = "<!doctype html><title>Mine</title><h1>A web app of mine</h1>"

MANIFEST = {
    "name": "tiny",
    "displayName": "Tiny",
    "publisher": "tests",
    "version": "1.0.0",
    "engines": {"vscode": "^1.80.0"},
    "main": "./main.js",
    "activationEvents": [],
    "contributes": {"commands": [{"command": "tiny.greet", "title": "Tiny: Greet"}]},
}
MAIN = """
const vscode = require("vscode");
exports.activate = (context) => context.subscriptions.push(vscode.commands.registerCommand("tiny.greet", () => {
    const file = vscode.Uri.joinPath(vscode.workspace.workspaceFolders[0].uri, "greeting");
    return vscode.workspace.fs.writeFile(file, new TextEncoder().encode("from tiny"));
}));
"""
PACKAGE = """<?xml version="1.0" encoding="utf-8"?>
<PackageManifest Version="2.0.0" xmlns="http://schemas.microsoft.com/developer/vsx-schema/2011">
  <Metadata>
    <Identity Language="en-US" Id="tiny" Version="1.0.0" Publisher="tests"/>
    <DisplayName>Tiny</DisplayName>
    <Description>Writes a greeting.</Description>
  </Metadata>
  <Installation><InstallationTarget Id="Microsoft.VisualStudio.Code"/></Installation>
  <Dependencies/>
  <Assets><Asset Type="Microsoft.VisualStudio.Code.Manifest" Path="extension/package.json" Addressable="true"/></Assets>
</PackageManifest>
"""
TYPES = """<?xml version="1.0" encoding="utf-8"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
  <Default Extension=".json" ContentType="application/json"/>
  <Default Extension=".js" ContentType="application/javascript"/>
  <Default Extension=".vsixmanifest" ContentType="text/xml"/>
</Types>
"""


def extension() -> bytes:
    """A .vsix with one command."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in {
            "[Content_Types].xml": TYPES,
            "extension.vsixmanifest": PACKAGE,
            "extension/package.json": json.dumps(MANIFEST),
            "extension/main.js": MAIN,
        }.items():
            archive.writestr(name, text)
    return out.getvalue()


def luggage() -> str:
    """Web app, page and extension as one line that a terminal unpacks."""
    out = io.BytesIO()
    files = {"app.py": APP.encode(), "page.html": PAGE.encode(), "tiny.vsix": extension()}
    with tarfile.open(fileobj=out, mode="w:xz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return base64.b64encode(out.getvalue()).decode()


class Coder:
    """A person with one page in one studio."""

    def __init__(self, browser: Browser, hub: str, studio: str, shots: Path) -> None:
        """``hub`` and ``studio`` are URLs that end with a slash."""
        self.hub, self.studio, self._shots = hub, studio, shots
        self._port = free_port()  # where studios share this machine's network, another's could be there
        self.context = browser.new_context(viewport={"width": 1280, "height": 860})
        self.page: Page = self.context.new_page()

    def sign_in(self, name: str, password: str) -> None:
        self.page.goto(f"{self.hub}hub/login")
        self.page.get_by_label("Username").fill(name)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_url(lambda url: "/hub/login" not in url)

    def open(self) -> None:
        self.page.goto(self.studio)
        expect(self.workbench).to_be_visible(timeout=READY_MS)
        # Connected to the server behind it: only that knows the folder's files.
        expect(self.page.locator(".explorer-folders-view").first).to_be_visible(timeout=READY_MS)

    def shot(self, name: str) -> None:
        self._shots.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=self._shots / f"{name}.png")

    def command(self, title: str) -> None:
        """By the palette, which is opened again until it knows the command: it does not learn while it is open."""
        for _ in range(READY_MS // PALETTE_MS):
            self._ask("F1", f">{title}")
            with contextlib.suppress(AssertionError):
                self._choose(title, PALETTE_MS)
                return
            self.page.keyboard.press("Escape")
        raise AssertionError(f"VS Code knows no command “{title}”")

    def theme(self, name: str) -> None:
        """As people choose one of the list; it is a setting."""
        self.command("Preferences: Color Theme")
        self.page.locator(".quick-input-widget input").first.fill(name)
        self._choose(name, READY_MS)
        expect(self.page.locator(".quick-input-widget")).to_be_hidden()

    def _ask(self, key: str, question: str) -> None:
        """Into the box that ``key`` opens; pressed again where something else had the keyboard."""
        box = self.page.locator(".quick-input-widget input").first
        self.page.bring_to_front()
        for _ in range(READY_MS // PALETTE_MS):
            self.page.keyboard.press(key)
            with contextlib.suppress(AssertionError):
                expect(box).to_be_focused(timeout=PALETTE_MS)
                box.fill(question)
                return
        self.shot("failed")
        raise AssertionError(f"{key} opens nothing")

    def _choose(self, answer: str, patience: int) -> None:
        """Of what the box offers. It may offer something similar first."""
        row = self.page.locator(".quick-input-list .monaco-list-row", has_text=answer).first
        expect(row).to_be_visible(timeout=patience)
        row.click()

    @property
    def workbench(self) -> Locator:
        return self.page.locator(".monaco-workbench").first

    @property
    def text(self) -> Locator:
        """Of the file that is open."""
        return self.page.locator(".editor-group-container .view-lines").first

    def edit(self, file: str) -> None:
        self._ask("Control+p", file)
        self._choose(file, READY_MS)
        expect(self.page.get_by_role("tab", name=file).first).to_be_visible()

    def terminal(self) -> None:
        self.command("Terminal: Create New Terminal")
        expect(self.page.locator(".terminal-wrapper.active .xterm-screen:visible").last).to_be_visible(
            timeout=READY_MS
        )

    @property
    def _prompt(self) -> Locator:
        # Not the line that stays at the top of a long output: it is a terminal of its own, which nobody reads.
        return self.page.locator(
            ".terminal-wrapper.active .xterm-helper-textarea:not(.terminal-sticky-scroll *)"
        ).last

    def type(self, line: str) -> None:
        # The palette gives the keyboard back only when it is gone.
        expect(self.page.locator(".quick-input-widget")).to_be_hidden()
        self.page.bring_to_front()
        self._prompt.focus()
        self.page.keyboard.type(line)
        self.page.keyboard.press("Enter")

    def unpack(self) -> None:
        """The luggage, pasted: it is long."""
        self._prompt.focus()
        self.page.keyboard.insert_text(f"echo {luggage()} | base64 -d | tar -xJ && clear")
        self.page.keyboard.press("Enter")

    # --- the web app that runs in the terminal ---

    @property
    def app(self) -> str:
        return f"{self.studio}proxy/{self._port}/"

    def start_app(self) -> None:
        self.type(f"python3 app.py {self._port} >app.log 2>&1 &")
        self.until("page.html", PAGE)

    def served(self, path: str) -> str | None:
        """A file of the home as the web app serves it."""
        answer = self.context.request.get(self.app + path)
        return answer.text() if answer.ok else None

    def until(self, path: str, wanted: str, seconds: float = 60) -> str:
        """The file once it holds ``wanted``."""
        said = None
        for _ in range(int(seconds * 4)):
            said = self.served(path)
            if said is not None and wanted in said:
                return said
            self.page.wait_for_timeout(250)
        self.shot("failed")
        raise AssertionError(f"{path} holds no “{wanted}” after {seconds} s, but: {said}")

    def _begun(self, out: str, said: str) -> bool:
        for _ in range(20):
            if self.served(out) is not None or self.served(said) is not None:
                return True
            self.page.wait_for_timeout(250)
        return False

    def run(self, line: str, wanted: str = "", seconds: float = 60) -> str:
        """What ``line`` prints, once it has ended."""
        out, said = (f"{word}-{secrets.token_hex(3)}" for word in ("out", "said"))
        whole = f"({line}) >{out} 2>&1; echo ended >>{out}; mv {out} {said}"
        self.type(whole)
        if not self._begun(out, said):
            # Something else had the keyboard: once more, without what came through.
            self._prompt.focus()
            self.page.keyboard.press("Control+u")
            self.type(whole)
        printed = self.until(said, "ended\n", seconds)
        self.type(f"rm {said}")
        assert wanted in printed, f"{line}: {printed}"
        return printed.removesuffix("ended\n")
