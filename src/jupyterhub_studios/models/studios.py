"""Studios and their sessions."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import Field

from .base import Model, Name
from .mounts import MOST_MOUNTS, MountSpec


class StudioSpec(Model):
    """What a person asks for: the body of POST /studios, and the Hub's user_options of a named server."""

    name: Name
    template: str
    compute_environment: str | None = None  # None: the first that is allowed
    description: str = Field(default="", max_length=2048)
    cpus: float = Field(default=2, gt=0, le=1024)
    memory_mib: int = Field(default=8192, ge=256, le=24 * 1024 * 1024)
    gpus: int = Field(default=0, ge=0, le=64)
    lifespan_hours: int | None = Field(default=None, ge=0, le=120)  # None: what is usual there; 0: no end
    image: str | None = Field(default=None, max_length=512)
    environment: dict[str, str] = {}
    from_checkpoint: str | None = None
    mounts: list[MountSpec] = Field(default=[], max_length=MOST_MOUNTS)


class StudioState(StrEnum):
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"
    ERRORED = "errored"


class SessionState(StrEnum):
    """One run: ``starting`` → ``running`` → ``stopping`` → ``stopped``, or ``errored`` from anywhere."""

    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"
    ERRORED = "errored"

    @property
    def ended(self) -> bool:
        return self in (SessionState.STOPPED, SessionState.ERRORED)


PHASES = ("queued", "host", "image", "restore", "data", "app", "ready")
"""A start's phases in order: waiting for compute · the agent is up · root prepared · checkpoint
fetched and mounted · data mounted · the app answers · the gate is open."""

PhaseName = Literal["queued", "host", "image", "restore", "data", "app", "ready"]


class Phase(Model):
    name: PhaseName
    status: Literal["pending", "running", "done", "failed"] = "pending"
    started_at: datetime | None = None
    ended_at: datetime | None = None
    message: str = ""


class Event(Model):
    """One line of a session's history, shown to people and kept after the end."""

    at: datetime
    kind: str  # phase, saved, save-failed, stop, app, lost, ...
    message: str
    level: Literal["info", "warning", "error"] = "info"


TAKEN_BACK = "taken-back"
"""The kind of event by which a session tells when its machine is taken back: it is started again elsewhere."""


class RootMode(StrEnum):
    """How much of the filesystem a studio keeps: everything, or its home directory alone."""

    OVERLAY = "overlay"
    HOME = "home"
