"""How Mountpoint for Amazon S3 (``mount-s3``) is run for a read-only mount. Pure: what is asked in, arguments out.

Nothing secret is in the arguments or the environment: it fetches its keys from the agent (see :mod:`.keys`).
"""

from __future__ import annotations

from collections.abc import Mapping

from ...models import MountAccess
from . import rclone
from .rclone import LISTING_SECONDS, Limits, Place

PROGRAM = "mount-s3"
MIB = 1 << 20


def arguments(access: MountAccess, place: Place, room: Limits, *, others: bool) -> list[str]:
    """``others``: processes of other accounts may look into it, where the agent may allow that. How a mount reads
    (its profile) is nothing to be told: Mountpoint finds out while it is read."""
    bucket, _, prefix = access.remote.partition("/")
    endpoint = access.options.get("endpoint")
    return [
        bucket, str(place.point),
        "--foreground", "--read-only",
        *([f"--prefix={prefix.rstrip('/')}/"] if prefix.rstrip("/") else []),
        f"--region={access.options['region']}",
        # Stores that are not AWS have no name for each bucket.
        *([f"--endpoint-url={endpoint}", "--force-path-style"] if endpoint else []),
        *([] if access.keys else ["--no-sign-request"]),
        f"--metadata-ttl={LISTING_SECONDS}",
        f"--cache={place.cache}", f"--max-cache-size={room.size // MIB}",
        *(["--allow-other"] if others else []),
    ]  # fmt: skip


def environment(base: Mapping[str, str], keys_url: str | None, keys_token: str | None) -> dict[str, str]:
    """As rclone's, and without what would change Mountpoint's ways. Whose certificates are trusted it is told by a
    name of its own."""
    found = rclone.environment(base, keys_url, keys_token)
    trusted = {"AWS_CA_BUNDLE": base["SSL_CERT_FILE"]} if base.get("SSL_CERT_FILE") else {}
    own = ("MOUNTPOINT_", "UNSTABLE_MOUNTPOINT_")
    return {name: value for name, value in found.items() if not name.startswith(own)} | trusted


def last_words(said: list[str]) -> str:
    """Why it ended. It tells an error with one cause below the other, the innermost last and numbered."""
    lines = [line for line in said if line]
    if not lines:
        return ""
    number, _, cause = lines[-1].partition(": ")
    innermost = cause if number.isdigit() else lines[-1]
    session = next((line for line in lines if "FUSE session" in line), "")
    return f"{session.removeprefix('Error: ')}: {innermost}" if session else innermost
