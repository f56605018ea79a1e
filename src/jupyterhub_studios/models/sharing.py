"""Sharing a studio: with named people and groups, and by links."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, Self

from pydantic import Field, model_validator

from .base import Model

LINK_HOURS = 7 * 24
LINK_HOURS_MAX = 365 * 24


class ShareSpec(Model):
    """Whom to let in: exactly one of the two."""

    user: str | None = Field(default=None, min_length=1, max_length=255)
    group: str | None = Field(default=None, min_length=1, max_length=255)
    may_start: bool = Field(default=False, description="they may also start the studio")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.user is None) == (self.group is None):
            raise ValueError("give either user or group")
        return self


class ShareView(Model):
    id: str
    studio_id: str
    kind: Literal["user", "group"]
    name: str
    may_start: bool
    link_id: str | None  # the link by which they came; None: they were named
    created_by: str
    created_at: datetime
    here: bool  # has the studio open now; of a group nobody can say


class ShareLinkSpec(Model):
    expires_in_hours: int = Field(default=LINK_HOURS, ge=1, le=LINK_HOURS_MAX)
    may_start: bool = Field(default=False, description="whoever comes by it may also start the studio")


class ShareLinkView(Model):
    id: str
    studio_id: str
    url: str  # path on the Hub's origin
    may_start: bool
    created_by: str
    created_at: datetime
    expires_at: datetime
    people: list[str]  # who came by it
