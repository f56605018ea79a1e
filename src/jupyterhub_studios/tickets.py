"""Short signed statements between two processes that share a key: who may enter, who is asking.

A ticket is ``<base64url of JSON claims>.<base64url of HMAC-SHA256>``. Each names its audience, so that one
made for a session is worth nothing at another, and none that is made for one purpose serves another one.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Mapping
from typing import Any

MAX_LENGTH = 8192  # more than any real ticket: longer ones are not even looked at


def sign(key: bytes, claims: Mapping[str, Any], ttl: float) -> str:
    """A ticket of ``claims`` (``aud`` among them) that is good for ``ttl`` seconds from now."""
    if not claims.get("aud"):
        raise ValueError("a ticket needs an audience")
    issued = time.time()
    stamped = {**claims, "iat": issued, "exp": issued + ttl, "jti": secrets.token_urlsafe(9)}
    body = _encode(json.dumps(stamped, separators=(",", ":")).encode())
    return f"{body}.{_encode(_mac(key, body))}"


def verify(key: bytes, token: str, *, audience: str) -> dict[str, Any]:
    """The claims of ``token``; ValueError says why it is not good."""
    if len(token) > MAX_LENGTH or not token.isascii():
        raise ValueError("not a ticket")
    body, dot, mac = token.partition(".")
    # The text of the signature is compared: base64 has several spellings of the same bytes.
    if not dot or not hmac.compare_digest(mac, _encode(_mac(key, body))):
        raise ValueError("the ticket's signature is wrong")
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    if claims["aud"] != audience:
        raise ValueError("the ticket is for another place")
    if claims["exp"] <= time.time():
        raise ValueError("the ticket has expired")
    return claims


def _mac(key: bytes, body: str) -> bytes:
    if len(key) < 16:
        raise ValueError("the key is too short to sign with")
    return hmac.new(key, body.encode("ascii"), hashlib.sha256).digest()


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
