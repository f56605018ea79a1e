"""An image with the agent in it, made inside the registry: one layer more, and another entrypoint.

Nothing is built and nothing of the image itself moves, where source and target are in one registry. The manifest goes
last, so a name is there completely or not at all; the name is made of what went in, so it is made once.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ..models import Model, StudiosError
from . import manifests, places
from .bundle import Bundle, brings_agent
from .credentials import Logins
from .layer import Layer, bundle_layer, cache_folder, config_layer
from .reference import Reference
from .registry import Document, Registry
from .transfer import How, Source, from_bytes, from_file, from_registry, put

FORMAT = 1  # grows when the same ingredients are to give another image
AT_ONCE = 4
SAY_SECONDS = 1.0

Say = Callable[[str], None]
Part = Callable[[], Awaitable[How]]


class Adapted(Model):
    """``image`` is what runs: with its digest, so that it stays the same bytes."""

    image: str
    tag: str
    base: str
    base_digest: str  # of what the name ``base`` meant
    cached: bool  # it was there already
    mounted: int = 0  # layers that the registry took over by itself
    moved: int = 0  # layers that were sent
    sent: int = 0  # bytes
    received: int = 0


@dataclass(frozen=True)
class _Source:
    registry: Registry
    image: Reference  # with the digest of what the name means
    document: Document  # the manifest for one platform


async def resolve(image: str, logins: Logins | None = None) -> Reference:
    """What ``image`` means now, with its digest."""
    wanted = Reference.parse(image)
    async with Registry(wanted, logins or Logins()) as registry:
        digest = await registry.digest(wanted)
        if digest is None:
            await registry.manifest(wanted)  # says what there is not
            raise AssertionError(f"{wanted} came to be between two requests")
        return wanted.at(digest)


async def adapt(
    image: str,
    bundle: Bundle,
    target: str | None = None,
    *,
    logins: Logins | None = None,
    cache: Path | None = None,
    say: Say = lambda text: None,
) -> Adapted:
    """``image`` with ``bundle``, in the repository ``target``: that of the image itself if None."""
    logins = logins or Logins()
    wanted = Reference.parse(image)
    repository = Reference.parse(target) if target else wanted
    async with _registries(wanted, repository, logins) as (source, destination):
        say(f"Reading {wanted}")
        found = await _read(source, wanted, bundle.about.architecture)
        tag = tag_of(found.document.digest, bundle)
        there = Reference(repository.registry, repository.repository, tag)
        if known := await _there(destination, there):
            say("It is there already")
            return _adapted(found, there.at(known), cached=True)
        config = await _config(found, bundle.about.architecture)
        layer = await asyncio.to_thread(bundle_layer, bundle, cache or cache_folder())
        return await _Work(found, config, destination, there, layer, say).run()


def tag_of(digest: str, bundle: Bundle) -> str:
    """The name of what comes out, by what goes in."""
    ingredients = f"{FORMAT} {digest} {bundle.about.digest}"
    return f"studio-{hashlib.sha256(ingredients.encode()).hexdigest()[:40]}"


@contextlib.asynccontextmanager
async def _registries(
    source: Reference, target: Reference, logins: Logins
) -> AsyncIterator[tuple[Registry, Registry]]:
    async with Registry(source, logins) as one:
        if source.registry == target.registry:
            yield one, one
            return
        async with Registry(target, logins) as other:
            yield one, other


async def _read(registry: Registry, wanted: Reference, architecture: str) -> _Source:
    document = await registry.manifest(wanted)
    image = wanted.at(document.digest)
    if document.media_type in manifests.INDEXES:
        chosen = manifests.choose(json.loads(document.content), architecture, wanted)
        document = await registry.manifest(wanted.at(chosen))
    if document.media_type not in manifests.MANIFESTS:
        raise manifests.unknown(document.media_type, wanted)
    return _Source(registry, image, document)


async def _config(found: _Source, architecture: str) -> manifests.Json:
    """How the image runs, if it can be given an agent."""
    digest = json.loads(found.document.content)["config"]["digest"]
    config = json.loads(await found.registry.blob(found.image, digest))
    assert isinstance(config, dict)
    manifests.check_platform(config, architecture, found.image)
    if brings_agent((config.get("config") or {}).get("Entrypoint")):
        raise _adapted_already(found.image)
    return config


async def _there(registry: Registry, image: Reference) -> str | None:
    try:
        return await registry.digest(image)
    except StudiosError as error:
        if error.problem.status != 403:
            raise
        return None  # some registries say so of a repository that is not there yet


def _adapted(found: _Source, image: Reference, cached: bool) -> Adapted:
    return Adapted(
        image=f"{image.name}@{image.digest}",
        tag=image.tag,
        base=str(Reference(found.image.registry, found.image.repository, found.image.tag)),
        base_digest=found.image.digest,
        cached=cached,
    )


def _adapted_already(image: Reference) -> StudiosError:
    return StudiosError(
        f"The image {image.name} has an agent already",
        "it starts one itself, or was adapted before",
        "Use it as it is, or adapt the image that it was made of",
        status=409,
    )


class _Work:
    def __init__(
        self,
        found: _Source,
        config: manifests.Json,
        target: Registry,
        image: Reference,
        layer: Layer,
        say: Say,
    ) -> None:
        self._found, self._config, self._target = found, config, target
        self._image, self._bundle = image, layer
        self._say, self._said = say, time.monotonic()
        self._count = 0

    async def run(self) -> Adapted:
        source, before = self._found, self._traffic()
        manifest, config = json.loads(source.document.content), self._config
        named = Reference(source.image.registry, source.image.repository, source.image.tag)
        known = manifests.described(config, named, source.image.digest)
        own = config_layer(known)
        added = [self._bundle, own]
        content = manifests.adapted_config(config, known, added)
        digest = Document(content, "").digest
        self._say(f"Adding the agent ({self._bundle.size / 1e6:.0f} MB) to {len(manifest['layers'])} layers")
        file, registry = self._bundle.file, self._image.registry
        assert file is not None
        likely = await asyncio.to_thread(places.known, file, registry)
        work: list[Part] = [
            partial(self._put, self._bundle.digest, from_file(file), likely=likely),
            *self._take_over(manifest["layers"]),
            partial(self._put, own.digest, from_bytes(own.content)),
            partial(self._put, digest, from_bytes(content)),
        ]
        told = Counter(await _all(work))
        finished = Document(
            manifests.adapted_manifest(manifest, source.document.media_type, content, digest, added),
            source.document.media_type,
        )
        await self._target.publish(self._image, finished)
        await asyncio.to_thread(places.note, file, registry, self._image.repository)
        sent, received = (now - then for now, then in zip(self._traffic(), before, strict=True))
        done = _adapted(source, self._image.at(finished.digest), cached=False)
        update = {"mounted": told["mounted"], "moved": told["moved"], "sent": sent, "received": received}
        return done.model_copy(update=update)

    def _traffic(self) -> tuple[int, int]:
        return self._target.sent, self._found.registry.received

    def _take_over(self, layers: Sequence[manifests.Json]) -> list[Part]:
        source = self._found
        neighbour = source.image.repository if source.registry is self._target else None
        return [
            partial(self._put, digest, from_registry(source.registry, source.image, digest), neighbour)
            for digest in dict.fromkeys(str(layer["digest"]) for layer in layers)
        ]

    async def _put(
        self, digest: str, source: Source, neighbour: str | None = None, likely: str | None = None
    ) -> How:
        return await put(self._target, self._image, digest, source, self._moved, neighbour, likely)

    def _moved(self, count: int) -> None:
        self._count += count
        if time.monotonic() - self._said > SAY_SECONDS:
            self._said = time.monotonic()
            self._say(f"Adding the agent: {self._count / 1e6:.0f} MB sent")


async def _all(work: Sequence[Part]) -> list[How]:
    """A few at once; the first failure ends all."""
    limit = asyncio.Semaphore(AT_ONCE)

    async def one(part: Part) -> How:
        async with limit:
            return await part()

    tasks = [asyncio.ensure_future(one(part)) for part in work]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
