"""Data links, the credentials they use, and what lies in them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, SecretStr, StringConstraints, model_validator

from .base import Model, Name


class Provider(StrEnum):
    S3 = "s3"  # and everything that speaks S3: MinIO, R2, SeaweedFS …
    GCS = "gcs"
    AZURE = "azure"
    FOLDER = "folder"  # of the machine that the explorer runs on
    OTHER = "other"  # any other fsspec filesystem: listed whole, with "truncated" said


class DataRole(StrEnum):
    """What somebody may do with a data link; each holds the ones before it."""

    VIEW = "view"  # browse and preview
    DOWNLOAD = "download"  # and download, copy presigned links
    WRITE = "write"  # and upload, rename, move, delete


# Both become parts of host names: nothing else may.
Account = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]{3,24}$")]
Region = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,64}$")]


# --- credentials -----------------------------------------------------------------------------------


class Ambient(Model):
    """Whatever the machine has: its role, its environment, its metadata service."""

    type: Literal["ambient"] = "ambient"


class Profile(Model):
    """A named profile of the AWS configuration files of the machine."""

    type: Literal["profile"] = "profile"
    profile: str


class Anonymous(Model):
    type: Literal["anonymous"] = "anonymous"


class AccessKey(Model):
    """S3: an access key."""

    type: Literal["access-key"] = "access-key"
    access_key_id: str
    secret_access_key: SecretStr
    session_token: SecretStr | None = None


class AzureKey(Model):
    type: Literal["azure-key"] = "azure-key"
    account: Account
    key: SecretStr


class AzureSas(Model):
    type: Literal["azure-sas"] = "azure-sas"
    account: Account
    sas: SecretStr


class AzureConnectionString(Model):
    type: Literal["azure-connection-string"] = "azure-connection-string"
    connection_string: SecretStr


class ServiceAccount(Model):
    """GCS: the JSON key file of a service account, as text."""

    type: Literal["service-account"] = "service-account"
    key_json: SecretStr


Secret = Annotated[
    Ambient | Profile | Anonymous | AccessKey | AzureKey | AzureSas | AzureConnectionString | ServiceAccount,
    Field(discriminator="type"),
]

_FITS: dict[Provider, tuple[str, ...]] = {
    Provider.S3: ("ambient", "profile", "anonymous", "access-key"),
    Provider.GCS: ("ambient", "anonymous", "service-account"),
    Provider.AZURE: ("ambient", "anonymous", "azure-key", "azure-sas", "azure-connection-string"),
    Provider.FOLDER: ("ambient",),
    Provider.OTHER: ("ambient",),
}


class CredentialSpec(Model):
    """How to reach one account of one provider."""

    name: Name
    provider: Provider
    secret: Secret
    endpoint: str | None = Field(
        default=None, max_length=2048, description="http(s) URL of an S3-compatible store or an emulator"
    )
    region: Region | None = None
    account: Account | None = Field(
        default=None, description="Azure: the storage account of an anonymous or ambient access"
    )

    @model_validator(mode="after")
    def _secret_fits(self) -> CredentialSpec:
        if self.secret.type not in _FITS[self.provider]:
            fitting = ", ".join(_FITS[self.provider])
            raise ValueError(f"{self.provider} does not take “{self.secret.type}”; it takes: {fitting}")
        return self

    def disclosed(self) -> dict[str, object]:
        """All of it as JSON holds it, secrets included: a model's own dump shows stars."""
        secret = {
            name: value.get_secret_value() if isinstance(value, SecretStr) else value
            for name, value in self.secret
        }
        return {**self.model_dump(mode="json", exclude={"secret"}), "secret": secret}


class CredentialView(Model):
    """A credential as people see it: nothing secret is ever in it."""

    id: str
    name: str
    provider: Provider
    type: str
    endpoint: str | None
    region: str | None
    source: Literal["added", "offered"]  # by the person, or by an administrator
    status: Literal["unknown", "valid", "invalid"] = "unknown"
    message: str = ""  # why it is invalid
    links_found: int | None = None  # buckets it lists; None: not asked yet, or it may not list them
    may_edit: bool = False


# --- links -----------------------------------------------------------------------------------------


class LinkSpec(Model):
    """A bucket or prefix under a name: ``s3://bucket/prefix/``, ``gs://…``, ``az://container/…``, ``file:///…``.

    ``credential`` is an id; None means anonymous, as public buckets allow.
    """

    name: Name
    url: str = Field(max_length=2048)
    credential: str | None = None
    description: str = Field(default="", max_length=2048)
    writable: bool = False
    workspace: str | None = Field(default=None, description="a group of the Hub that is offered this link")
    workspace_role: DataRole = DataRole.DOWNLOAD


class LinkPatch(Model):
    name: Name | None = None
    description: str | None = Field(default=None, max_length=2048)
    writable: bool | None = None
    workspace: str | None = None  # "" takes it back
    workspace_role: DataRole | None = None


class LinkMarks(Model):
    """What one person marked on a link, for their own list."""

    starred: bool | None = None
    hidden: bool | None = None


class LinkView(Model):
    id: str
    name: str
    description: str
    provider: Provider
    url: str
    bucket: str
    prefix: str
    region: str | None
    endpoint: str | None  # scheme and host; None: the provider's own
    source: Literal["found", "added", "offered"]  # by a credential, by hand, by an administrator or workspace
    owner: str | None  # None: the administrator's
    workspace: str | None
    workspace_role: DataRole | None
    credential: str | None  # its name, or None: anonymous
    role: DataRole  # of who asks
    writable: bool
    why: str  # why it is writable, or why not: one sentence
    starred: bool = False
    hidden: bool = False
    status: Literal["unknown", "valid", "invalid"] = "unknown"
    message: str = ""  # why it is invalid
    may_edit: bool = False  # who asks may change or remove the link itself


# --- what an administrator offers ------------------------------------------------------------------


class OfferedCredential(CredentialSpec):
    """A credential of the administrator's. Its secret never leaves the service."""

    id: str
    # links: only for the data links of the configuration that name it · found: the buckets it lists are links as
    # well · any: and people may add links of their own to whatever it reaches.
    offer: Literal["links", "found", "any"] = "links"
    allowed_users: list[str] | None = None  # who gets what is offered; None: all
    allowed_groups: list[str] | None = None
    role: DataRole = DataRole.DOWNLOAD  # on the links that are found
    # A role whose rights mounts in studios get, narrowed to their bucket; and the STS of a store that is not AWS.
    mount_role: str | None = Field(default=None, max_length=2048)
    sts_endpoint: str | None = Field(default=None, max_length=2048)
    writable: bool = False  # what is found, and whether people may make their own links with it writable


class OfferedLink(Model):
    """A data link of the administrator's."""

    id: str
    name: Name
    url: str = Field(max_length=2048)
    credential: str | None = None  # of the configuration; None: anonymous, as public buckets allow
    description: str = Field(default="", max_length=2048)
    region: str | None = None
    allowed_users: list[str] | None = None  # None: all
    allowed_groups: list[str] | None = None
    role: DataRole = DataRole.DOWNLOAD
    writable: bool = False
    why: str = Field(default="", max_length=2048)  # told to people: why it is writable, or why not


# --- places ----------------------------------------------------------------------------------------


class Entry(Model):
    """One row of a listing. ``path`` is relative to the link, without a leading slash; a folder's ends with "/"."""

    name: str  # the last part of path, without the slash
    path: str
    kind: Literal["folder", "file"]
    size: int | None = None  # bytes; None: a folder, or not known
    modified: datetime | None = None
    storage_class: str | None = None
    etag: str | None = None


class EntryPage(Model):
    """One native page of a listing. A page may hold no rows and still have a ``next``."""

    items: list[Entry]
    next: str | None = None
    truncated: bool = False  # the filesystem cannot page and has more than is listed


class Total(Model):
    """Files and bytes below a folder, as counted so far."""

    files: int
    bytes: int
    complete: bool


class Found(Model):
    """A line of a recursive search: a hit, or how far the search has come."""

    entry: Entry | None = None
    scanned: int
    complete: bool = False


class Done(Model):
    """A line of a change to many objects: how far it has come, or why it ended."""

    done: int
    total: int | None = None
    complete: bool = False
    failed: list[str] = []  # paths that are as they were before
    message: str = ""


class Presigned(Model):
    url: str
    expires_at: datetime


class Snippet(Model):
    """A way to fetch a place with a tool of the person's own."""

    tool: Literal["aws", "gcloud", "azcopy", "rclone", "python", "pandas"]
    title: str
    language: Literal["bash", "python"]
    code: str
    note: str = ""


class Upload(Model):
    """A begun upload in parts. ``id`` is opaque and signed; parts have ``part_size`` bytes but the last."""

    id: str
    part_size: int
    parallel: bool  # False: the parts must come in order, one by one


class UploadedPart(Model):
    number: int = Field(ge=1, le=10_000)
    tag: str


class UploadParts(Model):
    parts: list[UploadedPart] = Field(max_length=10_000)
