"""Asking AWS: never on the event loop, never twice where once was meant, and with words for people when it fails."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from ..models import StudiosError

THREADS = 8
CONNECT_SECONDS, READ_SECONDS = 5, 30

# Reading may be repeated: botocore slows down by itself when it is throttled.
READS = Config(
    retries={"mode": "adaptive", "max_attempts": 4},
    connect_timeout=CONNECT_SECONDS,
    read_timeout=READ_SECONDS,
)
# What makes something is repeated by those who look first whether it is there already.
ONCE = Config(
    retries={"mode": "standard", "total_max_attempts": 1},
    connect_timeout=CONNECT_SECONDS,
    read_timeout=READ_SECONDS,
)

THROTTLED = {"TooManyRequestsException", "ThrottlingException", "Throttling", "RequestLimitExceeded"}
DENIED = {"AccessDeniedException", "AccessDenied", "UnauthorizedOperation"}


class Aws:
    """Clients of one region, and threads of their own for them: the Hub's others never wait for AWS."""

    def __init__(self, region: str) -> None:
        self._session = boto3.Session(region_name=region)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="aws")
        self._clients: dict[tuple[str, bool], Any] = {}

    def client(self, name: str, *, once: bool = False) -> Any:
        """Clients are made when they are first needed: making one reads files."""
        key = (name, once)
        if key not in self._clients:
            self._clients[key] = self._session.client(name, config=ONCE if once else READS)
        return self._clients[key]

    async def ask(
        self, service: str, operation: str, *, once: bool = False, **request: Any
    ) -> dict[str, Any]:
        """The answer to one request. Raises botocore's own errors."""

        def call() -> dict[str, Any]:
            return dict(getattr(self.client(service, once=once), operation)(**request))

        return await asyncio.get_running_loop().run_in_executor(self._threads, call)

    async def all(self, service: str, operation: str, key: str, **request: Any) -> list[dict[str, Any]]:
        """What all pages of an answer hold under ``key``."""
        found: list[dict[str, Any]] = []
        while True:
            answer = await self.ask(service, operation, **request)
            found += answer.get(key) or []
            if not answer.get("nextToken"):
                return found
            request["nextToken"] = answer["nextToken"]


def code(error: Exception) -> str:
    """The name that AWS gives to a fault; empty when it did not answer at all."""
    return str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, ClientError) else ""


def throttled(error: Exception) -> bool:
    """Whether AWS was asked too often: nothing was carried out."""
    status = (
        error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if isinstance(error, ClientError)
        else 0
    )
    return code(error) in THROTTLED or status == 429


def uncertain(error: Exception) -> bool:
    """Whether the request may have been carried out all the same, or may succeed when repeated."""
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return throttled(error) or status >= 500
    return isinstance(error, BotoCoreError)


def problem(title: str, error: Exception) -> StudiosError:
    """``error`` as people read it."""
    said = (
        error.response.get("Error", {}).get("Message", "") if isinstance(error, ClientError) else str(error)
    )
    if code(error) in DENIED:
        action = "An administrator should give the Hub's AWS role this right; `studios doctor` lists what is missing"
    elif uncertain(error):
        action = "Try again in some minutes"
    else:
        action = "An administrator should look at the compute environment; `studios doctor` checks it"
    return StudiosError(title, f"AWS says: {said or error}", action, status=503)
