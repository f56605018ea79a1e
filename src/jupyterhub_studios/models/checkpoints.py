"""What is kept of a studio's filesystem."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import Field

from .base import Model
from .studios import RootMode


class CheckpointStatus(StrEnum):
    INTERIM = "interim"  # its session still runs, or was lost: restorable, as of saved_at
    FINALISED = "finalised"
    INVALID = "invalid"  # a layer is missing or damaged


class LayerRef(Model):
    digest: str = Field(pattern=r"^[0-9a-f]{64}$")  # SHA-256 of the squashfs file
    size: int  # bytes of the squashfs file
    files: int  # entries in it
    created_at: datetime


class Base(Model):
    """The bytes below the layers: an image and its digest, or the host itself."""

    image: str
    digest: str


class Package(Model):
    manager: Literal["dpkg", "pip", "r", "conda"]
    name: str
    version: str
    change: Literal["added", "changed", "removed"] = "added"


class Checkpoint(Model):
    """A restorable state of a studio's filesystem: ``layers`` from the lowest to the uppermost."""

    id: str
    studio_id: str
    session_id: str | None = None  # None: a fork's first checkpoint
    name: str
    status: CheckpointStatus
    created_at: datetime
    saved_at: datetime
    author: str
    epoch: int
    layers: list[LayerRef] = []
    base: Base
    root_mode: RootMode = RootMode.OVERLAY
    installed: list[Package] = []
    parent: str | None = None  # the checkpoint it continues, or was forked from
    message: str = ""  # why it is invalid, or what could not be captured

    @property
    def size(self) -> int:
        return sum(layer.size for layer in self.layers)
