"""What may become of a session. Pure: facts in, decision out.

starting → running → stopping → stopped
errored from anywhere; and from ``errored`` to ``stopped`` when an agent that was thought lost turns out
to have saved everything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from ...models import AgentMessage, JobStatus, Phase, SessionEnded, SessionState, StudioState


@dataclass(frozen=True)
class Facts:
    """What is known of a session when something happens to it."""

    state: SessionState
    agent_seen: bool
    durable: bool
    force: bool


@dataclass(frozen=True)
class Change:
    state: SessionState
    message: str = ""
    durable: bool = False
    kind: str = "state"  # of the event that records it
    level: Literal["info", "warning", "error"] = "info"


def on_message(facts: Facts, message: AgentMessage) -> Change | None:
    """What an agent's message makes of its session; None: nothing."""
    match message.kind:
        case "address" if facts.state == SessionState.STARTING:
            return Change(SessionState.RUNNING, kind="phase")
        case "stopping" if facts.state in (SessionState.STARTING, SessionState.RUNNING):
            return Change(SessionState.STOPPING, message.message, kind="stop")
        case "stopped" if facts.state != SessionState.STOPPED:
            return Change(SessionState.STOPPED, message.message, durable=True, kind="stop")
        case "failed" if message.request is None and not facts.state.ended:
            return Change(SessionState.ERRORED, message.message, kind="app", level="error")
    return None


def on_stop(facts: Facts, reason: str) -> Change | None:
    if facts.state in (SessionState.STARTING, SessionState.RUNNING):
        return Change(SessionState.STOPPING, reason, kind="stop")
    return None


def on_job_ended(facts: Facts, ended: SessionEnded, saved: bool) -> Change | None:
    """The job is over. ``saved``: the bucket holds this session's finalised checkpoint."""
    if facts.state.ended:
        return None
    if saved or facts.durable:
        return Change(SessionState.STOPPED, durable=True, kind="stop")
    told = ended.reason or (f"exit code {ended.exit_code}" if ended.exit_code is not None else ended.state)
    reason = told.rstrip(".")  # it stands in a sentence
    if facts.state == SessionState.STOPPING and facts.force:
        return Change(
            SessionState.STOPPED, "Stopped by force, without the last save.", kind="stop", level="warning"
        )
    if not facts.agent_seen:
        if facts.state == SessionState.STOPPING:
            return Change(SessionState.STOPPED, "Cancelled before it came up.", kind="stop")
        return Change(
            SessionState.ERRORED, f"The session did not start: {reason}.", kind="lost", level="error"
        )
    return Change(
        SessionState.ERRORED, f"The session ended without saving: {reason}.", kind="lost", level="error"
    )


def job_phases(phases: Sequence[Phase], status: JobStatus, at: datetime) -> list[Phase]:
    """What a start's phases become by what the compute environment says of the job, before its agent is there."""
    queued, host = (next(phase for phase in phases if phase.name == name) for name in ("queued", "host"))
    image = next(phase for phase in phases if phase.name == "image")
    if status.state == "preparing":
        begun = {"status": "running", "started_at": image.started_at or at, "message": status.reason}
        return [Phase(name="queued"), image.model_copy(update=begun)]
    if status.state == "queued":
        begun = {"started_at": queued.started_at or at, "ended_at": None}
        return [
            queued.model_copy(update={"status": "running", "message": status.reason, **begun}),
            *([Phase(name="host")] if host.status != "pending" else []),
            *_prepared(image, at),
        ]
    if status.state not in ("starting", "running"):
        return []
    words = status.reason or ("the agent starts" if status.state == "running" else "")
    begun = {"status": "running", "started_at": host.started_at or at, "message": words}
    done = {
        "status": "done",
        "started_at": queued.started_at or at,
        "ended_at": queued.ended_at or at,
        "message": "",
    }
    return [queued.model_copy(update=done), host.model_copy(update=begun), *_prepared(image, at)]


def _prepared(image: Phase, at: datetime) -> list[Phase]:
    """The job was submitted, so its image is as it is to be; the agent goes on from there."""
    done = {"status": "done", "ended_at": at, "message": ""}
    return [image.model_copy(update=done)] if image.status == "running" else []


def studio_state(latest: SessionState, routed: bool) -> StudioState:
    """A studio is what its latest session is, but starting as long as nobody can reach it (not ``routed``)."""
    if latest == SessionState.RUNNING and not routed:
        return StudioState.STARTING
    return StudioState(latest.value)


def can_force(stopping_at: datetime | None, now: datetime, force_after: float) -> bool:
    return stopping_at is not None and now - stopping_at >= timedelta(seconds=force_after)


def kept(saved_at: datetime | None, now: datetime) -> str:
    """What is left of the work after a session that did not save."""
    if saved_at is None:
        return "Nothing had been saved yet."
    return f"What was saved {ago(now - saved_at)} is kept."


def ago(age: timedelta) -> str:
    seconds = max(0, int(age.total_seconds()))
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= size:
            number = seconds // size
            return f"{number} {unit}{'s' if number > 1 else ''} ago"
    return "less than a minute ago"
