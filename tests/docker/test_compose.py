"""docker/compose.yaml as people run it: by Debian's docker-compose, signed in to, with studios used in Chromium."""

from __future__ import annotations

import os
import secrets
import shutil
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
from playwright.sync_api import Page, expect

from jupyterhub_studios.images.bundle import Bundle
from tests.demo import ROOT, free_port, wait_for
from tests.docker.building import desktop_image, hub_image, store_image
from tests.engine import SOCKET, Engine
from tests.images.conftest import bundle
from tests.stories.browser import chromium

__all__ = ["bundle"]

T = TypeVar("T")
SHOTS = ROOT / "test-results" / "docker"
READY_MS = 120_000
COLOURS = """
() => {
    const canvas = document.querySelector("canvas");
    if (!canvas || !canvas.width) return 0;
    const bytes = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    return new Set(new Uint32Array(bytes.buffer)).size;
}
"""


MARKS = (
    pytest.mark.root,
    pytest.mark.docker,
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.timeout(1200),
)


def real(test: T) -> T:
    for mark in MARKS:
        test = mark(test)
    return test


def configured(folder: Path, socket: Path = SOCKET) -> dict[str, str]:
    """docker/configure run in a copy of docker/; what it wrote."""
    folder.mkdir(exist_ok=True)
    for name in ("compose.yaml", "configure"):
        shutil.copy(ROOT / "docker" / name, folder)
    environment = os.environ | {"DOCKER_SOCKET": str(socket)}
    subprocess.run([folder / "configure"], env=environment, check=True, capture_output=True)
    lines = (folder / ".env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def test_each_installation_has_secrets_of_its_own(tmp_path: Path) -> None:
    socket = tmp_path / "socket"
    socket.touch()
    one, other = configured(tmp_path / "one", socket), configured(tmp_path / "other", socket)
    secret = {name for name, value in one.items() if value != other[name]}
    assert secret == {
        "STUDIOS_PASSWORD", "STUDIOS_SERVICE_TOKEN", "STUDIOS_PROXY_TOKEN",
        "STUDIOS_STORE_KEY", "STUDIOS_STORE_SECRET",
    }  # fmt: skip
    assert min(len(one[name]) for name in secret) >= 16
    assert stat.S_IMODE((tmp_path / "one" / ".env").stat().st_mode) == 0o600
    assert configured(tmp_path / "one", socket) == one, "a second run changes nothing"


@dataclass
class Server:
    """What `docker-compose up` made."""

    folder: Path
    engine: Engine
    password: str
    port: int
    token: str = field(default_factory=lambda: secrets.token_hex(16))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def compose(self, *words: str) -> str:
        command = ["docker-compose", "--project-name", f"studios-{self.port}", *words]
        environment = os.environ | {"DOCKER_HOST": self.engine.host}
        done = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def call(self, method: str, path: str, **options: Any) -> Any:
        url = f"{self.url}/services/studios/api/v1/{path}"
        headers = {"Authorization": f"token {self.token}"}
        answer = httpx.request(method, url, headers=headers, timeout=60, **options)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def is_up(self) -> bool:
        try:
            answer = httpx.get(f"{self.url}/services/studios/api/v1/openapi.json", timeout=5)
        except httpx.TransportError:
            return False
        return answer.status_code == 200

    def until(self, studio: str, state: str) -> dict[str, Any]:
        def check() -> dict[str, Any] | None:
            view = dict(self.call("GET", f"studios/{studio}"))
            assert view["state"] in (state, "starting", "running", "stopping"), view["message"]
            return view if view["state"] == state else None

        return dict(wait_for(f"{studio} to be {state}", check, 180))

    @contextmanager
    def studio(self, template: str) -> Iterator[Page]:
        """A studio that is open in the browser; stopped at the end, with what was done in it saved."""
        body = {"name": template, "template": template, "cpus": 2, "memory_mib": 2048}
        made = self.call("POST", "studios", params={"start": True}, json=body)
        with chromium() as browser:
            page = browser.new_page(viewport={"width": 1280, "height": 860})
            page.goto(f"{self.url}/hub/login")
            page.get_by_label("Username").fill("admin")
            page.get_by_label("Password").fill(self.password)
            page.get_by_role("button", name="Sign in").click()
            expect(page.get_by_role("heading", name="Studios", level=1)).to_be_visible()
            self.until(made["id"], "running")
            page.goto(self.url + made["url"])
            yield page
            SHOTS.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=SHOTS / f"{template}.png")
        self.call("POST", f"studios/{made['id']}/stop", json={})
        assert self.until(made["id"], "stopped")["saved"]["status"] == "finalised"


@pytest.fixture(scope="module")
def server(engine: Engine, bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    hub_image(engine), store_image(engine), desktop_image(engine, bundle)
    folder = tmp_path_factory.mktemp("compose")
    given = configured(folder)
    server = Server(folder, engine, given["STUDIOS_PASSWORD"], free_port())
    # What an administrator edits.
    file = folder / ".env"
    file.write_text(
        file.read_text()
        .replace("STUDIOS_LISTEN=127.0.0.1:8000", f"STUDIOS_LISTEN=127.0.0.1:{server.port}")
        .replace("STUDIOS_TEMPLATES=jupyter vscode desktop", "STUDIOS_TEMPLATES=desktop")
    )
    (folder / "config.d" / "own.py").write_text(
        f'c.JupyterHub.api_tokens = {{"{server.token}": "admin"}}\n'
        f'c.Studios.templates.update({{"jupyter": {{"image": "{engine.jupyter_image()}"}}}})\n'
    )
    before = set(engine.docker("ps", "-aq", "--no-trunc").split())
    try:
        server.compose("up", "-d")
        try:
            wait_for("Hub and service", server.is_up, 120)
        except AssertionError as error:
            raise AssertionError(server.compose("logs", "--no-color", "--tail=60")) from error
        yield server
    finally:
        for container in engine.docker("ps", "-aq", "--no-trunc", "--filter", "network=studios").split():
            if container not in before:
                engine.docker("rm", "--force", "--volumes", container, check=False)
        server.compose("down", "--volumes")


@real
def test_a_desktop_shows_itself(server: Server) -> None:
    with server.studio("desktop") as page:
        expect(page.locator("canvas")).to_be_visible(timeout=READY_MS)
        # Xfce's picture and panel; an empty display has one colour, noVNC's own pages few.
        page.wait_for_function(f"() => ({COLOURS})() > 200", timeout=READY_MS)
        assert "/websockify" in page.url


@real
def test_jupyterlab_shows_itself(server: Server) -> None:
    with server.studio("jupyter") as page:
        expect(page.locator("#jp-main-dock-panel")).to_be_visible(timeout=READY_MS)
        # Ours are there, although what the Hub alone needs was left out of the image.
        expect(page.locator(".jp-SideBar [data-id='jupyterhub-studios-data']")).to_be_visible(
            timeout=READY_MS
        )


@real
def test_the_store_is_open_to_studios_by_its_key_alone(server: Server) -> None:
    program = """
import socket
for port in (8333, 9333, 19333, 8080, 18080, 8888, 18888):
    try:
        socket.create_connection(("store", port), 5).close()
        print(port)
    except ConnectionRefusedError:
        pass
"""
    open_ports = server.engine.docker(
        "run", "--rm", "--network=studios", "--entrypoint=python3", "studio-desktop", "-c", program
    )
    assert open_ports == "8333"
