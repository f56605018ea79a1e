"""Read-only mounts of S3 by Mountpoint for Amazon S3, where the service wants it.

The real ``mount-s3`` was not run: no package registry has it. A stand-in (:mod:`.mount_s3`) takes what Mountpoint's
documentation says it takes, and nothing else, and has rclone serve a real store.
"""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import signal
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from jupyterhub_studios.agent.mounts import mountpoint, rclone
from jupyterhub_studios.agent.mounts.driving import MountS3, Silent, words
from jupyterhub_studios.agent.mounts.keys import KeyServer
from jupyterhub_studios.models import MountAccess, SessionKeys, now

from ..stores import SeaweedFS
from . import mount_s3
from .harness import Session, Studio, left_overs
from .test_mount_faults import listing
from .test_mounts import (
    access,
    bucket,
    events,
    eventually,
    mounted_again,
    mounts,
    put,
    refresh,
    start_with_keys_that_end,
    status,
)

__all__ = ["bucket"]

KEYS = SessionKeys(access_key_id="AKEXAMPLE", secret_access_key="not-the-secret")
ROOM = rclone.Limits(size=3 << 30, keep_free=0)
needs_fuse = pytest.mark.skipif(not Path("/dev/fuse").exists(), reason="needs FUSE")


def wanted(**fields: Any) -> MountAccess:
    given: dict[str, Any] = {
        "name": "lake", "url": "s3://lake/", "mounter": "mount-s3", "remote": "lake/", "keys": KEYS,
        "options": {"type": "s3", "provider": "AWS", "region": "eu-west-1"},
    }  # fmt: skip
    return MountAccess.model_validate(given | fields)


# --- what it is given -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, {"region": "eu-west-1", "prefix": None, "endpoint_url": None, "no_sign_request": False}),
        ({"remote": "lake/raw/in/"}, {"bucket": "lake", "prefix": "raw/in/"}),
        ({"remote": "lake/raw"}, {"prefix": "raw/"}),
        ({"keys": None}, {"no_sign_request": True}),
        (
            {"options": {"region": "eu", "endpoint": "https://minio.example.org"}},
            {"region": "eu", "endpoint_url": "https://minio.example.org", "force_path_style": True},
        ),
    ],
)
def test_what_mountpoint_is_told(tmp_path: Path, fields: dict[str, Any], expected: dict[str, Any]) -> None:
    place = rclone.Place(tmp_path, tmp_path / "fuse")
    arguments = mountpoint.arguments(wanted(**fields), place, ROOM, others=True)
    always = {
        "bucket": "lake", "point": str(place.point), "foreground": True, "read_only": True, "metadata_ttl": "60",
        "cache": str(place.cache), "max_cache_size": 3072, "allow_other": True,
    }  # fmt: skip
    told = vars(mount_s3.parse(arguments))
    assert {name: told[name] for name in always | expected} == always | expected
    assert not {"AKEXAMPLE", "not-the-secret"} & set(" ".join(arguments).split())


def test_others_look_in_only_where_they_may(tmp_path: Path) -> None:
    place = rclone.Place(tmp_path, tmp_path / "fuse")
    assert not mount_s3.parse(mountpoint.arguments(wanted(), place, ROOM, others=False)).allow_other


def test_the_machines_own_rights_and_settings_stay_outside() -> None:
    base = {
        "PATH": "/bin", "AWS_PROFILE": "admin", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/role",
        "MOUNTPOINT_LOG": "trace", "UNSTABLE_MOUNTPOINT_PID_FILE": "/tmp/pid", "SSL_CERT_FILE": "/certificates",
    }  # fmt: skip
    found = mountpoint.environment(base, "http://127.0.0.1:1/lake", "token")
    assert found == {
        "PATH": "/bin",
        "SSL_CERT_FILE": "/certificates",
        "AWS_CA_BUNDLE": "/certificates",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:1/lake",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": "token",
    }


@pytest.mark.parametrize(
    ("said", "why", "meant"),
    [
        (
            ["Error: Failed to create S3 client", "", "Caused by:", "0: Service error", "1: The bucket does not exist"],
            "The bucket does not exist",
            "the bucket or folder is not there",
        ),
        (["Caused by:", "1: Forbidden: Access Denied"], "Forbidden: Access Denied", "the store refuses"),
        (["2: CRT error 1047: aws-c-io: AWS_IO_SOCKET_TIMEOUT"], "CRT error 1047", "cannot be reached"),
        (
            ["Error: Failed to create FUSE session", "", "Caused by:", "fusermount3: mount failed"],
            "Failed to create FUSE session: fusermount3: mount failed",
            "FUSE",
        ),
        ([], "", ""),
    ],
)  # fmt: skip
def test_what_it_says_in_the_end(said: list[str], why: str, meant: str) -> None:
    found = mountpoint.last_words(said)
    assert found.startswith(why) and meant in words(found)


@pytest.mark.parametrize("expires_at", [None, now() + timedelta(minutes=7)])
async def test_keys_say_when_to_ask_again(expires_at: datetime | None) -> None:
    """Mountpoint refuses those that do not, so also keys without an end name one. An empty session token is none."""
    server = KeyServer()
    await server.start()
    try:
        server.put(wanted(expires_at=expires_at))
        url, token = server.place("lake")
        async with aiohttp.ClientSession() as client:
            async with client.get(url, headers={"Authorization": token}) as answer:
                document = await answer.json()
            async with client.get(url, headers={"Authorization": "another"}) as answer:
                assert answer.status == 403
    finally:
        await server.stop()
    assert set(document) == {"AccessKeyId", "SecretAccessKey", "Expiration"}
    end = datetime.fromisoformat(document["Expiration"])
    assert abs(end - (expires_at or now() + timedelta(hours=1))) < timedelta(seconds=5)


async def test_a_folder_that_hangs_is_told_and_holds_nobody_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also the second time, while the first look still hangs."""
    reader, writer = os.pipe()
    driver = MountS3(rclone.Place(tmp_path, tmp_path), ROOM)
    monkeypatch.setattr(driver, "_stat", lambda: os.read(reader, 1))
    monkeypatch.setattr("jupyterhub_studios.agent.mounts.driving.ANSWER_SECONDS", 0.1)
    try:
        for _ in range(2):
            with pytest.raises(Silent, match="did not answer"):
                await driver.look()
    finally:
        os.close(writer)
        driver.close()


async def test_a_folder_that_cannot_be_listed_is_told(tmp_path: Path) -> None:
    driver = MountS3(rclone.Place(tmp_path, tmp_path / "gone"), ROOM)
    driver.said.append(
        "WARN mountpoint_s3_fs::fuse: readdirplus failed with errno 5: Client error: Forbidden: denied"
    )
    assert (await driver.look()).trouble == "the store refuses the data link's credential"
    driver.close()


# --- in a session -----------------------------------------------------------------------------------


@dataclass
class Installed:
    """The stand-in on the path of a studio's agent."""

    record: Path

    def given(self) -> tuple[list[str], dict[str, str]]:
        document = json.loads(self.record.read_text())
        return document["arguments"], document["environment"]


@pytest.fixture
def installed(root_studio: Studio) -> Installed:
    shims = root_studio.home / "shims"
    shims.mkdir()
    record = shims / "record.json"
    program = shims / mountpoint.PROGRAM
    program.write_text(
        f'#!/bin/sh\nexec {shlex.join([sys.executable, mount_s3.__file__, str(record)])} "$@"\n'
    )
    program.chmod(0o755)
    root_studio.environment["PATH"] = f"{shims}:{os.environ['PATH']}"
    return Installed(record)


def process_of(session: Session, name: str = "lake") -> int:
    """Of what mounts it: the stand-in has become an rclone by then."""
    point = str(session.folder / "mounts" / name / "fuse")
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                found = os.fsencode(point) in (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if found:
                return int(entry.name)
    raise AssertionError("nothing mounts it")


@needs_fuse
async def test_it_mounts_what_is_read_only(
    root_studio: Studio, installed: Installed, seaweed: SeaweedFS, bucket: str
) -> None:
    read = access(seaweed, bucket, mounter="mount-s3", prefix="genomes/")
    session = await root_studio.start(mounts=mounts(read, access(seaweed, bucket, "out", writable=True)))
    await session.ready()
    assert await session.sh("cd /workspace/data && cat lake/hg38.fa && echo 1 > out/new") == ">chr1\nACGT\n"
    assert "Read-only file system" in await session.sh("touch /workspace/data/lake/new", check=False)
    arguments, environment = installed.given()
    assert "--prefix=genomes/" in arguments and "AWS_CONTAINER_AUTHORIZATION_TOKEN" in environment
    assert seaweed.secret_key not in json.dumps([arguments, environment])
    assert not [said for said in events(session) if "is mounted by" in said]
    before = status(session).listed_at
    put(seaweed, bucket, "genomes/new", b"1")
    answer = await refresh(session)
    assert next(one for one in answer.mounts if one.name == "lake").listed_at > before
    assert await session.sh("ls /workspace/data/lake") == "hg38.fa\nnew\n"
    await session.stop()
    assert left_overs(root_studio.home) == ""


@needs_fuse
async def test_where_it_is_not_installed_rclone_mounts(
    root_studio: Studio, seaweed: SeaweedFS, bucket: str
) -> None:
    session = await root_studio.start(mounts=mounts(access(seaweed, bucket, mounter="mount-s3")))
    await session.ready()
    assert await session.sh("cat /workspace/data/lake/readme.txt") == "hello"
    assert [said for said in events(session) if "is mounted by rclone: mount-s3" in said]
    await session.stop()


@needs_fuse
async def test_it_fetches_the_keys_that_are_renewed(root_studio: Studio, installed: Installed) -> None:
    used: list[str] = []
    async with listing(3, used) as endpoint:

        def given(key: str, seconds: float) -> MountAccess:
            keys = SessionKeys(access_key_id=key, secret_access_key="s", session_token="t")
            end = now() + timedelta(seconds=seconds)
            options = {"type": "s3", "region": "us-east-1", "endpoint": endpoint}
            return wanted(url="s3://huge/", remote="huge/", options=options, keys=keys, expires_at=end)

        session = await start_with_keys_that_end(root_studio, given)
        before = process_of(session)
        await eventually(lambda: session.service.renewals)
        assert set(used) == {"FIRST"}

        async def renewed() -> bool:
            await refresh(session)
            return used[-1] == "SECOND"

        async with asyncio.timeout(30):
            while not await renewed():
                await asyncio.sleep(1)
        assert process_of(session) == before
        await session.stop()


@needs_fuse
async def test_one_that_is_killed_is_mounted_again(
    root_studio: Studio, installed: Installed, seaweed: SeaweedFS, bucket: str
) -> None:
    session = await root_studio.start(mounts=mounts(access(seaweed, bucket, mounter="mount-s3")))
    await session.ready()
    os.kill(process_of(session), signal.SIGKILL)
    await mounted_again(session)
    assert await session.sh("cat /workspace/data/lake/readme.txt") == "hello"
    await session.stop()
    assert left_overs(root_studio.home) == ""


@needs_fuse
async def test_one_that_hangs_is_told_and_can_be_stopped(
    root_studio: Studio, installed: Installed, seaweed: SeaweedFS, bucket: str
) -> None:
    session = await root_studio.start(mounts=mounts(access(seaweed, bucket, mounter="mount-s3")))
    await session.ready()
    os.kill(process_of(session), signal.SIGSTOP)
    await session.service.wait(lambda m: any("does not answer" in one.message for one in m.mounts))
    await session.stop()
    assert left_overs(root_studio.home) == ""


@needs_fuse
@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"keys": SessionKeys(access_key_id="no", secret_access_key="no")}, "refuses the data link's credential"),
        ({"remote": "no-such-bucket/"}, "the bucket or folder is not there"),
    ],
    ids=["keys", "bucket"],
)  # fmt: skip
async def test_what_it_cannot_mount_is_told(
    root_studio: Studio,
    installed: Installed,
    seaweed: SeaweedFS,
    bucket: str,
    fields: dict[str, Any],
    why: str,
) -> None:
    session = await root_studio.start(mounts=mounts(access(seaweed, bucket, mounter="mount-s3", **fields)))
    await session.ready()
    assert status(session).state == "failed" and why in status(session).message, status(session).message
    await session.stop()
