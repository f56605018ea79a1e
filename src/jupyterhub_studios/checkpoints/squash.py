"""Merging adjacent layers into one, so that a chain stays short.

The merged layer looks over any base as its parts did: where layers hold the same path the uppermost wins,
directories join until one is opaque or something else ends them. A whiteout stays where something below can
hold what it hides. It goes where nothing can: overlayfs lists the whiteouts of a directory that lies in one
layer only, as if they were files.
"""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Sequence
from pathlib import Path

from ..models import LayerRef
from .capture import Capture
from .scan import OPAQUE, parents
from .tarstream import Item

CHAIN = 12  # layers of a checkpoint at most
MERGED_CHAIN = 8  # and after merging, unless sizes ask for fewer


def merge(directories: Sequence[Path], below: Sequence[Path]) -> list[Item]:
    """The entries of one layer in place of ``directories``, over ``below`` (roots, lowest first)."""
    items: list[Item] = []
    lower = [bytes(root) for root in reversed(below)]
    pending = [(b"", [bytes(root) for root in reversed(directories)], True)]
    while pending:
        # A directory, where it lies (uppermost first), and whether it joins one that is below all of these.
        path, sources, joins = pending.pop()
        listings = [_listing(source) for source in sources]
        for name in set().union(*listings):
            inner = path + b"/" + name if path else name
            found = [
                (source + b"/" + name, entries[name])
                for source, entries in zip(sources, listings, strict=True)
                if name in entries
            ]
            item, joined = _join(inner, found)
            if item.source is not None or joins:
                items.append(item)
            if joined:
                pending.append((inner, joined, joins and not item.opaque and _is_directory(lower, inner)))
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


def _is_directory(roots: Sequence[bytes], path: bytes) -> bool:
    """Whether ``path`` is a directory over ``roots`` (uppermost first), given that its parent is one."""
    for root in roots:
        try:
            return stat.S_ISDIR(os.lstat(root + b"/" + path).st_mode)
        except OSError:
            if any(_ends(root, parent) for parent in parents(path)):
                return False
    return False


def _ends(root: bytes, path: bytes) -> bool:
    """Whether ``root`` hides what lies at ``path`` further down."""
    place = root + b"/" + path
    try:
        return not stat.S_ISDIR(os.lstat(place).st_mode) or _is_opaque(place)
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


async def merge_chain(capture: Capture, below: list[LayerRef], lowers: Sequence[Path]) -> list[LayerRef]:
    """Called by a final save: when the chain has become too long, its upper part becomes one layer of
    ``capture`` together with the whole upperdir. ``lowers`` are the roots of the base and of ``below``. Answers
    what stays below."""
    own = capture.state.layers
    if len(below) + len(own) <= CHAIN or len(lowers) != len(below) + 1:
        return below
    start = first_to_merge([layer.size for layer in below] + [layer.ref.size for layer in own])
    start = min(start, len(below))
    items = await asyncio.to_thread(merge, [*lowers[start + 1 :], capture.upper], lowers[: start + 1])
    await capture.replace(items)
    return below[:start]
