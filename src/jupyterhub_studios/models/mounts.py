"""Mounts: data links as folders in a session, at ``/workspace/data/<name>``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from .base import Model
from .data import Provider

MOUNTS = "data"
"""The folder of the mounts, in the session's home directory."""

MOST_MOUNTS = 20
RESERVED = ("all", "none")  # words of commands: every mount, no mount


class MountProfile(StrEnum):
    """How a mount reads. No one way is good at both: reading ahead in many streams moves hundreds of times the
    bytes that a reader of small pieces asks for."""

    RANDOM = "random"  # pieces here and there: BAM, Parquet, Zarr, HDF5
    STREAM = "stream"  # whole files from one end to the other


Mounter = Literal["rclone", "mount-s3"]
"""The programs that mount. mount-s3 is Mountpoint for Amazon S3, for read-only mounts of S3 alone."""


def _free_of_reserved(name: str) -> str:
    if name.lower() in RESERVED:
        raise ValueError(f"“{name}” is a word of commands: choose another name")
    return name


MountName = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"),
    AfterValidator(_free_of_reserved),
]


def _folder(path: str) -> str:
    """Empty, or ending with "/"; keys are taken as they are written."""
    path = path.strip("/")
    if any(part in ("", ".", "..") for part in path.split("/")) and path:
        raise ValueError("a folder inside a link is written like some/folder/")
    if any(ord(c) < 32 or ord(c) == 127 for c in path):
        raise ValueError("a folder's name must not hold control characters")
    return f"{path}/" if path else ""


FolderPath = Annotated[str, StringConstraints(max_length=1000), AfterValidator(_folder)]


class MountSpec(Model):
    """A data link, or a folder in it, that a studio gets as a folder."""

    link: str = Field(max_length=255, description="id of the data link")
    path: FolderPath = Field(default="", description="a folder inside the link; empty: all of it")
    name: MountName | None = Field(
        default=None, description="of the folder below data/; None: named after the folder or the link"
    )
    profile: MountProfile = MountProfile.RANDOM


def mount_name(text: str, taken: Iterable[str] = ()) -> str:
    """A name for the mount of something called ``text`` that none of ``taken`` has."""
    slug = re.sub(r"[^a-z0-9._]+", "-", text.lower()).strip("-._")[:56] or "data"
    used = {name.lower() for name in taken} | set(RESERVED)
    candidate, number = slug, 2
    while candidate in used:
        candidate, number = f"{slug}-{number}", number + 1
    return candidate


def doubled(names: Sequence[str]) -> str | None:
    """A name that is there twice. Capitals make no difference: not in every program they do."""
    seen: set[str] = set()
    for name in names:
        if name.lower() in seen:
            return name
        seen.add(name.lower())
    return None


# --- service → agent -------------------------------------------------------------------------------


class SessionKeys(Model):
    """Keys of S3. Sent to agents alone, as they are."""

    access_key_id: str
    secret_access_key: str = Field(repr=False)
    session_token: str = Field(default="", repr=False)


class MountAccess(Model):
    """A mount as the agent gets it, secrets included: by the bootstrap exchange, and anew before they expire."""

    name: str
    url: str  # of the mounted folder, for people: s3://bucket/prefix/
    profile: MountProfile = MountProfile.RANDOM
    mounter: Mounter = "rclone"  # what mounts it, where the agent finds that program; else rclone does
    writable: bool = False
    why: str = ""  # why it is writable, or why not
    remote: str = ""  # bucket and prefix as rclone names them
    options: dict[str, str] = Field(default={}, repr=False)  # rclone's, of the remote
    keys: SessionKeys | None = Field(
        default=None, repr=False
    )  # S3: beside the options, replaced as they expire
    expires_at: datetime | None = None  # when another access must have been fetched
    refusal: str = ""  # why it cannot be mounted: then nothing else matters


class MountRequest(Model):
    """POST /agent/mounts: the names of mounts whose access expires."""

    names: list[str] = Field(max_length=MOST_MOUNTS)


class MountAnswer(Model):
    mounts: list[MountAccess]


# --- agent → service → people ----------------------------------------------------------------------


class MountStatus(Model):
    """How one mount of a session is."""

    name: str
    state: Literal["mounting", "mounted", "failed"]
    message: str = ""  # why it failed, or what is wrong with it
    listed_at: datetime | None = None  # what is shown is no older, but for ``listing_seconds``
    waiting_files: int = 0  # written, and not yet in the bucket
    waiting_bytes: int = 0
    failing_files: int = 0  # of those: tried, and refused or interrupted
    cached_bytes: int = 0


class MountView(Model):
    """A mount of a studio as its owner sees it."""

    name: str
    link: str
    path: str
    profile: MountProfile
    folder: str  # where it is in the studio
    link_name: str | None = None  # None: the link is gone, or not this person's any more
    url: str | None = None
    provider: Provider | None = None
    region: str | None = None
    writable: bool = False
    why: str  # why it is writable, or read-only, or cannot be mounted: one sentence
    available: bool = True  # False: the next start goes on without it
    warning: str = ""  # other region, other cloud: what that costs
    gigabyte_price: float | None = (
        None  # US dollars for reading one from there, roughly; None: nothing, or unknown
    )
    status: MountStatus | None = None  # while the studio runs


class MountsView(Model):
    """All mounts of a studio, or those that one would have."""

    items: list[MountView]
    listing_seconds: int  # how old a listing may be


class MountList(Model):
    """PUT /studios/{id}/mounts: all that the studio shall have."""

    mounts: list[MountSpec] = Field(max_length=MOST_MOUNTS)


class MountCheck(MountList):
    """POST /mount-checks: what these would be on a compute environment, before there is a studio."""

    compute_environment: str
