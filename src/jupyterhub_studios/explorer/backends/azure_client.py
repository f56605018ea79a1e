"""An adlfs filesystem for one credential, with a client of its own that looks where it connects to."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable
from typing import Any

import aiohttp
from adlfs import AzureBlobFileSystem
from azure.core import exceptions as azure
from azure.core.credentials import AzureSasCredential
from azure.core.pipeline.transport import AioHttpTransport
from azure.storage.blob.aio import BlobServiceClient, ExponentialRetry
from fsspec.asyn import AsyncFileSystem
from pydantic import SecretStr

from ...models import (
    Ambient,
    AzureConnectionString,
    AzureKey,
    AzureSas,
    CredentialSpec,
    Secret,
    StudiosError,
)
from .errors import TIMEOUT, UNREACHABLE
from .guard import Guard

CONNECT_SECONDS = 5
READ_SECONDS = 20
RETRIES = 2
PAUSE_SECONDS = 1  # before the first one; then three times that
READ_BLOCK = 4 << 20  # of one request when a blob is streamed

_ACCOUNT = re.compile(r"[a-z0-9]{3,24}")


class Filesystem(AzureBlobFileSystem):
    """adlfs around a client of our own.

    adlfs's own set-up is left out: it takes credentials from the machine's environment where none is given, and
    keeps every filesystem, its secrets with it, until the process ends.
    """

    cachable = False
    service_client: Any
    credential: Any = None
    sync_credential: Any = None

    def __init__(self, make_client: Callable[[Any], BlobServiceClient], *, ambient: bool = False):
        AsyncFileSystem.__init__(self, asynchronous=True, use_listings_cache=False)
        if ambient:
            self.credential, self.sync_credential = self._get_default_azure_credential()
        self.service_client = make_client(self.credential)
        self.account_name = self.service_client.account_name
        self.account_url = self.service_client.url
        self.version_aware = False

    async def close(self) -> None:
        await self.service_client.close()
        if self.credential is not None:
            await self.credential.close()
            await asyncio.to_thread(self.sync_credential.close)


async def open_filesystem(spec: CredentialSpec, *, guard: Guard, account: str | None = None) -> Filesystem:
    """``account``: the one that the link names, for a credential that names none."""
    named = _account(spec)
    if account and named and account != named:
        raise StudiosError(
            "The credential does not fit",
            f"it is one of the account “{named}”, the link is one of “{account}”",
            "Choose a credential of the same account",
            field="credential",
        )
    account = named or account
    secret = spec.secret
    if isinstance(secret, Ambient) and (found := os.environ.get("AZURE_STORAGE_CONNECTION_STRING")):
        secret = AzureConnectionString(connection_string=SecretStr(found))
    if isinstance(secret, AzureConnectionString):
        return await _from_connection_string(secret.connection_string.get_secret_value(), guard)
    if spec.endpoint is None:
        url, options = f"https://{_known(account)}.blob.core.windows.net", _options(None)
    else:
        await guard.check(spec.endpoint)
        url, options = spec.endpoint, _options(guard)
    given = _credential(secret)
    return Filesystem(
        lambda found: BlobServiceClient(url, credential=given or found, **options),
        ambient=isinstance(secret, Ambient),
    )


async def _from_connection_string(text: str, guard: Guard) -> Filesystem:
    try:
        client = BlobServiceClient.from_connection_string(text, **_options(guard))
    except (ValueError, KeyError, azure.AzureError):
        raise StudiosError(
            "This is not a connection string",
            "it does not say which account it is for, or with which key",
            "Copy it again from “Access keys” of the storage account",
            field="secret",
        ) from None
    try:
        await guard.check(f"{client.scheme}://{client.primary_hostname}", field="secret")
    except BaseException:
        await client.close()
        raise
    return Filesystem(lambda _: client)


def _account(spec: CredentialSpec) -> str | None:
    return spec.secret.account if isinstance(spec.secret, AzureKey | AzureSas) else spec.account


def _known(account: str | None) -> str:
    if account is None or not _ACCOUNT.fullmatch(account):
        raise StudiosError(
            "The storage account is not known",
            "neither the link nor its credential names a valid one",
            "Write the link as abfss://container@account.dfs.core.windows.net/",
            field="account",
        )
    return account


def _credential(secret: Secret) -> Any:
    match secret:
        case AzureKey():
            return {"account_name": secret.account, "account_key": secret.key.get_secret_value()}
        case AzureSas():
            return AzureSasCredential(secret.sas.get_secret_value().lstrip("?"))
    return None


def _options(guard: Guard | None) -> dict[str, Any]:
    """Options of a client. With a guard, all its connections go past it, and none through a proxy."""
    options: dict[str, Any] = {
        "retry_policy": ExponentialRetry(
            initial_backoff=PAUSE_SECONDS,
            increment_base=2 * PAUSE_SECONDS,
            retry_total=RETRIES,
            random_jitter_range=PAUSE_SECONDS,
        ),
        "connection_timeout": CONNECT_SECONDS,
        "read_timeout": READ_SECONDS,
        "max_single_get_size": READ_BLOCK,
        "max_chunk_get_size": READ_BLOCK,
    }
    connector = guard.connector() if guard is not None else None
    if connector is not None:
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(**connector),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        options |= {
            "transport": AioHttpTransport(
                session=session,
                use_env_settings=False,
                connection_timeout=CONNECT_SECONDS,
                read_timeout=READ_SECONDS,
            )
        }
    return options


def translate(error: BaseException) -> tuple[int, str] | None:
    """Status and code of a fault of the store; None for what is none."""
    # The SDK falls over errors that are not written as Azure writes them.
    while not isinstance(error, azure.AzureError) and error.__context__ is not None:
        error = error.__context__
    match error:
        case azure.HttpResponseError():
            headers = getattr(error.response, "headers", {})
            code = headers.get("x-ms-error-code", "")
            if code == "PublicAccessNotPermitted":
                return 403, code
            return error.status_code or 500, code
        case azure.ServiceRequestTimeoutError() | azure.ServiceResponseTimeoutError() | TimeoutError():
            return TIMEOUT, ""
        case azure.AzureError() | aiohttp.ClientError() | OSError():
            return UNREACHABLE, ""
    return None
