"""A folder of 1,000 objects as one zip, against ``rclone copy`` of the same folder.

Both from the same SeaweedFS to a file or folder on the same disk, with as many objects read at once; the sides in
turns, medians. Bars: at least rclone's throughput, and less than 150 MB of resident memory.
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
from pathlib import Path
from typing import Any, cast

from jupyterhub_studios.explorer.archives.zips import AHEAD
from jupyterhub_studios.explorer.backends import Guard, open_backend
from jupyterhub_studios.explorer.catalogue import Catalogue
from jupyterhub_studios.explorer.engine import Engine
from jupyterhub_studios.models import CredentialSpec, DataRole, LinkView, Provider

OBJECTS = 1000
SIZE = 2 << 20
ROUNDS = 2
MEMORY_BAR = 150.0  # MB


def rows() -> list[dict[str, Any]]:
    from tests.stores import running  # not in the measured process: it loads much that the explorer does not

    with running() as server, tempfile.TemporaryDirectory(prefix="studios-bench-") as name:
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
        ours, peer, memory = [], [], []
        for n in range(ROUNDS + 1):  # the first round warms both sides up
            seconds, resident = _ours(given, bucket, folder)
            peer_seconds = _rclone(given, bucket, folder)
            if n:
                ours.append(seconds)
                peer.append(peer_seconds)
                memory.append(resident)
    megabytes = OBJECTS * SIZE / 1e6
    our_speed, peer_speed = megabytes / statistics.median(ours), megabytes / statistics.median(peer)
    resident = statistics.median(memory)
    return [
        {
            "name": f"explorer / rclone copy: {OBJECTS:,} objects of {SIZE >> 10} KiB as one zip",
            "ours": our_speed,
            "peer": peer_speed,
            "unit": "MB/s",
            "ratio": our_speed / peer_speed,
            "bar": ">= 1",
            "holds": our_speed >= peer_speed,
        },
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
        command, input=json.dumps(given), check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    target.unlink()
    seconds, resident = said.split()
    return float(seconds), float(resident)


async def serve(bucket: str, spec: CredentialSpec, target: Path) -> int:
    """Our side: an engine alone, in a process that has loaded nothing else."""
    link = LinkView(
        id="dl-bench", name="bench", description="", provider=spec.provider, url="", bucket=bucket, prefix="",
        region=None, endpoint=spec.endpoint, source="added", owner="bench", workspace=None, workspace_role=None,
        credential="bench", role=DataRole.DOWNLOAD, writable=False, why="",
    )  # fmt: skip
    engine = Engine(
        cast(Catalogue, _OneLink(link, spec)), key=bytes(32), guard=Guard(["*"]), archive_cap=OBJECTS
    )
    caller = cast(Any, None)
    await engine.browse(caller, link.id, "")  # connected, libraries loaded: as in a server that runs
    start = time.perf_counter()
    answer = await engine.archive(caller, link.id, ["run/"])
    with target.open("wb") as file:
        # In a thread: it is the receiver's work, and would hold up the server's loop as no socket does.
        writing: asyncio.Future[int] | None = None
        async for chunk in answer.chunks:
            if writing is not None:
                await writing
            writing = asyncio.ensure_future(asyncio.to_thread(file.write, chunk))
        if writing is not None:
            await writing
    seconds = time.perf_counter() - start
    await engine.close()
    print(seconds, _most_resident())
    return int(answer.headers["Content-Length"])


def _most_resident() -> float:
    """Megabytes. Not ru_maxrss, which begins with what the process had that this one was forked of."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) * 1024 / 1e6


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
    given = CredentialSpec.model_validate_json(sys.stdin.read())
    zipped = Path(sys.argv[2])
    length = asyncio.run(serve(sys.argv[1], given, zipped))
    if zipped.stat().st_size != length:
        raise RuntimeError("the zip has not the length that it said")
