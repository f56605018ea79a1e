"""A stand-in for Mountpoint for Amazon S3, which no package registry has: ``mount_s3.py RECORD ARGUMENTS…``.

It takes the arguments that ``mount-s3 --help`` documents (version 1.23), as strictly as that. It gets its keys in the
one way that is left to it here, with the demands of its SDK: a loopback address, ``Expiration`` in the answer. It tells
what goes wrong in the same form, and has rclone serve the bucket, without keeping listings. RECORD gets what it was
given.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

RCLONE = str(Path(sys.executable).with_name("rclone"))
SWITCHES = (
    "force-path-style", "transfer-acceleration", "dual-stack", "requester-pays", "no-sign-request", "read-only",
    "allow-delete", "allow-overwrite", "incremental-upload", "auto-unmount", "allow-root", "allow-other", "foreground",
    "log-metrics", "debug", "debug-crt", "no-log", "infer-content-type",
)  # fmt: skip
VALUES = (
    "prefix", "region", "endpoint-url", "bucket-type", "profile", "storage-class", "ca-bundle", "dir-mode", "file-mode",
    "expected-bucket-owner", "log-directory", "otlp-endpoint", "cache", "cache-xz", "metadata-ttl",
    "negative-metadata-ttl", "user-agent-prefix", "sse", "sse-kms-key-id", "upload-checksums", "bind",
)  # fmt: skip
NUMBERS = (
    "maximum-throughput-gbps", "max-threads", "part-size", "read-part-size", "write-part-size", "uid", "gid",
    "otlp-export-interval", "max-cache-size",
)  # fmt: skip


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """What Mountpoint would refuse ends the program."""
    parser = argparse.ArgumentParser("mount-s3", allow_abbrev=False)
    parser.add_argument("bucket")
    parser.add_argument("point")
    for name in SWITCHES:
        parser.add_argument(f"--{name}", action="store_true")
    for name in VALUES:
        parser.add_argument(f"--{name}")
    for name in NUMBERS:
        parser.add_argument(f"--{name}", type=int)
    given = parser.parse_args(argv)
    if given.prefix is not None and not given.prefix.endswith("/"):
        parser.error("--prefix must end in '/'")
    if given.max_cache_size is not None and given.cache is None:
        parser.error("--max-cache-size requires --cache")
    if given.allow_root and given.allow_other:
        parser.error("--allow-other cannot be used with --allow-root")
    if given.metadata_ttl not in (None, "indefinite", "minimal") and int(given.metadata_ttl) <= 0:
        parser.error("--metadata-ttl must be positive")
    if "://" in given.bucket or "/" in given.bucket:
        parser.error("the bucket is a name here")
    return given


def keys() -> dict[str, str]:
    """As the SDK fetches them, after it found none in the environment and the files that it names."""
    url = os.environ.get("AWS_CONTAINER_CREDENTIALS_FULL_URI", "")
    if urlsplit(url).hostname != "127.0.0.1":
        fail("No signing credentials available, see CRT debug logs")
    asked = urllib.request.Request(
        url, headers={"Authorization": os.environ["AWS_CONTAINER_AUTHORIZATION_TOKEN"]}
    )
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(asked, timeout=2) as answer:
        document: dict[str, str] = json.load(answer)
    if not all(document.get(name) for name in ("AccessKeyId", "SecretAccessKey", "Expiration")):
        fail("No signing credentials available, see CRT debug logs")
    return document


def fail(cause: str, about: str = "Failed to create S3 client") -> None:
    print(f"Error: {about}\n\nCaused by:\n    0: Client error\n    1: {cause}", file=sys.stderr)
    sys.exit(1)


def check(remote: str) -> None:
    """The listing with which Mountpoint begins."""
    done = subprocess.run(
        [RCLONE, "lsf", "--low-level-retries=1", "--retries=1", remote], capture_output=True, text=True
    )
    if "NoSuchBucket" in done.stderr or "directory not found" in done.stderr:
        fail("The bucket does not exist")
    if done.returncode != 0:
        fail("Forbidden: Access Denied")


def main(record: str, *argv: str) -> None:
    given = parse(argv)
    for place in (given.point, given.cache):
        if not Path(place).is_dir():
            fail(f"{place} is not a directory", "Failed to create FUSE session")
    Path(record).write_text(json.dumps({"arguments": argv, "environment": dict(os.environ)}))
    remote = {"type": "s3", "provider": "Other" if given.endpoint_url else "AWS", "region": given.region}
    if given.endpoint_url:
        remote |= {"endpoint": given.endpoint_url, "force_path_style": str(given.force_path_style).lower()}
    if not given.no_sign_request:
        keys()
        remote["env_auth"] = "true"
    os.environ.update({f"RCLONE_CONFIG_STORE_{name.upper()}": value for name, value in remote.items()})
    os.environ["RCLONE_CONFIG"] = os.devnull
    folder = f"STORE:{given.bucket}/{given.prefix or ''}"
    check(folder)
    if not given.foreground and os.fork():
        sys.exit(0)
    options = [
        "--dir-cache-time=0s", "--attr-timeout=0s", "--vfs-cache-mode=full", f"--cache-dir={given.cache}",
        *(["--read-only"] if given.read_only else []),
        *(["--allow-other"] if given.allow_other else []),
    ]  # fmt: skip
    os.execv(RCLONE, [RCLONE, "mount", folder, given.point, *options])


if __name__ == "__main__":
    main(*sys.argv[1:])
