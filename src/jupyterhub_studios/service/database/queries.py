"""Reading and writing rows inside a transaction: the small things that several parts need."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...models import TAKEN_BACK, Checkpoint, Event, Phase, SessionState, StudiosError
from ...web.problems import no_such
from ..sessions.state import Change, Facts
from .tables import CheckpointRow, CommandRow, EventRow, SessionRow, StudioRow

ENDED = [state.value for state in SessionState if state.ended]


def studio(db: Session, studio_id: str) -> StudioRow:
    row = db.get(StudioRow, studio_id)
    if row is None:
        raise no_such("studio")
    return row


def session(db: Session, session_id: str) -> SessionRow:
    row = db.get(SessionRow, session_id)
    if row is None:
        raise no_such("session")
    return row


def checkpoint(db: Session, checkpoint_id: str) -> CheckpointRow:
    row = db.get(CheckpointRow, checkpoint_id)
    if row is None:
        raise no_such("checkpoint")
    return row


def find_studio(db: Session, owner: str, server_name: str) -> StudioRow | None:
    return db.scalar(select(StudioRow).filter_by(owner=owner, server_name=server_name))


def unended_sessions(db: Session, studio_id: str | None = None) -> list[SessionRow]:
    query = select(SessionRow).where(SessionRow.state.not_in(ENDED))
    if studio_id is not None:
        query = query.filter_by(studio_id=studio_id)
    return list(db.scalars(query))


def check_over(db: Session, studio_id: str, what: str, field: str) -> None:
    """What a session was started with can be changed when it is over."""
    if unended_sessions(db, studio_id):
        raise StudiosError(
            f"{what} cannot be changed now", "the studio runs", "Stop it first", status=409, field=field
        )


def open_commands(db: Session, session_id: str) -> list[CommandRow]:
    query = select(CommandRow).filter_by(session_id=session_id, done=False)
    return list(db.scalars(query.order_by(CommandRow.created_at)))


def taken_back(db: Session, row: SessionRow) -> bool:
    """Whether the session lost its machine with notice, and nobody wanted it to stop: it is to go on elsewhere."""
    told = db.scalar(select(EventRow.id).filter_by(session_id=row.id, kind=TAKEN_BACK).limit(1))
    asked = db.scalar(select(CommandRow.id).filter_by(session_id=row.id, kind="stop").limit(1))
    return told is not None and asked is None and studio(db, row.studio_id).session_id == row.id


def facts(row: SessionRow) -> Facts:
    return Facts(SessionState(row.state), row.agent_seen, row.durable, row.force)


def touch(db: Session, row: SessionRow) -> None:
    """Whoever waits for this session or its studio has something new to read."""
    row.version += 1
    owner = db.get(StudioRow, row.studio_id)
    if owner is not None:
        owner.version += 1


def change_state(db: Session, row: SessionRow, change: Change, at: datetime) -> None:
    """Carry a decision of ``sessions.state`` out, and record it."""
    row.state = change.state.value
    row.message = change.message
    row.durable = row.durable or change.durable
    if change.state == SessionState.RUNNING:
        row.ready_at = at
    elif change.state == SessionState.STOPPING:
        row.stopping_at = at
    elif change.state.ended:
        row.ended_at = at
        row.people = []
        for command in open_commands(db, row.id):
            command.done, command.error = True, "the session ended before"
        _close_phases(row, at, failed=change.state == SessionState.ERRORED)
    add_event(db, row, at, change.kind, change.message or _WORDS[change.state], change.level)
    touch(db, row)


_WORDS = {
    SessionState.STARTING: "Starting.",
    SessionState.RUNNING: "The studio is ready.",
    SessionState.STOPPING: "Stopping.",
    SessionState.STOPPED: "Stopped; everything is saved.",
    SessionState.ERRORED: "The session failed.",
}


def add_event(
    db: Session,
    row: SessionRow,
    at: datetime,
    kind: str,
    message: str,
    level: Literal["info", "warning", "error"] = "info",
) -> None:
    event = Event(at=at, kind=kind, message=message, level=level)
    db.add(EventRow(session_id=row.id, **event.model_dump()))


def set_phase(row: SessionRow, phase: Phase) -> None:
    row.phases = [phase.model_dump(mode="json") if old["name"] == phase.name else old for old in row.phases]


def _close_phases(row: SessionRow, at: datetime, *, failed: bool) -> None:
    for phase in row.phase_list:
        if phase.status == "running":
            phase.status, phase.ended_at = ("failed" if failed else "done"), at
            set_phase(row, phase)


def index_checkpoint(db: Session, found: Checkpoint, *, current: bool) -> None:
    """Note what the bucket holds. A checkpoint of an older session never becomes current again."""
    owner = db.get(StudioRow, found.studio_id)
    if owner is None:
        return
    document = found.model_dump(mode="json")
    row = db.get(CheckpointRow, found.id)
    if row is None:
        db.add(
            CheckpointRow(
                id=found.id, studio_id=found.studio_id, created_at=found.created_at, document=document
            )
        )
    elif row.studio_id == found.studio_id:
        row.document = document
    before = db.get(CheckpointRow, owner.checkpoint_id) if owner.checkpoint_id else None
    if current and (before is None or before.checkpoint.epoch <= found.epoch):
        owner.checkpoint_id = found.id
    owner.version += 1


def index_all(db: Session, studio_id: str, found: Sequence[Checkpoint], head: Checkpoint | None) -> None:
    """Note all that the bucket holds of a studio, and forget what it no longer does."""
    kept = {checkpoint.id for checkpoint in found}
    for row in db.scalars(select(CheckpointRow).filter_by(studio_id=studio_id)):
        if row.id not in kept:
            db.delete(row)
    for checkpoint in found:
        index_checkpoint(db, checkpoint, current=head is not None and checkpoint.id == head.id)
