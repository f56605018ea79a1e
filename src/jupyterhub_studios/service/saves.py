"""Save now: a command to the agent, and its answer."""

from __future__ import annotations

from sqlalchemy.orm import Session

from ..models import Command, SessionState, StudiosError, new_id
from .core import Service
from .database import CheckpointRow, CommandRow, SessionRow, StudioRow
from .database import queries as q
from .sessions import lifecycle

PATIENCE = 600.0  # seconds; the save itself goes on for as long as it takes


async def save(service: Service, studio: StudioRow, name: str, author: str) -> CheckpointRow:
    """Have the running session write a finalised checkpoint called ``name``."""

    def ask(db: Session) -> tuple[SessionRow, Command]:
        row = _running(db, service, studio.id)
        command = Command(id=new_id("co"), kind="save", name=name, author=author)
        return row, lifecycle.add_command(db, row, command)

    session, command = await service.database.run(ask)
    lifecycle.send(service, session.id, command)

    async def answered() -> CommandRow | None:
        row = await service.database.run(lambda db: db.get(CommandRow, command.id))
        return row if row and row.done else None

    answer = await service.changes.until(session.id, PATIENCE, answered)
    if answer is None:
        raise StudiosError(
            "The save takes longer than expected",
            "it goes on in the studio",
            "Look at the studio's checkpoints later",
            status=504,
        )
    if answer.checkpoint_id is None:
        raise StudiosError(
            "The studio could not be saved", answer.error, "What was saved before is kept", status=502
        )
    return await service.database.run(q.checkpoint, answer.checkpoint_id)


def _running(db: Session, service: Service, studio_id: str) -> SessionRow:
    studio = q.studio(db, studio_id)
    row = db.get(SessionRow, studio.session_id) if studio.session_id else None
    if row is None or row.state != SessionState.RUNNING.value:
        raise StudiosError(
            f"“{studio.name}” does not run",
            "a stop has saved it already",
            "Start it, or use its latest checkpoint",
            status=409,
        )
    if not service.connected(row.id):
        raise StudiosError(
            f"“{studio.name}” cannot be reached now",
            "its agent is not connected; it connects again by itself",
            "Try again in a minute",
            status=409,
        )
    return row
