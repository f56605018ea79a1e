"""Share links: made, followed, ended by hand or by time."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from ...models import ShareLinkSpec, ShareLinkView, StudiosError, new_id
from ...models import now as clock
from ..core import Service
from ..database import ShareLinkRow, StudioRow
from ..database import queries as q
from ..keys import hashed
from ..permissions import Person, role
from . import rows, shares
from .rows import Key

MOST_LINKS = 50  # of one studio at a time


async def make(service: Service, studio: StudioRow, spec: ShareLinkSpec, by: Person) -> ShareLinkView:
    await shares.know_server(service, studio)
    link_id, at = new_id("sl"), clock()

    def insert(db: Session) -> ShareLinkRow:
        if len(rows.links(db, studio.id, at)) >= MOST_LINKS:
            raise StudiosError(
                f"“{studio.name}” has {MOST_LINKS} links already",
                "that is the most for one studio",
                "End some of them",
                status=409,
            )
        row = ShareLinkRow(
            id=link_id,
            studio_id=studio.id,
            code_hash=hashed(service.keys.link_code(link_id)),
            may_start=spec.may_start,
            created_by=by.name,
            created_at=at,
            expires_at=at + timedelta(hours=spec.expires_in_hours),
        )
        db.add(row)
        return row

    return _view(service, await service.database.run(insert), [])


async def listed(service: Service, studio: StudioRow) -> list[ShareLinkView]:
    def read(db: Session) -> list[tuple[ShareLinkRow, list[str]]]:
        found = rows.links(db, studio.id, clock())
        return [(row, [share.name for share in rows.came_by(db, row.id)]) for row in found]

    return [_view(service, row, people) for row, people in await service.database.run(read)]


def _view(service: Service, row: ShareLinkRow, people: list[str]) -> ShareLinkView:
    return ShareLinkView(
        id=row.id,
        studio_id=row.studio_id,
        url=f"{service.address.prefix}j/{service.keys.link_code(row.id)}",
        may_start=row.may_start,
        created_by=row.created_by,
        created_at=row.created_at,
        expires_at=row.expires_at,
        people=people,
    )


async def end(service: Service, studio: StudioRow, link_id: str) -> None:
    """The link leads nobody in any more, and whoever came by it alone is shown out."""

    def close(db: Session) -> list[Key]:
        return rows.end_link(db, rows.link(db, studio.id, link_id).id, clock())

    await shares.finish(service, studio, await service.database.run(close))


# --- following a link -------------------------------------------------------------------------------


async def arrive(service: Service, code: str, person: Person) -> StudioRow:
    """The studio that a link leads ``person`` to, who may open it from now on; or why it does not."""
    link, studio = await service.database.run(_open, hashed(code))
    if role(person, studio.owner) is not None:
        return studio  # the owner's own click, or an administrator's: nothing has to be given
    key = (studio.id, "user", person.name)
    await service.database.run(_enter, link, key)
    await shares.settle(service, studio, key)
    if not await service.database.run(rows.wanted, key):  # ended while the Hub was asked
        raise _taken_out(studio)
    return studio


def _open(db: Session, code_hash: str) -> tuple[ShareLinkRow, StudioRow]:
    link = rows.by_code(db, code_hash)
    if link is None:
        raise StudiosError(
            "This link leads nowhere",
            "it was not copied as a whole, or its studio was deleted",
            "Ask whoever gave it to you for a new one",
            status=404,
        )
    return link, q.studio(db, link.studio_id)


def _enter(db: Session, link: ShareLinkRow, key: Key) -> None:
    fresh, studio = rows.link(db, link.studio_id, link.id), q.studio(db, link.studio_id)
    _check_open(fresh, clock())
    if rows.was_taken_out(db, fresh, key[2]):
        raise _taken_out(studio)
    rows.add(db, key, fresh.created_by, clock(), fresh.may_start, fresh)


def _check_open(link: ShareLinkRow, at: datetime) -> None:
    if link.ended_at is None and link.expires_at > at:
        return
    by_time = link.expires_at <= (link.ended_at or at)
    raise StudiosError(
        "This link has expired" if by_time else "This link was ended",
        f"it was good until {(link.ended_at or link.expires_at):%-d %B %Y, %H:%M} UTC",
        f"Ask {link.created_by} for a new one",
        status=410,
    )


def _taken_out(studio: StudioRow) -> StudiosError:
    return StudiosError(
        "You cannot open this studio any more",
        f"you were taken out of “{studio.name}”",
        f"Ask {studio.owner} to let you in again",
        status=403,
    )


# --- by itself --------------------------------------------------------------------------------------


async def tidy(service: Service, at: datetime) -> None:
    """End links whose time is over, and what the Hub could not be told before. ``at`` counts as now."""

    def close(db: Session) -> list[Key]:
        for link in rows.expired(db, at):
            rows.end_link(db, link.id, at)
        return rows.unsettled(db)

    for key in await service.database.run(close):
        studio = await service.database.run(q.studio, key[0])
        await shares.finish(service, studio, [key])
