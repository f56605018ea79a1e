"""Which buckets a credential lists: asked in the background, remembered for half an hour, in memory alone."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from ..models import CredentialSpec, Provider, StudiosError
from .backends import Bucket, Guard, list_buckets

log = logging.getLogger("studios.data")

REMEMBERED = 1800.0  # seconds
RETRY = 60.0  # seconds after a store that did not answer
PATIENCE = 60.0  # seconds for one answer
AT_ONCE = 8  # stores
MOST = 10_000  # buckets of one credential

FOUND = "fl-"  # ids of links that were found begin so


@dataclass(frozen=True)
class Answer:
    """What a credential answered. ``buckets`` None: it may not list them, or could not be asked."""

    at: float
    buckets: tuple[Bucket, ...] | None
    status: Literal["unknown", "valid", "invalid"]
    message: str = ""

    @property
    def stale(self) -> bool:
        return time.monotonic() - self.at > (RETRY if self.status == "unknown" else REMEMBERED)


UNKNOWN = Answer(0.0, None, "unknown")


def found_id(credential_id: str, bucket: str) -> str:
    """The same for the same bucket, also after a restart, and another one for another credential."""
    digest = hashlib.sha256(f"{credential_id}\0{bucket}".encode()).hexdigest()
    return f"{FOUND}{digest[:20]}"


_SCHEMES = {Provider.S3: "s3", Provider.GCS: "gs", Provider.AZURE: "az"}


def url_of(provider: Provider, bucket: str) -> str:
    return f"{_SCHEMES[provider]}://{bucket}/"


def origin(url: str) -> str:
    """Scheme, host and port alone: whatever else stands in an endpoint is nobody's business."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if parts.hostname and ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port else "")


class Finder:
    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._answers: dict[str, Answer] = {}
        self._asking: dict[str, asyncio.Task[None]] = {}
        self._found: dict[str, str] = {}  # by found link: the credential
        self._slots = asyncio.Semaphore(AT_ONCE)

    def credential_of(self, link_id: str) -> str | None:
        """Of a link that was found."""
        return self._found.get(link_id)

    def answer(self, credential_id: str) -> Answer:
        return self._answers.get(credential_id, UNKNOWN)

    async def look(
        self, credentials: Mapping[str, CredentialSpec], *, patience: float, anew: bool = False
    ) -> None:
        """Ask the credentials that are due; what has not answered after ``patience`` seconds is known later. One
        that has an answer already is not waited for."""
        new = []
        for credential_id, spec in credentials.items():
            known = self._answers.get(credential_id)
            if anew or known is None or known.stale:
                task = self._ask(credential_id, spec)
                if anew or known is None:
                    new.append(task)
        if new:
            await asyncio.wait(new, timeout=patience)

    def forget(self, credential_id: str) -> None:
        self._answers.pop(credential_id, None)
        self.forget_found(credential_id)
        if task := self._asking.pop(credential_id, None):
            task.cancel()

    def forget_found(self, credential_id: str) -> None:
        self._found = {link: by for link, by in self._found.items() if by != credential_id}

    async def close(self) -> None:
        tasks = list(self._asking.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ask(self, credential_id: str, spec: CredentialSpec) -> asyncio.Task[None]:
        """One request at a time for each credential."""
        task = self._asking.get(credential_id)
        if task is None:
            task = asyncio.create_task(self._find(credential_id, spec))
            self._asking[credential_id] = task
            task.add_done_callback(lambda done: self._done(credential_id, done))
        return task

    def _done(self, credential_id: str, task: asyncio.Task[None]) -> None:
        if self._asking.get(credential_id) is task:
            del self._asking[credential_id]

    async def _find(self, credential_id: str, spec: CredentialSpec) -> None:
        async with self._slots:
            answer = await self._answer(spec)
        self.forget_found(credential_id)
        self._answers[credential_id] = answer
        self._found |= {found_id(credential_id, one.name): credential_id for one in answer.buckets or ()}

    async def _answer(self, spec: CredentialSpec) -> Answer:
        try:
            async with asyncio.timeout(PATIENCE):
                found = await list_buckets(spec, guard=self._guard)
            return Answer(time.monotonic(), tuple(found[:MOST]), "valid")
        except TimeoutError:
            return Answer(time.monotonic(), None, "unknown", "The store did not answer in time.")
        except StudiosError as error:
            if error.problem.field == "credential":
                return Answer(time.monotonic(), None, "invalid", str(error))
            if error.problem.status == 403:
                message = "It may not list buckets: add the ones that you know by hand."
                return Answer(time.monotonic(), None, "valid", message)
            return Answer(time.monotonic(), None, "unknown", str(error))
        except Exception as error:
            # The type alone: a library's own message may hold what it was given.
            log.error("A credential could not be asked for its buckets: %s", type(error).__name__)
            return Answer(time.monotonic(), None, "unknown", "It could not be asked which buckets it lists.")
