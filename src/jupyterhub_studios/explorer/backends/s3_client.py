"""An s3fs filesystem for one credential: its own session, its own connections, nothing shared between people."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
import botocore.loaders
from aiobotocore.session import AioSession
from botocore import exceptions as boto
from botocore.utils import parse_timestamp
from s3fs import S3FileSystem

from ...models import AccessKey, Ambient, Anonymous, CredentialSpec, Profile, StudiosError
from .errors import TIMEOUT, UNREACHABLE
from .guard import Guard

CONNECT_SECONDS = 5
READ_SECONDS = 20
ATTEMPTS = 4  # with growing pauses, for throttling and faults of the network

_LOADER = botocore.loaders.create_loader()  # AWS's descriptions of its services: read once, for everybody
_REGION = re.compile(r"[a-z0-9-]{1,40}")


class Filesystem(S3FileSystem):
    """s3fs without its own retries (botocore's are enough), and with a way to close it."""

    cachable = False
    retries = 1

    async def close(self) -> None:
        if self._s3 is not None:
            await self._s3creator.__aexit__(None, None, None)


async def open_filesystem(spec: CredentialSpec, *, guard: Guard, region: str | None = None) -> Filesystem:
    region = spec.region or region
    if region is not None and not _REGION.fullmatch(region):
        raise StudiosError("This is not a region", "a region is written like eu-west-1", field="region")
    config: dict[str, Any] = {
        "connect_timeout": CONNECT_SECONDS,
        "read_timeout": READ_SECONDS,
        "retries": {"mode": "standard", "total_max_attempts": ATTEMPTS},
        "signature_version": "s3v4",
        "max_pool_connections": 32,
        "warm_up_loader_caches": True,
        # Given once: botocore's own is put together anew for every request, which costs as much as signing it.
        "user_agent": "jupyterhub-studios",
    }
    if spec.endpoint is not None:
        await guard.check(spec.endpoint)
        # Few other stores know host names for buckets, and the newer checksums.
        config |= {
            "s3": {"addressing_style": "path"},
            "request_checksum_calculation": "when_required",
            "response_checksum_validation": "when_required",
        }
        if (connector := guard.connector()) is not None:
            # A proxy of the machine would connect for us, past the guard.
            config |= {"connector_args": connector, "proxies": {}}
    secret = spec.secret
    if not isinstance(secret, Ambient | Profile):
        config["ignore_configured_endpoint_urls"] = True  # those are the machine's, not this person's
    session = AioSession(profile=secret.profile if isinstance(secret, Profile) else None)
    session.register_component("data_loader", _LOADER)
    session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=moment)
    return Filesystem(
        asynchronous=True,
        use_listings_cache=False,
        session=session,
        endpoint_url=spec.endpoint,
        client_kwargs={"region_name": region or ("us-east-1" if spec.endpoint else None)},
        config_kwargs=config,
        **_keys(spec),
    )


def moment(value: Any) -> datetime:
    """As botocore's own, which takes 0.1 ms for each time: a page of a listing has a thousand."""
    if isinstance(value, str):
        with suppress(ValueError):
            read = datetime.fromisoformat if value[:1].isdigit() else parsedate_to_datetime
            if (found := read(value)).tzinfo is not None:
                return found
    told: datetime = parse_timestamp(value)
    return told


def _keys(spec: CredentialSpec) -> dict[str, Any]:
    if isinstance(spec.secret, Anonymous):
        return {"anon": True}
    if not isinstance(spec.secret, AccessKey):
        return {}
    token = spec.secret.session_token
    return {
        "key": spec.secret.access_key_id,
        "secret": spec.secret.secret_access_key.get_secret_value(),
        "token": token.get_secret_value() if token else None,
    }


def translate(error: BaseException) -> tuple[int, str] | None:
    """Status and code of a fault of the store; None for what is none."""
    if isinstance(error.__cause__, boto.ClientError):  # s3fs made an OSError of it
        error = error.__cause__
    match error:
        case boto.ClientError():
            code = str(error.response.get("Error", {}).get("Code", ""))
            return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)), code
        case boto.ConnectTimeoutError() | boto.ReadTimeoutError() | TimeoutError():
            return TIMEOUT, ""
        case boto.HTTPClientError() | boto.ConnectionError() | aiohttp.ClientError():
            return UNREACHABLE, ""
        case boto.NoCredentialsError() | boto.PartialCredentialsError() | boto.CredentialRetrievalError():
            return 401, "NoCredentials"
        case boto.ProfileNotFound() | boto.TokenRetrievalError():
            return 401, "NoCredentials"
        case boto.ParamValidationError() | boto.InvalidEndpointConfigurationError():
            return 400, ""
        case boto.BotoCoreError():
            return 500, ""
        case OSError():
            return UNREACHABLE, ""
    return None
