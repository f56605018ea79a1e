"""What the spawner and the compute environments tell each other."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from .base import Model


def job_name(session_id: str) -> str:
    """The same session's job has the same name, so that a submit that was cut off is found again."""
    return f"studio-{session_id}"


class Job(Model):
    """What the spawner hands to a compute environment. Anybody may read a job, so nothing here is secret
    but ``environment["STUDIOS_BOOTSTRAP_CODE"]``, which works once."""

    session_id: str
    name: str  # as job_name() says
    image: str | None = None
    digest: str | None = (
        None  # of the bytes that the studio was built on; None: what the image's name means now
    )
    cpus: float
    memory_mib: int
    gpus: int = 0
    timeout_seconds: int | None = (
        None  # the job is ended after these, whatever Hub and service do; None: never
    )
    environment: dict[str, str] = {}
    tags: dict[str, str] = {}


class JobStatus(Model):
    """What a compute environment says of a job. ``unknown`` means it could not be asked, or does not know
    the job yet: never a reason to think that the job has ended."""

    # preparing: there is no job yet, its image is worked on
    state: Literal["preparing", "queued", "starting", "running", "succeeded", "failed", "lost", "unknown"]
    exit_code: int | None = None
    reason: str = ""
    attempt: int = 1  # how often the compute environment has begun it, after losing its host
    host_lost: bool = False  # it ended with the machine that it ran on, through no fault of its own

    @property
    def ended(self) -> bool:
        return self.state in ("succeeded", "failed", "lost")


class RunningJob(Model):
    """A job of this Hub that has not ended, as the compute environment lists it."""

    job_id: str
    session_id: str
    created_at: datetime
