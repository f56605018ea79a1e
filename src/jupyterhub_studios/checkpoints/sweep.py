"""Removing layers that no checkpoint names, while sessions save and people fork.

Why a layer that is named can never be removed:

1. A sweep removes a layer only after it (a) wrote ``condemned`` with the layer into ``sweep.json``, then (b)
   began to list and read every checkpoint, and found none that names it.
2. Whoever names a layer (a save, a fork, a session's start) first writes the checkpoint, then reads
   ``sweep.json`` (``bucket.secure``). Let the checkpoint be written before (a): it is there for all of (b), so
   the sweep sees it. Let it be written after (a): the reader sees the layer condemned and waits until the
   sweep is over, or the sweep is over already; then it looks whether the layer is still there, and if not
   puts it back (a save has the file) or gives up before anything relies on it (a fork, a start).
   Stores answer a read after a write with what was written; S3, GCS, Azure and folders all do.
3. A sweep that dies leaves ``condemned`` behind. Others take it for dead after ``LEASE`` seconds without a
   change by their own clocks; the sweep itself deletes only for half of that, by its own, counted from before
   the write of (a). So a dead sweep's hand can fall only if its process slept, between looking at the clock and
   sending one request, for a minute and exactly then.
4. Waiting is rare: a layer is condemned only when it was named by nobody at two looks ``grace`` apart, and was
   itself written that long ago. A session's own uploads are younger than that unless its save hung for as long.

A checkpoint that cannot be read ends the sweep before it removes anything: it may name any layer.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from datetime import datetime, timedelta

from ..models import Model, StudiosError, now
from .bucket import LAYERS, LEASE, STUDIOS, SweepRecord, decode, layer_key, read_sweep, write_sweep
from .store import Conflict, Found, Store, Version

_AT_ONCE = 100


class Swept(Model):
    removed: int  # layers
    freed_bytes: int
    kept: int  # layers that are named, or not yet old enough


async def sweep(store: Store, grace: float) -> Swept:
    """Mark layers that no checkpoint names; remove those that were marked ``grace`` seconds ago."""
    record, version = await read_sweep(store)
    layers = {_digest(found): found for found in await store.list(f"{LAYERS}/")}
    unnamed = layers.keys() - await named(store)
    at = now()
    limit = at - timedelta(seconds=grace)
    marks = {digest: record.marks.get(digest, at) for digest in unnamed}
    due = {d for d in unnamed if marks[d] <= limit and layers[d].modified <= limit}
    deadline = time.monotonic() + LEASE / 2
    version = await _claim(store, record, version, marks, due)
    removed = await _remove(store, due - await named(store), deadline)
    after = SweepRecord(marks={d: t for d, t in marks.items() if d not in removed}, run=secrets.token_hex(8))
    with contextlib.suppress(Conflict):  # taken for dead: whoever did so has cleared what was condemned
        await write_sweep(store, after, version)
    freed = sum(layers[digest].size for digest in removed)
    return Swept(removed=len(removed), freed_bytes=freed, kept=len(layers) - len(removed))


def _digest(found: Found) -> str:
    return found.key.removeprefix(f"{LAYERS}/").removesuffix(".sqsh")


async def named(store: Store) -> set[str]:
    """The layers that any checkpoint of any studio names."""
    keys = [found.key for found in await store.list(f"{STUDIOS}/") if "/checkpoints/" in found.key]
    digests: set[str] = set()
    for start in range(0, len(keys), _AT_ONCE):
        batch = keys[start : start + _AT_ONCE]
        for key, found in zip(batch, await asyncio.gather(*map(store.get, batch)), strict=True):
            if found is not None:  # None: deleted since it was listed
                digests |= {layer.digest for layer in decode(key, found[0]).layers}
    return digests


async def _claim(
    store: Store, record: SweepRecord, version: Version | None, marks: dict[str, datetime], due: set[str]
) -> Version:
    running = StudiosError(
        "A sweep of this bucket is already running", "", "Try again in a few minutes", status=409
    )
    if record.condemned and not await _is_dead(store, record):
        raise running
    mine = SweepRecord(marks=marks, condemned=sorted(due), run=secrets.token_hex(8))
    try:
        return await write_sweep(store, mine, version)
    except Conflict:
        raise running from None


async def _is_dead(store: Store, record: SweepRecord) -> bool:
    """Whether the sweep that wrote ``record`` shows no sign of life for as long as one may take."""
    started = time.monotonic()
    while time.monotonic() - started <= LEASE:
        await asyncio.sleep(1)
        current, _ = await read_sweep(store)
        if current.run != record.run:
            return False
    return True


async def _remove(store: Store, digests: set[str], deadline: float) -> set[str]:
    removed: set[str] = set()
    remaining = sorted(digests)
    while remaining and time.monotonic() < deadline:
        batch, remaining = remaining[:_AT_ONCE], remaining[_AT_ONCE:]
        await store.delete([layer_key(digest) for digest in batch])
        removed |= set(batch)
    return removed
