"""``studios image adapt`` against ``docker build`` + ``docker push`` of the same result, into one registry on loopback.

The image has eight layers of 128 MB that do not compress. Both sides take turns, each time into a new repository; times
are wall-clock seconds, ``ratio`` is peer / ours. Docker's first round is as a Hub's machine meets an image that it has
not seen: the build pulls it first. In the others it is pulled already, which is told without a bar: a Hub's machine
would have to keep all images. Ours has the agent's layer packed already, as it is from the second image on; how long
packing takes is told too.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from jupyterhub_studios.images.adapt import Adapted, adapt
from jupyterhub_studios.images.building import build
from jupyterhub_studios.images.bundle import COMMAND, PLACE, Bundle
from jupyterhub_studios.images.layer import bundle_layer
from tests.engine import Engine, running
from tests.images.making import Maker, layer
from tests.registries import Registry, registry

LAYERS, LAYER_SIZE = 8, 128 << 20
ROUNDS = 3
SMALL = 64 << 10  # bytes of manifests and configs, all together


def rows() -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="studios-bench-", dir="/var/tmp") as name, registry() as here:
        folder = Path(name)
        bundle = build(folder / "bundle", lambda text: None)
        image = Maker(here, "bench/image")
        image.image("1", *(layer({f"data{n}": os.urandom(LAYER_SIZE)}) for n in range(LAYERS)), Cmd=["/none"])
        begun = time.perf_counter()
        packed = bundle_layer(bundle, folder / "cache")
        packing = time.perf_counter() - begun
        with running() as engine:
            ours, docker, done = _turns(engine, here, image, bundle, folder / "cache")
    median = statistics.median(ours)
    moved = done.sent + done.received
    what = "adapt a 1 GB image / docker build + push"
    return [
        _row(f"{what}, image not seen before", median, docker[0], 10),
        _row(f"{what}, image pulled already", median, statistics.median(docker[1:]), None),
        {
            "name": "adapt a 1 GB image: bytes moved / the agent's layer",
            "ours": moved,
            "peer": packed.size,
            "unit": "bytes, lower is better",
            "ratio": moved / packed.size,
            "bar": f"<= the layer + {SMALL >> 10} KiB",
            "holds": moved <= packed.size + SMALL and done.mounted == LAYERS,
        },
        {
            "name": "packing the agent's layer once / one adapt after that",
            "ours": packing,
            "peer": median,
            "unit": "s, lower is better",
            "ratio": packing / median,
            "bar": "none",
            "holds": True,
        },
    ]


def _row(name: str, ours: float, peer: float, bar: float | None) -> dict[str, Any]:
    ratio = peer / ours
    return {
        "name": name,
        "ours": ours,
        "peer": peer,
        "unit": "s, lower is better",
        "ratio": ratio,
        "bar": f">= {bar} times faster" if bar else "none",
        "holds": bar is None or ratio >= bar,
    }


def _turns(
    engine: Engine, here: Registry, image: Maker, bundle: Bundle, cache: Path
) -> tuple[list[float], list[float], Adapted]:
    command = ", ".join(f'"{word}"' for word in COMMAND)
    dockerfile = bundle.folder.with_suffix(".Dockerfile")
    dockerfile.write_text(f"FROM {image.name}:1\nCOPY . {PLACE}/\nENTRYPOINT [{command}]\n")
    ours, docker = [], []
    for number in range(ROUNDS):
        begun = time.perf_counter()
        done = asyncio.run(adapt(f"{image.name}:1", bundle, f"{here.host}/bench/ours{number}", cache=cache))
        ours.append(time.perf_counter() - begun)
        tag = f"{here.host}/bench/docker{number}:1"
        begun = time.perf_counter()
        engine.docker("build", "-q", "--no-cache", "-t", tag, "-f", str(dockerfile), str(bundle.folder))
        engine.docker("push", "-q", tag)
        docker.append(time.perf_counter() - begun)
        engine.docker("rmi", "--force", tag)
        engine.docker("pull", "-q", f"{image.name}:1")
    engine.docker("rmi", "--force", f"{image.name}:1")
    return ours, docker, done
