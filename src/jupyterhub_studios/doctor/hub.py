"""Looking at the Hub, its service and its configuration."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx
from traitlets import import_item

from ..config import SERVICE_NAME, Studios
from . import verdicts
from .checks import Check, Found
from .findings import Result, found

TIMEOUT = httpx.Timeout(15, connect=5)


def checks(config: Mapping[str, Any], studios: Studios) -> list[Check]:
    public = studios.public_url
    spawner = config.get("BatchSpawner", {})
    service_url = str(spawner.get("service_url") or "")
    token = str(spawner.get("service_token") or "")
    environments = list(studios.compute_environments.values())

    spawns = starts_studios(config.get("JupyterHub", {}).get("spawner_class"))

    async def offers() -> Result:
        return found("environments-none")

    async def address() -> Result:
        resolves = await _resolves(urlsplit(public).hostname or "")
        return verdicts.public_url(public, environments, resolves)

    return [
        *(Check("Hub", "settings", _told(result)) for result in verdicts.settings(config, spawns)),
        Check("Hub", "address", address),
        Check("Hub", "Hub", lambda: _hub(public)),
        Check("Hub", "service", lambda: _service(service_url, token)),
        Check("Hub", "agents", lambda: _agents(public)),
        *([] if environments else [Check("Hub", "environments", offers)]),
    ]


def _told(result: Result) -> Callable[[], Awaitable[Result]]:
    async def tell() -> Result:
        return result

    return tell


def starts_studios(spawner: Any) -> bool:
    """Whether this is our spawner: by its entry point, as a class, or by the place of a class."""
    if isinstance(spawner, str) and "." in spawner:
        try:
            spawner = import_item(spawner)
        except ImportError:
            return False
    if isinstance(spawner, type):
        return any(cls.__name__ == "BatchSpawner" for cls in spawner.__mro__)
    return bool(spawner == "studios")


async def _resolves(host: str) -> bool:
    try:
        await asyncio.get_running_loop().getaddrinfo(host, None)
    except (socket.gaierror, UnicodeError):
        return False
    return True


async def _hub(public_url: str) -> Result:
    _check_url(public_url)
    url = urljoin(public_url, "hub/api/")
    answer = await _get(url, "hub-silent")
    return verdicts.hub(url, answer.status_code, _json(answer))


async def _service(url: str, token: str) -> Result:
    if not url:
        return found("service-unset")
    # Of no session, so that nothing happens: what counts is who answers, and whether the token is taken.
    asked = urljoin(url.rstrip("/") + "/", "internal/sessions/doctor")
    answer = await _get(asked, "service-silent", shown=url, headers={"Authorization": f"token {token}"})
    return verdicts.service(url, answer.status_code, _is_problem(answer))


async def _agents(public_url: str) -> Result:
    _check_url(public_url)
    url = urljoin(public_url, f"services/{SERVICE_NAME}/agent/control")
    answer = await _get(url, "agents-silent")
    return verdicts.agents(url, answer.status_code, _is_problem(answer))


def _check_url(url: str) -> None:
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
        raise Found("url-bad", url=url)


async def _get(
    url: str, silent: str, shown: str = "", headers: dict[str, str] | None = None
) -> httpx.Response:
    try:
        async with httpx.AsyncClient(timeout=TIMEOUT) as client:
            return await client.get(url, headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Found(silent, url=shown or url, reason=str(error) or type(error).__name__) from None


def _json(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return None


def _is_problem(answer: httpx.Response) -> bool:
    return "problem+json" in answer.headers.get("Content-Type", "")
