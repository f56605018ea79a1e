"""The mounts of studios: look, choose, list anew."""

from __future__ import annotations

from sqlalchemy.orm import Session

from ...models import Command, MountCheck, MountList, MountsView, SessionState, StudiosError, new_id
from ...web.problems import no_such
from ..database import SessionRow, StudioRow
from ..database import queries as q
from ..mounts import core
from ..permissions import Person
from ..routing import Call, Routes
from ..sessions import lifecycle
from . import access

routes = Routes("api/v1", "person")


@routes.route("POST", "/mount-checks", MountsView, body=MountCheck)
async def check_mounts(call: Call) -> MountsView:
    """What mounts would be on a compute environment: read-only or writable and why, and what they cost."""
    service, person, asked = call.service, call.person, call.body
    offered = service.config.allowed_environments(person.name, person.groups, person.admin)
    environment = next((one for one in offered if one.id == asked.compute_environment), None)
    if environment is None:
        raise no_such("compute environment", "compute_environment")
    owner = Person(person.name, person.display_name, admin=False, groups=person.groups)
    return await core.views(service, owner, environment, asked.mounts)


@routes.route("GET", "/studios/{studio_id}/mounts", MountsView)
async def list_mounts(call: Call) -> MountsView:
    """The studio's mounts: read-only or writable and why, and how they are while it runs."""
    row, _ = await access.studio(call)
    return await _views(call, row.id)


@routes.route("PUT", "/studios/{studio_id}/mounts", MountsView, body=MountList)
async def change_mounts(call: Call) -> MountsView:
    """Set all mounts of a stopped studio."""
    row, _ = await access.studio(call)
    await core.change(call.service, row, call.body.mounts)
    return await _views(call, row.id)


@routes.route("POST", "/studios/{studio_id}/mounts/{name}/refresh", MountsView, status=202)
async def refresh_mount(call: Call) -> MountsView:
    """Have a mount's listings read anew: what others wrote to the bucket is seen at once."""
    row, _ = await access.studio(call)
    name = call.path["name"]
    command = Command(id=new_id("co"), kind="refresh", mount=name)

    def ask(db: Session) -> SessionRow:
        studio = q.studio(db, row.id)
        if name not in [spec.name for spec in core.specs(studio)]:
            raise no_such("mount")
        session = db.get(SessionRow, studio.session_id) if studio.session_id else None
        if session is None or session.state != SessionState.RUNNING.value:
            raise StudiosError(
                f"“{studio.name}” does not run", "nothing is mounted", "Start it first", status=409
            )
        lifecycle.add_command(db, session, command)
        return session

    session = await call.service.database.run(ask)
    lifecycle.send(call.service, session.id, command)
    return await _views(call, row.id)


async def _views(call: Call, studio_id: str) -> MountsView:
    service = call.service

    def read(db: Session) -> tuple[StudioRow, SessionRow | None]:
        studio = q.studio(db, studio_id)
        return studio, db.get(SessionRow, studio.session_id) if studio.session_id else None

    studio, session = await service.database.run(read)
    return await core.views(
        service,
        await core.owner_of(service, studio.owner),
        service.environment_of(studio.compute_environment),
        core.specs(studio),
        core.statuses(session),
        private=studio.owner == call.person.name,
    )
