"""Studios: started, stopped and deleted. The shell that carries requests to Hub and bucket."""

from __future__ import annotations

import asyncio
import contextlib

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..models import SessionState, StudiosError, StudioSpec, now
from . import bucket
from .core import Service
from .database import SessionRow, StudioRow
from .database import queries as q
from .hub import HubError
from .making import check_runnable

_STILL_ENDING = ("pending stop", "pending spawn", "already running")
STARTING, DELETING = "started", "deleted"


# --- starting ---------------------------------------------------------------------------------------


async def start(service: Service, studio: StudioRow) -> None:
    """Have the Hub start the studio. Returns when its session exists, or raises the Hub's reason."""
    with service.occupied(studio.id, STARTING):
        before = await service.database.run(_startable, studio.id)
        person = await service.hub.person(studio.owner)
        await check_runnable(service, studio, (person or {}).get("groups", []))
        request = asyncio.create_task(_request_start(service, studio))
        launched = asyncio.create_task(_until_launched(service, studio.id, before))
        try:
            await asyncio.wait({request, launched}, return_when=asyncio.FIRST_COMPLETED)
            if request.done() and not launched.done():
                request.result()
                await asyncio.wait_for(launched, 10)
        except TimeoutError:
            raise StudiosError(
                "The Hub took the request, but nothing was started",
                "the server runs already, or its spawner is not the studios' one",
                "Look at the server on the Hub's home page",
                status=409,
            ) from None
        finally:
            launched.cancel()
            # The Hub goes on with a start that it has begun, whoever listens to its answer.
            request.add_done_callback(lambda task: task.cancelled() or task.exception())


def _startable(db: Session, studio_id: str) -> str | None:
    row = q.studio(db, studio_id)
    if q.unended_sessions(db, studio_id):
        raise StudiosError(
            f"“{row.name}” runs already", "a studio runs once at a time", "Stop it first", status=409
        )
    return row.session_id


async def _until_launched(service: Service, studio_id: str, before: str | None) -> None:
    async def read() -> bool | None:
        row = await service.database.run(q.studio, studio_id)
        return True if row.session_id != before else None

    while not await service.changes.until(studio_id, 60, read):
        pass


async def _request_start(service: Service, studio: StudioRow) -> None:
    options = spec_of(studio).model_dump(mode="json", exclude_none=True)
    for _ in range(30):
        try:
            return await service.hub.start_server(studio.owner, studio.server_name, studio.name, options)
        except HubError as error:
            # The last session is over, but the Hub has not seen its job end or still tidies up after it.
            if error.hub_status != 400 or not any(words in error.detail for words in _STILL_ENDING):
                raise
        await asyncio.sleep(1)
    raise StudiosError("The Hub is still ending the last session", "", "Try again in a minute", status=409)


def spec_of(studio: StudioRow) -> StudioSpec:
    fields = {name: getattr(studio, name) for name in StudioSpec.model_fields}
    return StudioSpec.model_validate(fields)


# --- stopping ---------------------------------------------------------------------------------------


async def stop(service: Service, studio: StudioRow, reason: str, force: bool, notice: float = 0.0) -> None:
    """Have the Hub stop the studio; its stop waits for the save. Forced: it no longer waits. ``notice``: seconds that
    people inside are given after they were told."""
    from .sessions import lifecycle, state

    session = await service.database.run(_stoppable, studio.id)
    if force:

        def give_up(db: Session) -> None:
            row = q.session(db, session.id)
            if not state.can_force(row.stopping_at, now(), service.config.force_after):
                raise StudiosError(
                    "The stop is still given time to save",
                    f"forcing it is possible {service.config.force_after:g} seconds after it began",
                    "Stop it without force and wait",
                    status=409,
                )
            row.force = True
            q.add_event(db, row, now(), "stop", reason, "warning")
            q.touch(db, row)

        await service.database.run(give_up)
        service.changes.announce(session.id, studio.id)
        return
    await lifecycle.stop(service, session.id, reason, notice)
    if notice > 0:
        service.keep(asyncio.create_task(_stop_later(service, studio, session.id, notice)))
        return
    request = asyncio.create_task(service.hub.stop_server(studio.owner, studio.server_name))
    request.add_done_callback(lambda task: task.cancelled() or task.exception())
    # The agent was asked already, so the work gets saved whatever the Hub does; it answers when all is over.
    await asyncio.wait({request}, timeout=2)
    if request.done() and isinstance(error := request.exception(), HubError) and error.hub_status is None:
        raise error


async def _stop_later(service: Service, studio: StudioRow, session_id: str, notice: float) -> None:
    """The Hub closes the way in as soon as it is asked to stop a server: so that is after the notice. It need not be,
    for the agent ends by itself; but then the Hub sees it only at its next look."""
    await asyncio.sleep(notice)
    row = await service.database.run(q.session, session_id)
    if not SessionState(row.state).ended:
        with contextlib.suppress(HubError):
            await service.hub.stop_server(studio.owner, studio.server_name)


def _stoppable(db: Session, studio_id: str) -> SessionRow:
    row = q.studio(db, studio_id)
    session = db.get(SessionRow, row.session_id) if row.session_id else None
    if session is None or SessionState(session.state).ended:
        raise StudiosError(f"“{row.name}” does not run", "", "Start it first", status=409)
    return session


# --- deleting ---------------------------------------------------------------------------------------


async def delete(service: Service, studio: StudioRow) -> None:
    """Hub server, checkpoints, rows, in this order: a failure leaves the studio visible, with the reason,
    and deleting it again goes on from there."""
    with service.occupied(studio.id, DELETING):
        await service.database.run(_startable, studio.id)
        try:
            await service.hub.remove_server(studio.owner, studio.server_name)
            await bucket.delete_studio(service, studio)
        except StudiosError as error:
            message = f"Deleting it failed: {error}"
            await service.database.run(tell, studio.id, message)
            service.changes.announce(studio.id)
            raise StudiosError(
                f"“{studio.name}” could not be deleted",
                error.problem.detail or error.problem.title,
                "Try again when this is mended",
                status=502,
            ) from None
        gone = await service.database.run(_delete_rows, studio.id)
    for session_id in gone:
        await asyncio.to_thread(service.logs.delete, session_id)
    service.changes.announce(studio.id)


def tell(db: Session, studio_id: str, message: str) -> None:
    row = q.studio(db, studio_id)
    row.message = message
    row.version += 1


def _delete_rows(db: Session, studio_id: str) -> list[str]:
    row = q.studio(db, studio_id)
    sessions = list(db.scalars(select(SessionRow.id).filter_by(studio_id=studio_id)))
    db.delete(row)
    return sessions
