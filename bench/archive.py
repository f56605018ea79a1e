"""A folder of 1,000 objects as one zip, against ``rclone copy`` of the same folder.

Both from the same SeaweedFS to a file or folder on the same disk, with as many objects read at once; the sides in
turns, medians. Bars: at least rclone's throughput, and less than 150 MB of resident memory.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, cast

from jupyterhub_studios.explorer.archives.zips import AHEAD
from tests.explorer.engines import ADA, desk_at
from tests.explorer.stores import Place, of_seaweed
from tests.stores import SeaweedFS, running

OBJECTS = 1000
SIZE = 512 << 10
ROUNDS = 3
MEMORY_BAR = 150.0  # MB


def rows() -> list[dict[str, Any]]:
    with running() as server, tempfile.TemporaryDirectory(prefix="studios-bench-") as name:
        folder = Path(name)
        place = of_seaweed(server).place()
        asyncio.run(_fill(place))
        ours, peer, memory = [], [], []
        for n in range(ROUNDS + 1):  # the first round warms both sides up
            seconds, resident = _ours(place, folder)
            peer_seconds = _rclone(server, place, folder)
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


async def _fill(place: Place) -> None:
    backend = await place.open()
    at_once = asyncio.Semaphore(16)

    async def put(n: int) -> None:
        async with at_once:
            await backend.put(f"run/{n // 100}/{n:04}.bin", os.urandom(SIZE), replace=True)

    await asyncio.gather(*map(put, range(OBJECTS)))
    await backend.close()


def _ours(place: Place, folder: Path) -> tuple[float, float]:
    """Seconds and megabytes of a process that does nothing else."""
    target = folder / "run.zip"
    secret = {name: value.get_secret_value() if hasattr(value, "get_secret_value") else value for name, value in place.spec.secret}
    given = {**place.spec.model_dump(exclude={"secret"}, mode="json"), "secret": secret}
    command = [sys.executable, "-m", "bench.archive", place.bucket, str(target)]
    said = subprocess.run(command, input=json.dumps(given), check=True, capture_output=True, text=True).stdout
    assert target.stat().st_size > OBJECTS * SIZE
    target.unlink()
    seconds, resident = said.split()
    return float(seconds), float(resident)


async def _zip(place: Place, target: Path) -> None:
    async with desk_at(place) as desk:
        desk.catalogue.change(prefix="")
        desk.catalogue.link_.prefix = ""
        await desk.engine.browse(ADA, desk.link, "")  # libraries loaded, connected: as in a server that runs
        start = time.perf_counter()
        answer = await desk.engine.archive(ADA, desk.link, ["run/"])
        with target.open("wb") as file:
            async for chunk in answer.chunks:
                file.write(chunk)
        seconds = time.perf_counter() - start
    assert target.stat().st_size == int(answer.headers["Content-Length"])
    print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000)


def _rclone(server: SeaweedFS, place: Place, folder: Path) -> float:
    target = folder / "run"
    environment = os.environ | {
        "AWS_ACCESS_KEY_ID": server.access_key,
        "AWS_SECRET_ACCESS_KEY": server.secret_key,
        "RCLONE_CONFIG": os.devnull,
    }
    remote = f':s3,provider=Other,env_auth=true,region=us-east-1,endpoint="{server.endpoint}":{place.bucket}/run'
    rclone = str(Path(sys.executable).with_name("rclone"))
    command = [rclone, "copy", remote, str(target), "--transfers", str(AHEAD), "--checkers", str(AHEAD)]
    start = time.perf_counter()
    subprocess.run(command, env=environment, check=True, capture_output=True)
    seconds = time.perf_counter() - start
    assert sum(path.is_file() for path in target.rglob("*")) == OBJECTS
    shutil.rmtree(target)
    return seconds


if __name__ == "__main__":
    from jupyterhub_studios.models import CredentialSpec, Provider

    given = CredentialSpec.model_validate_json(sys.stdin.read())
    asyncio.run(_zip(cast(Place, Place(Provider.S3, sys.argv[1], given)), Path(sys.argv[2])))
