"""The mounts of studios: named and checked when they are chosen, decided anew and given credentials at each start."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from ...models import (
    MOUNTS,
    ComputeEnvironment,
    CredentialSpec,
    LinkView,
    MountAccess,
    MountSpec,
    MountStatus,
    MountsView,
    MountView,
    SessionState,
    StudiosError,
    doubled,
    mount_name,
    now,
)
from ..core import Service
from ..data.offers import guard
from ..database import SessionRow, StudioRow
from ..database import queries as q
from ..keys import hashed
from ..permissions import Person
from . import deciding, remotes
from .deciding import Verdict
from .minting import PATIENCE, Issued, Place, issue

log = logging.getLogger("studios.mounts")

LISTING_SECONDS = 60  # how long a folder's listing may be shown before it is read again: agent.mounts.rclone
HOME = "/workspace"
ENDLESS = timedelta(days=7)  # for sessions without an end: what cannot be replaced in use is replaced by then


@dataclass(frozen=True)
class Seen:
    """A mount, and its link as the studio's owner sees it; None: the link is gone for them."""

    spec: MountSpec
    link: LinkView | None
    credential: CredentialSpec | None = None
    gone: str = ""  # why there is no link

    def verdict(self, environment: ComputeEnvironment) -> Verdict:
        if self.link is None:
            return Verdict(False, False, self.gone)
        return deciding.verdict(self.link, self.spec.path, environment, self.credential)


async def owner_of(service: Service, name: str) -> Person:
    """The owner of a studio, as links are decided for them: never as an administrator."""
    person = await service.hub.person(name) or {}
    return Person(name=name, display_name=name, admin=False, groups=tuple(person.get("groups", ())))


# --- choosing ---------------------------------------------------------------------------------------


async def choose(
    service: Service, owner: Person, environment: ComputeEnvironment, mounts: Sequence[MountSpec]
) -> list[MountSpec]:
    """The mounts with their names. What cannot be mounted is refused here, where somebody can choose again."""
    named: list[MountSpec] = []
    for seen in await _look(service, owner, mounts):
        found = seen.verdict(environment)
        if seen.link is None or not found.available:
            what = f"“{seen.link.name}”" if seen.link else "A data link of these mounts"
            raise StudiosError(
                f"{what} cannot be mounted", found.why, "Choose another data link", field="mounts"
            )
        taken = [one.name for one in (*mounts, *named) if one.name]
        name = seen.spec.name or mount_name(_called(seen.spec, seen.link), taken)
        named.append(seen.spec.model_copy(update={"name": name}))
    twice = doubled([one.name or "" for one in named])
    if twice is not None:
        raise StudiosError(
            f"Two mounts are called “{twice}”",
            "each is a folder of its own, and capitals make no difference",
            "Give one of them another name",
            field="mounts",
        )
    return named


def _called(spec: MountSpec, link: LinkView) -> str:
    return spec.path.rstrip("/").rpartition("/")[2] or link.name


async def change(service: Service, studio: StudioRow, mounts: Sequence[MountSpec]) -> None:
    """Set the mounts of a studio that is stopped."""
    environment = service.environment_of(studio.compute_environment)
    chosen = await choose(service, await owner_of(service, studio.owner), environment, mounts)

    def write(db: Session) -> None:
        row = q.studio(db, studio.id)
        q.check_over(db, row.id, "The mounts", "mounts")
        row.mounts = [one.model_dump(mode="json") for one in chosen]
        row.version += 1

    await service.database.run(write)
    service.changes.announce(studio.id)


# --- looking ----------------------------------------------------------------------------------------


async def views(
    service: Service,
    owner: Person,
    environment: ComputeEnvironment,
    mounts: Sequence[MountSpec],
    statuses: Sequence[MountStatus] = (),
    *,
    private: bool = True,
) -> MountsView:
    """``private`` False: for an administrator, to whom people's own links are nobody's business."""
    known = {one.name: one for one in statuses}
    items = [
        _view(seen, environment, known.get(seen.spec.name or ""), private)
        for seen in await _look(service, owner, mounts)
    ]
    return MountsView(items=items, listing_seconds=LISTING_SECONDS)


def _view(
    seen: Seen, environment: ComputeEnvironment, status: MountStatus | None, private: bool
) -> MountView:
    spec, link, found = seen.spec, seen.link, seen.verdict(environment)
    name = spec.name or mount_name(_called(spec, link) if link else "data")
    view = MountView(
        name=name,
        link=spec.link,
        path=spec.path,
        profile=spec.profile,
        folder=f"{HOME}/{MOUNTS}/{name}",
        writable=found.writable,
        why=found.why,
        available=found.available,
        status=status,
    )
    if link is None or not (private or link.owner is None):
        return view
    told = {
        "link_name": link.name, "url": deciding.address(link, spec.path), "provider": link.provider,
        "region": link.region, "warning": deciding.warning(link, environment),
        "gigabyte_price": deciding.price(link, environment),
    }  # fmt: skip
    return view.model_copy(update=told)


async def _look(service: Service, owner: Person, mounts: Sequence[MountSpec]) -> list[Seen]:
    return list(await asyncio.gather(*(_seen(service, owner, spec) for spec in mounts)))


async def _seen(service: Service, owner: Person, spec: MountSpec) -> Seen:
    catalogue = service.data.catalogue
    try:
        link = await catalogue.link(owner, spec.link)
        return Seen(spec, link, await catalogue.credential_of(link))
    except StudiosError as error:
        told = error.problem
        gone = "The data link is gone, or not offered to you any more."
        return Seen(spec, None, gone=gone if told.status == 404 else f"{told.title}: {told.detail}.")


def specs(studio: StudioRow) -> list[MountSpec]:
    return [MountSpec.model_validate(one) for one in studio.mounts]


def statuses(session: SessionRow | None) -> list[MountStatus]:
    """How the mounts of the latest session are, while it runs."""
    if session is None or SessionState(session.state).ended:
        return []
    return [MountStatus.model_validate(one) for one in session.mounts or ()]


# --- handing over -----------------------------------------------------------------------------------


async def accesses(
    service: Service, studio: StudioRow, names: Sequence[str] | None = None
) -> list[MountAccess]:
    """What the studio's agent gets for its mounts, or those called ``names``. Whatever goes wrong is told in its
    place: a start goes on without what cannot be mounted."""
    wanted = [spec for spec in specs(studio) if names is None or spec.name in names]
    if not wanted:
        return []
    environment = service.environment_of(studio.compute_environment)
    try:
        seen = await asyncio.wait_for(_look(service, await owner_of(service, studio.owner), wanted), PATIENCE)
    except (StudiosError, TimeoutError) as error:
        why = str(error) or "Its data link could not be looked up in time."
        return [MountAccess(name=spec.name or "", url="", refusal=why) for spec in wanted]
    until = now() + (timedelta(hours=studio.lifespan_hours + 24) if studio.lifespan_hours else ENDLESS)
    return list(await asyncio.gather(*(_access(service, one, environment, until) for one in seen)))


async def renew(service: Service, authorization: str, names: Sequence[str]) -> list[MountAccess]:
    """For the session whose token this is: it was looked at already."""
    token_hash = hashed(authorization.partition(" ")[2])

    def find(db: Session) -> StudioRow:
        session = db.query(SessionRow).filter_by(control_hash=token_hash).one()
        return q.studio(db, session.studio_id)

    return await accesses(service, await service.database.run(find), names)


async def _access(
    service: Service, seen: Seen, environment: ComputeEnvironment, until: datetime
) -> MountAccess:
    spec, link, found = seen.spec, seen.link, seen.verdict(environment)
    access = MountAccess(
        name=spec.name or "",
        url=deciding.address(link, spec.path) if link else "",
        profile=spec.profile,
        writable=found.writable,
        why=found.why,
    )
    if link is None or not found.available:
        return access.model_copy(update={"refusal": found.why})
    try:
        issued = await _issue(service, seen, link, found.writable, until)
    except StudiosError as error:
        return access.model_copy(update={"refusal": str(error)})
    except Exception as error:  # of a cloud's library: its text may hold anything
        log.error("No credential for a mount of %s: %s", link.id, type(error).__name__)
        refusal = "Its credential could not be made: the log of the service says more."
        return access.model_copy(update={"refusal": refusal})
    told = {
        "remote": remotes.remote(link, spec.path),
        "options": remotes.options(link, seen.credential) | issued.options,
        "keys": issued.keys,
        "expires_at": issued.expires_at,
    }
    return access.model_copy(update=told)


async def _issue(service: Service, seen: Seen, link: LinkView, writable: bool, until: datetime) -> Issued:
    credential = seen.credential
    if credential is not None and credential.endpoint:
        await guard(service.config).check(credential.endpoint)
    place = Place(
        provider=link.provider,
        bucket=link.bucket,
        prefix=link.prefix + seen.spec.path,
        region=link.region,
        writable=writable,
        until=until,
    )
    return await issue(credential, place)
