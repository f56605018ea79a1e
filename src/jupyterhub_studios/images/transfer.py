"""Getting blobs into a repository: found there, mounted from a neighbour, or moved in chunks."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import re
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Literal

import httpx

from ..models import StudiosError
from .auth import scope
from .faults import refused
from .reference import Reference
from .registry import Registry

CHUNK = 16 << 20  # sent at once, and again when the connection breaks
ATTEMPTS = 3  # of a whole blob
FULL = 507  # trying again makes no room

Source = Callable[[], AsyncGenerator[bytes, None]]
How = Literal["there", "mounted", "moved"]
Moved = Callable[[int], None]


async def put(
    target: Registry,
    image: Reference,
    digest: str,
    source: Source,
    moved: Moved,
    neighbour: str | None = None,
    likely: str | None = None,
) -> How:
    """Makes blob ``digest`` part of ``image``'s repository. ``neighbour``: another repository of the same registry
    that has it; ``likely``: one that may have it."""
    upload = _Upload(target, image, digest, moved)
    if neighbour == image.repository:
        return "there"
    if neighbour is not None:
        if await upload.mount(neighbour):
            return "mounted"
    elif await upload.there():
        return "there"
    elif likely is not None and likely != image.repository and await upload.mount_perhaps(likely):
        return "mounted"
    for attempt in range(1, ATTEMPTS + 1):
        try:
            async with contextlib.aclosing(source()) as content:
                await upload.send(content)
            return "moved"
        except _Broken as broken:
            if attempt == ATTEMPTS or broken.error.problem.status == FULL:
                raise broken.error from broken
            upload.place = ""
    raise AssertionError("the last attempt returns or raises")


class _Broken(Exception):
    """This upload cannot be gone on with, but another may work."""

    def __init__(self, error: StudiosError) -> None:
        super().__init__(str(error))
        self.error = error


class _Upload:
    def __init__(self, registry: Registry, image: Reference, digest: str, moved: Moved) -> None:
        self._registry, self._image, self._digest, self._moved = registry, image, digest, moved
        self._scopes = [scope(image.repository, "pull", "push")]
        self.place = ""  # where the registry wants the rest

    async def there(self) -> bool:
        path = f"/v2/{self._image.repository}/blobs/{self._digest}"
        answer = await self._registry.ask("HEAD", path, self._scopes)
        return answer.status_code == 200

    async def mount(self, neighbour: str) -> bool:
        """False: the registry would rather be sent it, and has begun an upload."""
        answer = await self._registry.ask(
            "POST", self._uploads, [*self._scopes, scope(neighbour, "pull")],
            params={"mount": self._digest, "from": neighbour},
        )  # fmt: skip
        self._follow(answer, (201, 202))
        return answer.status_code == 201

    async def mount_perhaps(self, neighbour: str) -> bool:
        """As mount; a registry that does not let us is no fault."""
        try:
            return await self.mount(neighbour)
        except StudiosError:
            return False

    @property
    def _uploads(self) -> str:
        return f"/v2/{self._image.repository}/blobs/uploads/"

    async def send(self, content: AsyncGenerator[bytes, None]) -> None:
        if not self.place:
            self._follow(await self._registry.ask("POST", self._uploads, self._scopes), (202,))
        found, start = hashlib.sha256(), 0
        held: list[bytes] = []
        size = 0
        async for piece in content:
            found.update(piece)
            if held and size + len(piece) > CHUNK:
                await self._chunk(b"".join(held), start)
                start, size = start + size, 0
                held.clear()
            held.append(piece)
            size += len(piece)
        if f"sha256:{found.hexdigest()}" != self._digest:
            raise _Broken(_damaged(self._image, self._digest))
        await self._last(b"".join(held))

    async def _last(self, data: bytes) -> None:
        """The rest, and the end of the upload."""
        headers = {"Content-Type": "application/octet-stream"}
        try:
            answer = await self._registry.ask(
                "PUT", self._with_digest(), self._scopes, content=data, headers=headers, tries=0
            )
        except StudiosError as lost:
            raise _Broken(lost) from lost
        if answer.status_code != 201:
            error = refused("push", self._image, answer)
            raise _Broken(error) if answer.status_code >= 500 else error
        self._count(len(data))

    def _count(self, size: int) -> None:
        self._registry.sent += size
        self._moved(size)

    async def _chunk(self, data: bytes, start: int) -> None:
        """Sends ``data``; after a break only what the registry does not have yet."""
        done = 0
        for attempt in range(1, ATTEMPTS + 1):
            part = data[done:] if done else data
            headers = {
                "Content-Type": "application/octet-stream",
                "Content-Range": f"{start + done}-{start + len(data) - 1}",
            }
            try:
                # Not repeated as it is: part of it may have arrived.
                answer = await self._registry.ask(
                    "PATCH", self.place, self._scopes, content=part, headers=headers, tries=0
                )
                if answer.status_code < 500:
                    self._follow(answer, (202, 204))
                    self._count(len(part))
                    return
                error = refused("push", self._image, answer)
            except StudiosError as lost:
                error = lost
            if attempt == ATTEMPTS or error.problem.status == FULL:
                raise _Broken(error)
            await asyncio.sleep(attempt)
            there = await self._arrived() - start
            if not done <= there <= len(data):
                raise _Broken(error)
            self._count(there - done)
            if there == len(data):
                return
            done = there

    async def _arrived(self) -> int:
        """How many bytes of the upload the registry has."""
        answer = await self._ask("GET", self.place)
        if answer.status_code != 204:
            raise _Broken(refused("push", self._image, answer))
        self.place = self._registry.url(answer.headers.get("Location", self.place))
        found = re.fullmatch(r"(?:bytes=)?0-(\d+)", answer.headers.get("Range", ""))
        # A registry that has nothing yet says 0-0, as it does with one byte; then that byte would be missing, which
        # the digest tells.
        return int(found[1]) + 1 if found and found[1] != "0" else 0

    async def _ask(self, method: str, url: str) -> httpx.Response:
        return await self._registry.ask(method, url, self._scopes)

    def _with_digest(self) -> str:
        return str(httpx.URL(self.place).copy_merge_params({"digest": self._digest}))

    def _follow(self, answer: httpx.Response, expected: tuple[int, ...]) -> None:
        if answer.status_code not in expected:
            raise refused("push", self._image, answer)
        self.place = self._registry.url(answer.headers.get("Location", self.place))


def _damaged(image: Reference, digest: str) -> StudiosError:
    return StudiosError(
        f"A part of {image} is not what its name says", f"{digest[:19]}… arrived as something else",
        "Try again; if it stays so, the image is damaged", status=502,
    )  # fmt: skip


def from_file(file: Path) -> Source:
    async def read() -> AsyncGenerator[bytes, None]:
        with file.open("rb") as opened:
            while piece := await asyncio.to_thread(opened.read, CHUNK):
                yield piece

    return read


def from_bytes(content: bytes) -> Source:
    async def read() -> AsyncGenerator[bytes, None]:
        yield content

    return read


def from_registry(registry: Registry, image: Reference, digest: str) -> Source:
    async def read() -> AsyncGenerator[bytes, None]:
        try:
            async for piece in registry.stream(image, digest):
                yield piece
        except StudiosError as error:
            if error.problem.status < 500:
                raise
            raise _Broken(error) from error

    return read
