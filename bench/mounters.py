"""Four ways to see a bucket as a folder, each mounted anew for every measurement, so that nothing is cached yet."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from tempfile import TemporaryDirectory

from jupyterhub_studios.agent.mounts import rclone
from jupyterhub_studios.models import MountAccess, MountProfile
from tests.stores import SeaweedFS

READY_SECONDS = 30
CACHE = 4 << 30
Mounter = Callable[[SeaweedFS, str, str], AbstractContextManager[Path]]
"""Of a store, its bucket and the endpoint to use for it: the folder."""


def ours(profile: MountProfile) -> Mounter:
    """As the agent of a session runs rclone."""

    @contextlib.contextmanager
    def mounter(store: SeaweedFS, bucket: str, endpoint: str) -> Iterator[Path]:
        with _folders() as (folder, point):
            place = rclone.Place(folder, point)
            access = MountAccess(
                name="data",
                url=f"s3://{bucket}/",
                profile=profile,
                remote=bucket,
                options=_remote(store, endpoint),
            )
            place.config.write_text(rclone.config(access))
            place.cache.mkdir()
            arguments = rclone.arguments(
                access, place, rclone.Limits(CACHE, 0), others=False, socket=str(place.socket)
            )
            with _running(["rclone", *arguments], point, rclone.environment(os.environ, None, None)):
                yield point

    return mounter


@contextlib.contextmanager
def rclone_mount(store: SeaweedFS, bucket: str, endpoint: str) -> Iterator[Path]:
    """``rclone mount`` with its defaults."""
    with _folders() as (folder, point):
        config = folder / "rclone.conf"
        options = "".join(f"{name} = {value}\n" for name, value in _remote(store, endpoint).items())
        config.write_text(f"[peer]\n{options}")
        command = ["rclone", "mount", f"peer:{bucket}", str(point), f"--config={config}", "--read-only"]
        with _running(command, point, dict(os.environ)):
            yield point


@contextlib.contextmanager
def s3fs_fuse(store: SeaweedFS, bucket: str, endpoint: str) -> Iterator[Path]:
    """Debian's s3fs with its defaults."""
    with _folders() as (folder, point):
        password = folder / "password"
        password.touch(mode=0o600)
        password.write_text(f"{store.access_key}:{store.secret_key}\n")
        options = f"passwd_file={password},url={endpoint},use_path_request_style,ro"
        with _running(["s3fs", bucket, str(point), "-f", "-o", options], point, dict(os.environ)):
            yield point


@contextlib.contextmanager
def fsspec_fuse(store: SeaweedFS, bucket: str, endpoint: str) -> Iterator[Path]:
    """fsspec's own FUSE over s3fs, as its documentation starts it."""
    code = (
        "import os, s3fs, fsspec.fuse\n"
        f"fs = s3fs.S3FileSystem(endpoint_url={endpoint!r})\n"
        f"fsspec.fuse.run(fs, {bucket + '/'!r}, os.environ['POINT'])\n"
    )
    with _folders() as (_, point):
        keys = {"AWS_ACCESS_KEY_ID": store.access_key, "AWS_SECRET_ACCESS_KEY": store.secret_key}
        with _running([sys.executable, "-c", code], point, os.environ | keys | {"POINT": str(point)}):
            yield point


PEERS: dict[str, Mounter] = {"rclone": rclone_mount, "s3fs": s3fs_fuse, "fsspec": fsspec_fuse}


def _remote(store: SeaweedFS, endpoint: str) -> dict[str, str]:
    return {
        "type": "s3",
        "provider": "SeaweedFS",
        "endpoint": endpoint,
        "region": "us-east-1",
        "access_key_id": store.access_key,
        "secret_access_key": store.secret_key,
    }


@contextlib.contextmanager
def _folders() -> Iterator[tuple[Path, Path]]:
    with TemporaryDirectory(prefix="studios-bench-") as top:
        folder, point = Path(top, "own"), Path(top, "mounted")
        folder.mkdir(mode=0o700)
        point.mkdir()
        yield folder, point


@contextlib.contextmanager
def _running(command: list[str], point: Path, environment: dict[str, str]) -> Iterator[None]:
    program = Path(sys.executable).parent / command[0]  # rclone comes with a package of this environment
    if program.exists():
        command = [str(program), *command[1:]]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    said = threading.Thread(target=_drain, args=(process,), daemon=True)  # a full pipe would stop it
    said.start()
    try:
        deadline = time.monotonic() + READY_SECONDS
        while not point.is_mount():
            assert process.poll() is None, f"{command[0]} ended: {process.returncode}"
            assert time.monotonic() < deadline, f"{command[0]} did not mount within {READY_SECONDS} s"
            time.sleep(0.02)
        yield
    finally:
        subprocess.run(["fusermount3", "-u", "-z", str(point)], check=False)
        process.terminate()
        process.wait()


def _drain(process: subprocess.Popen[bytes]) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        if b"ERROR" in line or b"rror:" in line:
            sys.stderr.buffer.write(line)
