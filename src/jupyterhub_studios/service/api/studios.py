"""Studios: list, make, change, start, stop, delete, follow."""

from __future__ import annotations

from sqlalchemy import Select, or_, select, tuple_
from sqlalchemy.orm import Session

from ...models import StudiosError, StudioSpec, StudioState, StudioView
from ...web import Page
from .. import making, studios, views
from ..core import Service
from ..database import SessionRow, StudioRow
from ..database import queries as q
from ..permissions import Person, Role, demand, role
from ..routing import Call, Routes
from ..sharing.rows import may_start
from . import access
from .answers import (
    CreateQuery,
    Progress,
    ProgressQuery,
    StopRequest,
    StudioPatch,
    StudioQuery,
    moment,
    time_cursor,
)

routes = Routes("api/v1", "person")


@routes.route("GET", "/studios", Page[StudioView], query=StudioQuery)
async def list_studios(call: Call) -> Page[StudioView]:
    """The caller's studios, newest first; administrators may ask for another owner's, or all."""
    asked: StudioQuery = call.query
    shared = await call.service.hub.shared_with(call.person.name) if asked.shared else None
    owner = asked.owner or call.person.name
    if owner != call.person.name and not call.person.admin:
        raise StudiosError(
            "You can list your own studios only", "", "Leave “owner” out", status=403, field="owner"
        )

    def read(db: Session) -> Page[StudioView]:
        rows = list(db.scalars(_selection(asked, owner, shared).limit(asked.limit + 1)))
        page = rows[: asked.limit]
        roles = [_role(db, call.person, row) for row in page]
        more = len(rows) > asked.limit
        following = time_cursor(page[-1].created_at, page[-1].id) if more else None
        return Page(items=views.studio_views(db, call.service, page, roles), next=following)

    return await call.service.database.run(read)


def _role(db: Session, person: Person, row: StudioRow) -> Role:
    """In a list, which holds nothing that is not the person's to see."""
    if (found := role(person, row.owner)) is not None:
        return found
    return "starter" if may_start(db, row.id, person.name, person.groups) else "shared"


def _selection(asked: StudioQuery, owner: str, shared: set[tuple[str, str]] | None) -> Select[StudioRow]:
    query = select(StudioRow).order_by(StudioRow.created_at.desc(), StudioRow.id.desc())
    if shared is not None:
        query = query.where(tuple_(StudioRow.owner, StudioRow.server_name).in_(shared))
    elif owner != "*":
        query = query.where(StudioRow.owner == owner)
    if asked.q:
        query = query.where(
            or_(
                StudioRow.name.icontains(asked.q, autoescape=True),
                StudioRow.description.icontains(asked.q, autoescape=True),
            )
        )
    if asked.state:
        query = query.outerjoin(SessionRow, SessionRow.id == StudioRow.session_id)
        is_state = SessionRow.state == asked.state.value
        never_ran = SessionRow.id.is_(None)
        query = query.where(or_(is_state, never_ran) if asked.state == StudioState.STOPPED else is_state)
    if asked.after:
        query = query.where(tuple_(StudioRow.created_at, StudioRow.id) < moment(asked.after))
    return query


@routes.route("POST", "/studios", StudioView, body=StudioSpec, query=CreateQuery, status=201)
async def create_studio(call: Call) -> StudioView:
    """Make a studio, a fork when `from_checkpoint` is given; `start=true` starts it as well."""
    person = call.person
    row = await making.create(call.service, call.body, person.name, person.groups, person.admin)
    if call.query.start:
        try:
            await studios.start(call.service, row)
        except StudiosError as error:
            # The studio is made all the same: its message says why it does not run.
            await call.service.database.run(studios.tell, row.id, f"It could not be started: {error}")
    return await _view(call, row.id, "owner")


@routes.route("GET", "/studios/{studio_id}", StudioView)
async def show_studio(call: Call) -> StudioView:
    """One studio, with its latest session and its current checkpoint."""
    row, who = await access.studio(call, open_only=True)
    return await _view(call, row.id, who)


@routes.route("PATCH", "/studios/{studio_id}", StudioView, body=StudioPatch)
async def change_studio(call: Call) -> StudioView:
    """Change a studio; what the next start needs, only while it is stopped."""
    row, who = await access.studio(call)
    fields = call.body.model_dump(exclude_unset=True, exclude_none=True)
    await making.change(call.service, row, fields, admin=call.person.admin)
    return await _view(call, row.id, who)


@routes.route("DELETE", "/studios/{studio_id}", None, status=204)
async def delete_studio(call: Call) -> None:
    """Delete a stopped studio with its history and all its checkpoints."""
    row, _ = await access.studio(call)
    await studios.delete(call.service, row)


@routes.route("POST", "/studios/{studio_id}/start", StudioView, status=202)
async def start_studio(call: Call) -> StudioView:
    """Start a studio; follow it with `progress`. Also for those to whom its sharer has allowed it."""
    row, who = await access.studio(call, open_only=True)
    if who != "starter":
        demand(who)
    await studios.start(call.service, row)
    return await _view(call, row.id, who)


@routes.route("POST", "/studios/{studio_id}/stop", StudioView, body=StopRequest, status=202)
async def stop_studio(call: Call) -> StudioView:
    """Save and stop a studio; `force` gives up a save that takes too long."""
    row, who = await access.studio(call)
    verb = "Stopped by force" if call.body.force else "Stopped"
    notice = call.body.notice_seconds
    await studios.stop(call.service, row, f"{verb} by {call.person.name}.", call.body.force, notice)
    return await _view(call, row.id, who)


@routes.route("GET", "/studios/{studio_id}/progress", Progress, query=ProgressQuery)
async def follow_studio(call: Call) -> Progress:
    """The studio, as soon as it has changed since version `after`, or after `wait` seconds."""
    row, who = await access.studio(call, open_only=True)
    service, asked = call.service, call.query

    async def read() -> Progress | None:
        found = await service.database.run(_progress, service, row.id, who)
        return found if found.version > asked.after else None

    if asked.wait and (changed := await service.changes.until(row.id, asked.wait, read)):
        return changed
    return await service.database.run(_progress, service, row.id, who)


def _progress(db: Session, service: Service, studio_id: str, who: Role) -> Progress:
    row = q.studio(db, studio_id)
    return Progress(version=row.version, studio=views.studio_views(db, service, [row], [who])[0])


async def _view(call: Call, studio_id: str, who: Role) -> StudioView:
    progress = await call.service.database.run(_progress, call.service, studio_id, who)
    return progress.studio
