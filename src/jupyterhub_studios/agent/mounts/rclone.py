"""How rclone is run for a mount. Pure: what is asked in, arguments and files out.

Nothing secret is in the arguments or the environment: it is in the configuration, a file that only the agent reads, or
fetched by rclone from the agent (see :mod:`.keys`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ...models import MountAccess, MountProfile

REMOTE = "mount"  # its name in the configuration; what waits in a cache is found again under it
LISTING_SECONDS = 60  # how long a folder's listing is shown before it is read again: service.mounts.core
GIB = 1 << 30
KEEP_FREE = 2 * GIB
SMALLEST_CACHE = GIB // 4

# Measured by bench/mounts.py: the store sends 92 MiB for 100 reads of 4 KiB to the first, 587 MiB to rclone's defaults;
# the second moves 512 MiB from end to end in 0.91 s, s3fs in 0.96 s. In a cloud it would be faster still with
# --vfs-read-chunk-streams; with those a read hangs for ever when the store goes away (rclone 9900).
PROFILES: Mapping[MountProfile, tuple[str, ...]] = {
    MountProfile.RANDOM: (
        "--vfs-read-chunk-size=1M", "--vfs-read-chunk-size-limit=128M", "--buffer-size=0",
    ),
    MountProfile.STREAM: (
        "--vfs-read-chunk-size=128M", "--vfs-read-chunk-size-limit=off", "--vfs-read-ahead=256M", "--buffer-size=0",
    ),
}  # fmt: skip

WAITING = (
    # A store that does not answer is an error after a while, never a program that hangs for ever.
    "--contimeout=10s", "--timeout=15s", "--low-level-retries=2",
)  # fmt: skip


@dataclass(frozen=True)
class Limits:
    """Of one mount's cache, in bytes."""

    size: int
    keep_free: int


@dataclass(frozen=True)
class Place:
    """A mount's own folder, closed to everybody but the agent, and where it mounts."""

    folder: Path
    point: Path

    @property
    def config(self) -> Path:
        return self.folder / "rclone.conf"

    @property
    def cache(self) -> Path:
        return self.folder / "cache"

    @property
    def socket(self) -> Path:
        return self.folder / "rc.sock"


def limits(free: int, mounts: int) -> Limits:
    """Together the caches take half of what is free now, and leave room for others when those need it."""
    keep_free = min(KEEP_FREE, free // 10)
    return Limits(max(SMALLEST_CACHE, free // 2 // max(1, mounts)), keep_free)


def arguments(access: MountAccess, place: Place, room: Limits, *, others: bool, socket: str) -> list[str]:
    """``others``: processes of other accounts may look into it, where the agent may allow that. ``socket``: where
    rclone is asked how it is, a path short enough for one."""
    # rclone has two ways to serve FUSE. The second moves a file from end to end in two thirds of the time; the first
    # is the one that everybody uses, and it alone writes here.
    streams = access.profile is MountProfile.STREAM and not access.writable
    return [
        "mount2" if streams else "mount", f"{REMOTE}:{access.remote}", str(place.point),
        f"--config={place.config}",
        f"--cache-dir={place.cache}",
        f"--devname={access.url}",
        "--rc", f"--rc-addr=unix://{socket}", "--rc-no-auth",
        "--vfs-cache-mode=full",
        f"--vfs-cache-max-size={room.size}B",
        f"--vfs-cache-min-free-space={room.keep_free}B",
        "--vfs-cache-max-age=24h", "--vfs-cache-poll-interval=10s",
        f"--dir-cache-time={LISTING_SECONDS}s", "--poll-interval=0", "--attr-timeout=1s",
        "--use-server-modtime", "--vfs-fast-fingerprint", "--umask=022",
        *WAITING,
        *PROFILES[access.profile],
        *(["--vfs-write-back=5s", "--transfers=4"] if access.writable else ["--read-only"]),
        *(["--allow-other"] if others else []),
    ]  # fmt: skip


def config(access: MountAccess) -> str:
    """The configuration of the one remote. Keys that end are not in it: rclone fetches them."""
    options = dict(access.options)
    if access.keys is not None and access.expires_at is None:
        options["access_key_id"] = access.keys.access_key_id
        options["secret_access_key"] = access.keys.secret_access_key
        if access.keys.session_token:
            options["session_token"] = access.keys.session_token
    elif access.keys is not None:
        options["env_auth"] = "true"
    lines = [f"{name} = {' '.join(value.splitlines())}" for name, value in options.items()]
    return "\n".join([f"[{REMOTE}]", *lines, ""])


def environment(base: Mapping[str, str], keys_url: str | None, keys_token: str | None) -> dict[str, str]:
    """The agent's own without what is the machine's: its rights for a cloud are not the mount's."""
    kept = {
        name: value
        for name, value in base.items()
        if not name.startswith(("AWS_", "RCLONE_", "GOOGLE_", "AZURE_", "STUDIOS_"))
    }
    kept |= {"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"}
    kept["AWS_EC2_METADATA_DISABLED"] = "true"
    if keys_url is not None and keys_token is not None:
        kept["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = keys_url
        kept["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = keys_token
    return kept


def replaceable(access: MountAccess) -> bool:
    """Whether a running rclone takes over a new credential: keys that it fetches, a token that it reads again. A SAS
    is part of its addresses."""
    return access.keys is not None or "token" in access.options
