"""Shares and links in the database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from ...models import new_id
from ...web.problems import no_such
from ..database import ShareLinkRow, ShareRow

Key = tuple[str, str, str]  # studio, kind, name


def active(db: Session, studio_id: str) -> list[ShareRow]:
    query = select(ShareRow).filter_by(studio_id=studio_id, ended_at=None).order_by(ShareRow.created_at)
    return list(db.scalars(query))


def leaving(db: Session, studio_id: str) -> set[tuple[str, str]]:
    """Kind and name of whom the Hub still lets in, but no longer should."""
    query = (
        select(ShareRow).filter_by(studio_id=studio_id, settled=False).where(ShareRow.ended_at.is_not(None))
    )
    return {(row.kind, row.name) for row in db.scalars(query)}


def wanted(db: Session, key: Key) -> bool:
    studio_id, kind, name = key
    found = select(ShareRow.id).filter_by(studio_id=studio_id, kind=kind, name=name, ended_at=None)
    return db.scalar(found.limit(1)) is not None


def note_settled(db: Session, key: Key, shared: bool) -> bool:
    """The Hub does (not) share. False when this is not what is wanted any more."""
    if wanted(db, key) != shared:
        return False
    studio_id, kind, name = key
    for row in db.scalars(
        select(ShareRow).filter_by(studio_id=studio_id, kind=kind, name=name, settled=False)
    ):
        row.settled = True
    return True


def unsettled(db: Session) -> list[Key]:
    query = select(ShareRow.studio_id, ShareRow.kind, ShareRow.name).filter_by(settled=False).distinct()
    return [(studio_id, kind, name) for studio_id, kind, name in db.execute(query)]


def add(
    db: Session, key: Key, by: str, at: datetime, may_start: bool, link: ShareLinkRow | None = None
) -> ShareRow:
    """A reason for a share; the one that is there already, where there is one of this kind."""
    studio_id, kind, name = key
    link_id = link.id if link else None
    query = select(ShareRow).filter_by(
        studio_id=studio_id, kind=kind, name=name, link_id=link_id, ended_at=None
    )
    row = db.scalar(query)
    if row is None:
        row = ShareRow(
            id=new_id("sh"),
            studio_id=studio_id,
            kind=kind,
            name=name,
            link_id=link_id,
            created_by=by,
            created_at=at,
        )
        db.add(row)
    row.may_start = may_start
    row.settled = False
    return row


def drop(db: Session, share_id: str) -> None:
    if (row := db.get(ShareRow, share_id)) is not None:
        db.delete(row)


def take_out(db: Session, key: Key, at: datetime) -> None:
    """End all reasons, and remember it: a link of before leads them in no more."""
    studio_id, kind, name = key
    rows = list(
        db.scalars(select(ShareRow).filter_by(studio_id=studio_id, kind=kind, name=name, ended_at=None))
    )
    if not rows:  # the Hub's own share, made elsewhere
        rows = [add(db, key, "", at, False)]
    for row in rows:
        row.ended_at, row.taken_out, row.settled = at, True, False


def may_start(db: Session, studio_id: str, name: str, groups: Iterable[str]) -> bool:
    person = and_(ShareRow.kind == "user", ShareRow.name == name)
    group = and_(ShareRow.kind == "group", ShareRow.name.in_(list(groups)))
    query = select(ShareRow.id).filter_by(studio_id=studio_id, ended_at=None, may_start=True)
    return db.scalar(query.where(or_(person, group)).limit(1)) is not None


# --- links ------------------------------------------------------------------------------------------


def link(db: Session, studio_id: str, link_id: str) -> ShareLinkRow:
    row = db.get(ShareLinkRow, link_id)
    if row is None or row.studio_id != studio_id:
        raise no_such("share link")
    return row


def links(db: Session, studio_id: str, at: datetime) -> list[ShareLinkRow]:
    """Those that still lead in, the latest first."""
    query = select(ShareLinkRow).filter_by(studio_id=studio_id, ended_at=None)
    return list(
        db.scalars(query.where(ShareLinkRow.expires_at > at).order_by(ShareLinkRow.created_at.desc()))
    )


def expired(db: Session, at: datetime) -> list[ShareLinkRow]:
    query = select(ShareLinkRow).filter_by(ended_at=None).where(ShareLinkRow.expires_at <= at)
    return list(db.scalars(query))


def by_code(db: Session, code_hash: str) -> ShareLinkRow | None:
    return db.scalar(select(ShareLinkRow).filter_by(code_hash=code_hash))


def came_by(db: Session, link_id: str) -> Sequence[ShareRow]:
    query = select(ShareRow).filter_by(link_id=link_id, ended_at=None).order_by(ShareRow.created_at)
    return db.scalars(query).all()


def end_link(db: Session, link_id: str, at: datetime) -> list[Key]:
    """Nobody comes in by it any more; answers whose way in it was."""
    row = db.get(ShareLinkRow, link_id)
    if row is None:
        return []
    row.ended_at = row.ended_at or min(at, row.expires_at)
    people = came_by(db, link_id)
    for one in people:
        one.ended_at, one.settled = at, False
    return [(one.studio_id, one.kind, one.name) for one in people]


def was_taken_out(db: Session, link: ShareLinkRow, name: str) -> bool:
    """Whether ``name`` was taken out since the link was made, and not let in again."""
    if wanted(db, (link.studio_id, "user", name)):
        return False
    query = select(ShareRow.id).filter_by(studio_id=link.studio_id, kind="user", name=name, taken_out=True)
    return db.scalar(query.where(ShareRow.ended_at >= link.created_at).limit(1)) is not None
