"""What every model stands on: strictness, names, ids, times."""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

NAME_MAX = 80
SERVER_NAME_MAX = 30  # JupyterHub 6's own limit for named servers


def now() -> datetime:
    return datetime.now(UTC)


def new_id(prefix: str) -> str:
    """An opaque id such as ``st-k3v9x2m4q8wz``: 60 random bits, safe in URLs, file and job names."""
    alphabet = "abcdefghijkmnpqrstuvwxyz23456789"
    return f"{prefix}-" + "".join(secrets.choice(alphabet) for _ in range(12))


def server_name_for(name: str, taken: set[str]) -> str:
    """The URL name of a studio called ``name``: lowercase, digits, single hyphens, unique among ``taken``."""
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    if not slug or not slug[0].isalpha():
        slug = f"s-{slug}".rstrip("-")
    slug = slug[:SERVER_NAME_MAX].rstrip("-")
    candidate, n = slug, 2
    while candidate in taken:
        suffix = f"-{n}"
        candidate, n = slug[: SERVER_NAME_MAX - len(suffix)].rstrip("-") + suffix, n + 1
    return candidate


def _clean_name(value: str) -> str:
    if any(ord(c) < 32 or ord(c) == 127 for c in value):
        raise ValueError("a name must not hold control characters")
    return value


Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=NAME_MAX),
    AfterValidator(_clean_name),
]


class Model(BaseModel):
    """Base of everything sent or stored: unknown fields are an error, so that a typo is told."""

    model_config = ConfigDict(extra="forbid")
