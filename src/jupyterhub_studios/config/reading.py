"""What administrators write, read."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel

from .. import entries


def endpoint(text: str) -> tuple[str, int]:
    """Host and port of ``host:port`` or ``[v6]:port``; ValueError for anything else."""
    parts = urlsplit(f"//{text}")
    if not parts.hostname or not parts.port or parts.netloc != text or "@" in text:
        raise ValueError(text)
    return parts.hostname, parts.port


def parse(model: type[BaseModel], trait: str, value: dict[str, Any], title: str = "title") -> dict[str, Any]:
    return entries.read(model, f"c.Studios.{trait}", value, "id", title)
