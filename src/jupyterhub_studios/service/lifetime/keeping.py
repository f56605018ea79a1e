"""What is written when a decision or a wish is carried out. Rows in, rows out; each within the caller's transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...models import LifetimePolicy, LifetimeView, SessionState, StudiosError
from ..database import SessionRow, StudioRow
from ..database import queries as q
from .decide import Decision, Evidence, decide, span, warning
from .memory import Memory, end_of, evidence

if TYPE_CHECKING:
    from ...config import Studios


@dataclass(frozen=True)
class Case:
    """A running session with all that decides about it."""

    row: SessionRow
    studio: StudioRow
    policy: LifetimePolicy
    memory: Memory
    evidence: Evidence


@dataclass(frozen=True)
class Outcome:
    """What became of a session that was looked at. ``signature`` changes with what people are shown."""

    session_id: str
    studio_id: str
    decision: Decision
    signature: str
    changed: bool


def case_of(config: Studios, row: SessionRow, studio: StudioRow) -> Case | None:
    """None: the session does not run, so nothing is to be decided."""
    if row.state != SessionState.RUNNING.value or row.ready_at is None:
        return None
    memory = Memory.model_validate(row.lifetime or {})
    policy = memory.policy(config.lifetime_of(studio.template, studio.compute_environment))
    hours = policy.in_band(studio.lifespan_hours)
    return Case(row, studio, policy, memory, evidence(memory, row.ready_at, hours, row.ends_at))


def write(row: SessionRow, memory: Memory) -> None:
    row.lifetime = memory.model_dump(mode="json", exclude_defaults=True)


# --- decisions --------------------------------------------------------------------------------------


def look(db: Session, config: Studios, at: datetime) -> list[Outcome]:
    """Decide about every running session, and write down what changes."""
    running = select(SessionRow, StudioRow).join(StudioRow, StudioRow.id == SessionRow.studio_id)
    rows = db.execute(running.where(SessionRow.state == SessionState.RUNNING.value)).all()
    cases = [case_of(config, row, studio) for row, studio in rows]
    return [settle(db, case, at) for case in cases if case is not None]


def settle(db: Session, case: Case, at: datetime) -> Outcome:
    """Decide about one session, and write down what changes: a question, its end, a warning, the reason of a stop."""
    row, decision = case.row, decide(case.policy, case.evidence, at)
    due = warning(case.policy, case.evidence, at)
    memory = _after(case.memory, decision, due, at)
    _tell(db, case, decision, due, at)
    if memory != case.memory:
        write(row, memory)
        q.touch(db, row)
    signature = repr((decision.verdict, decision.reasons, case.evidence.ends_at, memory.kept_until, due))
    return Outcome(row.id, row.studio_id, decision, signature, memory != case.memory)


def _after(memory: Memory, decision: Decision, due: float | None, at: datetime) -> Memory:
    changes: dict[str, object] = {"held": decision.held, "warned": due}
    if decision.verdict == "keep":
        changes["asked_at"] = None
    elif decision.verdict == "prompt" and memory.asked_at is None:
        changes["asked_at"] = at
    elif decision.verdict == "stop":
        changes["ended_by"] = decision.cause
    return memory.model_copy(update=changes)


def _tell(db: Session, case: Case, decision: Decision, due: float | None, at: datetime) -> None:
    """Into the session's history: what was decided by itself, and why."""
    row, memory, why = case.row, case.memory, " ".join(decision.reasons)
    if due is not None and due != memory.warned and case.evidence.ends_at is not None:
        left = span(timedelta(minutes=ceil((case.evidence.ends_at - at) / timedelta(minutes=1))))
        q.add_event(
            db, row, at, "lifetime", f"Its lifespan ends in {left}. It is saved and stopped then.", "warning"
        )
    if decision.verdict == "prompt" and memory.asked_at is None:
        words = f"Asked whether somebody is still there, for {span(case.policy.grace)}. {why}"
        q.add_event(db, row, at, "lifetime", words, "warning")
    elif decision.verdict == "keep" and memory.asked_at is not None:
        q.add_event(db, row, at, "lifetime", f"It is kept after all. {why}")
    if decision.held and not memory.held:
        q.add_event(db, row, at, "lifetime", f"Nobody is there, but it is kept. {why}")


# --- wishes -----------------------------------------------------------------------------------------


def keep(db: Session, case: Case, who: str, at: datetime) -> None:
    """The answer to "still there?"."""
    until = at + case.policy.keep
    changes = {"kept_until": until, "kept_by": who, "asked_at": None, "present_at": at}
    write(case.row, case.memory.model_copy(update=changes))
    q.add_event(db, case.row, at, "lifetime", f"{who} keeps it for {span(case.policy.keep)}.")
    q.touch(db, case.row)


def extend(db: Session, case: Case, hours: int, who: str, at: datetime, *, admin: bool) -> None:
    """Let the lifespan end later by ``hours``. Whoever asks for that is there: a question is answered, too."""
    end = case.evidence.ends_at
    if end is None:
        raise StudiosError(
            f"“{case.studio.name}” has no end to extend",
            "its lifespan is unlimited",
            "Leave it running",
            status=409,
        )
    if case.policy.locked and not admin:
        raise StudiosError(
            "Lifespans are not extended here by those who use them",
            "the administrators decide",
            "Ask one",
            status=403,
        )
    most = extensible(case)
    if hours > most:
        longest = case.policy.max_hours
        raise StudiosError(
            f"“{case.studio.name}” cannot be extended by {hours} h",
            f"a session runs for {longest} h at most, "
            + (f"which leaves {most} h" if most else "which this one does already"),
            f"Extend it by {most} h or less" if most else "Save and stop it, and start it again",
            status=409,
            field="hours",
        )
    case.row.ends_at = end + timedelta(hours=hours)
    changes = {"warned": None, "asked_at": None, "present_at": at}
    write(case.row, case.memory.model_copy(update=changes))
    q.add_event(db, case.row, at, "lifetime", f"Extended by {hours} h by {who}.")
    q.touch(db, case.row)


def extensible(case: Case) -> int:
    """The whole hours by which the lifespan can be extended."""
    end = case.evidence.ends_at
    if end is None:
        return 0
    left = case.evidence.ready_at + timedelta(hours=case.policy.max_hours) - end
    return max(0, int(left / timedelta(hours=1)))


# --- what people see --------------------------------------------------------------------------------


def view(case: Case, at: datetime, *, extends: bool) -> LifetimeView:
    """``extends``: for somebody who may extend the lifespan."""
    decision = decide(case.policy, case.evidence, at)
    # What is due is shown when it is written down, which is when its time begins.
    asked = decision.verdict == "prompt" and case.evidence.asked_at is not None
    kept = case.evidence.kept_until
    return LifetimeView(
        verdict="keep" if decision.verdict == "prompt" and not asked else decision.verdict,
        reasons=list(decision.reasons),
        ends_at=case.evidence.ends_at,
        idle_ends_at=decision.ends_by_idling,
        asked_at=case.evidence.asked_at if asked else None,
        answer_by=decision.ends_by_idling if asked else None,
        kept_until=kept if kept is not None and kept > at else None,
        kept_by=case.evidence.kept_by if kept is not None and kept > at else "",
        keep_minutes=case.policy.keep_minutes,
        extend_hours=extensible(case) if extends else 0,
    )


def greeting(db: Session, row: SessionRow) -> str:
    """Why the studio's session before this one was ended by itself; empty: it was not."""
    earlier = select(SessionRow).where(SessionRow.studio_id == row.studio_id, SessionRow.epoch < row.epoch)
    before = db.scalar(earlier.order_by(SessionRow.epoch.desc()).limit(1))
    if before is None or not Memory.model_validate(before.lifetime or {}).ended_by:
        return ""
    return before.message


def ends(config: Studios, row: SessionRow, studio: StudioRow) -> datetime | None:
    """When the session's lifespan is over; None: it has no end."""
    hours = config.lifetime_of(studio.template, studio.compute_environment).in_band(studio.lifespan_hours)
    return end_of(row.ready_at, hours, row.ends_at)
