"""Saving a session: claim the studio's head once, then layers → checkpoint → head at every save.

A save is acknowledged when the head was written. Cut off anywhere before that, the head still leads to a
complete checkpoint: the previous one, or this one when its record was already in place.
"""

from __future__ import annotations

import asyncio
import hashlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..models import (
    Base,
    Checkpoint,
    CheckpointStatus,
    LayerRef,
    Package,
    RootMode,
    StudiosError,
    new_id,
    now,
)
from .bucket import (
    Fenced,
    Head,
    LayerMissing,
    checkpoint_key,
    encode,
    head_key,
    layer_key,
    read_checkpoint,
    read_head,
    secure,
)
from .capture import Capture, State
from .catalogue import update
from .layers import Builder
from .squash import merge_chain
from .store import Conflict, Store, Version

HURRY_BYTES = 256 << 20  # of changed files, that a save in a hurry writes


@dataclass
class Line:
    """A session's right to save: its own checkpoint, which every save of it updates."""

    store: Store
    studio_id: str
    session_id: str
    epoch: int
    head: Version
    checkpoint: Checkpoint
    below: list[LayerRef] = field(default_factory=list)  # what was restored, lowest first


async def claim(
    store: Store,
    studio_id: str,
    session_id: str,
    epoch: int,
    *,
    author: str,
    base: Base,
    root_mode: RootMode = RootMode.OVERLAY,
    parent: Checkpoint | None = None,
) -> Line:
    """Take over the studio's head for this session, which continues from ``parent`` as it was restored.

    May be repeated after a failure. :class:`Fenced` when a newer session has it; 409 when ``parent`` is not what
    the head leads to (somebody saved meanwhile): then restore ``catalogue.current`` and claim again.
    """
    while True:
        head = await read_head(store, studio_id)
        if head is not None:
            _check_epoch(head[0], studio_id, session_id, epoch)
            await _check_parent(store, studio_id, head[0], session_id, parent)
        checkpoint = await _first(store, studio_id, session_id, epoch, author, base, root_mode, parent)
        mine = Head(
            checkpoint=checkpoint.id, epoch=epoch, session_id=session_id, saved_at=checkpoint.saved_at
        )
        try:
            version = await _write_head(store, studio_id, mine, head[1] if head else None)
        except Conflict:
            continue  # somebody else moved it: look again who may
        below = list(checkpoint.layers)
        return Line(store, studio_id, session_id, epoch, version, checkpoint, below)


def _check_epoch(head: Head, studio_id: str, session_id: str, epoch: int) -> None:
    if head.epoch > epoch or (head.epoch == epoch and head.session_id != session_id):
        raise Fenced(studio_id)


async def _check_parent(
    store: Store, studio_id: str, head: Head, session_id: str, parent: Checkpoint | None
) -> None:
    """What was saved last must not be lost by starting from something else, unless it cannot be restored."""
    if head.session_id == session_id:
        return  # our own earlier try
    latest = await read_checkpoint(store, studio_id, head.checkpoint)
    if latest is None or latest[0].status is CheckpointStatus.INVALID:
        return
    if parent is None or parent.id != latest[0].id or parent.layers != latest[0].layers:
        raise StudiosError(
            "The studio was saved by another session meanwhile",
            f"its current checkpoint is {latest[0].id}, not what this session restored",
            "Start the studio again",
            status=409,
        )


async def _first(
    store: Store,
    studio_id: str,
    session_id: str,
    epoch: int,
    author: str,
    base: Base,
    root_mode: RootMode,
    parent: Checkpoint | None,
) -> Checkpoint:
    """This session's checkpoint: what was restored, until the first save. Its id follows from the session, so
    that a repeated claim finds its own."""
    at = now()
    checkpoint = Checkpoint(
        id=f"cp-{hashlib.sha256(f'{studio_id}/{session_id}'.encode()).hexdigest()[:12]}",
        studio_id=studio_id,
        session_id=session_id,
        name=f"{at:%Y-%m-%d %H:%M}",
        status=CheckpointStatus.INTERIM,
        created_at=at,
        saved_at=at,
        author=author,
        epoch=epoch,
        layers=parent.layers if parent else [],
        base=base,
        root_mode=root_mode,
        installed=parent.installed if parent else [],
        parent=parent.id if parent else None,
    )
    key = checkpoint_key(studio_id, checkpoint.id)
    try:
        await store.create(key, encode(checkpoint))
    except Conflict:
        checkpoint, _ = await update(store, studio_id, checkpoint.id, lambda _: checkpoint)
    missing = await secure(store, checkpoint.layers)
    if missing:
        await store.delete([key])
        raise LayerMissing(missing[0])
    return checkpoint


async def _write_head(store: Store, studio_id: str, head: Head, version: Version | None) -> Version:
    if version is None:
        return await store.create(head_key(studio_id), encode(head))
    return await store.replace(head_key(studio_id), encode(head), version)


class Saver:
    """Saves ``upper`` into ``line``. ``scratch`` is a folder of its own, on a disk with room for a layer.

    ``lowers`` are the roots of what lies below ``upper``, lowest first: the base, then each restored layer. With
    them a chain that has become long is merged at the final save; without them it just grows.
    """

    def __init__(self, line: Line, upper: Path, scratch: Path, lowers: Sequence[Path] = ()) -> None:
        self.line = line
        self.upper = upper
        self.lowers = list(lowers)
        self.builder = Builder(scratch)
        self.state = State()
        self._turn = asyncio.Lock()

    async def save(
        self,
        final: bool = False,
        name: str | None = None,
        author: str | None = None,
        installed: Sequence[Package] | None = None,
        hurry: bool = False,
    ) -> Checkpoint:
        """Write what changed since the last save, and answer the checkpoint once it is durable.

        ``final`` finalises the session's checkpoint (called ``name`` if given). Otherwise a ``name`` makes an
        additional, finalised checkpoint of this moment, which is the answer then. ``hurry``: the machine is about to
        end: nothing old is written again, and a save that is not final leaves the largest files out.
        """
        async with self._turn:
            await self._check_fence()  # also tells early, before any work, that the bucket is away
            budget = (sys.maxsize if final else HURRY_BYTES) if hurry else None
            capture = Capture(self.upper, self.builder, self.state, self._upload, budget)
            try:
                await capture.run()
                below = self.line.below
                if final and not hurry:
                    below = await merge_chain(capture, below, self.lowers)
                layers = [*below, *(own.ref for own in capture.state.layers)]
                await capture.uploaded()
                saved = await self._publish(layers, capture, final, name, installed)
                await self._move_head(saved)
            except OSError as error:
                raise _capture_failed(error) from None
            finally:
                await capture.discard()
            self.state, self.line.below, self.line.checkpoint = capture.state, below, saved
            return saved if final or name is None else await self._named(saved, name, author)

    def late(self) -> list[str]:
        """What the last save left out because it was made in a hurry: paths in the studio."""
        return sorted(f"/{path.decode(errors='replace')}" for path in self.state.late)

    async def _check_fence(self) -> None:
        head = await read_head(self.line.store, self.line.studio_id)
        if head is None:
            raise Fenced(self.line.studio_id)  # the studio was deleted
        _check_epoch(head[0], self.line.studio_id, self.line.session_id, self.line.epoch)

    async def _upload(self, layer: LayerRef, file: Path) -> None:
        await self.line.store.put_file(layer_key(layer.digest), file)

    async def _publish(
        self,
        layers: list[LayerRef],
        capture: Capture,
        final: bool,
        name: str | None,
        installed: Sequence[Package] | None,
    ) -> Checkpoint:
        """Update the session's checkpoint, keeping a name that somebody gave it meanwhile."""
        line, at = self.line, now()
        status = CheckpointStatus.FINALISED if final else CheckpointStatus.INTERIM

        def change(found: Checkpoint) -> Checkpoint:
            fields = {
                "layers": layers,
                "saved_at": at,
                "status": found.status if found.status is CheckpointStatus.INVALID else status,
                "name": name if final and name else found.name,
                "installed": found.installed if installed is None else list(installed),
                "message": capture.state.notes(),
            }
            return found.model_copy(update=fields)

        saved, _ = await update(line.store, line.studio_id, line.checkpoint.id, change)
        added = [layer for layer in layers if layer.digest in capture.files]
        while missing := await secure(line.store, added):
            for layer in missing:
                await self._upload(layer, capture.files[layer.digest])
        return saved

    async def _move_head(self, saved: Checkpoint) -> None:
        line = self.line
        head = Head(
            checkpoint=saved.id, epoch=line.epoch, session_id=line.session_id, saved_at=saved.saved_at
        )
        while True:
            try:
                line.head = await _write_head(line.store, line.studio_id, head, line.head)
                return
            except Conflict:
                found = await read_head(line.store, line.studio_id)
                if found is None:
                    raise Fenced(line.studio_id) from None
                _check_epoch(found[0], line.studio_id, line.session_id, line.epoch)
                line.head = found[1]  # our own write of an earlier save, whose answer was lost

    async def _named(self, saved: Checkpoint, name: str, author: str | None) -> Checkpoint:
        line = self.line
        fields = {
            "id": new_id("cp"),
            "name": name,
            "author": author or saved.author,
            "status": CheckpointStatus.FINALISED,
            "created_at": saved.saved_at,
            "parent": line.checkpoint.parent,
        }
        extra = Checkpoint.model_validate(saved.model_dump() | fields)
        await line.store.create(checkpoint_key(line.studio_id, extra.id), encode(extra))
        missing = await secure(line.store, extra.layers)
        if missing:
            raise LayerMissing(missing[0])
        return extra


def _capture_failed(error: OSError) -> StudiosError:
    return StudiosError(
        "Capturing the files failed: nothing was saved",
        error.strerror or type(error).__name__,
        "The next save tries again",
        status=500,
    )
