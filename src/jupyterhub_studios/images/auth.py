"""How a registry wants to be convinced: not at all, by a password, or by a token from the server it names."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import httpx

from .credentials import Login

Ask = Callable[..., Awaitable[httpx.Response]]


def scope(repository: str, *actions: str) -> str:
    return f"repository:{repository}:{','.join(actions)}"


class Auth:
    """The ``Authorization`` headers of one registry."""

    def __init__(self, login: Login | None, ask: Ask) -> None:
        self._login, self._ask = login, ask
        self._tokens: dict[tuple[str, ...], str] = {}
        self._basic = False

    def header(self, scopes: Iterable[str]) -> dict[str, str]:
        """What worked last time."""
        known = self._tokens.get(tuple(scopes))
        if known is None and self._basic and self._login is not None:
            known = self._login.basic
        return {"Authorization": known} if known else {}

    async def answer(self, refused: httpx.Response, scopes: Iterable[str]) -> bool:
        """Whether another try may be let in, after an answer 401."""
        kind, words = challenge(refused.headers.get("WWW-Authenticate", ""))
        if kind == "basic" and self._login is not None and not self._basic:
            self._basic = True
            return True
        if kind == "bearer" and "realm" in words:
            token = await self._token(words, tuple(scopes))
            self._tokens[tuple(scopes)] = f"Bearer {token}"
            return bool(token)
        return False

    async def _token(self, words: dict[str, str], scopes: tuple[str, ...]) -> str:
        query: list[tuple[str, Any]] = [("scope", one) for one in scopes]
        if "service" in words:
            query.insert(0, ("service", words["service"]))
        headers = {"Authorization": self._login.basic} if self._login else {}
        answer = await self._ask("GET", words["realm"], params=query, headers=headers)
        if answer.status_code != 200:
            return ""
        found = answer.json()
        return str(found.get("token") or found.get("access_token") or "")


def challenge(header: str) -> tuple[str, dict[str, str]]:
    """The scheme and the words of a ``WWW-Authenticate`` header."""
    kind, _, rest = header.partition(" ")
    return kind.lower(), {name.lower(): text for name, text in re.findall(r'(\w+)="([^"]*)"', rest)}
