"""Credentials, links and marks in the database: the small transactions that the catalogue is made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from ...explorer.catalogue import Caller
from ...models import CredentialSpec, LinkMarks, StudiosError
from ...web.problems import no_such
from ..database import CredentialRow, LinkRow, MarkRow

MOST_CREDENTIALS = 50  # of one person
MOST_LINKS = 500


@dataclass
class Known:
    """What the database holds of and for one person."""

    links: list[LinkRow]  # their own, and those that may be offered to them
    credentials: dict[str, CredentialRow]  # their own, and what the links use
    marks: dict[str, MarkRow]
    specs: dict[str, CredentialSpec | None] = field(default_factory=dict)  # those decrypted so far


def known(db: Session, caller: Caller, link_id: str | None = None) -> Known:
    """All that matters to the caller, or to one link of theirs."""
    workspaces = LinkRow.workspace.is_not(None) if caller.admin else LinkRow.workspace.in_(caller.groups)
    links = select(LinkRow).where(or_(LinkRow.owner == caller.name, workspaces))
    marks = select(MarkRow).filter_by(person=caller.name)
    if link_id is not None:
        links, marks = links.filter_by(id=link_id), marks.filter_by(link_id=link_id)
    found = list(db.scalars(links.order_by(LinkRow.created_at)))
    used = {row.credential_id for row in found if row.credential_id}
    wanted = select(CredentialRow).where(or_(CredentialRow.owner == caller.name, CredentialRow.id.in_(used)))
    return Known(
        links=found,
        credentials={row.id: row for row in db.scalars(wanted.order_by(CredentialRow.created_at))},
        marks={row.link_id: row for row in db.scalars(marks)},
    )


def credential(db: Session, credential_id: str) -> CredentialRow | None:
    return db.get(CredentialRow, credential_id)


def add_credential(db: Session, row: CredentialRow) -> None:
    _room_for(db, CredentialRow, row.owner, MOST_CREDENTIALS, "credentials")
    _name_is_free(db, CredentialRow, row.owner, row.name, row.id, "credential")
    db.add(row)


def remove_credential(db: Session, owner: str, credential_id: str) -> None:
    row = db.get(CredentialRow, credential_id)
    if row is None or row.owner != owner:
        raise no_such("credential")
    users = list(
        db.scalars(select(LinkRow.name).filter_by(credential_id=credential_id).order_by(LinkRow.name))
    )
    if users:
        named = ", ".join(f"“{name}”" for name in users[:5]) + (" and others" if len(users) > 5 else "")
        raise StudiosError(
            f"The credential “{row.name}” is in use",
            f"{named} would be lost",
            "Remove them first",
            status=409,
        )
    db.delete(row)


def link(db: Session, link_id: str) -> LinkRow | None:
    return db.get(LinkRow, link_id)


def save_link(db: Session, row: LinkRow, changes: dict[str, Any]) -> LinkRow:
    """A new link, or the same one changed."""
    stored = db.get(LinkRow, row.id)
    if stored is None:
        _room_for(db, LinkRow, row.owner, MOST_LINKS, "links")
        db.add(row)
        stored = row
    for name, value in changes.items():
        setattr(stored, name, value)
    with db.no_autoflush:
        _name_is_free(db, LinkRow, stored.owner, stored.name, stored.id, "link")
    return stored


def remove_link(db: Session, link_id: str) -> None:
    db.execute(delete(LinkRow).filter_by(id=link_id))
    db.execute(delete(MarkRow).filter_by(link_id=link_id))


def mark(db: Session, person: str, link_id: str, marks: LinkMarks) -> MarkRow:
    row = db.get(MarkRow, (person, link_id))
    if row is None:
        row = MarkRow(person=person, link_id=link_id, starred=False, hidden=False)
        db.add(row)
    row.starred = row.starred if marks.starred is None else marks.starred
    row.hidden = row.hidden if marks.hidden is None else marks.hidden
    return row


def _room_for(db: Session, table: type[CredentialRow | LinkRow], owner: str, most: int, what: str) -> None:
    if (db.scalar(select(func.count()).select_from(table).where(table.owner == owner)) or 0) >= most:
        raise StudiosError(
            f"You have {most} {what} already", "that is the most", "Remove some that are not used", status=409
        )


def _name_is_free(
    db: Session, table: type[CredentialRow | LinkRow], owner: str, name: str, ident: str, what: str
) -> None:
    taken = select(table.id).where(table.owner == owner, table.name == name, table.id != ident)
    if db.scalar(taken) is not None:
        raise StudiosError(
            f"The name “{name}” is taken",
            f"another {what} of yours has it",
            "Choose another name",
            status=409,
            field="name",
        )
