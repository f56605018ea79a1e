"""The service's secrets: one signing key on disk, from which the rest is derived, and one-way hashes."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
from pathlib import Path


class Keys:
    def __init__(self, state_dir: Path) -> None:
        self._key = _load(state_dir / "signing.key")

    def ticket_key(self, session_id: str) -> bytes:
        """Signs the tickets of one session. Derived anew each time, never stored."""
        return self._derive("ticket", session_id)

    @property
    def installation(self) -> str:
        """Names this installation to others, such as in the tags of its jobs. No secret."""
        return self._derive("installation", "").hex()[:12]

    @property
    def cookie_secret(self) -> bytes:
        """Of the pages' cookies: the same after a restart, so nobody is signed out by one."""
        return self._derive("cookies", "")

    def credential_key(self, owner: str) -> bytes:
        """Encrypts the credentials that a person added."""
        return self._derive("credentials", owner)

    @property
    def explorer_key(self) -> bytes:
        """Signs cursors and the ids of uploads: those of before a restart go on."""
        return self._derive("explorer", "")

    def link_code(self, link_id: str) -> str:
        """The code in a share link: 256 bits, the same each time it is shown, stored nowhere."""
        return base64.urlsafe_b64encode(self._derive("share link", link_id)).decode().rstrip("=")

    def tunnel_seed(self, session_id: str) -> bytes:
        """Of the key by which a session's agent is known at the tunnel."""
        return self._derive("tunnel", session_id)

    def _derive(self, purpose: str, subject: str) -> bytes:
        return hmac.digest(self._key, f"{purpose}:{subject}".encode(), "sha256")


def _load(path: Path) -> bytes:
    try:
        # A half-written key of a killed first start is never used: it appears by rename, complete.
        new = path.with_suffix(f".{os.getpid()}")
        if not path.exists():
            with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(secrets.token_bytes(32))
                file.flush()
                os.fsync(file.fileno())
            new.rename(path)
        key = path.read_bytes()
    except OSError as error:
        raise SystemExit(f"The signing key {path} cannot be used: {error.strerror}") from None
    if len(key) != 32:
        raise SystemExit(f"The signing key {path} is damaged: 32 bytes expected, {len(key)} found")
    return key


def new_secret() -> str:
    return secrets.token_urlsafe(32)


def hashed(secret: str) -> str:
    # 256 random bits need no salt and no slow hash.
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass"))
