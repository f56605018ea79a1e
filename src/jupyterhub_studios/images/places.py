"""Where the agent's layer lies already: of each registry the repository that got it last, noted beside the layer.

A registry takes a blob over from one of its repositories into another without a byte being sent. The note is no more
than a hint: what lay there may be gone, and a login need not be allowed to read there.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path


def known(layer: Path, registry: str) -> str | None:
    found = _read(layer).get(registry)
    return found if isinstance(found, str) else None


def note(layer: Path, registry: str, repository: str) -> None:
    """Not being able to costs an upload next time, and nothing else."""
    places = _read(layer) | {registry: repository}
    with suppress(OSError):
        new = _file(layer).with_suffix(f".{os.getpid()}")
        new.write_text(json.dumps(places))
        new.replace(_file(layer))


def _read(layer: Path) -> dict[str, object]:
    with suppress(OSError, ValueError):
        places = json.loads(_file(layer).read_text())
        if isinstance(places, dict):
            return places
    return {}


def _file(layer: Path) -> Path:
    return layer.with_name(f"{layer.name}.places")
