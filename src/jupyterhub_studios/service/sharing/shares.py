"""Shares with named people and groups, and what all shares have in common."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime
from weakref import WeakValueDictionary

from ...models import ShareSpec, ShareView, StudiosError
from ...models import now as clock
from ...web.problems import no_such
from .. import studios
from ..core import Service
from ..database import ShareRow, StudioRow
from ..database import queries as q
from ..hub import HubError
from ..permissions import Person
from . import rows, visitors
from .rows import Key

log = logging.getLogger("studios.sharing")

_settling: WeakValueDictionary[Key, asyncio.Lock] = WeakValueDictionary()


async def settle(service: Service, studio: StudioRow, key: Key) -> None:
    """Have the Hub share, or no longer share, as the rows say; also where these change meanwhile."""
    _, kind, name = key
    lock = _settling.setdefault(key, asyncio.Lock())
    async with lock:
        while True:
            shared = await service.database.run(rows.wanted, key)
            if shared:
                await service.hub.share(studio.owner, studio.server_name, kind, name)
            else:
                await service.hub.unshare(studio.owner, studio.server_name, kind, name)
            if await service.database.run(rows.note_settled, key, shared):
                return


async def give(service: Service, studio: StudioRow, spec: ShareSpec, by: Person) -> ShareView:
    kind = "user" if spec.user is not None else "group"
    name = (
        await _person(service, studio, spec.user) if spec.user is not None else _group(spec.group or "", by)
    )
    key = (studio.id, kind, name)
    await know_server(service, studio)
    row = await service.database.run(rows.add, key, by.name, clock(), spec.may_start)
    try:
        await settle(service, studio, key)
    except HubError as error:
        await service.database.run(rows.drop, row.id)
        if error.hub_status == 400:
            raise StudiosError(
                f"There is no {kind} “{name}”", error.detail, "Check the name", status=404, field=kind
            ) from None
        raise
    return _view(row, set())


async def know_server(service: Service, studio: StudioRow) -> None:
    options = studios.spec_of(studio).model_dump(mode="json", exclude_none=True)
    await service.hub.ensure_server(studio.owner, studio.server_name, studio.name, options)


async def _person(service: Service, studio: StudioRow, name: str) -> str:
    found = await service.hub.person(name)
    if found is None:
        raise StudiosError(
            f"Nobody here is called “{name}”",
            "a studio can be shared by name with people who have signed in before",
            "Check the name, or make a link for them",
            status=404,
            field="user",
        )
    if found["name"] == studio.owner:
        raise StudiosError(
            f"“{studio.name}” is {name}'s own", "", "Name somebody else", status=409, field="user"
        )
    return str(found["name"])


def _group(name: str, by: Person) -> str:
    if not by.admin and name not in by.groups:
        raise StudiosError(
            f"You are in no group “{name}”",
            f"your groups are: {', '.join(sorted(by.groups)) or 'none'}",
            "Choose one of them, or name people",
            status=403,
            field="group",
        )
    return name


async def listed(service: Service, studio: StudioRow) -> list[ShareView]:
    """Everybody whom the Hub lets in, whoever made the share; named ones first."""
    at_hub = {
        (share["kind"], share[share["kind"]]["name"]): datetime.fromisoformat(share["created_at"])
        for share in await service.hub.shares(studio.owner, studio.server_name)
        if any(scope.startswith("access:servers") for scope in share["scopes"])
    }
    active, leaving, session = await service.database.run(
        lambda db: (
            rows.active(db, studio.id),
            rows.leaving(db, studio.id),
            q.session(db, studio.session_id) if studio.session_id else None,
        )
    )
    here = set(session.people) if session else set()
    known = {(row.kind, row.name) for row in active}
    found = [_merged([row for row in active if (row.kind, row.name) == key], here) for key in dict.fromkeys(
        (row.kind, row.name) for row in active
    )]  # fmt: skip
    elsewhere = [
        ShareRow(
            studio_id=studio.id,
            kind=kind,
            name=name,
            link_id=None,
            may_start=False,
            created_by="",
            created_at=at,
        )
        for (kind, name), at in at_hub.items()
        if (kind, name) not in known | leaving
    ]
    found += [_view(row, here) for row in elsewhere]
    return sorted(found, key=lambda view: (view.link_id is not None, view.created_at))


def _merged(reasons: Sequence[ShareRow], here: set[str]) -> ShareView:
    first = next((row for row in reasons if row.link_id is None), reasons[0])
    return _view(first, here).model_copy(update={"may_start": any(row.may_start for row in reasons)})


def _view(row: ShareRow, here: set[str]) -> ShareView:
    return ShareView(
        id=f"{row.kind}:{row.name}",
        studio_id=row.studio_id,
        kind=row.kind,  # type: ignore[arg-type]
        name=row.name,
        may_start=row.may_start,
        link_id=row.link_id,
        created_by=row.created_by,
        created_at=row.created_at,
        here=row.kind == "user" and row.name in here,
    )


async def take_out(service: Service, studio: StudioRow, share_id: str) -> None:
    """End a share, however it came about, and show out whom it let in."""
    if share_id not in {view.id for view in await listed(service, studio)}:
        raise no_such("share")
    kind, _, name = share_id.partition(":")
    key = (studio.id, kind, name)
    await service.database.run(rows.take_out, key, clock())
    await finish(service, studio, [key])


async def finish(service: Service, studio: StudioRow, keys: Sequence[Key]) -> None:
    """What ended in the database ends at the Hub and at the gate. Where the Hub does not answer, the watch goes on."""
    try:
        for key in keys:
            await settle(service, studio, key)
        await visitors.show_out(service, studio.id)
    except HubError as error:
        log.warning("Ending shares of %s waits for the Hub: %s", studio.id, error)
        raise StudiosError(
            "It is ended, but the Hub does not know yet",
            f"{error.problem.title.lower()}: {error.problem.detail}",
            "It is told as soon as it answers; whoever is in stays until then",
            status=503,
        ) from None
