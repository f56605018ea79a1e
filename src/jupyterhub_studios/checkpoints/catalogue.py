"""Checkpoints as people manage them: list, rename, fork, delete; no bytes of files move."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ..models import Checkpoint, CheckpointStatus, StudiosError, new_id, now
from .bucket import (
    STUDIOS,
    Head,
    LayerMissing,
    checkpoint_key,
    decode,
    encode,
    head_key,
    read_checkpoint,
    read_head,
    secure,
)
from .store import Conflict, Store, Version
from .sweep import Swept, sweep

__all__ = [
    "Swept",
    "current",
    "delete",
    "delete_studio",
    "fork",
    "get_checkpoint",
    "list_checkpoints",
    "mark_invalid",
    "rename",
    "sweep",
    "update",
]

_TRIES = 20


async def list_checkpoints(store: Store, studio_id: str) -> list[Checkpoint]:
    """A studio's checkpoints, oldest first."""
    keys = [found.key for found in await store.list(f"{STUDIOS}/{studio_id}/checkpoints/")]
    found = zip(keys, await asyncio.gather(*map(store.get, keys)), strict=True)
    checkpoints = [decode(key, document[0]) for key, document in found if document is not None]
    return sorted(checkpoints, key=lambda checkpoint: (checkpoint.created_at, checkpoint.id))


async def get_checkpoint(store: Store, studio_id: str, checkpoint_id: str) -> Checkpoint:
    found = await read_checkpoint(store, studio_id, checkpoint_id)
    if found is None:
        raise _gone(checkpoint_id)
    return found[0]


async def current(store: Store, studio_id: str) -> Checkpoint | None:
    """What the studio's next start restores, as the bucket has it; None when nothing was saved yet."""
    head = await read_head(store, studio_id)
    return None if head is None else await get_checkpoint(store, studio_id, head[0].checkpoint)


async def update(
    store: Store, studio_id: str, checkpoint_id: str, change: Callable[[Checkpoint], Checkpoint]
) -> tuple[Checkpoint, Version]:
    """Replace a checkpoint's record by ``change`` of it, again and again until nobody else came between."""
    for attempt in range(_TRIES):
        found = await read_checkpoint(store, studio_id, checkpoint_id)
        if found is None:
            raise _gone(checkpoint_id)
        changed = change(found[0])
        if changed == found[0]:
            return found
        try:
            version = await store.replace(checkpoint_key(studio_id, checkpoint_id), encode(changed), found[1])
        except Conflict:
            await asyncio.sleep(0.02 * attempt)
            continue
        return changed, version
    raise StudiosError("The checkpoint is being changed by others", "", "Try again", status=409)


async def rename(store: Store, studio_id: str, checkpoint_id: str, name: str) -> Checkpoint:
    return (await update(store, studio_id, checkpoint_id, lambda found: _with(found, name=name)))[0]


async def mark_invalid(store: Store, studio_id: str, checkpoint_id: str, message: str) -> Checkpoint:
    """Say that a checkpoint cannot be restored (a layer is missing or damaged), and why."""

    def change(found: Checkpoint) -> Checkpoint:
        return _with(found, status=CheckpointStatus.INVALID, message=message)

    return (await update(store, studio_id, checkpoint_id, change))[0]


async def fork(
    store: Store, source: Checkpoint, studio_id: str, *, author: str, name: str | None = None
) -> Checkpoint:
    """The first checkpoint of the new studio ``studio_id``: the same layers under another name."""
    at = now()
    forked = Checkpoint(
        id=new_id("cp"),
        studio_id=studio_id,
        session_id=None,
        name=name or source.name,
        status=CheckpointStatus.FINALISED,
        created_at=at,
        saved_at=source.saved_at,
        author=author,
        epoch=0,
        layers=source.layers,
        base=source.base,
        root_mode=source.root_mode,
        installed=source.installed,
        parent=source.id,
    )
    key = checkpoint_key(studio_id, forked.id)
    await store.create(key, encode(forked))
    try:
        missing = await secure(store, forked.layers)
        if missing:
            raise LayerMissing(missing[0])
        head = Head(checkpoint=forked.id, epoch=0, session_id=None, saved_at=forked.saved_at)
        await store.create(head_key(studio_id), encode(head))
    except (LayerMissing, Conflict) as error:
        await store.delete([key])
        if isinstance(error, LayerMissing):
            raise
        raise StudiosError(
            "The new studio has checkpoints already",
            f"studio {studio_id} is not new",
            "Fork into a new studio",
            status=409,
        ) from None
    return forked


async def delete(store: Store, studio_id: str, checkpoint_id: str) -> None:
    """Remove a checkpoint; a later sweep frees the layers that nobody else names."""
    await get_checkpoint(store, studio_id, checkpoint_id)
    head = await read_head(store, studio_id)
    if head is not None and head[0].checkpoint == checkpoint_id:
        raise StudiosError(
            "This checkpoint cannot be deleted",
            "it is the current one: the studio's next start restores it",
            "Delete the studio, or another checkpoint",
            status=409,
        )
    await store.delete([checkpoint_key(studio_id, checkpoint_id)])


async def delete_studio(store: Store, studio_id: str) -> None:
    """Remove all checkpoints of a studio, its head first so that none is half there."""
    await store.delete([head_key(studio_id)])
    await store.delete([found.key for found in await store.list(f"{STUDIOS}/{studio_id}/")])


def _with(checkpoint: Checkpoint, **fields: object) -> Checkpoint:
    return Checkpoint.model_validate(checkpoint.model_dump() | fields)


def _gone(checkpoint_id: str) -> StudiosError:
    return StudiosError(
        "There is no such checkpoint", f"the bucket has no {checkpoint_id}", "Reload the list", status=404
    )
