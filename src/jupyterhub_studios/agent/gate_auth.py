"""Who stands at the gate: tickets turned into cookies, cookies into visitors, and visitors turned away.

The service decides who may enter and says so in a ticket. The gate only remembers: which tickets were used,
which cookies it gave, and whose were withdrawn.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from .. import tickets

COOKIE_TTL = 12 * 3600.0
IDENTITY_TTL = 60.0
CACHED_VISITORS = 4096


class Withdrawn(Exception):
    """A visitor whose access was taken back after the ticket or cookie was given."""


@dataclass
class Visitor:
    """One person in one browser, as the service introduced them."""

    user: str
    name: str
    own: bool
    cookie: str
    jti: str
    issued: float
    expires: float
    identity: str = ""
    identity_until: float = 0.0


class Door:
    """Checks tickets and cookies of one session. No I/O."""

    def __init__(self, session_id: str, owner: str, key: bytes, identity_key: bytes) -> None:
        self.session_id = session_id
        self.cookie_name = f"studio-{session_id}"
        self._owner = owner
        self._key = key
        self._identity_key = identity_key
        self._used: dict[str, float] = {}  # jti of tickets that came, until they expire
        self._left: dict[str, float] = {}  # jti of cookies whose holders signed out, until they expire
        self._revoked: dict[str | None, float] = {}  # user (None: all but the owner) -> when
        self._visitors: dict[str, Visitor] = {}  # by cookie: the signature is checked once

    def admit(self, ticket: str) -> Visitor:
        """The visitor a ticket introduces, with a new cookie. It works once; ValueError says why not."""
        claims = tickets.verify(self._key, ticket, audience=self.session_id)
        _forget(self._used)
        if claims["jti"] in self._used:
            raise ValueError("the ticket was used before")
        self._used[claims["jti"]] = claims["exp"]
        self._check_revoked(claims)
        fields = {"sub": claims["sub"], "name": claims["name"], "own": claims["own"]}
        cookie = tickets.sign(self._key, {"aud": f"{self.session_id}:cookie", **fields}, COOKIE_TTL)
        return self._by_cookie(cookie)

    def visitor(self, cookie_headers: Iterable[str]) -> Visitor | None:
        """Who sent these Cookie headers; None when there is no valid cookie of ours among them."""
        start = self.cookie_name + "="
        for header in cookie_headers:
            for pair in header.split(";"):
                pair = pair.strip()
                if pair.startswith(start):
                    try:
                        return self._by_cookie(pair[len(start) :])
                    except ValueError:
                        continue
        return None

    def _by_cookie(self, cookie: str) -> Visitor:
        visitor = self._visitors.get(cookie)
        if visitor is None:
            claims = tickets.verify(self._key, cookie, audience=f"{self.session_id}:cookie")
            visitor = Visitor(
                user=claims["sub"],
                name=claims["name"],
                own=claims["own"],
                cookie=cookie,
                jti=claims["jti"],
                issued=claims["iat"],
                expires=claims["exp"],
            )
            while len(self._visitors) >= CACHED_VISITORS:
                del self._visitors[next(iter(self._visitors))]
            self._visitors[cookie] = visitor
        if visitor.expires <= time.time() or visitor.jti in self._left:
            raise ValueError("the cookie is over")
        if self._revoked:
            self._check_revoked({"sub": visitor.user, "iat": visitor.issued})
        return visitor

    def _check_revoked(self, claims: dict[str, Any]) -> None:
        at = self._revoked.get(claims["sub"], 0.0)
        if claims["sub"] != self._owner:
            at = max(at, self._revoked.get(None, 0.0))
        if claims["iat"] <= at:
            raise Withdrawn(claims["sub"])

    def revoke(self, user: str | None) -> None:
        """Everything given to ``user`` until now is worth nothing; what is given later works."""
        self._revoked[user] = time.time()

    def leave(self, visitor: Visitor) -> None:
        """The visitor signed out: this cookie is over, wherever it was copied to."""
        _forget(self._left)
        self._left[visitor.jti] = visitor.expires

    def revokes(self, user: str | None, visitor: str) -> bool:
        """Whether taking back what ``user`` has is about ``visitor``."""
        return visitor == user if user is not None else visitor != self._owner

    def identity(self, visitor: Visitor) -> str:
        """The signed header that names the visitor to the app."""
        now = time.time()
        if now >= visitor.identity_until:
            claims = {"aud": "app", "sub": visitor.user, "name": visitor.name, "own": visitor.own}
            visitor.identity = tickets.sign(self._identity_key, claims, IDENTITY_TTL)
            visitor.identity_until = now + IDENTITY_TTL / 2
        return visitor.identity


def _forget(seen: dict[str, float]) -> None:
    now = time.time()
    for jti in [jti for jti, expires in seen.items() if expires <= now]:
        del seen[jti]
