"""Bringing a checkpoint's layers back: restoring is fetching and mounting, whatever the number of files."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path

from ..models import LayerRef
from .bucket import LayerDamaged, LayerMissing, layer_key
from .layers import PARTIAL, SUFFIX
from .store import Store


async def fetch_layers(
    store: Store,
    layers: Sequence[LayerRef],
    directory: Path,
    progress: Callable[[int, int], None] | None = None,
) -> list[Path]:
    """Files of ``layers`` in ``directory``, lowest first, each with the bytes its digest names. A file gets its
    name only once it was verified, so one that is there already is used again."""
    await asyncio.to_thread(directory.mkdir, parents=True, exist_ok=True)
    total, done = sum(layer.size for layer in layers), 0

    def advance(count: int) -> None:
        nonlocal done
        done += count
        if progress is not None:
            progress(done, total)

    paths: list[Path] = []
    for layer in layers:
        path = directory / f"{layer.digest}{SUFFIX}"
        if await asyncio.to_thread(_is_whole, path, layer.size):
            advance(layer.size)
        else:
            await _fetch(store, layer, path, advance)
        paths.append(path)
    return paths


def _is_whole(path: Path, size: int) -> bool:
    return path.exists() and path.stat().st_size == size


async def _fetch(store: Store, layer: LayerRef, path: Path, advance: Callable[[int], None]) -> None:
    partial = path.with_name(f"{path.stem}.{secrets.token_hex(4)}{PARTIAL}")
    try:
        key = layer_key(layer.digest)
        size = await store.size(key)
        if size is None:
            raise LayerMissing(layer)
        if size != layer.size:
            raise LayerDamaged(layer)
        digest = await store.fetch(key, partial, layer.size, advance)
        if digest is None:
            raise LayerMissing(layer)
        if digest != layer.digest:
            raise LayerDamaged(layer)
        await asyncio.to_thread(partial.rename, path)
    finally:
        await asyncio.to_thread(partial.unlink, missing_ok=True)
