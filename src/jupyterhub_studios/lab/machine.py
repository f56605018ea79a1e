"""What the machine of a plain JupyterLab can reach by itself: profiles, keys in the environment, folders.

Nothing is asked of the network: a machine's role (EC2, GKE, managed identity) is used where a person adds it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import botocore.session
from botocore.exceptions import BotoCoreError
from pydantic import ValidationError

from ..models import Ambient, CredentialSpec, Profile, Provider

# Each of these means that boto's own search for credentials will find some without asking the network first.
AWS_WORDS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)


@dataclass(frozen=True)
class Folder:
    id: str
    name: str
    path: Path


def credentials() -> dict[str, CredentialSpec]:
    """By id. One that cannot be used as it stands there is left out."""
    return {**_aws(os.environ), **_google(os.environ), **_azure(os.environ)}


def folders(root: str) -> list[Folder]:
    """The folder that JupyterLab shows, and the person's home where that is another one."""
    start, home = Path(root).expanduser().resolve(), Path.home().resolve()
    found = [Folder("folder-root", "Folder of this JupyterLab", start)]
    return found if start == home else [*found, Folder("folder-home", "Home", home)]


def _aws(environment: Mapping[str, str]) -> dict[str, CredentialSpec]:
    session = botocore.session.Session()
    try:
        config: dict[str, Any] = session.full_config["profiles"]
    except BotoCoreError:  # a file that cannot be read
        config = {}
    endpoint = environment.get("AWS_ENDPOINT_URL_S3") or environment.get("AWS_ENDPOINT_URL")
    region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION")
    found: dict[str, CredentialSpec] = {}
    if any(word in environment for word in AWS_WORDS):
        _add(found, "aws-environment", name="AWS (environment)", provider=Provider.S3, secret=Ambient(),
             endpoint=endpoint, region=region)  # fmt: skip
    for name, profile in config.items():
        _add(found, f"aws-{name}", name=f"AWS profile {name}", provider=Provider.S3,
             secret=Profile(profile=name), endpoint=profile.get("endpoint_url") or endpoint,
             region=profile.get("region") or region)  # fmt: skip
    return found


def _google(environment: Mapping[str, str]) -> dict[str, CredentialSpec]:
    named = environment.get("GOOGLE_APPLICATION_CREDENTIALS")
    place = Path(named) if named else Path.home() / ".config/gcloud/application_default_credentials.json"
    found: dict[str, CredentialSpec] = {}
    if place.is_file():
        _add(found, "google", name="Google Cloud", provider=Provider.GCS, secret=Ambient())
    return found


def _azure(environment: Mapping[str, str]) -> dict[str, CredentialSpec]:
    account = environment.get("AZURE_STORAGE_ACCOUNT")
    connection = environment.get("AZURE_STORAGE_CONNECTION_STRING")
    key, sas = environment.get("AZURE_STORAGE_KEY"), environment.get("AZURE_STORAGE_SAS_TOKEN")
    found: dict[str, CredentialSpec] = {}
    secret: Any
    if connection:
        secret = {"type": "azure-connection-string", "connection_string": connection}
    elif not account:
        return {}
    elif key:
        secret = {"type": "azure-key", "account": account, "key": key}
    elif sas:
        secret = {"type": "azure-sas", "account": account, "sas": sas}
    else:
        secret = Ambient()
    _add(found, "azure", name=f"Azure {account or ''}".strip(), provider=Provider.AZURE, secret=secret,
         account=account if isinstance(secret, Ambient) else None)  # fmt: skip
    return found


def _add(found: dict[str, CredentialSpec], key: str, **fields: Any) -> None:
    try:
        found[key] = CredentialSpec.model_validate(fields)
    except ValidationError:  # a name or a region that no store could have
        return
