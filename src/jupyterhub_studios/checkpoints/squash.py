"""Merging adjacent layers into one, so that a chain stays short.

The merged layer looks over any base as its parts did: where layers hold the same path the uppermost wins,
directories join until one is opaque or something else ends them, and whiteouts stay, because what they
hide may be in a layer further down or in the image.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path

from ..models import LayerRef
from .capture import Capture
from .scan import OPAQUE
from .tarstream import Item

CHAIN = 12  # layers of a checkpoint at most
MERGED_CHAIN = 8  # and after merging, unless sizes ask for fewer


def merge(directories: Sequence[Path]) -> list[Item]:
    """The entries of one layer in place of ``directories`` (each a layer's root, lowest first)."""
    items: list[Item] = []
    pending: list[tuple[bytes, list[bytes]]] = [(b"", [bytes(d) for d in reversed(directories)])]
    while pending:
        path, sources = pending.pop()  # where this directory lies, uppermost first
        listings = [_listing(source) for source in sources]
        for name in set().union(*listings):
            below = path + b"/" + name if path else name
            found = [
                (source + b"/" + name, entries[name])
                for source, entries in zip(sources, listings, strict=True)
                if name in entries
            ]
            item, joined = _join(below, found)
            items.append(item)
            if joined:
                pending.append((below, joined))
    return sorted(items)


def _listing(directory: bytes) -> dict[bytes, os.stat_result]:
    with os.scandir(directory) as entries:
        return {entry.name: entry.stat(follow_symlinks=False) for entry in entries}


def _join(path: bytes, found: list[tuple[bytes, os.stat_result]]) -> tuple[Item, list[bytes]]:
    """What ``path`` is in the merged layer, and the directories whose entries it holds."""
    source, status = found[0]
    if stat.S_ISCHR(status.st_mode) and status.st_rdev == 0:
        return Item(path, None), []
    if not stat.S_ISDIR(status.st_mode):
        return Item(path, source), []
    joined, opaque = [], False
    for directory, status in found:
        if not stat.S_ISDIR(status.st_mode):
            opaque = True  # a file or a whiteout in between hides all further down
            break
        joined.append(directory)
        if _is_opaque(directory):
            opaque = True
            break
    return Item(path, source, opaque), joined


def _is_opaque(directory: bytes) -> bool:
    try:
        return os.getxattr(directory, OPAQUE, follow_symlinks=False) == b"y"
    except OSError:
        return False


def first_to_merge(sizes: Sequence[int]) -> int:
    """From which layer on a chain of ``sizes`` is merged: enough to be short again, and on while the layer
    below is not much bigger than what is written anyway."""
    start = min(len(sizes), MERGED_CHAIN - 1)
    written = sum(sizes[start:])
    while start and sizes[start - 1] <= 2 * written:
        start -= 1
        written += sizes[start]
    return start


async def merge_chain(capture: Capture, below: list[LayerRef], mounts: Sequence[Path]) -> list[LayerRef]:
    """Called by a final save: when the chain has become too long, its upper part becomes one layer of
    ``capture`` together with the whole upperdir. Answers what stays below."""
    own = capture.state.layers
    if len(below) + len(own) <= CHAIN or len(mounts) != len(below):
        return below
    start = first_to_merge([layer.size for layer in below] + [layer.ref.size for layer in own])
    start = min(start, len(below))
    items = merge([*mounts[start:], capture.upper])
    await capture.replace(items)
    return below[:start]
