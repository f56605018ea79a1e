"""Where jobs run: one small interface, one module for each kind of compute environment."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol, cast

from ..models import ComputeEnvironment, Job, JobStatus, Kind, RunningJob

GRACE = 30.0  # seconds between asking a job to end and ending it

Say = Callable[[str], None]  # tells people how far something is; never blocks


def silent(text: str) -> None:
    """Nobody wants to know."""


class Compute(Protocol):
    """One compute environment. Job ids are its own: opaque, and enough to find the job again after a
    restart of the Hub."""

    poll_interval: float  # seconds between two looks at its jobs

    async def submit(self, job: Job, say: Say = silent) -> str:
        """Starts ``job``; answers its id. ``say`` hears what is done to its image before."""

    async def describe(self, ids: Iterable[str]) -> dict[str, JobStatus]:
        """The state of every job of ``ids``, in as few requests as possible. Raises when it cannot be asked."""

    async def terminate(self, job_id: str, reason: str, *, grace: float = GRACE) -> None:
        """Asks the job to end, ends it after ``grace`` seconds, and returns when it has ended. May be repeated."""


class Remote(Compute, Protocol):
    """One whose jobs do not depend on the Hub's own machine: what it runs can be listed, and what jobs print
    be read by others than their agents."""

    async def running(self, hub: str) -> list[RunningJob]:
        """The jobs of the Hub ``hub``, by their tag, that have not ended."""

    async def logs(self, name: str, after: str | None) -> tuple[str, str | None]:
        """What the job called ``name`` itself printed since the cursor ``after`` (None: the beginning), and the
        next cursor."""

    async def tidy(self, hub: str) -> None:
        """Removes what old jobs of the Hub ``hub`` left there, and nobody needs any more."""


def remote(env: ComputeEnvironment) -> Remote | None:
    """The compute of ``env`` with all that others than the spawner ask it; None where jobs are processes."""
    return None if env.kind == Kind.LOCAL else cast(Remote, open_compute(env))


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
    if env.kind == Kind.DOCKER:
        from .docker import DockerCompute

        return DockerCompute(env)
    from .aws_batch import BatchCompute

    return BatchCompute(env)
