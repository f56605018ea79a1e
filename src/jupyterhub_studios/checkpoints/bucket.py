"""The documents of the bucket and the order they are written in.

``layers/<sha256>.sqsh``, ``studios/<id>/checkpoints/<id>.json``, ``studios/<id>/head.json`` and ``sweep.json``.
Layers come first, then the checkpoint that names them, then the head that names the checkpoint, so whatever
is cut off in between leaves a head that leads to complete things.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from datetime import datetime

from pydantic import Field, ValidationError

from ..models import Checkpoint, LayerRef, Model, StudiosError
from .store import Conflict, Store, Version

SWEEP_KEY = "sweep.json"
STUDIOS = "studios"
LAYERS = "layers"
LEASE = 120.0
"""Seconds that a sweep's record must stand unchanged before others take its sweep for dead. A sweep
deletes only in the first half of it."""


class Head(Model):
    """What a studio's next start restores, and which session may move it."""

    checkpoint: str
    epoch: int
    session_id: str | None
    saved_at: datetime


class SweepRecord(Model):
    """``marks``: since when a layer was seen to be named by nobody. ``condemned``: being deleted now."""

    marks: dict[str, datetime] = Field(default={})
    condemned: list[str] = Field(default=[])
    run: str = ""  # which run wrote it: a change of it is a sign of life


class Fenced(StudiosError):
    """A newer session of the studio owns its head: this one must not save any more."""

    def __init__(self, studio_id: str) -> None:
        super().__init__(
            "Another session has taken over this studio",
            f"a newer session saves studio {studio_id} now, so this one may not",
            "Stop this session; what it saved before is kept",
            status=409,
        )


class LayerMissing(StudiosError):
    def __init__(self, layer: LayerRef) -> None:
        self.layer = layer
        super().__init__(
            "This checkpoint cannot be restored: a layer is missing",
            f"layer {layer.digest[:12]}… is not in the bucket",
            "Choose an earlier checkpoint",
            status=410,
        )


class LayerDamaged(StudiosError):
    def __init__(self, layer: LayerRef) -> None:
        self.layer = layer
        super().__init__(
            "This checkpoint cannot be restored: a layer is damaged",
            f"the bytes of layer {layer.digest[:12]}… are not those that were saved",
            "Choose an earlier checkpoint, or put the object back from the bucket's own versions",
            status=410,
        )


def layer_key(digest: str) -> str:
    return f"{LAYERS}/{digest}.sqsh"


def checkpoint_key(studio_id: str, checkpoint_id: str) -> str:
    return f"{STUDIOS}/{studio_id}/checkpoints/{checkpoint_id}.json"


def head_key(studio_id: str) -> str:
    return f"{STUDIOS}/{studio_id}/head.json"


def encode(document: Model) -> bytes:
    return document.model_dump_json(indent=1).encode()


async def read_head(store: Store, studio_id: str) -> tuple[Head, Version] | None:
    found = await store.get(head_key(studio_id))
    if found is None:
        return None
    try:
        return Head.model_validate_json(found[0]), found[1]
    except ValidationError:
        raise _unreadable(head_key(studio_id)) from None


async def read_checkpoint(
    store: Store, studio_id: str, checkpoint_id: str
) -> tuple[Checkpoint, Version] | None:
    key = checkpoint_key(studio_id, checkpoint_id)
    found = await store.get(key)
    if found is None:
        return None
    return decode(key, found[0]), found[1]


def decode(key: str, data: bytes) -> Checkpoint:
    try:
        return Checkpoint.model_validate_json(data)
    except ValidationError:
        raise _unreadable(key) from None


def _unreadable(key: str) -> StudiosError:
    return StudiosError(
        "A record in the bucket cannot be read",
        f"the record {key} is damaged, or was written by a newer version",
        "Put it back from the bucket's own versions, or delete it",
        status=500,
    )


async def read_sweep(store: Store) -> tuple[SweepRecord, Version | None]:
    found = await store.get(SWEEP_KEY)
    if found is None:
        return SweepRecord(), None
    try:
        return SweepRecord.model_validate_json(found[0]), found[1]
    except ValidationError:
        raise _unreadable(SWEEP_KEY) from None


async def write_sweep(store: Store, record: SweepRecord, version: Version | None) -> Version:
    """Conditional: :class:`Conflict` when somebody else wrote it since."""
    if version is None:
        return await store.create(SWEEP_KEY, encode(record))
    return await store.replace(SWEEP_KEY, encode(record), version)


async def secure(store: Store, layers: Iterable[LayerRef]) -> list[LayerRef]:
    """Called after a checkpoint that names ``layers`` was written and before anything relies on it: afterwards no
    sweep removes them. Answers those that are not in the bucket. :mod:`.sweep` says why this is enough."""
    wanted = {layer.digest: layer for layer in layers}
    started, seen = time.monotonic(), ""
    while wanted:
        record, version = await read_sweep(store)
        if wanted.keys().isdisjoint(record.condemned):
            break
        if record.run != seen:
            started, seen = time.monotonic(), record.run
        if time.monotonic() - started > LEASE:
            record.condemned, record.run = [], f"{record.run}, found dead"
            try:
                await write_sweep(store, record, version)
            except Conflict:
                continue
        await asyncio.sleep(1)
    sizes = await asyncio.gather(*(store.size(layer_key(digest)) for digest in wanted))
    return [layer for layer, size in zip(wanted.values(), sizes, strict=True) if size != layer.size]
