"""What the routes take beside the project's own models."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ...models import Model, ViewName

OPAQUE = 8192  # characters of what we sign: a key and a token of the store's; an address may hold no more
SIGNED = r"^[A-Za-z0-9_-]*$"
PATH = 4096  # characters; keys have at most 1,024 bytes, paths of folders a little more


class LinkQuery(Model):
    q: str = Field(
        default="",
        max_length=500,
        description="words of name, address or description; `provider:s3`, `region:eu-west-1`",
    )
    provider: str | None = None
    region: str | None = None
    hidden: Literal["no", "only", "all"] = "no"


class PathQuery(Model):
    path: str = Field(default="", max_length=PATH, description="relative to the link; a folder's ends with /")


class BrowseQuery(PathQuery):
    search: str = Field(default="", max_length=1024, description="what names in this folder begin with")
    after: str | None = Field(
        default=None, max_length=OPAQUE, pattern=SIGNED, description="`next` of the page before"
    )
    limit: int = Field(default=200, ge=1, le=1000)


class SearchQuery(PathQuery):
    q: str = Field(
        min_length=1, max_length=1024, description="what paths below the folder hold, or a pattern with *"
    )


class PreviewQuery(PathQuery):
    view: ViewName | None = None
    at: int | Literal["start", "end"] | None = Field(
        default=None, description="text: a byte, or one of its ends"
    )
    group: int | None = Field(default=None, ge=0, description="Parquet: the row group")


class ArchiveQuery(Model):
    path: list[str] = Field(min_length=1, max_length=500, description="files and folders; may be repeated")


class PresignSpec(Model):
    path: str = Field(max_length=PATH)
    seconds: int = Field(default=3600, ge=1, le=7 * 86400)


class PutQuery(PathQuery):
    replace: bool = False


class UploadSpec(Model):
    path: str = Field(max_length=PATH)
    size: int = Field(ge=0)
    replace: bool = False


class UploadQuery(Model):
    id: str = Field(max_length=OPAQUE, pattern=SIGNED, description="`id` of the begun upload")


class PartQuery(UploadQuery):
    number: int = Field(ge=1, le=10_000)


class FolderSpec(Model):
    path: str = Field(max_length=PATH)


class MoveSpec(Model):
    source: str = Field(max_length=PATH)
    target: str = Field(max_length=PATH)
    replace: bool = False


class DeleteSpec(Model):
    paths: list[str] = Field(min_length=1, max_length=1000)
