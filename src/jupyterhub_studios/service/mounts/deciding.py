"""What may be mounted, and whether for writing. Pure: facts in, a verdict with its reason out."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ...explorer.backends import split_url
from ...models import (
    ComputeEnvironment,
    CredentialSpec,
    DataRole,
    Kind,
    LinkView,
    MountAccess,
    Mounter,
    Provider,
    StudiosError,
)

_AWS_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
_CLOUDS = {Provider.S3: "AWS", Provider.GCS: "Google Cloud", Provider.AZURE: "Azure"}
# US dollars for a gigabyte, as the clouds publish it for the first terabytes: to tell 2 dollars from 2,000.
BETWEEN_REGIONS = 0.02
OUT_OF_A_CLOUD = {Provider.S3: 0.09, Provider.GCS: 0.12, Provider.AZURE: 0.087}


@dataclass(frozen=True)
class Verdict:
    """``why``: one sentence for people, on what was decided."""

    available: bool
    writable: bool
    why: str


def verdict(
    link: LinkView, path: str, environment: ComputeEnvironment, credential: CredentialSpec | None
) -> Verdict:
    """Whether the folder ``path`` of ``link`` may be mounted in ``environment`` by who sees the link like this."""
    if refusal := _refusal(link, environment, credential):
        return Verdict(False, False, refusal)
    if not any(covers(url, link, path) for url in environment.writable_buckets):
        why = f"“{environment.title}” does not list {shown(link)} as writable."
        return Verdict(True, False, why)
    if not link.writable:
        return Verdict(True, False, link.why)
    return Verdict(True, True, f"“{environment.title}” lists {shown(link)} as writable. {link.why}")


def _refusal(
    link: LinkView, environment: ComputeEnvironment, credential: CredentialSpec | None
) -> str | None:
    if link.role is DataRole.VIEW:
        return "You may look into it, but not download what is in it."
    if link.provider is Provider.OTHER:
        return "Filesystems of this kind cannot be mounted: use the Data Explorer, or fsspec."
    if link.provider is Provider.FOLDER and environment.kind is not Kind.LOCAL:
        return f"It is a folder of the Hub's own machine, which “{environment.title}” does not reach."
    if link.provider is Provider.AZURE and credential is not None and credential.secret.type == "ambient":
        return (
            "Mounts on Azure need a key, a SAS or a connection string, not the rights of the Hub's machine."
        )
    return None


def covers(url: str, link: LinkView, path: str) -> bool:
    """Whether what lies in ``path`` of ``link`` is below ``url``, one of a compute environment's writable buckets."""
    try:
        provider, bucket, prefix = split_url(url)
    except StudiosError:
        return False
    if provider is not link.provider:
        return False
    if provider is Provider.FOLDER:
        return f"{link.bucket.rstrip('/')}/{path}".startswith(f"{bucket.rstrip('/')}/")
    return _same_bucket(bucket, link.bucket) and (link.prefix + path).startswith(prefix)


def _same_bucket(one: str, other: str) -> bool:
    """Azure: one that names no account is that of any."""
    name, _, account = one.partition("@")
    other_name, _, other_account = other.partition("@")
    return name == other_name and (not account or not other_account or account == other_account)


def mounted_by(access: MountAccess, environment: ComputeEnvironment) -> MountAccess:
    """``access`` with the program that is to mount it. Mountpoint knows S3 alone and cannot change a file; and an
    access point's ARN is not told from the folder in it by a slash."""
    s3, arn = access.options.get("type") == "s3", access.remote.startswith("arn:")
    mounter: Mounter = environment.mounter if s3 and not arn and not access.writable else "rclone"
    return access.model_copy(update={"mounter": mounter})


def shown(link: LinkView) -> str:
    """The bucket, as people write it."""
    if link.provider is Provider.FOLDER:
        return link.bucket
    return link.url[: link.url.index("://") + 3] + link.bucket


def address(link: LinkView, path: str) -> str:
    """The mounted folder's URL."""
    return f"{link.url.rstrip('/')}/{path}"


def price(link: LinkView, environment: ComputeEnvironment) -> float | None:
    """US dollars that reading a gigabyte from there costs, roughly; None: nothing, or not known."""
    if link.endpoint is not None or not _AWS_REGION.fullmatch(environment.region or ""):
        return None  # of a store that is nobody's cloud, or a place that is not known
    if link.provider is not Provider.S3:
        return OUT_OF_A_CLOUD.get(link.provider)
    return BETWEEN_REGIONS if link.region not in (None, environment.region) else None


def warning(link: LinkView, environment: ComputeEnvironment) -> str:
    """What people should know before a start that moves data far; empty: nothing."""
    cost = price(link, environment)
    if cost is None:
        return ""
    place = link.region if link.provider is Provider.S3 else f"{_CLOUDS[link.provider]}"
    here = environment.region if link.provider is Provider.S3 else f"AWS ({environment.region})"
    return (
        f"It lies in {place}, the studio runs in {here}: each GB that is read costs its owner about "
        f"${cost:g}, and takes longer."
    )
