"""The Hub's REST API, as far as the service uses it."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

import aiohttp

from ..models import StudiosError

_MEMORY = 15.0  # seconds that an answer about a person is believed


class HubError(StudiosError):
    """The Hub said no, or nothing. ``hub_status`` is None when it did not answer."""

    def __init__(self, hub_status: int | None, detail: str) -> None:
        super().__init__(
            "The Hub did not answer" if hub_status is None else "The Hub refused the request",
            detail,
            "Try again in a minute" if hub_status is None else "",
            status=503 if hub_status is None or hub_status >= 500 else 409,
        )
        self.hub_status = hub_status
        self.detail = detail


class Hub:
    def __init__(self, api_url: str, token: str) -> None:
        self._api = api_url.rstrip("/")
        self._headers = {"Authorization": f"token {token}"}
        self._client: aiohttp.ClientSession | None = None
        self._people: dict[str, tuple[float, dict[str, Any] | None]] = {}

    async def close(self) -> None:
        if self._client:
            await self._client.close()

    # --- servers ---

    async def start_server(
        self, owner: str, server: str, display_name: str, options: Mapping[str, Any]
    ) -> None:
        """Returns when the server is up, or after the Hub's own patience (10 s) while it is starting."""
        body = {"display_name": display_name, "user_options": dict(options)}
        await self._ask("POST", _server(owner, server), body, patience=60)

    async def stop_server(self, owner: str, server: str) -> None:
        await self._ask("DELETE", _server(owner, server), {}, patience=60)

    async def remove_server(self, owner: str, server: str) -> None:
        """Forget the server at the Hub. One that the Hub does not know is removed already."""
        try:
            await self._ask("DELETE", _server(owner, server), {"remove": True}, patience=60)
        except HubError as error:
            if error.hub_status != 404:
                raise

    async def active_servers(self, owner: str) -> set[str]:
        """Names of the owner's servers that run, start or stop now."""
        try:
            user = await self._ask("GET", f"users/{_quoted(owner)}")
        except HubError as error:
            if error.hub_status == 404:
                return set()
            raise
        return set(user.get("servers", {}))

    async def server_ready(self, owner: str, server: str) -> bool:
        """Whether the Hub's proxy leads to the server."""
        user = await self._ask("GET", f"users/{_quoted(owner)}")
        return bool(user.get("servers", {}).get(server, {}).get("ready"))

    # --- people ---

    async def person(self, name: str) -> dict[str, Any] | None:
        """The Hub's model of a person (``admin``, ``groups``); None: nobody of that name."""
        known = self._people.get(name)
        if known and time.monotonic() - known[0] < _MEMORY:
            return known[1]
        try:
            model = await self._ask("GET", f"users/{_quoted(name)}")
        except HubError as error:
            if error.hub_status != 404:
                raise
            model = None
        self._people[name] = (time.monotonic(), model)
        return model

    async def shares(self, owner: str, server: str) -> list[dict[str, Any]]:
        """With whom the server is shared; a server that the Hub does not know is shared with nobody."""
        found: list[dict[str, Any]] = []
        path: str | None = f"shares/{_quoted(owner)}/{_quoted(server)}"
        try:
            while path:
                page = await self._ask("GET", path)
                found += page["items"]
                following = page["_pagination"]["next"]
                path = following and f"shares/{_quoted(owner)}/{_quoted(server)}?offset={following['offset']}"
        except HubError as error:
            if error.hub_status != 404:
                raise
        return found

    async def share(self, owner: str, server: str, kind: str, name: str) -> None:
        """Let a person or a group (``kind``) open the server, and nothing more."""
        scopes = [f"access:servers!server={owner}/{server}"]
        path = f"shares/{_quoted(owner)}/{_quoted(server)}"
        await self._ask("POST", path, {kind: name, "scopes": scopes})

    async def unshare(self, owner: str, server: str, kind: str, name: str) -> None:
        """Take all that a share gave. What the Hub does not know is taken already."""
        try:
            await self._ask("PATCH", f"shares/{_quoted(owner)}/{_quoted(server)}", {kind: name})
        except HubError as error:
            if error.hub_status != 404:
                raise

    async def shared_with(self, name: str) -> set[tuple[str, str]]:
        """Owner and name of the servers that a person may open by a share, their own or a group's."""
        found: set[tuple[str, str]] = set()
        start = f"users/{_quoted(name)}/shared"
        path: str | None = start
        while path:
            page = await self._ask("GET", path)
            found |= {(one["server"]["user"]["name"], one["server"]["name"]) for one in page["items"]}
            following = page["_pagination"]["next"]
            path = following and f"{start}?offset={following['offset']}"
        return found

    async def ensure_server(
        self, owner: str, server: str, display_name: str, options: Mapping[str, Any]
    ) -> None:
        """Have the Hub know a server that was never started: only of those can it keep shares."""
        try:
            await self._ask(
                "PUT", _server(owner, server), {"display_name": display_name, "user_options": dict(options)}
            )
        except HubError as error:
            if error.hub_status != 409:
                raise

    async def report_activity(self, owner: str, server: str, at: datetime) -> None:
        body = {"servers": {server: {"last_activity": at.isoformat()}}, "last_activity": at.isoformat()}
        await self._ask("POST", f"users/{_quoted(owner)}/activity", body)

    # --- how ---

    async def _ask(self, method: str, path: str, body: Any = None, *, patience: float = 15) -> Any:
        if self._client is None:
            self._client = aiohttp.ClientSession(headers=self._headers)
        try:
            async with self._client.request(
                method, f"{self._api}/{path}", json=body, timeout=aiohttp.ClientTimeout(total=patience)
            ) as answer:
                text = await answer.text()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise HubError(None, str(error) or "no answer in time") from None
        if answer.status >= 400:
            raise HubError(answer.status, _message(text) or f"status {answer.status}")
        return json.loads(text) if text.startswith(("{", "[")) else None


def _server(owner: str, server: str) -> str:
    return f"users/{_quoted(owner)}/servers/{_quoted(server)}"


def _quoted(name: str) -> str:
    return quote(name, safe="@~")


def _message(text: str) -> str:
    try:
        return str(json.loads(text).get("message") or "")
    except (ValueError, AttributeError):
        return ""
