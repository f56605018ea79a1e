"""Bringing a studio's files back at the start of a session."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import platform
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ..checkpoints import (
    Fenced,
    LayerDamaged,
    LayerMissing,
    Saver,
    Store,
    claim,
    current,
    fetch_layers,
    mark_invalid,
)
from ..models import Base, Checkpoint, LaunchSpec, StudiosError
from . import nextflow
from .image import image
from .root import Folders, Root
from .root.mounts import MountFault

log = logging.getLogger(__name__)

PROGRESS_SECONDS = 1.0


@dataclass
class Restored:
    saver: Saver
    checkpoint: Checkpoint  # this session's own, as it begins
    notices: list[str] = field(default_factory=list)


class Unrestorable(StudiosError):
    """A checkpoint whose layers are missing or not what was saved; it is marked so in the bucket."""

    def __init__(self, checkpoint: Checkpoint, error: LayerDamaged | LayerMissing) -> None:
        self.checkpoint = checkpoint
        super().__init__(
            f"The checkpoint “{checkpoint.name}” cannot be restored",
            error.problem.detail,
            "Start from an earlier checkpoint: make a new studio from it",
            status=410,
        )


async def restore(
    spec: LaunchSpec, root: Root, folders: Folders, progress: Callable[[str], None]
) -> Restored:
    """Fetches what the studio had saved, takes its line of checkpoints over from earlier sessions, and opens
    ``root``. Nothing is taken over before all layers are here and whole."""
    store = Store.open(spec.store.url, spec.store.options)
    base = await asyncio.to_thread(base_here)
    parent, notices = spec.checkpoint, []
    while True:
        files = await _fetch(store, parent, folders.fetched, progress)
        try:
            line = await claim(
                store, spec.studio_id, spec.session_id, spec.epoch,
                author=spec.owner, base=base, root_mode=root.mode, parent=parent,
            )  # fmt: skip
            break
        except Fenced:
            raise
        except StudiosError as error:
            latest = await current(store, spec.studio_id) if error.problem.status == 409 else None
            if latest is None or latest == parent:
                raise
            # The bucket is right: an earlier session saved, and could not tell the service any more.
            parent = latest
            notices.append(f"Restored what was saved last, at {latest.saved_at:%Y-%m-%d %H:%M} UTC")
    try:
        await root.open(files)
    except (MountFault, OSError) as error:
        raise StudiosError(
            "The studio's files could not be brought back", str(error), "Tell an administrator", status=503
        ) from error
    if parent is None and spec.template.skeleton:
        await asyncio.to_thread(_skeleton, Path(spec.template.skeleton), root.place(root.workdir))
    notices += await asyncio.to_thread(_nextflow, spec, root.place(root.workdir))
    saver = Saver(line, root.upper, folders.capture, [Path("/"), *root.layers])
    return Restored(saver, line.checkpoint, notices)


async def _fetch(
    store: Store, checkpoint: Checkpoint | None, folder: Path, progress: Callable[[str], None]
) -> list[Path]:
    if checkpoint is None:
        return []
    told = 0.0

    def fetched(done: int, total: int) -> None:
        nonlocal told
        if time.monotonic() - told > PROGRESS_SECONDS:
            told = time.monotonic()
            progress(f"{done / 1e6:.0f} of {total / 1e6:.0f} MB")

    try:
        try:
            return await fetch_layers(store, checkpoint.layers, folder, fetched)
        except LayerDamaged as error:
            log.warning("%s: fetched once more", error)  # the damage may have been on the way
            return await fetch_layers(store, checkpoint.layers, folder, fetched)
    except (LayerDamaged, LayerMissing) as error:
        message = error.problem.detail or error.problem.title
        marked = await mark_invalid(store, checkpoint.studio_id, checkpoint.id, message)
        raise Unrestorable(marked, error) from error


def _skeleton(source: Path, target: Path) -> None:
    """The template's first files. None of them replaces what is there."""
    for entry in sorted(source.iterdir()):
        if entry.is_dir() and not entry.is_symlink():
            if not (target / entry.name).exists():
                shutil.copytree(entry, target / entry.name, symlinks=True)
        elif not (target / entry.name).exists():
            shutil.copy2(entry, target / entry.name, follow_symlinks=False)


def _nextflow(spec: LaunchSpec, home: Path) -> list[str]:
    """Nothing that a studio should fail to start for."""
    try:
        if spec.nextflow is not None:
            nextflow.write(spec.nextflow, home)
    except OSError as error:
        log.warning("Nextflow's configuration was not written: %s", error)
        return [f"Nextflow's configuration could not be written: {error.strerror}"]
    return []


def base_here() -> Base:
    """What lies below the layers: the image; without one this machine, as its system and a digest of its
    installed packages."""
    if (here := image()) is not None and here.digest:
        return Base(image=here.image, digest=here.digest)
    status = Path("/var/lib/dpkg/status")
    known = status.read_bytes() if status.is_file() else platform.platform().encode()
    try:
        name = platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        name = platform.platform()
    return Base(image=f"host: {name}", digest=f"sha256:{hashlib.sha256(known).hexdigest()}")
