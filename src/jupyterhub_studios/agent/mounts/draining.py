"""The end of mounts: what was written goes to the buckets, and what cannot is kept and told."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ..root.mounts import MountFault
from .leftovers import Leftover
from .mount import Mount
from .places import Places

LOOK_SECONDS = 0.5
PATIENCE = 300.0  # a store that is restarted, or a network that comes back: what is left is kept, not lost
HASTY_SECONDS = 8.0  # where the whole job has half a minute
FOLDER = "not-uploaded"
"""Where in the session's home directory files are kept that could not be uploaded."""


@dataclass
class Drained:
    kept: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    folder: str = ""
    why: str = ""


async def drain(
    mounts: Sequence[Mount],
    progress: Callable[[Mount, list[Leftover]], None],
    *,
    patience: float = PATIENCE,
    limit: float = math.inf,
) -> None:
    """Returns when nothing waits in any of ``mounts``, nothing has moved for ``patience`` seconds, or ``limit``
    seconds are over.

    What waits is read from the caches' own files: rclone's queue does not know of files that are still being closed."""
    clock = asyncio.get_running_loop().time
    began = moved_at = clock()
    before: object = None
    while True:
        left = [await asyncio.to_thread(mount.leftovers) for mount in mounts]
        for mount, waiting in zip(mounts, left, strict=True):
            progress(mount, waiting)
        if not any(left):
            return
        now = ([len(waiting) for waiting in left], [await mount.driver.hurry() for mount in mounts])
        if now != before:
            before, moved_at = now, clock()
        if clock() - moved_at > patience or clock() - began > limit:
            return
        await asyncio.sleep(LOOK_SECONDS)


def keep(mount: Mount, places: Places) -> Drained:
    """Copies what is left in the cache of a mount that has ended into the studio's own files."""
    name = mount.access.name
    found = Drained(folder=f"{FOLDER}/{name}")
    for one in mount.leftovers():
        if not one.whole:
            found.lost.append(one.name)
            found.why = "parts of a file that was only changed in places are not here"
            continue
        try:
            places.keep([FOLDER, name, *one.name.split("/")], one.file)
            found.kept.append(one.name)
        except (OSError, MountFault) as error:
            found.lost.append(one.name)
            found.why = error.strerror or str(error) if isinstance(error, OSError) else str(error)
    return found
