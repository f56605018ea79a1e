"""What rclone's cache still holds that no bucket has: read from its files, so also when rclone is gone.

Beside each cached file lies what rclone knows of it, as JSON: whether it was changed since it was last in the bucket
(``Dirty``), how long it is, and which of its parts are there (``Rs``).
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .rclone import REMOTE


@dataclass(frozen=True)
class Leftover:
    """``name``: below the mount. ``whole``: all of its bytes are in the cache."""

    name: str
    size: int
    file: Path
    whole: bool


def leftovers(cache: Path, remote: str) -> list[Leftover]:
    """Files that were written and are not in the bucket, of the mount with this cache. What cannot be read any
    more is told as not whole."""
    found = []
    for inside, path in files(records(cache)):
        if (one := _read(path, content(cache) / inside, inside[skipped(remote) :])) is not None:
            found.append(one)
    return sorted(found, key=lambda one: one.name)


def content(cache: Path) -> Path:
    """Where rclone has the cached files."""
    return cache / "vfs" / REMOTE


def records(cache: Path) -> Path:
    """Where, below the same names, it has what it knows of them."""
    return cache / "vfsMeta" / REMOTE


def skipped(remote: str) -> int:
    """How much of a name there leads to the mount's uppermost folder."""
    return len(remote.strip("/")) + 1 if remote.strip("/") else 0


def files(top: Path) -> Iterator[tuple[str, Path]]:
    """Each file below ``top``, with its name from there."""
    for folder, _, names in os.walk(top):
        for path in (Path(folder, name) for name in names):
            yield path.relative_to(top).as_posix(), path


def _read(path: Path, file: Path, name: str) -> Leftover | None:
    try:
        known = json.loads(path.read_bytes())
        if not known.get("Dirty"):
            return None
        size = file.stat().st_size
        expected = max(int(known.get("Size", size)), 0)
        parts = sorted((int(one["Pos"]), int(one["Size"])) for one in known.get("Rs") or [])
    except FileNotFoundError:
        return None  # uploaded or removed since it was listed
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        with contextlib.suppress(OSError):
            return Leftover(name, file.stat().st_size, file, whole=False)
        return None
    reached = 0
    for start, length in parts:
        if start > reached:
            break
        reached = max(reached, start + length)
    return Leftover(name, size, file, whole=size == expected and reached >= expected)
