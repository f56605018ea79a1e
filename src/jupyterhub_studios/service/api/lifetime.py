"""How long a studio runs: extend it, answer "still there?", and what a site's own culler asks."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import Field
from sqlalchemy.orm import Session

from ...models import Model, StudiosError, StudioView, now
from ...models.lifetime import Verdict
from ...web.problems import no_such
from .. import views
from ..core import Service
from ..database import queries as q
from ..lifetime import keeping
from ..lifetime.decide import Decision
from ..lifetime.keeper import tell
from ..permissions import Role
from ..routing import Call, Routes
from . import access

routes = Routes("api/v1", "person")

Write = Callable[[Session, keeping.Case], None]


class ExtendRequest(Model):
    hours: int = Field(default=1, ge=1, le=120)


class CullRequest(Model):
    server: str = Field(max_length=512, description="`owner/server`, as the Hub names it")
    idle_seconds: float = Field(gt=0, le=1e8, description="the culler's own limit")


class Culling(Model):
    cull: bool
    verdict: Verdict
    reasons: list[str]


@routes.route("POST", "/studios/{studio_id}/extend", StudioView, body=ExtendRequest)
async def extend_studio(call: Call) -> StudioView:
    """Let a running studio's lifespan end `hours` later, as far as the administrators allow."""
    row, who = await access.studio(call)
    hours, person = call.body.hours, call.person

    def write(db: Session, case: keeping.Case) -> None:
        keeping.extend(db, case, hours, person.name, now(), admin=person.admin)

    return await _changed(call, row.id, who, write)


@routes.route("POST", "/studios/{studio_id}/keep", StudioView)
async def keep_studio(call: Call) -> StudioView:
    """Answer "still there?": for an hour the studio is not stopped for being idle."""
    row, who = await access.studio(call, open_only=True)

    def write(db: Session, case: keeping.Case) -> None:
        keeping.keep(db, case, call.person.name, now())

    return await _changed(call, row.id, who, write)


async def _changed(call: Call, studio_id: str, who: Role, write: Write) -> StudioView:
    service = call.service

    def work(db: Session) -> tuple[str, StudioView]:
        studio = q.studio(db, studio_id)
        row = q.session(db, studio.session_id) if studio.session_id else None
        case = keeping.case_of(service.config, row, studio) if row else None
        if row is None or case is None:
            raise StudiosError(f"“{studio.name}” does not run", "", "Start it first", status=409)
        write(db, case)
        return row.id, views.studio_views(db, service, [studio], [who])[0]

    session_id, view = await service.database.run(work)
    service.changes.announce(studio_id, session_id)
    await tell(service, session_id)
    return view


@routes.route("POST", "/culling", Culling, body=CullRequest, access="culler")
async def ask_culling(call: Call) -> Culling:
    """Whether a site's own culler may stop a server: what the service itself would decide.

    Where `idle_minutes` is 0 the culler's limit counts as the studio's idle time, so that people are asked first."""
    decision = await call.service.database.run(_cull, call.service, call.body)
    return Culling(cull=decision.verdict == "stop", verdict=decision.verdict, reasons=list(decision.reasons))


def _cull(db: Session, service: Service, asked: CullRequest) -> Decision:
    owner, _, server = asked.server.partition("/")
    studio = q.find_studio(db, owner, server)
    row = q.session(db, studio.session_id) if studio and studio.session_id else None
    if studio is None or row is None:
        raise no_such("studio")
    case = keeping.case_of(service.config, row, studio)
    if case is None:
        return Decision("keep", ("It starts or stops.",))
    memory = case.memory.model_copy(update={"idle_seconds": asked.idle_seconds})
    if memory != case.memory:
        keeping.write(row, memory)
        case = keeping.case_of(service.config, row, studio) or case
    return keeping.settle(db, case, now()).decision
