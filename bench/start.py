"""Start of a Jupyter studio, from the request to ready, against a plain ``jupyterhub-singleuser``.

Both run on the same machine, in the same run, in turns: the demo's Hub with our spawner, and a second Hub with
SimpleLocalProcessSpawner. Ready means that the Hub says the server is ready. Medians; bar: at most 1.5 times.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from tests.demo import Demo, free_port, wait_for

ROUNDS = 5

PEER_CONFIG = """
import os
c = get_config()
c.JupyterHub.bind_url = "http://127.0.0.1:{port}/"
c.JupyterHub.hub_port = {hub_port}
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api_port}"
c.ConfigurableHTTPProxy.auth_token = "bench"
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allowed_users = {{"demo"}}
c.Authenticator.admin_users = {{"demo"}}
c.JupyterHub.spawner_class = "simple"
c.JupyterHub.allow_named_servers = True
c.SimpleLocalProcessSpawner.home_dir_template = "{home}/{{username}}"
c.Spawner.args = ["--allow-root"]
c.JupyterHub.api_tokens = {{"bench-token": "demo"}}
"""


def rows() -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="studios-bench-") as folder:
        ours_demo = Demo(Path(folder) / "ours")
        peer, peer_url = _start_peer(Path(folder) / "peer")
        try:
            ours_demo.start()
            ours, theirs = [], []
            for n in range(ROUNDS + 1):  # the first round warms the page cache of both sides
                ours.append(
                    _time_start(ours_demo.url, ours_demo.token("demo"), f"ours-{n}", {"template": "jupyter"})
                )
                theirs.append(_time_start(peer_url, "bench-token", f"peer-{n}", {}))
        finally:
            ours_demo.stop()
            peer.terminate()
            peer.wait(30)
    a, b = statistics.median(ours[1:]), statistics.median(theirs[1:])
    return [
        {
            "name": "start of a Jupyter studio / of a plain jupyterhub-singleuser",
            "ours": a,
            "peer": b,
            "unit": "s, lower is better",
            "ratio": a / b,
            "bar": "<= 1.5",
            "holds": a / b <= 1.5,
        }
    ]


def _start_peer(folder: Path) -> tuple[subprocess.Popen[bytes], str]:
    folder.mkdir(parents=True)
    port = free_port()
    config = folder / "jupyterhub_config.py"
    config.write_text(PEER_CONFIG.format(port=port, hub_port=free_port(), api_port=free_port(), home=folder))
    with (folder / "hub.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterhub", "-f", str(config)], cwd=folder, stdout=log, stderr=log
        )
    url = f"http://127.0.0.1:{port}"
    wait_for("the peer's Hub", _quietly(lambda: httpx.get(f"{url}/hub/api/").status_code == 200))
    return process, url


def _time_start(url: str, token: str, name: str, options: dict[str, Any]) -> float:
    server = f"{url}/hub/api/users/demo/servers/{name}"
    client = httpx.Client(headers={"Authorization": f"token {token}"}, timeout=60)
    user_options = {"name": name, **options} if options else {}
    begin = time.monotonic()
    client.post(server, json={"display_name": name, "user_options": user_options}).raise_for_status()
    user = f"{url}/hub/api/users/demo"
    wait_for(f"{name} to be ready", lambda: client.get(user).json()["servers"].get(name, {}).get("ready"))
    seconds = time.monotonic() - begin
    client.request("DELETE", server, json={}).raise_for_status()
    wait_for(f"{name} to stop", lambda: name not in _running(client, user))
    return seconds


def _running(client: httpx.Client, user: str) -> list[str]:
    return [n for n, s in client.get(user).json()["servers"].items() if s["ready"] or s["pending"]]


def _quietly(check: Callable[[], bool]) -> Callable[[], bool]:
    def answer() -> bool:
        try:
            return check()
        except httpx.TransportError:
            return False

    return answer
