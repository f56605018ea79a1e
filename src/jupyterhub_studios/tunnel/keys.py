"""The keys of both ends, in OpenSSH's formats."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_ssh_private_key,
)

from ..models import StudiosError

HOST_KEY = "tunnel.key"  # in the state folder


def host_key(state_dir: Path) -> Ed25519PrivateKey:
    """The tunnel's own key, by which agents know it. Made once: with another, agents that live would refuse it."""
    path = state_dir / HOST_KEY
    try:
        if not path.exists():
            _write(path, private_text(Ed25519PrivateKey.generate()))
        found = load_ssh_private_key(path.read_bytes(), None)
        if not isinstance(found, Ed25519PrivateKey):
            raise ValueError("another type of key")
        return found
    except OSError as error:
        why = error.strerror or str(error)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        why = "it is damaged"
    raise StudiosError(
        f"The tunnel's key {path} cannot be used", why,
        "Put it back from a backup. Without it: stop all studios behind the tunnel, and remove it", status=424,
    )  # fmt: skip


def _write(path: Path, text: str) -> None:
    """Complete, or not at all."""
    new = path.with_suffix(f".{os.getpid()}")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.rename(path)


def session_key(seed: bytes) -> Ed25519PrivateKey:
    """``seed``: 32 bytes, a session's own."""
    return Ed25519PrivateKey.from_private_bytes(seed)


def private_text(key: Ed25519PrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()


def public_line(key: Ed25519PrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
