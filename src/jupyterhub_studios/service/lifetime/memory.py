"""What is remembered of a session's use, in its row: so a restart of the service forgets no question and no answer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Literal

from pydantic import Field

from ...models import Model
from ...models.lifetime import LifetimePolicy, Observation
from .decide import Evidence

UNKNOWN = {
    "kernels": "the app does not tell about its kernels",
    "processes": "its processes cannot be looked at",
    "gpu": "the GPU cannot be looked at",
}


class Memory(Model):
    seen_at: datetime | None = None
    present_at: datetime | None = None
    worked_at: datetime | None = None
    work: list[str] = Field(default=[])
    unknown: list[str] = Field(default=[])
    kept_until: datetime | None = None
    kept_by: str = ""
    asked_at: datetime | None = None
    warned: float | None = None  # the latest warning given, in minutes before the end
    held: bool = False  # it is in the history that computation alone keeps it
    idle_seconds: float | None = None  # asked for by a culler, see ``service.api.lifetime``
    ended_by: Literal["", "lifespan", "idle"] = ""

    def policy(self, policy: LifetimePolicy) -> LifetimePolicy:
        """The policy with the idle time of a site's own culler, where it has none of its own."""
        if policy.idle is not None or self.idle_seconds is None:
            return policy
        return policy.model_copy(update={"idle_minutes": self.idle_seconds / 60})


def observed(memory: Memory, policy: LifetimePolicy, seen: Observation, received: datetime) -> Memory:
    """The memory after a report. Times of a job whose clock is ahead are not taken to be in the future."""

    def past(at: datetime | None) -> datetime | None:
        return min(at, received) if at else None

    at = min(seen.at, received)
    work = list(_work(policy, seen))
    changes = {
        "seen_at": _later(memory.seen_at, at),
        "present_at": _later(memory.present_at, past(seen.input_at), past(seen.traffic_at)),
        "worked_at": _later(memory.worked_at, at if work else None),
        "work": work,
        "unknown": [UNKNOWN[one] for one in seen.unknown],
    }
    return memory.model_copy(update=changes)


def _work(policy: LifetimePolicy, seen: Observation) -> Iterator[str]:
    """What counts as computing, in words."""
    if seen.kernels:
        yield "A kernel is busy." if seen.kernels == 1 else f"{seen.kernels} kernels are busy."
    if seen.programs:
        several = "run" if len(seen.programs) > 1 else "runs"
        yield f"{', '.join(seen.programs)} {several} in a terminal."
    if seen.cpu >= policy.busy_cpu:
        yield "Its processes compute."
    if seen.gpu is not None and seen.gpu >= policy.busy_gpu:
        yield "The GPU computes."


def _later(*times: datetime | None) -> datetime | None:
    return max((at for at in times if at is not None), default=None)


def end_of(ready_at: datetime | None, hours: int, extended_to: datetime | None) -> datetime | None:
    """When the lifespan is over; None: never, or not known before the session is ready."""
    if ready_at is None or (hours == 0 and extended_to is None):
        return None
    return extended_to or ready_at + timedelta(hours=hours)


def evidence(memory: Memory, ready_at: datetime, hours: int, extended_to: datetime | None) -> Evidence:
    return Evidence(
        ready_at=ready_at,
        ends_at=end_of(ready_at, hours, extended_to),
        seen_at=memory.seen_at,
        present_at=memory.present_at,
        worked_at=memory.worked_at,
        work=tuple(memory.work),
        unknown=tuple(memory.unknown),
        kept_until=memory.kept_until,
        kept_by=memory.kept_by,
        asked_at=memory.asked_at,
        extended=extended_to is not None,
    )
