"""REST API v1: what lists and pages show."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from .base import Model
from .checkpoints import Base, CheckpointStatus, LayerRef, Package
from .lifetime import LifetimeView
from .mounts import MountSpec
from .studios import Phase, RootMode, SessionState, StudioState


class SessionView(Model):
    id: str
    studio_id: str
    state: SessionState
    message: str = ""
    started_at: datetime
    ready_at: datetime | None = None
    ended_at: datetime | None = None
    phases: list[Phase] = []
    connected: bool = False
    people: list[str] = []


class CheckpointView(Model):
    id: str
    studio_id: str
    session_id: str | None
    name: str
    status: CheckpointStatus
    created_at: datetime
    saved_at: datetime
    author: str
    size: int
    layers: list[LayerRef]
    installed: list[Package]
    base: Base
    root_mode: RootMode
    parent: str | None
    message: str
    current: bool  # what the studio's next start restores


class StudioView(Model):
    id: str
    name: str
    description: str
    owner: str
    server_name: str
    template: str
    compute_environment: str
    state: StudioState
    message: str = ""
    url: str  # where "Open" leads (path on the Hub's origin)
    created_at: datetime
    cpus: float
    memory_mib: int
    gpus: int
    lifespan_hours: int
    image: str | None
    environment: dict[str, str]
    mounts: list[MountSpec] = []
    session: SessionView | None = None  # the latest
    saved: CheckpointView | None = None  # the current checkpoint
    forked_from: str | None = None
    root_mode: RootMode | None = None  # None: not known before the first start
    lifetime: LifetimeView | None = None  # while it runs
    cost: float | None = None  # of the latest session until now, where the price is known
    may: list[Literal["open", "start", "stop", "force", "save", "edit", "delete", "fork", "share"]] = []
