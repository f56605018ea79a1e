"""Whoever is in without a right to be is shown out: cookies, tickets and open sockets end at the gate."""

from __future__ import annotations

from sqlalchemy.orm import Session

from ...models import Command, SessionState, new_id, now
from ..core import Service
from ..database import SessionRow, StudioRow
from ..database import queries as q
from ..permissions import shared_with
from ..sessions import lifecycle


async def show_out(service: Service, studio_id: str) -> None:
    """Look at the visitors of the studio's session, if one runs."""
    session = await service.database.run(_running, studio_id)
    if session is not None:
        await check(service, session)


def _running(db: Session, studio_id: str) -> SessionRow | None:
    studio = db.get(StudioRow, studio_id)
    return db.get(SessionRow, studio.session_id) if studio and studio.session_id else None


async def check(service: Service, session: SessionRow) -> None:
    if session.state != SessionState.RUNNING.value or not session.visitors:
        return
    shares = await service.hub.shares(session.owner, session.server_name)
    for name in session.visitors:
        person = await service.hub.person(name) or {}
        if person.get("admin") or (person and shared_with(name, person.get("groups", []), shares)):
            continue
        command = await service.database.run(_revoke, session.id, name)
        lifecycle.send(service, session.id, command)
        service.changes.announce(session.id, session.studio_id)


def _revoke(db: Session, session_id: str, name: str) -> Command:
    row = q.session(db, session_id)
    row.visitors = [one for one in row.visitors if one != name]
    row.people = [one for one in row.people if one != name]
    q.add_event(db, row, now(), "access", f"{name} may no longer open this studio.")
    q.touch(db, row)
    return lifecycle.add_command(db, row, Command(id=new_id("co"), kind="revoke", user=name))
