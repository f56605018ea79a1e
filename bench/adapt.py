"""``studios image adapt`` against ``docker build`` + ``docker push`` of the same result, into one registry on loopback.

The image has eight layers of 128 MB that do not compress. Both sides take turns, each time into a new repository; times
are wall-clock seconds, ``ratio`` is peer / ours. The first round is the first image in the registry, and one that the
Hub's machine has not seen: Docker's build pulls it, and both sides send the agent's layer. In the others Docker has
pulled the image already, and the registry has the layer in another repository: both sides can have it taken over from
there, and ours does. Ours has the layer packed already, as it is from the second image on; how long that takes is told.
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
ROUNDS = 4
BAR = 10
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
    again = statistics.median(ours[1:])
    first, later = ((one.sent + one.received) for one in done[:2])
    what = "adapt a 1 GB image / docker build + push"
    return [
        _row(f"{what}, first in the registry, image not seen before", ours[0], docker[0]),
        _row(f"{what}, image pulled already", again, statistics.median(docker[1:])),
        {
            "name": "adapt a 1 GB image, first in the registry: bytes moved / the agent's layer",
            "ours": first,
            "peer": packed.size,
            "unit": "bytes, lower is better",
            "ratio": first / packed.size,
            "bar": f"<= the layer + {SMALL >> 10} KiB",
            "holds": first <= packed.size + SMALL and done[0].mounted == LAYERS,
        },
        {
            "name": "adapt a 1 GB image after that: bytes moved / manifests and configs",
            "ours": later,
            "peer": SMALL,
            "unit": "bytes, lower is better",
            "ratio": later / SMALL,
            "bar": f"<= {SMALL >> 10} KiB",
            "holds": later <= SMALL and done[1].mounted == LAYERS + 1,
        },
        {
            "name": "packing the agent's layer once / one adapt after that",
            "ours": packing,
            "peer": again,
            "unit": "s, lower is better",
            "ratio": packing / again,
            "bar": "none",
            "holds": True,
        },
    ]


def _row(name: str, ours: float, peer: float) -> dict[str, Any]:
    ratio = peer / ours
    return {
        "name": name,
        "ours": ours,
        "peer": peer,
        "unit": "s, lower is better",
        "ratio": ratio,
        "bar": f">= {BAR} times faster",
        "holds": ratio >= BAR,
    }


def _turns(
    engine: Engine, here: Registry, image: Maker, bundle: Bundle, cache: Path
) -> tuple[list[float], list[float], list[Adapted]]:
    command = ", ".join(f'"{word}"' for word in COMMAND)
    dockerfile = bundle.folder.with_suffix(".Dockerfile")
    dockerfile.write_text(f"FROM {image.name}:1\nCOPY . {PLACE}/\nENTRYPOINT [{command}]\n")
    ours, docker, done = [], [], []
    for number in range(ROUNDS):
        begun = time.perf_counter()
        target = f"{here.host}/bench/ours{number}"
        done.append(asyncio.run(adapt(f"{image.name}:1", bundle, target, cache=cache)))
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
