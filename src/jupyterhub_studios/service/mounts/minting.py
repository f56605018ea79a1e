"""The credential of one mount: made for it where the store can, else the link's own. Shells around the clouds.

What is made reaches the mounted folder alone, only for reading where the mount is read-only, and ends soon. Where a
store or a credential cannot make such ones (an S3-compatible store without an STS, a key without the right to ask for
them), the agent gets the link's own: by the bootstrap exchange, out of the studio's reach.
"""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ...models import (
    AccessKey,
    Ambient,
    Anonymous,
    AzureConnectionString,
    AzureKey,
    AzureSas,
    CredentialSpec,
    OfferedCredential,
    Profile,
    Provider,
    ServiceAccount,
    SessionKeys,
    StudiosError,
)
from . import policies

log = logging.getLogger("studios.mounts")

SECONDS = 3600  # of a minted key's life; an AWS account's own root user can make none that live longer
PATIENCE = 10.0  # an agent waits for the answer of its bootstrap, which comes once, for 30 seconds
GOOGLE_TOKENS = "https://oauth2.googleapis.com/token"


@dataclass(frozen=True)
class Place:
    """What a mount needs a credential for."""

    provider: Provider
    bucket: str
    prefix: str  # of the mounted folder
    region: str | None
    writable: bool
    until: datetime  # the session is over by then: for what cannot be replaced while a mount uses it


@dataclass(frozen=True)
class Issued:
    """Options of rclone's remote, beside those that are no secret; for S3 keys."""

    options: dict[str, str] = field(default_factory=dict, repr=False)
    keys: SessionKeys | None = field(default=None, repr=False)
    expires_at: datetime | None = None
    narrowed: bool = False  # made for this mount


async def issue(credential: CredentialSpec | None, place: Place) -> Issued:
    """A :class:`StudiosError` where no credential can be had."""
    make = {Provider.S3: _s3, Provider.GCS: _gcs, Provider.AZURE: _azure}.get(place.provider)
    if make is None:
        return Issued()
    try:
        return await asyncio.wait_for(asyncio.to_thread(make, credential, place), PATIENCE)
    except TimeoutError:
        raise _fault("its cloud did not answer in time") from None


def _fault(why: str) -> StudiosError:
    return StudiosError(
        "The mount's credential cannot be had", why, "Check the credential of the data link", status=424
    )


# --- S3 --------------------------------------------------------------------------------------------


def _s3(credential: CredentialSpec | None, place: Place) -> Issued:
    if credential is None or isinstance(credential.secret, Anonymous):
        return Issued()
    import boto3  # takes a second, and many services never mount anything
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        session = _aws_session(boto3, credential, place.region)
        try:
            minted = _from_sts(session, credential, place)
        except (ClientError, BotoCoreError) as error:
            code = error.response["Error"].get("Code", "") if isinstance(error, ClientError) else ""
            log.info("“%s” makes no keys for mounts: %s", credential.name, code or type(error).__name__)
            minted = None
        return minted or _own_keys(session)
    except BotoCoreError as error:
        raise _fault(f"the machine's rights for AWS cannot be used ({type(error).__name__})") from None


def _aws_session(boto3: Any, credential: CredentialSpec, region: str | None) -> Any:
    secret, region = credential.secret, credential.region or region or "us-east-1"
    if isinstance(secret, AccessKey):
        return boto3.Session(
            aws_access_key_id=secret.access_key_id,
            aws_secret_access_key=secret.secret_access_key.get_secret_value(),
            aws_session_token=secret.session_token.get_secret_value() if secret.session_token else None,
            region_name=region,
        )
    name = secret.profile if isinstance(secret, Profile) else None
    return boto3.Session(profile_name=name, region_name=region)


def _from_sts(session: Any, credential: CredentialSpec, place: Place) -> Issued | None:
    """None where the credential has no way to keys of less."""
    from botocore.config import Config

    offered = credential if isinstance(credential, OfferedCredential) else None
    role = offered.mount_role if offered else None
    endpoint = offered.sts_endpoint if offered else None
    if credential.endpoint and not endpoint:
        return None  # AWS's own knows nothing of this store's keys
    partition = policies.partition(place.region)
    policy = policies.s3_policy(place.bucket, place.prefix, writable=place.writable, partition=partition)
    config = Config(connect_timeout=5, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 2})
    sts = session.client("sts", endpoint_url=endpoint, config=config)
    if role:
        answer = sts.assume_role(
            RoleArn=role, RoleSessionName="studio-mount", Policy=policy, DurationSeconds=SECONDS
        )
    elif isinstance(credential.secret, AccessKey) and credential.secret.session_token is None:
        answer = sts.get_federation_token(Name="studio-mount", Policy=policy, DurationSeconds=SECONDS)
    else:
        return None
    made = answer["Credentials"]
    keys = SessionKeys(
        access_key_id=made["AccessKeyId"],
        secret_access_key=made["SecretAccessKey"],
        session_token=made["SessionToken"],
    )
    return Issued(keys=keys, expires_at=made["Expiration"].astimezone(UTC), narrowed=True)


def _own_keys(session: Any) -> Issued:
    found = session.get_credentials()
    if found is None:
        raise _fault("the machine has no rights for AWS")
    frozen = found.get_frozen_credentials()
    keys = SessionKeys(
        access_key_id=frozen.access_key, secret_access_key=frozen.secret_key, session_token=frozen.token or ""
    )
    return Issued(keys=keys, expires_at=getattr(found, "_expiry_time", None))


# --- Google Cloud ----------------------------------------------------------------------------------


def _gcs(credential: CredentialSpec | None, place: Place) -> Issued:
    if credential is None or isinstance(credential.secret, Anonymous):
        return Issued({"anonymous": "true"})
    secret = credential.secret
    own = {"service_account_credentials": secret.key_json.get_secret_value()} if isinstance(
        secret, ServiceAccount
    ) else {"env_auth": "true"}  # fmt: skip
    if credential.endpoint:
        return Issued(own)  # no STS of Google's stands behind it
    import google.auth.exceptions as faults

    try:
        return _downscoped(_google_source(secret), place)
    except (faults.GoogleAuthError, ValueError) as error:
        if isinstance(secret, Ambient):
            raise _fault(
                f"the machine's rights for Google Cloud cannot be used ({type(error).__name__})"
            ) from None
        log.info("“%s” makes no token for mounts: %s", credential.name, type(error).__name__)
        return Issued(own)


def _google_source(secret: object) -> Any:
    import google.auth
    from google.oauth2 import service_account

    scopes = ["https://www.googleapis.com/auth/devstorage.full_control"]
    if isinstance(secret, ServiceAccount):
        # Wherever the key file says it is signed in: nowhere but at Google does the service go with it.
        info = json.loads(secret.key_json.get_secret_value()) | {"token_uri": GOOGLE_TOKENS}
        return service_account.Credentials.from_service_account_info(info, scopes=scopes)
    return google.auth.default(scopes=scopes)[0]


def _downscoped(source: Any, place: Place) -> Issued:
    from google.auth import downscoped
    from google.auth.transport.requests import Request

    rules = []
    for one in policies.gcs_boundary(place.bucket, place.prefix, writable=place.writable)["accessBoundary"][
        "accessBoundaryRules"
    ]:
        condition = one.get("availabilityCondition")
        rules.append(
            downscoped.AccessBoundaryRule(
                available_resource=one["availableResource"],
                available_permissions=one["availablePermissions"],
                availability_condition=downscoped.AvailabilityCondition(condition["expression"])
                if condition
                else None,
            )
        )
    made = downscoped.Credentials(source, downscoped.CredentialAccessBoundary(rules=rules))
    made.refresh(Request())
    expiry: Any = made.expiry
    return token(str(made.token), expiry.replace(tzinfo=UTC))


def token(access_token: str, expires_at: datetime) -> Issued:
    """As rclone keeps a token of Google's; one without a refresh token, which is written anew from outside."""
    document = {
        "access_token": access_token,
        "token_type": "Bearer",
        "expiry": expires_at.isoformat().replace("+00:00", "Z"),
    }
    return Issued({"token": json.dumps(document)}, expires_at=expires_at, narrowed=True)


# --- Azure -----------------------------------------------------------------------------------------


def _azure(credential: CredentialSpec | None, place: Place) -> Issued:
    container, _, account = place.bucket.partition("@")
    if credential is None or isinstance(credential.secret, Anonymous):
        named = account or (credential.account if credential else "") or ""
        endpoint = credential.endpoint if credential else None
        return Issued({"account": named, **({"endpoint": endpoint} if endpoint else {})})
    secret = credential.secret
    if isinstance(secret, AzureSas):
        base = credential.endpoint or _azure_url(secret.account)
        return Issued(
            {"sas_url": f"{base.rstrip('/')}/{container}?{secret.sas.get_secret_value().lstrip('?')}"}
        )
    if isinstance(secret, AzureKey):
        base, name, key = credential.endpoint or _azure_url(secret.account), secret.account, secret.key
        return _sas(base, name, key.get_secret_value(), container, place)
    assert isinstance(secret, AzureConnectionString)
    return _from_connection_string(secret.connection_string.get_secret_value(), container, place)


def _azure_url(account: str) -> str:
    return f"https://{account}.blob.core.windows.net"


def _from_connection_string(text: str, container: str, place: Place) -> Issued:
    from azure.storage.blob import BlobServiceClient

    try:
        with BlobServiceClient.from_connection_string(text) as client:
            key = getattr(client.credential, "account_key", None)
            if key is None:  # a SAS: no more can be made of it
                return Issued({"connection_string": text})
            return _sas(client.url, str(client.account_name), key, container, place)
    except ValueError:
        raise _fault("its connection string does not say which account it is for") from None


def _sas(base: str, account: str, key: str, container: str, place: Place) -> Issued:
    """For the container, which is the least that a signature of a storage account without folders can name."""
    from azure.storage.blob import generate_container_sas

    query = generate_container_sas(
        account,
        container,
        key,
        permission=policies.azure_permissions(writable=place.writable),
        expiry=place.until,
    )
    return Issued(
        {"sas_url": f"{base.rstrip('/')}/{container}?{query}"}, expires_at=place.until, narrowed=True
    )
