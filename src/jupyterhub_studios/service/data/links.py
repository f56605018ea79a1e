"""A data link as the catalogue knows it, and what one person sees of it. Pure: facts in, decision out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ...explorer.backends import Bucket
from ...explorer.catalogue import Caller
from ...explorer.finding import Answer, found_id, origin, url_of
from ...models import CredentialSpec, CredentialView, DataRole, LinkView, OfferedCredential, Provider, now
from ..database import CredentialRow, LinkRow, MarkRow


@dataclass(frozen=True)
class Link:
    """``role`` and ``writable`` are what the asking person may do."""

    id: str
    name: str
    description: str
    url: str
    provider: Provider
    bucket: str
    prefix: str
    region: str | None
    credential_id: str | None
    source: Literal["found", "added", "offered"]
    owner: str | None
    role: DataRole
    writable: bool
    why: str
    workspace: str | None = None
    workspace_role: DataRole | None = None
    may_edit: bool = False


@dataclass(frozen=True)
class Held:
    """A credential that the asking person may use."""

    id: str
    spec: CredentialSpec

    @property
    def offered(self) -> OfferedCredential | None:
        return self.spec if isinstance(self.spec, OfferedCredential) else None


def own(row: LinkRow) -> Link:
    """A link as its owner sees it."""
    if row.writable:
        why = "You allowed writing."
    elif row.credential_id is None:
        why = "Public access is for reading."
    else:
        why = "You keep it read-only."
    return _of_row(row, role=DataRole.WRITE, writable=row.writable, why=why, may_edit=True)


def as_administrator(row: LinkRow) -> Link:
    """A link that is offered to a workspace, as administrators see it who are not in it: to look at."""
    why = f"{row.owner} offers it to {row.workspace}; you see it as an administrator."
    return _of_row(row, role=DataRole.VIEW, writable=False, why=why)


def in_workspace(row: LinkRow) -> Link:
    """A link as the members of the workspace see it that it is offered to."""
    role = DataRole(row.workspace_role)
    writable = row.writable and role is DataRole.WRITE
    if writable:
        why = f"{row.owner} offers it to {row.workspace} for writing."
    elif row.writable:
        why = f"{row.owner} offers it to {row.workspace} for reading."
    else:
        why = f"{row.owner} keeps it read-only."
    return _of_row(row, role=role, writable=writable, why=why)


def _of_row(row: LinkRow, *, role: DataRole, writable: bool, why: str, may_edit: bool = False) -> Link:
    return Link(
        id=row.id,
        name=row.name,
        description=row.description,
        url=row.url,
        provider=Provider(row.provider),
        bucket=row.bucket,
        prefix=row.prefix,
        region=row.region,
        credential_id=row.credential_id,
        source="added" if may_edit else "offered",
        owner=row.owner,
        role=role,
        writable=writable,
        why=why,
        workspace=row.workspace,
        workspace_role=DataRole(row.workspace_role) if row.workspace else None,
        may_edit=may_edit,
    )


def row_of(link: Link, caller: Caller) -> LinkRow:
    """What is stored of a link."""
    return LinkRow(
        id=link.id,
        owner=caller.name,
        name=link.name,
        description=link.description,
        url=link.url,
        provider=link.provider.value,
        bucket=link.bucket,
        prefix=link.prefix,
        region=link.region,
        credential_id=link.credential_id,
        writable=link.writable,
        workspace=link.workspace,
        workspace_role=(link.workspace_role or DataRole.DOWNLOAD).value,
        created_at=now(),
    )


def found(caller: Caller, held: Held, bucket: Bucket) -> Link:
    """A bucket that a credential lists."""
    spec, offered = held.spec, held.offered
    role = offered.role if offered else DataRole.WRITE
    writable = bool(offered and offered.writable and role is DataRole.WRITE)
    if offered:
        why = f"An administrator offers “{spec.name}” {'for writing' if writable else 'for reading'}."
    else:
        why = f"Found by “{spec.name}”: read-only until you allow writing."
    return Link(
        id=found_id(held.id, bucket.name),
        name=bucket.name,
        description="",
        url=url_of(spec.provider, bucket.name),
        provider=spec.provider,
        bucket=bucket.name,
        prefix="",
        region=bucket.region or spec.region,
        credential_id=held.id,
        source="found",
        owner=None if offered else caller.name,
        role=role,
        writable=writable,
        why=why,
        may_edit=offered is None,
    )


def link_view(link: Link, spec: CredentialSpec | None, answer: Answer, mark: MarkRow | None) -> LinkView:
    return LinkView(
        id=link.id,
        name=link.name,
        description=link.description,
        provider=link.provider,
        url=link.url,
        bucket=link.bucket,
        prefix=link.prefix,
        region=link.region,
        endpoint=origin(spec.endpoint) if spec and spec.endpoint else None,
        source=link.source,
        owner=link.owner,
        workspace=link.workspace,
        workspace_role=link.workspace_role,
        # What a person calls their credential is theirs.
        credential=(spec.name if link.may_edit or link.owner is None else f"of {link.owner}")
        if spec
        else None,
        role=link.role,
        writable=link.writable,
        why=link.why,
        starred=bool(mark and mark.starred),
        hidden=bool(mark and mark.hidden),
        status=answer.status,
        message=answer.message if answer.status == "invalid" else "",
        may_edit=link.may_edit,
    )


def credential_view(held: Held, answer: Answer) -> CredentialView:
    spec = held.spec
    return CredentialView(
        id=held.id,
        name=spec.name,
        provider=spec.provider,
        type=spec.secret.type,
        endpoint=origin(spec.endpoint) if spec.endpoint else None,
        region=spec.region,
        source="offered" if held.offered else "added",
        status=answer.status,
        message=answer.message,
        links_found=len(answer.buckets) if answer.buckets is not None else None,
        may_edit=held.offered is None,
    )


def unreadable_view(row: CredentialRow) -> CredentialView:
    """A credential that was encrypted with another key."""
    return CredentialView(
        id=row.id,
        name=row.name,
        provider=Provider(row.provider),
        type=row.type,
        endpoint=None,
        region=None,
        source="added",
        status="invalid",
        message="It was encrypted with another signing key of the service. Remove it and add it again.",
        may_edit=True,
    )
