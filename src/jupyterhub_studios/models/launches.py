"""Service ⇄ spawner: HTTP below /internal, authenticated by the service's token."""

from __future__ import annotations

from typing import Literal

from .base import Model
from .jobs import Job
from .studios import Phase, SessionState


class LaunchRequest(Model):
    """POST /internal/launches: the Hub starts a named server."""

    owner: str
    owner_groups: list[str] = []
    server_name: str
    display_name: str = ""
    prefix: str  # /user/<owner>/<server>/ below the Hub's base URL, quoted, with the base URL
    user_options: dict[str, object] = {}


class Launch(Model):
    """Its answer. ``bootstrap_url`` and the one-time code are already in ``job.environment``."""

    session_id: str
    studio_id: str
    compute_environment: str
    job: Job


class SessionProgress(Model):
    """GET /internal/sessions/{id}?after=<version>&wait=<s>: answers when ``version`` has passed ``after``."""

    version: int
    state: SessionState
    message: str = ""
    phases: list[Phase] = []
    address: str | None = None  # http://ip:port of the gate, once ready
    agent_seen: bool = False  # the bootstrap code was redeemed
    connected: bool = False  # the agent's control channel is up
    durable: bool = False  # stopped, and the last checkpoint is in the bucket
    force: bool = False  # a person gave up waiting: the job may be ended without a save


class SessionStop(Model):
    """POST /internal/sessions/{id}/stop"""

    reason: str = "stopped by the Hub"


class SessionEnded(Model):
    """POST /internal/sessions/{id}/ended: the job is definitely over, however it ended."""

    state: Literal["succeeded", "failed", "lost"]
    exit_code: int | None = None
    reason: str = ""
    attempt: int = 1
    host_lost: bool = False  # with the machine it ran on: a session that was in use is started again


class Alive(Model):
    """POST /internal/alive: sessions whose servers the Hub has, and whose jobs run."""

    sessions: list[str]
