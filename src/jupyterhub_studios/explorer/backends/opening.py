"""Open a bucket with a credential; ask a credential which buckets there are.

A store's library is imported when the first bucket of its kind is opened, in a thread: each takes a second.
"""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import Protocol, cast

from ...models import Ambient, Anonymous, CredentialSpec, Provider, StudiosError
from .base import Backend, Bucket
from .guard import Guard


class _Store(Protocol):
    """What each module of a store offers."""

    async def open_bucket(
        self, spec: CredentialSpec, bucket: str, *, guard: Guard, region: str | None
    ) -> Backend: ...
    async def buckets(self, spec: CredentialSpec, *, guard: Guard) -> list[Bucket]: ...


async def open_backend(
    spec: CredentialSpec | None, provider: Provider, bucket: str, *, guard: Guard, region: str | None = None
) -> Backend:
    """``spec`` None: as anybody may. Nothing is asked of the store yet, but an endpoint is checked."""
    spec = spec or _nobody(provider)
    if spec.provider is not provider:
        raise StudiosError(
            "The credential does not fit",
            f"it is one of {spec.provider}, the link is one of {provider}",
            "Choose a credential of the same provider",
            field="credential",
        )
    return await (await _store(provider)).open_bucket(spec, bucket, guard=guard, region=region)


async def list_buckets(spec: CredentialSpec, *, guard: Guard) -> list[Bucket]:
    """The buckets that a credential may list, by name; none for folders and other filesystems."""
    found = await (await _store(spec.provider)).buckets(spec, guard=guard)
    return sorted(found, key=lambda bucket: bucket.name)


async def _store(provider: Provider) -> _Store:
    names = {Provider.OTHER: "plain"}
    module = f".{names.get(provider, provider.value)}"
    return cast(_Store, await asyncio.to_thread(import_module, module, __package__))


def _nobody(provider: Provider) -> CredentialSpec:
    local = provider in (Provider.FOLDER, Provider.OTHER)
    return CredentialSpec(name="anonymous", provider=provider, secret=Ambient() if local else Anonymous())
