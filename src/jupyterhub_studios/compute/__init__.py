"""Where jobs run: one small interface, one module for each kind of compute environment."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from ..models import ComputeEnvironment, Job, JobStatus, Kind, StudiosError

GRACE = 30.0  # seconds between asking a job to end and ending it


class Compute(Protocol):
    """One compute environment. Job ids are its own: opaque, and enough to find the job again after a
    restart of the Hub."""

    poll_interval: float  # seconds between two looks at its jobs

    async def submit(self, job: Job) -> str:
        """Starts ``job``; answers its id."""

    async def describe(self, ids: Iterable[str]) -> dict[str, JobStatus]:
        """The state of every job of ``ids``, in as few requests as possible. Raises when it cannot be asked."""

    async def terminate(self, job_id: str, reason: str, *, grace: float = GRACE) -> None:
        """Asks the job to end, ends it after ``grace`` seconds, and returns when it has ended. May be repeated."""


_open: dict[str, Compute] = {}


def open_compute(env: ComputeEnvironment) -> Compute:
    """The compute of ``env``: the same object for the same settings, so that all spawners share its state."""
    key = env.model_dump_json()
    if key not in _open:
        _open[key] = _make(env)
    return _open[key]


def _make(env: ComputeEnvironment) -> Compute:
    if env.kind == Kind.LOCAL:
        from .local import LocalCompute

        return LocalCompute(env)
    raise StudiosError(
        f"“{env.title}” cannot run studios",
        f"this version does not know compute environments of kind {env.kind.value}",
        "Choose a compute environment of kind local",
        field="compute_environment",
    )
