"""Buckets as folders in a session: the real agent and rclone, on a real store."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jupyterhub_studios.models import AgentMessage, Command, MountAccess, MountProfile, SessionKeys, new_id

from ..stores import SeaweedFS
from .harness import Session, Studio, left_overs

pytestmark = pytest.mark.skipif(not Path("/dev/fuse").exists(), reason="needs FUSE")


def access(store: SeaweedFS, bucket: str, name: str = "lake", **fields: Any) -> MountAccess:
    """Of ``bucket``, as the service gives it for a store without an STS."""
    prefix = fields.pop("prefix", "")
    options = {
        "type": "s3", "provider": "Other", "endpoint": store.endpoint, "region": "us-east-1",
        "force_path_style": "true", "no_check_bucket": "true", "directory_markers": "true",
    }  # fmt: skip
    keys = SessionKeys(access_key_id=store.access_key, secret_access_key=store.secret_key)
    given: dict[str, Any] = {
        "name": name, "url": f"s3://{bucket}/{prefix}", "remote": f"{bucket}/{prefix}", "options": options,
        "keys": keys,
    }  # fmt: skip
    return MountAccess.model_validate(given | fields)


def mounts(*wanted: MountAccess) -> list[dict[str, Any]]:
    return [one.model_dump(mode="json") for one in wanted]


@pytest.fixture
def bucket(seaweed: SeaweedFS) -> str:
    name = seaweed.bucket()
    put(seaweed, name, "genomes/hg38.fa", b">chr1\nACGT\n")
    put(seaweed, name, "readme.txt", b"hello")
    return name


def put(store: SeaweedFS, bucket: str, key: str, body: bytes) -> None:
    store.client().put_object(Bucket=bucket, Key=key, Body=body)


def get(store: SeaweedFS, bucket: str, key: str) -> bytes | None:
    client = store.client()
    try:
        body: bytes = client.get_object(Bucket=bucket, Key=key)["Body"].read()
    except client.exceptions.NoSuchKey:
        return None
    return body


def status(session: Session, name: str = "lake") -> Any:
    """How the mount is, as told last."""
    told = session.service.of("mounts")
    return next(one for one in told[-1].mounts if one.name == name)


def events(session: Session) -> list[str]:
    return [one.event.message for one in session.service.of("event") if one.event]


async def eventually(check: Callable[[], Any], seconds: float = 60.0) -> None:
    async with asyncio.timeout(seconds):
        while not await asyncio.to_thread(check):
            await asyncio.sleep(0.1)


def rclone_of(session: Session, name: str = "lake") -> int:
    """Its process."""
    point = str(session.folder / "mounts" / name)
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if words[0].endswith(b"rclone") and any(os.fsdecode(word).startswith(point) for word in words):
                return int(entry.name)
    raise AssertionError("no rclone runs")


async def mounted_again(session: Session) -> None:
    await session.service.wait(
        lambda m: bool(m.event and "is mounted again" in m.event.message and m.event.level == "info")
    )


async def start_with_keys_that_end(studio: Studio, given: Callable[[str, float], MountAccess]) -> Session:
    """A session with the keys FIRST, which are replaced by SECOND when they end. ``given``: keys, and their seconds."""
    service = await studio.prepare(mounts=mounts(given("FIRST", 8)))
    service.mounts = [given("SECOND", 3600)]
    session = await studio.launch(service)
    await session.ready()
    return session


async def test_a_bucket_is_a_folder(studio: Studio, seaweed: SeaweedFS, bucket: str) -> None:
    session = await studio.start(mounts=mounts(access(seaweed, bucket, writable=True)))
    await session.ready()
    assert await session.sh("cat /workspace/data/lake/genomes/hg38.fa") == ">chr1\nACGT\n"
    await session.sh(
        "mkdir /workspace/data/lake/out && echo done > /workspace/data/lake/out/result && echo own > /workspace/own"
    )
    phase = next(
        m.phase
        for m in session.service.of("phase")
        if m.phase and m.phase.name == "data" and m.phase.status == "done"
    )
    assert phase.message == "lake: mounted for writing"
    checkpoint = await session.stop()
    assert get(seaweed, bucket, "out/result") == b"done\n"
    assert left_overs(studio.home) == ""
    # What is in the bucket is in no checkpoint; what is beside it, is.
    again = await studio.start(checkpoint)
    await again.ready()
    assert await again.sh("ls /workspace/data/lake; cat /workspace/own") == "own\n"
    await again.stop()


@pytest.mark.parametrize("profile", MountProfile)
async def test_a_read_only_mount_says_so(
    root_studio: Studio, seaweed: SeaweedFS, bucket: str, profile: MountProfile
) -> None:
    session = await root_studio.start(mounts=mounts(access(seaweed, bucket, profile=profile)))
    await session.ready()
    said = await session.sh("echo x > /workspace/data/lake/new", check=False)
    assert "Read-only file system" in said
    assert status(session).state == "mounted"
    await session.stop()
    assert get(seaweed, bucket, "new") is None


async def test_a_folder_of_a_link(root_studio: Studio, seaweed: SeaweedFS, bucket: str) -> None:
    session = await root_studio.start(
        mounts=mounts(access(seaweed, bucket, "hg", prefix="genomes/", profile="stream"))
    )
    await session.ready()
    assert await session.sh("ls /workspace/data/hg") == "hg38.fa\n"
    await session.stop()


async def test_mounts_of_a_home_alone(home_studio: Studio, seaweed: SeaweedFS, bucket: str) -> None:
    session = await home_studio.start(mounts=mounts(access(seaweed, bucket, writable=True)))
    await session.ready()
    assert await session.sh("cat $HOME/data/lake/readme.txt") == "hello"
    await session.sh("echo saved > $HOME/own; echo new > $HOME/data/lake/new")
    checkpoint = await session.save("now")
    assert checkpoint.size < 100_000
    last = await session.stop()
    assert get(seaweed, bucket, "new") == b"new\n"
    assert left_overs(home_studio.home) == ""
    again = await home_studio.start(last)
    await again.ready()
    assert await again.sh("cat $HOME/own; ls $HOME/data/lake 2>/dev/null", check=False) == "saved\n"
    await again.stop()


async def test_a_pipelines_work_dir_is_seen_as_it_grows(
    root_studio: Studio, seaweed: SeaweedFS, bucket: str
) -> None:
    """The files that a task leaves appear through a link to the mounted bucket, and programs are told its path."""
    session = await root_studio.start(
        mounts=mounts(access(seaweed, bucket)), environment={"NXF_WORK": f"s3://{bucket}/work"}
    )
    await session.ready()
    assert (
        await session.sh("echo $NXF_WORK_PATH; ln -s $NXF_WORK_PATH /workspace/runs")
        == "/workspace/data/lake/work\n"
    )
    for number, file in enumerate((".command.sh", ".command.err", ".exitcode")):
        put(seaweed, bucket, f"work/3f/a1/{file}", b"x")
        await refresh(session)
        found = await session.sh("sleep 1.1; ls -A /workspace/runs/3f/a1")
        assert len(found.split()) == number + 1 and file in found
    await session.stop()


async def refresh(session: Session, name: str = "lake") -> AgentMessage:
    command = Command(id=new_id("co"), kind="refresh", mount=name)
    await session.service.command(command)
    return await session.service.wait(lambda m: m.request == command.id)
