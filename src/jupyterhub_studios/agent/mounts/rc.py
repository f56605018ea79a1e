"""Asking a running rclone, over its unix socket."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

SECONDS = 10.0


class RcloneSilent(Exception):
    """rclone does not answer, or not as it should; the text says what it said."""


@dataclass(frozen=True)
class Stats:
    """What rclone knows of its cache. Files of the listing: those of folders that were looked into."""

    queued: int
    uploading: int
    cached_bytes: int
    full: bool  # the disk under the cache
    entries: int  # files and folders that are listed


@dataclass(frozen=True)
class Waiting:
    """A file that waits to be uploaded."""

    id: int
    name: str
    size: int
    tries: int
    uploading: bool


class Rc:
    def __init__(self, socket: str) -> None:
        self._socket = socket

    async def call(self, command: str, seconds: float = SECONDS, **parameters: Any) -> dict[str, Any]:
        timeout = aiohttp.ClientTimeout(total=seconds)
        try:
            async with (
                aiohttp.ClientSession(
                    connector=aiohttp.UnixConnector(self._socket), timeout=timeout
                ) as client,
                client.post(f"http://rclone/{command}", json=parameters) as answer,
            ):
                document: dict[str, Any] = await answer.json(content_type=None)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise RcloneSilent(str(error) or type(error).__name__) from None
        if answer.status != 200:
            raise RcloneSilent(str(document.get("error", f"HTTP status {answer.status}")))
        return document

    async def stats(self) -> Stats:
        found = await self.call("vfs/stats")
        disk, listed = found.get("diskCache") or {}, found.get("metadataCache") or {}
        return Stats(
            queued=int(disk.get("uploadsQueued", 0)),
            uploading=int(disk.get("uploadsInProgress", 0)),
            cached_bytes=int(disk.get("bytesUsed", 0)),
            full=bool(disk.get("outOfSpace")),
            entries=int(listed.get("files", 0)) + int(listed.get("dirs", 1)) - 1,
        )

    async def queue(self) -> list[Waiting]:
        found = await self.call("vfs/queue")
        return [
            Waiting(
                int(one["id"]), str(one["name"]), int(one["size"]), int(one["tries"]), bool(one["uploading"])
            )
            for one in found.get("queue") or []
        ]

    async def hurry(self, waiting: Waiting) -> None:
        """Its upload begins now."""
        await self.call("vfs/queue-set-expiry", id=waiting.id, expiry=-1.0)

    async def uploaded(self) -> int:
        """Bytes sent or read since it began."""
        return int((await self.call("core/stats")).get("bytes", 0))

    async def relist(self, seconds: float) -> None:
        """Forgets all listings, and reads the uppermost anew."""
        await self.call("vfs/forget")
        said = (await self.call("vfs/refresh", seconds)).get("result", {}).get("", "OK")
        if said != "OK":
            raise RcloneSilent(str(said))

    async def look(self, remote: str, seconds: float) -> None:
        """Reads the uppermost folder past the cache: a bucket that is gone is told as such, not as an empty one."""
        await self.call("operations/stat", seconds, fs=remote, remote="")


def short(socket: Path, fd: int) -> str:
    """A socket's path through an open folder: below a long one it would be too long."""
    return f"/proc/self/fd/{fd}/{socket.name}"
