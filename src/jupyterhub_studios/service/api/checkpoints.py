"""Checkpoints: list, save now, rename, delete."""

from __future__ import annotations

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from ...models import CheckpointView, StudiosError
from ...web import Page
from .. import bucket, saves, views
from ..database import CheckpointRow, StudioRow
from ..database import queries as q
from ..routing import Call, Routes
from . import access
from .answers import CheckpointPatch, PageQuery, SaveRequest, moment, time_cursor

routes = Routes("api/v1", "person")


@routes.route("GET", "/studios/{studio_id}/checkpoints", Page[CheckpointView], query=PageQuery)
async def list_checkpoints(call: Call) -> Page[CheckpointView]:
    """A studio's checkpoints, the latest first."""
    studio, _ = await access.studio(call)
    asked: PageQuery = call.query

    def read(db: Session) -> list[CheckpointRow]:
        key = tuple_(CheckpointRow.created_at, CheckpointRow.id)
        query = select(CheckpointRow).filter_by(studio_id=studio.id)
        if asked.after:
            query = query.where(key < moment(asked.after))
        query = query.order_by(CheckpointRow.created_at.desc(), CheckpointRow.id.desc())
        return list(db.scalars(query.limit(asked.limit + 1)))

    rows = await call.service.database.run(read)
    page = rows[: asked.limit]
    more = len(rows) > asked.limit
    following = time_cursor(page[-1].created_at, page[-1].id) if more else None
    return Page(items=[views.checkpoint_view(row, studio.checkpoint_id) for row in page], next=following)


@routes.route("POST", "/studios/{studio_id}/checkpoints", CheckpointView, body=SaveRequest, status=201)
async def save_now(call: Call) -> CheckpointView:
    """Save a running studio now, as a checkpoint of its own with this name."""
    studio, _ = await access.studio(call)
    row = await saves.save(call.service, studio, call.body.name, call.person.name)
    return views.checkpoint_view(row, studio.checkpoint_id)


@routes.route("GET", "/checkpoints/{checkpoint_id}", CheckpointView)
async def show_checkpoint(call: Call) -> CheckpointView:
    """One checkpoint, with its layers and what was installed."""
    checkpoint_id, studio = await access.checkpoint(call)
    return await _view(call, checkpoint_id, studio)


@routes.route("PATCH", "/checkpoints/{checkpoint_id}", CheckpointView, body=CheckpointPatch)
async def rename_checkpoint(call: Call) -> CheckpointView:
    """Give a checkpoint another name."""
    checkpoint_id, studio = await access.checkpoint(call)
    found = await bucket.rename(call.service, studio, checkpoint_id, call.body.name)
    await call.service.database.run(q.index_checkpoint, found, current=False)
    call.service.changes.announce(studio.id)
    return await _view(call, checkpoint_id, studio)


@routes.route("DELETE", "/checkpoints/{checkpoint_id}", None, status=204)
async def delete_checkpoint(call: Call) -> None:
    """Delete a checkpoint; its layers go with the next sweep, unless another one names them."""
    checkpoint_id, studio = await access.checkpoint(call)
    if checkpoint_id == studio.checkpoint_id:
        raise StudiosError(
            "The current checkpoint cannot be deleted",
            "the studio's next start restores it",
            "Delete the studio, or another checkpoint",
            status=409,
        )
    try:
        await bucket.delete(call.service, studio, checkpoint_id)
    except StudiosError as error:
        if error.problem.status != 404:  # gone from the bucket already
            raise
    await call.service.database.run(_forget, checkpoint_id, studio.id)
    call.service.changes.announce(studio.id)


def _forget(db: Session, checkpoint_id: str, studio_id: str) -> None:
    row = db.get(CheckpointRow, checkpoint_id)
    if row is not None:
        db.delete(row)
    q.studio(db, studio_id).version += 1


async def _view(call: Call, checkpoint_id: str, studio: StudioRow) -> CheckpointView:
    row = await call.service.database.run(q.checkpoint, checkpoint_id)
    return views.checkpoint_view(row, studio.checkpoint_id)
