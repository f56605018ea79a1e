"""Opaque, signed texts that a browser carries between two requests: where a listing goes on, which upload this is.

They are signed and not encrypted: nothing secret belongs in them. One that was changed, made by another
server or made for another purpose is refused.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

from ..models import StudiosError

Part = str | int | bool | None

MAX_LENGTH = 16_384  # more than any real one: a key of 1,024 bytes and the longest token of a store
_MAC_BYTES = 16


class Cursors:
    def __init__(self, key: bytes):
        if len(key) < 16:
            raise ValueError("the key is too short to sign with")
        self._key = hmac.digest(key, b"explorer cursors", hashlib.sha256)

    def write(self, *parts: Part, purpose: str) -> str:
        body = json.dumps([purpose, *parts], separators=(",", ":")).encode()
        return _encode(self._mac(body) + body)

    def read(self, text: str, *, purpose: str, field: str = "after") -> list[Part]:
        """The parts of ``text`` as they were written; a 400 naming ``field`` when it is not one of ours."""
        parts = self._parts(text) if len(text) <= MAX_LENGTH and text.isascii() else None
        if not parts or parts[0] != purpose:
            raise StudiosError(
                "This is not a place to go on from",
                f"“{field}” was changed on its way, or comes from somewhere else",
                "Start again from the beginning",
                field=field,
            )
        return parts[1:]

    def _parts(self, text: str) -> list[Part] | None:
        try:
            raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        except ValueError:
            return None
        mac, body = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
        if _encode(raw) != text:  # base64 has several spellings of the same bytes
            return None
        if not hmac.compare_digest(mac, self._mac(body)):
            return None
        parts: list[Part] = json.loads(body)
        return parts

    def _mac(self, body: bytes) -> bytes:
        return hmac.digest(self._key, body, hashlib.sha256)[:_MAC_BYTES]


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
