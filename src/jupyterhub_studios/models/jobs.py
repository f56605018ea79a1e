"""What the spawner and the compute environments tell each other."""

from __future__ import annotations

from typing import Literal

from .base import Model


class Job(Model):
    """What the spawner hands to a compute environment. Anybody may read a job, so nothing here is secret
    but ``environment["STUDIOS_BOOTSTRAP_CODE"]``, which works once."""

    session_id: str
    name: str
    image: str | None = None
    cpus: float
    memory_mib: int
    gpus: int = 0
    environment: dict[str, str] = {}
    tags: dict[str, str] = {}


class JobStatus(Model):
    """What a compute environment says of a job. ``unknown`` means it could not be asked, or does not know
    the job yet: never a reason to think that the job has ended."""

    state: Literal["queued", "starting", "running", "succeeded", "failed", "lost", "unknown"]
    exit_code: int | None = None
    reason: str = ""

    @property
    def ended(self) -> bool:
        return self.state in ("succeeded", "failed", "lost")
