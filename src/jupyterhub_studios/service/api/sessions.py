"""Sessions of a studio, with their events and logs, kept after the end."""

from __future__ import annotations

import asyncio

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...compute import remote
from ...models import Event, SessionState, SessionView, job_name
from ...web import Page
from .. import views
from ..database import EventRow, SessionRow
from ..database import queries as q
from ..routing import Call, Routes
from . import access
from .answers import JobLogPage, JobLogQuery, LogPage, LogQuery, PageQuery, cursor, number

routes = Routes("api/v1", "person")


@routes.route("GET", "/studios/{studio_id}/sessions", Page[SessionView], query=PageQuery)
async def list_sessions(call: Call) -> Page[SessionView]:
    """All runs of a studio, the latest first."""
    studio, _ = await access.studio(call)
    asked: PageQuery = call.query

    def read(db: Session) -> list[SessionRow]:
        query = select(SessionRow).filter_by(studio_id=studio.id).order_by(SessionRow.epoch.desc())
        if asked.after:
            query = query.where(SessionRow.epoch < number(asked.after))
        return list(db.scalars(query.limit(asked.limit + 1)))

    rows = await call.service.database.run(read)
    page = rows[: asked.limit]
    following = cursor(page[-1].epoch) if len(rows) > asked.limit else None
    return Page(items=[views.session_view(call.service, row) for row in page], next=following)


@routes.route("GET", "/sessions/{session_id}", SessionView)
async def show_session(call: Call) -> SessionView:
    """One run of a studio."""
    return views.session_view(call.service, await access.session(call))


@routes.route("GET", "/sessions/{session_id}/events", Page[Event], query=PageQuery)
async def list_events(call: Call) -> Page[Event]:
    """What happened in a session, the earliest first."""
    session = await access.session(call)
    asked: PageQuery = call.query

    def read(db: Session) -> list[EventRow]:
        query = select(EventRow).filter_by(session_id=session.id).order_by(EventRow.id)
        if asked.after:
            query = query.where(EventRow.id > number(asked.after))
        return list(db.scalars(query.limit(asked.limit + 1)))

    rows = await call.service.database.run(read)
    page = rows[: asked.limit]
    items = [Event(at=row.at, kind=row.kind, message=row.message, level=row.level) for row in page]  # type: ignore[arg-type]
    return Page(items=items, next=cursor(page[-1].id) if len(rows) > asked.limit else None)


@routes.route("GET", "/sessions/{session_id}/logs", LogPage, query=LogQuery)
async def read_logs(call: Call) -> LogPage:
    """The session's output from byte `offset` on; `ended` says that no more will come."""
    row = await access.session(call)
    offset = min(call.query.offset, row.log_size)
    text, following = await asyncio.to_thread(call.service.logs.read, row.id, offset, row.log_size)
    ended = SessionState(row.state).ended and following >= row.log_size
    return LogPage(text=text, offset=offset, next_offset=following, ended=ended)


@routes.route("GET", "/sessions/{session_id}/job-logs", JobLogPage, query=JobLogQuery)
async def read_job_logs(call: Call) -> JobLogPage:
    """What the session's job itself printed, as its compute environment keeps it.

    It tells why a session did not come up. Empty where nothing is kept."""
    row = await access.session(call)
    studio = await call.service.database.run(q.studio, row.studio_id)
    compute = remote(call.service.environment_of(studio.compute_environment))
    after = call.query.after
    if compute is None:
        return JobLogPage(text="", next=after)
    text, following = await compute.logs(job_name(row.id), after)
    return JobLogPage(text=text, next=following)
