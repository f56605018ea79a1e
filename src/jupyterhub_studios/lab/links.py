"""Links and credentials of a plain JupyterLab. Pure: facts in, views out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..explorer.backends import Bucket, split_url
from ..explorer.finding import Answer, found_id, origin, url_of
from ..models import (
    CredentialSpec,
    DataRole,
    LinkMarks,
    LinkPatch,
    LinkSpec,
    LinkView,
    Provider,
    StudiosError,
)
from .configured import ConfiguredLink
from .machine import Folder

WITHOUT_CREDENTIAL = (Provider.FOLDER, Provider.OTHER)


@dataclass(frozen=True)
class Held:
    """A credential that can be used here; ``fault`` says why it cannot after all."""

    id: str
    name: str
    provider: Provider
    type: str
    source: Literal["added", "offered"]
    spec: CredentialSpec | None
    fault: StudiosError | None = None

    @property
    def finds(self) -> bool:
        """Whether it can be asked for its buckets: nobody's buckets are not."""
        return self.type != "anonymous" and self.provider not in WITHOUT_CREDENTIAL

    @classmethod
    def offered(cls, key: str, spec: CredentialSpec) -> Held:
        return cls(key, spec.name, spec.provider, spec.secret.type, "offered", spec)


# In place of one that was configured, or that the machine had, when a link was added with it.
GONE = Held(
    "", "", Provider.OTHER, "", "offered", None,
    StudiosError(
        "The credential of this link is not there any more", "neither this machine nor the configuration has it",
        "Add the link again with another credential", status=409, field="credential",
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Link:
    id: str
    name: str
    url: str
    source: Literal["found", "added", "offered"]
    writable: bool
    why: str
    description: str = ""
    region: str | None = None
    credential_id: str | None = None
    owner: str | None = None
    may_edit: bool = False


def folder(one: Folder, owner: str) -> Link:
    return Link(
        id=one.id,
        name=one.name,
        url=f"file://{one.path}",
        source="offered",
        owner=owner,
        writable=True,
        why="Your own folder: what you may change on this machine, you may change here.",
    )


def configured(key: str, entry: ConfiguredLink, held: Held | None) -> Link:
    return Link(
        id=f"ol-{key}",
        name=entry.name,
        description=entry.description,
        url=entry.url,
        region=entry.region or _region(held),
        credential_id=held.id if held else None,
        source="offered",
        writable=entry.writable,
        why=f"The configuration of this Jupyter server says {'writable' if entry.writable else 'read-only'}.",
    )


def found(held: Held, bucket: Bucket, changes: dict[str, LinkPatch], owner: str) -> Link:
    link_id = found_id(held.id, bucket.name)
    change = changes.get(link_id, LinkPatch())
    until = f"Found by “{held.name}”: read-only until you allow writing."
    return Link(
        id=link_id,
        name=change.name or bucket.name,
        description=change.description or "",
        url=url_of(held.provider, bucket.name),
        region=bucket.region or _region(held),
        credential_id=held.id,
        source="found",
        owner=owner,
        writable=bool(change.writable),
        why="You allowed writing." if change.writable else until,
        may_edit=True,
    )


def added(key: str, spec: LinkSpec, held: Held | None, owner: str) -> Link:
    provider, _, _ = split_url(spec.url)
    public = spec.credential is None and provider not in WITHOUT_CREDENTIAL
    writable = spec.writable and not public
    if public:
        why = "Public access is for reading."
    else:
        why = "You allowed writing." if writable else "You keep it read-only."
    return Link(
        id=key,
        name=spec.name,
        description=spec.description,
        url=spec.url,
        region=_region(held),
        credential_id=spec.credential,
        source="added",
        owner=owner,
        writable=writable,
        why=why,
        may_edit=True,
    )


def link_view(link: Link, held: Held | None, answer: Answer | None, marks: LinkMarks) -> LinkView:
    provider, bucket, prefix = split_url(link.url)
    spec = held.spec if held else None
    fault = str(held.fault) if held and held.fault else ""
    if answer is not None and answer.status == "invalid":
        fault = answer.message
    return LinkView(
        id=link.id,
        name=link.name,
        description=link.description,
        provider=provider,
        url=link.url,
        bucket=bucket,
        prefix=prefix,
        region=link.region,
        endpoint=origin(spec.endpoint) if spec and spec.endpoint else None,
        source=link.source,
        owner=link.owner,
        workspace=None,
        workspace_role=None,
        credential=held.name or None if held else None,
        role=DataRole.WRITE,  # whoever is let in can run code as the server's owner
        writable=link.writable,
        why=link.why,
        starred=bool(marks.starred),
        hidden=bool(marks.hidden),
        status="invalid" if fault else "unknown" if held else "valid",
        message=fault,
        may_edit=link.may_edit,
    )


def _region(held: Held | None) -> str | None:
    return held.spec.region if held and held.spec else None
