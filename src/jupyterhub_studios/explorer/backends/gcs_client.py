"""A gcsfs filesystem for one credential, and single calls of Google's JSON API over its session.

gcsfs knows how to sign in and holds the connections. Its own call helper waits half a minute on a store that is
down, logs each failure and hides the status of an answer; so the requests are made here.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import random
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import aiohttp
import google.auth.credentials
import google.auth.exceptions
import requests
from gcsfs import GCSFileSystem
from gcsfs.retry import HttpError
from google.oauth2 import service_account
from yarl import URL

from ...models import Ambient, CredentialSpec, ServiceAccount, StudiosError
from .errors import TIMEOUT, UNREACHABLE
from .guard import Guard

CONNECT_SECONDS = 5
READ_SECONDS = 20
ATTEMPTS = 4  # with growing pauses, for throttling and faults of the network

GOOGLE = "https://storage.googleapis.com"
TOKEN_HOSTS = ("oauth2.googleapis.com", "accounts.google.com", "www.googleapis.com")
SCOPE = "https://www.googleapis.com/auth/devstorage.full_control"

Params = Mapping[str, str | int | None]


class StoreAnswer(Exception):
    """An answer that is a fault. Its text holds nothing of the answer."""

    def __init__(self, status: int, code: str = ""):
        super().__init__(f"{status} {code}")
        self.status, self.code = status, code


class Filesystem(GCSFileSystem):
    """gcsfs, with single requests and a way to close it."""

    cachable = False

    async def request(
        self,
        method: str,
        path: str,
        params: Params | None = None,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        good: tuple[int, ...] = (200, 204),
    ) -> tuple[Mapping[str, str], Any]:
        """Headers and JSON (or None) of an answer; again, with pauses, while the store is busy or away."""
        for attempt in range(ATTEMPTS):
            try:
                async with self.open_request(method, path, params, body, headers, good) as answer:
                    text = await answer.read()
                    return answer.headers, json.loads(text) if text.lstrip()[:1] == b"{" else None
            except (StoreAnswer, aiohttp.ClientConnectionError, TimeoutError) as error:
                busy = not isinstance(error, StoreAnswer) or error.status in (408, 429, 500, 502, 503, 504)
                if not busy or attempt == ATTEMPTS - 1:
                    raise
                await asyncio.sleep(2**attempt * (0.2 + random.random() * 0.2))
        raise AssertionError("unreachable")

    @contextlib.asynccontextmanager
    async def open_request(
        self,
        method: str,
        path: str,
        params: Params | None,
        body: bytes | None,
        headers: Mapping[str, str] | None,
        good: tuple[int, ...],
        *,
        decompress: bool = True,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        session = await self._set_session()
        await asyncio.to_thread(self.credentials.maybe_refresh)
        query = urlencode({name: value for name, value in (params or {}).items() if value is not None})
        url = path if path.startswith("http") else f"{self._location}{path}"
        if query:
            url += ("&" if "?" in url else "?") + query
        async with session.request(
            method,
            URL(url, encoded=True),
            data=None if body is None else io.BytesIO(body),
            headers=self._get_headers(dict(headers or {})),
            auto_decompress=decompress,
            allow_redirects=False,
        ) as answer:
            if answer.status not in good:
                raise StoreAnswer(answer.status, _code(await answer.read()))
            yield answer

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


def object_path(bucket: str, key: str) -> str:
    if key in (".", ".."):  # Google has no such names; in a URL they would mean the bucket itself
        raise StoreAnswer(400, "InvalidName")
    return f"/storage/v1/b/{quote(bucket, safe='')}/o/{quote(key, safe='')}"


async def open_filesystem(spec: CredentialSpec, *, guard: Guard) -> Filesystem:
    session: dict[str, Any] = {
        "timeout": aiohttp.ClientTimeout(sock_connect=CONNECT_SECONDS, sock_read=READ_SECONDS),
        "trust_env": True,
    }
    endpoint = None if isinstance(spec.secret, Ambient) else GOOGLE
    if spec.endpoint is not None:
        await guard.check(spec.endpoint)
        endpoint = spec.endpoint.rstrip("/")
        if (connector := guard.connector()) is not None:
            # A proxy of the machine would connect for us, past the guard.
            session |= {"connector": aiohttp.TCPConnector(**connector), "trust_env": False}
    project, token = _token(spec, guard)
    try:
        return await asyncio.to_thread(
            Filesystem,
            asynchronous=True,
            use_listings_cache=False,
            project=project or "",
            token=token,
            endpoint_url=endpoint,
            session_kwargs=session,
        )
    except google.auth.exceptions.GoogleAuthError:
        if "connector" in session:
            await session["connector"].close()
        raise StudiosError(
            "This machine has no credential of Google's",
            "neither its environment nor its metadata service gives one",
            "Use the key of a service account, or anonymous access",
            status=403,
        ) from None


def _token(spec: CredentialSpec, guard: Guard) -> tuple[str | None, object]:
    """Project and token as gcsfs takes them. Only service accounts: other kinds of key files can run commands."""
    if isinstance(spec.secret, Ambient):
        return None, "google_default"
    if not isinstance(spec.secret, ServiceAccount):
        return None, "anon"
    try:
        info = json.loads(spec.secret.key_json.get_secret_value())
        if info.get("type") != "service_account":
            raise ValueError
        _check_token_uri(str(info["token_uri"]), guard)
        made = service_account.Credentials.from_service_account_info(info, scopes=[SCOPE])
    except (ValueError, KeyError, TypeError, AttributeError, google.auth.exceptions.GoogleAuthError):
        raise StudiosError(
            "This is not the key of a service account",
            "it is not the JSON that Google gives",
            "Paste the whole key file",
            field="secret",
        ) from None
    return info.get("project_id"), made


def _check_token_uri(url: str, guard: Guard) -> None:
    """The key file itself says where it is signed in: nowhere but at Google, unless an administrator says so."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    at_google = parts.scheme == "https" and parts.hostname in TOKEN_HOSTS and port == 443
    if at_google or (
        parts.scheme in ("http", "https") and parts.hostname and guard.names(parts.hostname, port)
    ):
        return
    raise StudiosError(
        "This key is not signed in at Google",
        "its token_uri names another host",
        "Use the key file as Google gives it",
        field="secret",
    )


def translate(error: BaseException) -> tuple[int, str] | None:
    """Status and code of a fault of the store; None for what is none."""
    match error:
        case StoreAnswer():
            return error.status, error.code
        case HttpError() | google.auth.exceptions.RefreshError():
            return 401, "InvalidToken"
        case TimeoutError():
            return TIMEOUT, ""
        case aiohttp.ClientError() | google.auth.exceptions.GoogleAuthError() | requests.RequestException():
            return UNREACHABLE, ""
        case OSError():
            return UNREACHABLE, ""
        case json.JSONDecodeError():
            return 502, ""
    return None


def _code(text: bytes) -> str:
    """The reason that Google gives, as one word."""
    try:
        return str(json.loads(text)["error"]["errors"][0]["reason"])
    except (ValueError, KeyError, IndexError, TypeError):
        return ""
