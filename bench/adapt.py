"""``studios image adapt`` against ``docker build`` + ``docker push`` of the same result, into one registry on loopback.

The image has eight layers of 128 MB that do not compress. Docker's side is measured twice: as a Hub's machine meets an
image that it has not seen (the build pulls it first), and with the image pulled already. Ours has the agent's layer
packed already, as it is from the second image on; packing it is a row of its own, without a bar. Times are wall-clock
seconds; ours are medians of three rounds, each into a repository of its own; ``ratio`` is peer / ours.
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
        times, done = _ours(here, image, bundle, folder / "cache")
        with running() as engine:
            unseen, pulled = _docker(engine, here, image, bundle)
    ours = statistics.median(times)
    return [
        _row("adapt a 1 GB image / docker build + push, image not seen before", ours, unseen),
        _row("adapt a 1 GB image / docker build + push, image pulled already", ours, pulled),
        {
            "name": "adapt a 1 GB image: bytes moved / the agent's layer",
            "ours": done.sent + done.received,
            "peer": packed.size,
            "unit": "bytes, lower is better",
            "ratio": (done.sent + done.received) / packed.size,
            "bar": f"<= the layer + {SMALL >> 10} KiB",
            "holds": done.sent + done.received <= packed.size + SMALL and done.mounted == LAYERS,
        },
        {
            "name": "packing the agent's layer, once for each bundle",
            "ours": packing,
            "peer": ours,
            "unit": "s; peer: one adapt after that",
            "ratio": packing / ours,
            "bar": "none",
            "holds": True,
        },
    ]


def _row(name: str, ours: float, peer: float) -> dict[str, Any]:
    ratio = peer / ours
    return {"name": name, "ours": ours, "peer": peer, "unit": "s, lower is better", "ratio": ratio,
            "bar": ">= 10 times faster", "holds": ratio >= 10}  # fmt: skip


def _ours(here: Registry, image: Maker, bundle: Bundle, cache: Path) -> tuple[list[float], Adapted]:
    times = []
    for number in range(ROUNDS):
        begun = time.perf_counter()
        done = asyncio.run(adapt(f"{image.name}:1", bundle, f"{here.host}/bench/ours{number}", cache=cache))
        times.append(time.perf_counter() - begun)
    return times, done


def _docker(engine: Engine, here: Registry, image: Maker, bundle: Bundle) -> tuple[float, float]:
    """With the image not there yet, and there."""
    command = ", ".join(f'"{word}"' for word in COMMAND)
    dockerfile = bundle.folder.with_suffix(".Dockerfile")
    dockerfile.write_text(f"FROM {image.name}:1\nCOPY . {PLACE}/\nENTRYPOINT [{command}]\n")
    times, made = [], []
    for number in range(2):
        tag = f"{here.host}/bench/docker{number}:1"
        begun = time.perf_counter()
        engine.docker("build", "-q", "--no-cache", "-t", tag, "-f", str(dockerfile), str(bundle.folder))
        engine.docker("push", "-q", tag)
        times.append(time.perf_counter() - begun)
        made.append(tag)
        engine.docker("pull", "-q", f"{image.name}:1")
    engine.docker("rmi", "--force", *made, f"{image.name}:1")
    return times[0], times[1]
