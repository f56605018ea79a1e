"""A folder of 1,000 objects as one zip, against ``rclone copy`` of the same folder.

Both from the same SeaweedFS to a file or folder in the same place, with as many objects read at once, each by one
process; the sides in turns, medians. The place is in memory where that is large enough: a disk is slower than both.
Bars: at least rclone's throughput, and less than 150 MB of resident memory. Told without a bar: the same zip as a
person gets it, over HTTP into ``curl``, which shares the processors with the server and the store here.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

from jupyterhub_studios.explorer.api import handlers
from jupyterhub_studios.explorer.archives.zips import AHEAD
from jupyterhub_studios.explorer.backends import Guard, open_backend
from jupyterhub_studios.explorer.catalogue import Catalogue
from jupyterhub_studios.explorer.engine import Engine
from jupyterhub_studios.models import CredentialSpec, DataRole, LinkView, Provider

OBJECTS = 1000
SIZE = 2 << 20
ROUNDS = 2
MEMORY_BAR = 150.0  # MB
LINK = "dl-bench"


def rows() -> list[dict[str, Any]]:
    from tests.stores import running  # not in the measured process: it loads much that the explorer does not

    with running() as server, tempfile.TemporaryDirectory(prefix="studios-bench-", dir=_place()) as name:
        folder, bucket = Path(name), server.bucket()
        given = {
            "name": "bench",
            "provider": "s3",
            "endpoint": server.endpoint,
            "secret": {
                "type": "access-key",
                "access_key_id": server.access_key,
                "secret_access_key": server.secret_key,
            },
        }
        asyncio.run(_fill(CredentialSpec.model_validate(given), bucket))
        ours, over_http, peer, memory = [], [], [], []
        for n in range(ROUNDS + 1):  # the first round warms all sides up
            seconds, resident = _ours(given, bucket, folder)
            peer_seconds = _rclone(given, bucket, folder)
            http_seconds, served_with = _over_http(given, bucket, folder)
            if n:
                ours.append(seconds)
                peer.append(peer_seconds)
                over_http.append(http_seconds)
                memory += [resident, served_with]
    resident = max(memory)
    what = f"explorer / rclone copy: {OBJECTS:,} objects of {SIZE >> 10} KiB as one zip"
    return [
        _speed(what, ours, peer, 1),
        _speed(f"{what}, over HTTP into curl", over_http, peer, None),
        {
            "name": "explorer: resident memory while it makes that zip",
            "ours": resident,
            "peer": MEMORY_BAR,
            "unit": "MB",
            "ratio": resident / MEMORY_BAR,
            "bar": f"< {MEMORY_BAR:.0f} MB",
            "holds": resident < MEMORY_BAR,
        },
    ]


def _place() -> Path | None:
    """None: where temporary files are."""
    memory = Path("/dev/shm")
    return memory if memory.is_dir() and shutil.disk_usage(memory).free > 2 * OBJECTS * SIZE else None


def _speed(name: str, ours: list[float], peer: list[float], bar: float | None) -> dict[str, Any]:
    our_speed, peer_speed = (OBJECTS * SIZE / 1e6 / statistics.median(side) for side in (ours, peer))
    return {
        "name": name,
        "ours": our_speed,
        "peer": peer_speed,
        "unit": "MB/s",
        "ratio": our_speed / peer_speed,
        "bar": f">= {bar}" if bar else "none",
        "holds": bar is None or our_speed / peer_speed >= bar,
    }


async def _fill(spec: CredentialSpec, bucket: str) -> None:
    backend = await open_backend(spec, Provider.S3, bucket, guard=Guard(["*"]))
    at_once = asyncio.Semaphore(16)

    async def put(n: int) -> None:
        async with at_once:
            await backend.put(f"run/{n // 100}/{n:04}.bin", os.urandom(SIZE), replace=True)

    await asyncio.gather(*map(put, range(OBJECTS)))
    await backend.close()


def _ours(given: dict[str, Any], bucket: str, folder: Path) -> tuple[float, float]:
    """Seconds and megabytes of a process that does nothing else."""
    target = folder / "run.zip"
    command = [sys.executable, "-m", "bench.archive", bucket, str(target)]
    said = subprocess.run(
        command, input=json.dumps(given) + "\n", check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    target.unlink()
    seconds, resident = said.split()
    return float(seconds), float(resident)


def _over_http(given: dict[str, Any], bucket: str, folder: Path) -> tuple[float, float]:
    """Seconds, as the person's ``curl`` has it, and megabytes of the server."""
    target = folder / "got.zip"
    command = [sys.executable, "-m", "bench.archive", bucket]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin and server.stdout
        server.stdin.write(json.dumps(given) + "\n")
        server.stdin.flush()
        url = server.stdout.readline().strip()
        start = time.perf_counter()
        subprocess.run(["curl", "-sSf", "-o", str(target), url], check=True)
        seconds = time.perf_counter() - start
        server.stdin.close()  # ends it
        resident = float(server.stdout.read())
    assert target.stat().st_size > OBJECTS * SIZE
    target.unlink()
    return seconds, resident


def _engine(bucket: str, spec: CredentialSpec) -> Explorer:
    link = LinkView(
        id=LINK, name="bench", description="", provider=spec.provider, url="", bucket=bucket, prefix="",
        region=None, endpoint=spec.endpoint, source="added", owner="bench", workspace=None, workspace_role=None,
        credential="bench", role=DataRole.DOWNLOAD, writable=False, why="",
    )  # fmt: skip
    catalogue = cast(Catalogue, _OneLink(link, spec))
    return Explorer(Engine(catalogue, key=bytes(32), guard=Guard(["*"]), archive_cap=OBJECTS), catalogue)


async def make(bucket: str, spec: CredentialSpec, target: Path) -> int:
    """Our side: an engine alone, in a process that has loaded little else, and that writes the file itself."""
    engine = _engine(bucket, spec).engine
    caller = cast(Any, None)
    await engine.browse(caller, LINK, "")  # connected, libraries loaded: as in a server that runs
    start = time.perf_counter()
    answer = await engine.archive(caller, LINK, ["run/"])
    with target.open("wb", buffering=0) as file:
        async for chunk in answer.chunks:
            file.write(chunk)  # on the loop: a thread would wait for Python's lock longer than this takes
    seconds = time.perf_counter() - start
    await engine.close()
    print(seconds, _most_resident())
    return int(answer.headers["Content-Length"])


async def serve(bucket: str, spec: CredentialSpec) -> None:
    """The explorer's own routes, until nobody is on the other end of standard input."""
    explorer = _engine(bucket, spec)
    await explorer.engine.browse(cast(Any, None), LINK, "")
    server = HTTPServer(Application(handlers("/", _Host, explorer), log_function=lambda _: None))
    (socket,) = bind_sockets(0, "127.0.0.1")
    server.add_socket(socket)
    print(f"http://127.0.0.1:{socket.getsockname()[1]}/data-links/{LINK}/archive?path=run/", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    server.stop()
    await explorer.engine.close()
    print(_most_resident())


def _most_resident() -> float:
    """Megabytes. Not ru_maxrss, which begins with what the process had that this one was forked of."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) * 1024 / 1e6


@dataclass
class Explorer:
    engine: Engine
    catalogue: Catalogue


class _Host(RequestHandler):
    async def authorise(self, access: str) -> object:
        return self


class _OneLink:
    def __init__(self, link: LinkView, spec: CredentialSpec) -> None:
        self._link = link
        self._spec = spec

    async def link(self, caller: object, link_id: str) -> LinkView:
        return self._link

    async def credential_of(self, link: LinkView) -> CredentialSpec:
        return self._spec


def _rclone(given: dict[str, Any], bucket: str, folder: Path) -> float:
    target = folder / "run"
    environment = os.environ | {
        "AWS_ACCESS_KEY_ID": given["secret"]["access_key_id"],
        "AWS_SECRET_ACCESS_KEY": given["secret"]["secret_access_key"],
        "RCLONE_CONFIG": os.devnull,
    }
    remote = f':s3,provider=Other,env_auth=true,region=us-east-1,endpoint="{given["endpoint"]}":{bucket}/run'
    rclone = str(Path(sys.executable).with_name("rclone"))
    command = [rclone, "copy", remote, str(target), "--transfers", str(AHEAD), "--checkers", str(AHEAD)]
    start = time.perf_counter()
    subprocess.run(command, env=environment, check=True, capture_output=True)
    seconds = time.perf_counter() - start
    assert sum(path.is_file() for path in target.rglob("*")) == OBJECTS
    shutil.rmtree(target)
    return seconds


if __name__ == "__main__":
    given = CredentialSpec.model_validate_json(sys.stdin.readline())
    if len(sys.argv) == 2:
        asyncio.run(serve(sys.argv[1], given))
    else:
        zipped = Path(sys.argv[2])
        length = asyncio.run(make(sys.argv[1], given, zipped))
        if zipped.stat().st_size != length:
            raise RuntimeError("the zip has not the length that it said")
