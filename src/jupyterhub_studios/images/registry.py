"""A registry's API (OCI distribution, v2): manifests, and blobs that are streamed.

Every request is tried again when the registry does not answer or fails, for some seconds; what it refuses is told at
once, in words for people.
"""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from functools import cache
from types import TracebackType
from typing import Any
from urllib.parse import urljoin

import httpx

from ..models import StudiosError
from .auth import Auth, scope
from .credentials import Logins
from .faults import Doing, refused, unreachable
from .manifests import ACCEPTED
from .reference import Reference

PAUSES = (0.2, 0.8, 2.0)  # seconds before each further try
PASSING = (500, 502, 503, 504)
PIECE = 1 << 20


@cache
def _certificates() -> ssl.SSLContext:
    """Read once: it takes as long as everything else of a small request."""
    return httpx.create_ssl_context()


@dataclass(frozen=True)
class Document:
    """A manifest, an index or a config: its bytes are its name."""

    content: bytes
    media_type: str

    @property
    def digest(self) -> str:
        return f"sha256:{hashlib.sha256(self.content).hexdigest()}"


class Registry:
    """One registry. ``sent`` and ``received`` count the bytes of what was moved."""

    def __init__(self, image: Reference, logins: Logins) -> None:
        self._image, self._logins = image, logins
        self._client = httpx.AsyncClient(
            follow_redirects=True, timeout=httpx.Timeout(60, connect=10), verify=_certificates()
        )
        self._auth: Auth | None = None
        self.sent = self.received = 0

    async def __aenter__(self) -> Registry:
        login = await self._logins.find(self._image.registry)
        self._auth = Auth(login, self._patiently)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    # --- asking ---

    def url(self, path: str) -> str:
        return urljoin(self._image.address, path)

    async def _patiently(
        self, method: str, url: str, *, tries: int = len(PAUSES), **options: Any
    ) -> httpx.Response:
        stream = options.pop("stream", False)
        for pause in (*PAUSES[:tries], None):
            try:
                answer = await self._client.send(
                    self._client.build_request(method, url, **options), stream=stream
                )
                if answer.status_code not in PASSING or pause is None:
                    return answer
                await answer.aclose()
            except httpx.HTTPError as error:
                if pause is None:
                    raise unreachable(self._image, error) from error
            await asyncio.sleep(pause)
        raise AssertionError("the last try returns or raises")

    async def ask(self, method: str, url: str, scopes: Sequence[str], **options: Any) -> httpx.Response:
        """``url`` may be a path of the registry. Signs in when the registry wants that."""
        assert self._auth is not None, "used as a context manager"
        headers = options.pop("headers", {})
        url = self.url(url)
        if not url.startswith(f"{self._image.address}/"):
            # It sends us elsewhere, which is not to be told who we are.
            return await self._patiently(method, url, headers=headers, **options)
        signed = headers | self._auth.header(scopes)
        answer = await self._patiently(method, url, headers=signed, **options)
        if answer.status_code == 401 and await self._auth.answer(answer, scopes):
            await answer.aclose()
            signed = headers | self._auth.header(scopes)
            answer = await self._patiently(method, url, headers=signed, **options)
        return answer

    # --- reading ---

    async def manifest(self, image: Reference) -> Document:
        answer = await self._manifest("GET", image)
        await self._check("pull", image, answer)
        self.received += len(answer.content)
        found = Document(answer.content, answer.headers.get("Content-Type", "").partition(";")[0])
        return _verified(found, image)

    async def digest(self, image: Reference) -> str | None:
        """What the tag names now, without reading it; None when there is no such tag."""
        answer = await self._manifest("HEAD", image)
        if answer.status_code == 404:
            return None
        if answer.status_code != 200:
            # The answer to HEAD has no words.
            await self._check("pull", image, await self._manifest("GET", image))
        return answer.headers.get("Docker-Content-Digest") or (await self.manifest(image)).digest

    async def _manifest(self, method: str, image: Reference) -> httpx.Response:
        path = f"/v2/{image.repository}/manifests/{image.wanted}"
        headers = {"Accept": ", ".join(ACCEPTED)}
        return await self.ask(method, path, [scope(image.repository, "pull")], headers=headers)

    async def blob(self, image: Reference, digest: str) -> bytes:
        """A small one, whole."""
        content = b"".join([piece async for piece in self.stream(image, digest)])
        return _verified(Document(content, ""), image.at(digest)).content

    async def stream(self, image: Reference, digest: str) -> AsyncIterator[bytes]:
        path = f"/v2/{image.repository}/blobs/{digest}"
        answer = await self.ask("GET", path, [scope(image.repository, "pull")], stream=True)
        try:
            if answer.status_code != 200:
                await answer.aread()
                await self._check("pull", image.at(digest), answer)
            async for piece in answer.aiter_raw(PIECE):
                self.received += len(piece)
                yield piece
        except httpx.HTTPError as error:
            raise unreachable(image, error) from error
        finally:
            await answer.aclose()

    # --- writing manifests ---

    async def publish(self, image: Reference, document: Document) -> None:
        """Makes ``image.tag`` name ``document``, all of whose blobs are there."""
        self.sent += len(document.content)
        answer = await self.ask(
            "PUT", f"/v2/{image.repository}/manifests/{image.tag}", [scope(image.repository, "pull", "push")],
            content=document.content, headers={"Content-Type": document.media_type},
        )  # fmt: skip
        await self._check("push", image, answer)

    async def _check(self, doing: Doing, image: Reference, answer: httpx.Response) -> None:
        if answer.status_code >= 300:
            raise refused(doing, image, answer)


def _verified(found: Document, image: Reference) -> Document:
    if image.digest and found.digest != image.digest:
        raise StudiosError(
            f"The registry {image.registry} gave something else than {image.digest[:19]}…",
            f"these bytes are {found.digest[:19]}…", "Try again; if it stays so, tell its administrator", status=502,
        )  # fmt: skip
    return found
