"""From an id in a path to a row that the caller may see."""

from __future__ import annotations

from ...web.problems import no_such
from ..database import SessionRow, StudioRow
from ..database import queries as q
from ..permissions import Role, demand, role
from ..routing import Call
from ..sharing import rows


async def studio(call: Call, *, open_only: bool = False) -> tuple[StudioRow, Role]:
    """The studio of the path, and what the caller is to it. ``open_only``: also for those it is shared with."""
    row = await call.service.database.run(q.studio, call.path["studio_id"])
    return row, await _role(call, row, open_only)


async def session(call: Call) -> SessionRow:
    row = await call.service.database.run(q.session, call.path["session_id"])
    await _owned(call, row.studio_id, "session")
    return row


async def checkpoint(call: Call) -> tuple[str, StudioRow]:
    """The checkpoint's id and its studio."""
    row = await call.service.database.run(q.checkpoint, call.path["checkpoint_id"])
    return row.id, await _owned(call, row.studio_id, "checkpoint")


async def _owned(call: Call, studio_id: str, what: str) -> StudioRow:
    studio = await call.service.database.run(q.studio, studio_id)
    if role(call.person, studio.owner) is None:
        raise no_such(what)
    return studio


async def _role(call: Call, row: StudioRow, open_only: bool) -> Role:
    found = role(call.person, row.owner)
    if found is None:
        found = role(call.person, row.owner, await call.service.hub.shares(row.owner, row.server_name))
    demand(found, open_only=open_only)
    assert found is not None
    person = call.person
    if found == "shared" and await call.service.database.run(
        rows.may_start, row.id, person.name, person.groups
    ):
        return "starter"
    return found
