"""The end of mounts: what was written goes to the buckets, and what cannot is kept and told."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

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
    """What of a mount's files is not in its bucket: ``kept`` with the studio's own files, or ``lost``."""

    mount: str  # its name
    kept: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    why: str = ""  # those of ``lost`` are not kept

    @property
    def folder(self) -> str:
        return f"{FOLDER}/{self.mount}"

    def keep(self, places: Places, name: str, file: Path) -> bool:
        """Whether ``file`` was copied there; otherwise it is lost."""
        try:
            places.keep([FOLDER, self.mount, *name.split("/")], file)
        except (OSError, MountFault) as error:
            self.lose(name, reason(error))
            return False
        self.kept.append(name)
        return True

    def lose(self, name: str, why: str) -> None:
        self.lost.append(name)
        self.why = why


def reason(error: OSError | MountFault) -> str:
    """Without the paths of the machine."""
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)


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
    found = Drained(mount.access.name)
    for one in mount.leftovers():
        if one.whole:
            found.keep(places, one.name, one.file)
        else:
            found.lose(one.name, "parts of a file that was only changed in places are not here")
    return found
