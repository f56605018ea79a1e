"""An engine over one bucket, and the callers that look through it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

from jupyterhub_studios.explorer.backends import Backend
from jupyterhub_studios.explorer.catalogue import Catalogue
from jupyterhub_studios.explorer.engine import Engine
from jupyterhub_studios.models import CredentialSpec, DataRole, LinkView, Provider, StudiosError

from .stores import Place, Server

KEY = b"a key to sign with, for tests"


@dataclass(frozen=True)
class Person:
    name: str = "ada"
    admin: bool = False
    groups: tuple[str, ...] = ()


ADA = Person()
BOB = Person("bob")


def link_to(place: Place, **changes: Any) -> LinkView:
    fields: dict[str, Any] = {
        "id": "dl-1",
        "name": "Measurements",
        "description": "",
        "provider": place.provider,
        "url": f"{place.provider}://{place.bucket}/",
        "bucket": place.bucket,
        "prefix": "",
        "region": None,
        "endpoint": place.spec.endpoint,
        "source": "added",
        "owner": "ada",
        "workspace": None,
        "workspace_role": None,
        "credential": place.spec.name,
        "role": DataRole.WRITE,
        "writable": True,
        "why": "its owner made it writable",
    }
    return LinkView(**{**fields, **changes})


@dataclass
class OneLink:
    """The parts of a catalogue that the engine asks. ``link_`` is changed by tests."""

    link_: LinkView
    spec: CredentialSpec | None
    root: str = ""

    async def link(self, caller: Person, link_id: str) -> LinkView:
        if link_id != self.link_.id:
            raise StudiosError("There is no such data link", status=404)
        return self.link_

    async def credential_of(self, link: LinkView) -> CredentialSpec | None:
        return self.spec

    def change(self, **changes: Any) -> None:
        if "prefix" in changes:
            changes["prefix"] = self.root + changes["prefix"]
        self.link_ = self.link_.model_copy(update=changes)


@dataclass
class Desk:
    """An engine, its link, and what is behind it. Keys are relative to ``root``, which is this test's alone."""

    engine: Engine
    catalogue: OneLink
    backend: Backend
    place: Place
    root: str
    link: str = "dl-1"

    async def write(self, *keys: str, body: bytes = b"x") -> None:
        at_once = asyncio.Semaphore(16)

        async def put(key: str) -> None:
            async with at_once:
                await self.backend.put(self.root + key, body, replace=True)

        await asyncio.gather(*map(put, keys))

    async def keys(self, prefix: str = "") -> list[str]:
        """Everything, without the markers of folders."""
        return sorted(key for key in await self.all_keys(prefix) if not key.endswith("/"))

    async def all_keys(self, prefix: str = "") -> list[str]:
        found: list[str] = []
        token: str | None = None
        while True:
            page = await self.backend.page(self.root + prefix, token=token, recursive=True)
            found += [object_.key.removeprefix(self.root) for object_ in page.objects]
            if (token := page.token) is None:
                return sorted(found)

    async def read(self, key: str) -> bytes:
        return b"".join([chunk async for chunk in self.backend.stream(self.root + key)])

    def watch(self, wrapped: Any) -> None:
        """From now on the engine sees the bucket through ``wrapped``, which counts or fails."""
        opened = next(iter(self.engine._backends._opened.values()))

        async def give() -> Backend:
            return cast(Backend, wrapped)

        opened.opening = asyncio.ensure_future(give())


_shared: dict[str, Place] = {}


def shared(server: Server) -> Place:
    """One bucket for all tests: SeaweedFS has room for some dozens of buckets only. Folders cost nothing."""
    if server.spec.provider is Provider.FOLDER:
        return server.place()
    if server.spec.name not in _shared:
        _shared[server.spec.name] = server.place()
    return _shared[server.spec.name]


@asynccontextmanager
async def desk_at(place: Place, *, prefix: str = "", **link: Any) -> AsyncIterator[Desk]:
    root = "" if place.provider is Provider.FOLDER else f"t-{secrets.token_hex(6)}/"
    catalogue = OneLink(link_to(place, prefix=root + prefix, **link), place.spec, root)
    engine = Engine(cast(Catalogue, catalogue), key=KEY, guard=place.guard)
    backend = await place.open()
    try:
        yield Desk(engine, catalogue, backend, place, root)
    finally:
        await backend.close()
        await engine.close()
