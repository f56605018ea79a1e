"""From rows to what lists and pages show."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..models import (
    CheckpointView,
    MountSpec,
    RootMode,
    SessionState,
    SessionView,
    StudioState,
    StudioView,
    now,
)
from .core import Service
from .database import CheckpointRow, SessionRow, StudioRow
from .lifetime import keeping
from .permissions import VISITING, Role, allowed_actions
from .sessions import state

R = TypeVar("R", SessionRow, CheckpointRow)


def session_view(service: Service, row: SessionRow) -> SessionView:
    return SessionView(
        id=row.id,
        studio_id=row.studio_id,
        state=SessionState(row.state),
        message=row.message,
        started_at=row.started_at,
        ready_at=row.ready_at,
        ended_at=row.ended_at,
        phases=row.phase_list,
        connected=service.connected(row.id),
        people=row.people,
    )


def checkpoint_view(row: CheckpointRow, current_id: str | None) -> CheckpointView:
    checkpoint = row.checkpoint
    return CheckpointView(
        **checkpoint.model_dump(exclude={"epoch"}), size=checkpoint.size, current=row.id == current_id
    )


def studio_views(
    db: Session, service: Service, rows: Sequence[StudioRow], roles: Sequence[Role]
) -> list[StudioView]:
    """Views of several studios, with one query each for their sessions and checkpoints."""
    sessions = _by_id(db, SessionRow, [row.session_id for row in rows])
    checkpoints = _by_id(db, CheckpointRow, [row.checkpoint_id for row in rows])
    at = now()
    return [
        _studio_view(
            service,
            row,
            role,
            sessions.get(row.session_id or ""),
            checkpoints.get(row.checkpoint_id or ""),
            at,
        )
        for row, role in zip(rows, roles, strict=True)
    ]


def _by_id(db: Session, table: type[R], ids: Sequence[str | None]) -> dict[str, R]:
    wanted = [one for one in ids if one]
    return {row.id: row for row in db.scalars(select(table).where(table.id.in_(wanted)))} if wanted else {}


def _studio_view(
    service: Service,
    row: StudioRow,
    role: Role,
    session: SessionRow | None,
    checkpoint: CheckpointRow | None,
    at: datetime,
) -> StudioView:
    saved = checkpoint_view(checkpoint, row.checkpoint_id) if checkpoint else None
    current = (
        state.studio_state(SessionState(session.state), session.routed) if session else StudioState.STOPPED
    )
    forceable = session is not None and state.can_force(session.stopping_at, at, service.config.force_after)
    template = service.config.templates.get(row.template)
    prefix = session.prefix if session else service.address.server(row.owner, row.server_name)
    case = keeping.case_of(service.config, session, row) if session else None
    extends = role == "admin" or (role == "owner" and case is not None and not case.policy.locked)
    return StudioView(
        id=row.id,
        name=row.name,
        description=row.description,
        owner=row.owner,
        server_name=row.server_name,
        template=row.template,
        compute_environment=row.compute_environment,
        state=current,
        message=_message(row, session, current, saved.saved_at if saved else None, at),
        url=prefix + (template.default_path.lstrip("/") if template else ""),
        created_at=row.created_at,
        cpus=row.cpus,
        memory_mib=row.memory_mib,
        gpus=row.gpus,
        lifespan_hours=row.lifespan_hours,
        image=row.image,
        # What its owner gives to the studio's programs may be secret.
        environment=row.environment if role not in VISITING else {},
        mounts=[MountSpec.model_validate(one) for one in row.mounts] if role not in VISITING else [],
        session=session_view(service, session) if session else None,
        saved=saved,
        forked_from=row.from_checkpoint,
        root_mode=RootMode(row.root_mode) if row.root_mode else None,
        lifetime=keeping.view(case, at, extends=extends) if case else None,
        cost=_cost(service, row, session, at),
        may=allowed_actions(
            role,
            current,
            connected=session is not None and service.connected(session.id),
            forceable=forceable,
            has_checkpoint=saved is not None,
        ),
    )


def _cost(service: Service, row: StudioRow, session: SessionRow | None, at: datetime) -> float | None:
    """What the latest session took of its machine's time until now; waiting for a machine costs nothing."""
    environment = service.config.compute_environments.get(row.compute_environment)
    price = environment.price_per_hour if environment else None
    if price is None or session is None:
        return None
    host = next((phase for phase in session.phase_list if phase.name == "host"), None)
    since = host.started_at if host else session.ready_at
    hours = ((session.ended_at or at) - since).total_seconds() / 3600 if since else 0.0
    return round(price * max(hours, 0.0), 4)


def _message(
    row: StudioRow, session: SessionRow | None, current: StudioState, saved_at: datetime | None, at: datetime
) -> str:
    if row.message:
        return row.message
    if session is None:
        return ""
    lost = current == StudioState.ERRORED or (current == StudioState.STOPPED and session.force)
    return f"{session.message} {state.kept(saved_at, at)}".strip() if lost else session.message
