"""Who we are to a registry: given, from Docker's own configuration file, or from AWS for its registries."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import os
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..models import StudiosError
from .reference import HUB

_HUB_KEY = "https://index.docker.io/v1/"
_ECR = re.compile(r"(\d{12})\.dkr\.ecr(?:-fips)?\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?")


@dataclass(frozen=True)
class Login:
    user: str
    password: str = field(repr=False)

    @property
    def basic(self) -> str:
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()


class Logins:
    """``given`` by registry; ``file``: Docker's config.json, the account's own if None."""

    def __init__(self, given: dict[str, Login] | None = None, file: Path | None = None) -> None:
        self._given = dict(given or {})
        self._file = file

    async def find(self, registry: str) -> Login | None:
        """None: ask without. Asked once for each registry."""
        if registry not in self._given and (found := await asyncio.to_thread(self._look, registry)):
            self._given[registry] = found
        return self._given.get(registry)

    def _look(self, registry: str) -> Login | None:
        if found := _from_docker(registry, self._config()):
            return found
        if place := _ECR.fullmatch(registry):
            return _from_aws(place[1], place[2])
        return None

    def _config(self) -> dict[str, Any]:
        folder = os.environ.get("DOCKER_CONFIG")
        file = self._file or (Path(folder) if folder else Path.home() / ".docker") / "config.json"
        try:
            found = json.loads(file.read_text())
            assert isinstance(found, dict)
            return found
        except FileNotFoundError:
            if self._file is None:
                return {}
            raise StudiosError(
                f"There is no {file}", "", "Name a file that `docker login` has written"
            ) from None
        except (OSError, ValueError, AssertionError):
            raise StudiosError(
                f"{file} cannot be read", "it is not what `docker login` writes", "Run docker login again"
            ) from None


def _from_docker(registry: str, config: dict[str, Any]) -> Login | None:
    keys = [registry, f"https://{registry}", f"https://{registry}/v1/", f"https://{registry}/v2/"]
    if registry == HUB:
        keys.insert(0, _HUB_KEY)
    helper = config.get("credHelpers", {}).get(registry) or config.get("credsStore")
    if helper and (found := _from_helper(helper, keys[0])):
        return found
    for key in keys:
        try:
            user, colon, password = (
                base64.b64decode(config.get("auths", {})[key]["auth"]).decode().partition(":")
            )
        except (KeyError, TypeError, binascii.Error, UnicodeDecodeError):
            continue
        if colon:
            return Login(user, password.rstrip("\0"))
    return None


def _from_helper(helper: str, server: str) -> Login | None:
    """Docker's protocol: the server's name to its input, a document from its output."""
    program = f"docker-credential-{helper}"
    try:
        done = subprocess.run([program, "get"], input=server, capture_output=True, text=True, timeout=60)
        found = json.loads(done.stdout) if done.returncode == 0 else {}
        return Login(found["Username"], found["Secret"])
    except (OSError, ValueError, KeyError, subprocess.TimeoutExpired):
        return (
            None  # it knows no such server, or is not installed: the registry will say what it thinks of that
        )


def _from_aws(account: str, region: str) -> Login:
    """A token for twelve hours, with the permissions of whoever runs this."""
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        answer = boto3.client("ecr", region_name=region).get_authorization_token(registryIds=[account])
        token = base64.b64decode(answer["authorizationData"][0]["authorizationToken"]).decode()
    except (BotoCoreError, ClientError) as error:
        raise StudiosError(
            f"AWS gives no access to the registry of account {account}", str(error),
            "Allow ecr:GetAuthorizationToken", status=403,
        ) from None  # fmt: skip
    user, _, password = token.partition(":")
    return Login(user, password)
