"""What goes wrong with mounts: stores and buckets that are gone, an rclone that is killed, keys that end, no FUSE."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web

from jupyterhub_studios.agent.mounts.rc import Rc
from jupyterhub_studios.models import Command, MountAccess, MountProfile, SessionKeys, new_id, now

from ..stores import SeaweedFS, running
from .harness import Studio, left_overs
from .test_mounts import (
    access,
    bucket,
    events,
    eventually,
    get,
    mounted_again,
    mounts,
    put,
    rclone_of,
    refresh,
    start_with_keys_that_end,
    status,
)

__all__ = ["bucket"]

pytestmark = pytest.mark.skipif(not Path("/dev/fuse").exists(), reason="needs FUSE")


@pytest.fixture
async def own_store() -> AsyncIterator[SeaweedFS]:
    """A store of the test's own, to be stopped."""
    with running() as store:
        yield store


async def test_an_rclone_that_is_killed_is_mounted_again_and_uploads(
    studio: Studio, seaweed: SeaweedFS, bucket: str
) -> None:
    session = await studio.start(mounts=mounts(access(seaweed, bucket, writable=True)))
    await session.ready()
    await session.sh("echo precious > /workspace/data/lake/result")
    os.kill(rclone_of(session), signal.SIGKILL)
    await mounted_again(session)
    assert any("signal 9" in said for said in events(session))
    assert (
        await session.sh("cat /workspace/data/lake/result /workspace/data/lake/readme.txt")
        == "precious\nhello"
    )
    await eventually(lambda: get(seaweed, bucket, "result") == b"precious\n")
    await session.stop()
    assert left_overs(studio.home) == ""


async def test_what_a_killed_rclone_would_lose_is_put_back(
    studio: Studio, seaweed: SeaweedFS, bucket: str
) -> None:
    session = await studio.start(mounts=mounts(access(seaweed, bucket, writable=True)))
    await session.ready()
    await session.sh(
        "cd /workspace/data/lake && mkdir new && echo precious > new/result && echo mine > readme.txt"
    )
    session.process.send_signal(signal.SIGSTOP)
    os.kill(rclone_of(session), signal.SIGKILL)
    records = session.folder / "mounts" / "lake" / "cache" / "vfsMeta" / "mount" / bucket
    for name in ("new/result", "readme.txt"):
        assert (records / name).exists()
        (records / name).write_text("")  # as an rclone leaves it that is killed while it closes a file
    session.process.send_signal(signal.SIGCONT)
    await mounted_again(session)
    assert await session.sh("cat /workspace/data/lake/new/result") == "precious\n"
    # The bucket has another readme.txt: it is nobody's to say which one is meant.
    assert await session.sh("cat /workspace/data/lake/readme.txt") == "hello"
    assert await session.sh("cat /workspace/not-uploaded/lake/readme.txt") == "mine\n"
    assert any("readme.txt could not be written" in said for said in events(session))
    await session.stop()
    assert await asyncio.to_thread(get, seaweed, bucket, "new/result") == b"precious\n"


@pytest.mark.slow
async def test_what_waits_at_the_end_is_uploaded_first(
    root_studio: Studio, seaweed: SeaweedFS, bucket: str
) -> None:
    session = await root_studio.start(mounts=mounts(access(seaweed, bucket, writable=True)))
    await session.ready()
    digest = await session.sh("head -c 1G /dev/urandom | tee /workspace/data/lake/big | sha256sum")
    await session.stop()
    body = await asyncio.to_thread(get, seaweed, bucket, "big")
    assert hashlib.sha256(body or b"").hexdigest() == digest.split()[0]
    told = [one.waiting_bytes for message in session.service.of("mounts") for one in message.mounts]
    assert max(told) == 1 << 30 and told[-1] == 0


async def test_what_cannot_be_uploaded_is_kept(root_studio: Studio, own_store: SeaweedFS) -> None:
    name = own_store.bucket()
    put(own_store, name, "deep/before", b"1")
    session = await root_studio.start(mounts=mounts(access(own_store, name, writable=True)))
    await session.ready()
    await session.sh("ls /workspace/data/lake/deep")
    await asyncio.to_thread(own_store.stop)
    await session.sh("echo precious > /workspace/data/lake/deep/result")
    # Nobody waits for the store with a machine that is taken away.
    session.process.send_signal(signal.SIGTERM)
    checkpoint = await session.stopped()
    assert any(
        "deep/result could not be written" in said and "not-uploaded/lake" in said for said in events(session)
    )
    again = await root_studio.start(checkpoint)
    await again.ready()
    assert await again.sh("cat /workspace/not-uploaded/lake/deep/result") == "precious\n"
    await again.stop()


async def test_a_store_that_is_away_for_a_while(root_studio: Studio, own_store: SeaweedFS) -> None:
    name = own_store.bucket()
    put(own_store, name, "far/away", b"1")
    session = await root_studio.start(mounts=mounts(access(own_store, name, writable=True)))
    await session.ready()
    await asyncio.to_thread(own_store.stop)
    # An error after a while, never a program that hangs for ever.
    async with asyncio.timeout(150):
        said = await session.sh("ls /workspace/data/lake/far", check=False)
    assert "Input/output error" in said, said
    await session.sh("echo patient > /workspace/data/lake/result")
    await session.service.wait(lambda m: any(one.failing_files for one in m.mounts), 120)
    await asyncio.to_thread(own_store.start)
    await session.stop()
    assert get(own_store, name, "result") == b"patient\n"


@pytest.mark.slow
async def test_a_stream_that_is_killed_and_cut_off(root_studio: Studio, own_store: SeaweedFS) -> None:
    name = own_store.bucket()
    body = os.urandom(100 << 20)
    put(own_store, name, "long", body)
    session = await root_studio.start(mounts=mounts(access(own_store, name, profile=MountProfile.STREAM)))
    await session.ready()
    os.kill(rclone_of(session), signal.SIGKILL)
    await mounted_again(session)
    digest = hashlib.sha256(body).hexdigest()
    assert (await session.sh("sha256sum < /workspace/data/lake/long")).split()[0] == digest
    put(own_store, name, "later", body)
    await refresh(session)
    await asyncio.to_thread(own_store.stop)
    async with asyncio.timeout(150):
        said = await session.sh("cat /workspace/data/lake/later > /dev/null", check=False)
    assert "Input/output error" in said, said
    await session.stop()
    assert left_overs(root_studio.home) == ""


@pytest.mark.slow
async def test_a_network_that_is_cut_during_a_write(root_studio: Studio, own_store: SeaweedFS) -> None:
    """Nobody answers any more, as if all packets were dropped. Then the network is back."""
    name = own_store.bucket()
    put(own_store, name, "far/away", b"1")
    session = await root_studio.start(mounts=mounts(access(own_store, name, writable=True)))
    await session.ready()
    digest = await session.sh(
        "cd /workspace/data/lake && head -c 30000000 /dev/urandom | tee big | sha256sum"
    )
    assert own_store.process is not None
    own_store.process.send_signal(signal.SIGSTOP)
    try:
        async with asyncio.timeout(180):
            said = await session.sh("ls /workspace/data/lake/far", check=False)
        assert "Input/output error" in said, said
        await session.service.wait(lambda m: any(one.failing_files for one in m.mounts), 180)
    finally:
        own_store.process.send_signal(signal.SIGCONT)
    await session.stop()
    body = await asyncio.to_thread(get, own_store, name, "big")
    assert hashlib.sha256(body or b"").hexdigest() == digest.split()[0]


@pytest.mark.slow
async def test_a_stop_does_not_wait_for_the_pause_before_the_next_try(
    root_studio: Studio, own_store: SeaweedFS
) -> None:
    """That is longer after each failure. See ``test_mount_draining`` for ten minutes of them."""
    name = own_store.bucket()
    session = await root_studio.start(mounts=mounts(access(own_store, name, writable=True)))
    await session.ready()
    await asyncio.to_thread(own_store.stop)
    await session.sh("echo patient > /workspace/data/lake/result")
    rc = Rc(str(session.folder / "mounts" / "lake" / "rc.sock"))
    async with asyncio.timeout(180):
        while not (waiting := [one for one in await rc.queue() if one.tries >= 3 and not one.uploading]):
            await asyncio.sleep(0.5)
    assert [one.name for one in waiting] == ["result"]
    failed = time.monotonic()
    await asyncio.to_thread(own_store.start)
    command = Command(id=new_id("co"), kind="stop", reason="asked by ada")
    await session.service.command(command)
    await eventually(lambda: get(own_store, name, "result") == b"patient\n", 35)
    assert time.monotonic() - failed < 35, "rclone itself tries after 40 seconds again"
    await session.stopped()


async def test_a_bucket_that_is_not_there_is_mounted_once_it_is(
    root_studio: Studio, seaweed: SeaweedFS
) -> None:
    name = f"late-{new_id('b')}"
    session = await root_studio.start(mounts=mounts(access(seaweed, name)))
    await session.ready()
    assert status(session).state == "failed" and "is not there" in status(session).message
    assert any("data/lake is not mounted" in said and "Data Explorer" in said for said in events(session))
    await asyncio.to_thread(seaweed.client().create_bucket, Bucket=name)
    put(seaweed, name, "here", b"1")
    await session.service.wait(lambda m: any(one.state == "mounted" for one in m.mounts), 90)
    assert await session.sh("ls /workspace/data/lake") == "here\n"
    await session.stop()


async def test_a_bucket_that_goes_away_is_told(root_studio: Studio, seaweed: SeaweedFS, bucket: str) -> None:
    session = await root_studio.start(mounts=mounts(access(seaweed, bucket)))
    await session.ready()
    client = seaweed.client()
    for key in ("genomes/hg38.fa", "readme.txt"):
        client.delete_object(Bucket=bucket, Key=key)
    client.delete_bucket(Bucket=bucket)
    command = Command(id=new_id("co"), kind="refresh", mount="lake")
    await session.service.command(command)
    answer = await session.service.wait(lambda m: m.request == command.id)
    assert answer.kind == "failed" and "is not there" in answer.message
    await session.stop()


@pytest.mark.parametrize("profile", MountProfile)
async def test_a_refresh_shows_what_others_wrote(
    root_studio: Studio, seaweed: SeaweedFS, bucket: str, profile: MountProfile
) -> None:
    session = await root_studio.start(mounts=mounts(access(seaweed, bucket, profile=profile)))
    await session.ready()
    assert await session.sh("ls /workspace/data/lake") == "genomes\nreadme.txt\n"
    before = status(session).listed_at
    put(seaweed, bucket, "new", b"1")
    command = Command(id=new_id("co"), kind="refresh", mount="lake")
    await session.service.command(command)
    answer = await session.service.wait(lambda m: m.request == command.id)
    assert answer.mounts[0].listed_at and answer.mounts[0].listed_at > before
    assert await session.sh("sleep 1.1; ls /workspace/data/lake") == "genomes\nnew\nreadme.txt\n"
    await session.stop()


async def test_keys_that_end_are_fetched_anew(root_studio: Studio, seaweed: SeaweedFS, bucket: str) -> None:
    good = access(seaweed, bucket, expires_at=now() + timedelta(hours=1))
    bad = good.model_copy(
        update={
            "keys": SessionKeys(access_key_id="ended", secret_access_key="ended"),
            "expires_at": now() + timedelta(seconds=6),
        }
    )
    session = await root_studio.prepare(mounts=mounts(bad))
    session.mounts = [good]
    started = await root_studio.launch(session)
    await started.ready()
    assert status(started).state == "failed" and "credential" in status(started).message
    await started.service.wait(lambda m: any(one.state == "mounted" for one in m.mounts), 90)
    assert started.service.renewals == [["lake"]]
    assert await started.sh("cat /workspace/data/lake/readme.txt") == "hello"
    # Nothing secret is where processes can be looked at.
    process = Path("/proc", str(rclone_of(started)))
    for file in ("cmdline", "environ"):
        assert seaweed.secret_key.encode() not in (process / file).read_bytes()
    await started.stop()


async def test_keys_are_replaced_in_use(root_studio: Studio, seaweed: SeaweedFS) -> None:
    """What is mounted stays mounted, and asks with the new keys."""
    used: list[str] = []
    async with listing(3, used) as endpoint:

        def given(key: str, seconds: float) -> MountAccess:
            one = access(seaweed, "huge", expires_at=now() + timedelta(seconds=seconds))
            one.options |= {"endpoint": endpoint, "list_version": "2"}
            keys = SessionKeys(access_key_id=key, secret_access_key="s", session_token="t")
            return one.model_copy(update={"keys": keys})

        session = await start_with_keys_that_end(root_studio, given)
        before = rclone_of(session)
        await eventually(lambda: session.service.renewals)
        assert set(used) == {"FIRST"}
        await refresh(session)
        assert used[-1] == "SECOND" and rclone_of(session) == before
        await session.stop()


async def test_where_there_is_no_fuse_the_studio_starts_without(
    root_studio: Studio, seaweed: SeaweedFS, bucket: str
) -> None:
    shims = root_studio.home / "shims"
    shims.mkdir()
    shim = shims / "fusermount3"
    shim.write_text("#!/bin/sh\necho 'fusermount3: mount failed: Operation not permitted' >&2\nexit 1\n")
    shim.chmod(0o755)
    root_studio.environment["PATH"] = f"{shims}:{os.environ['PATH']}"
    session = await root_studio.start(mounts=mounts(access(seaweed, bucket)))
    await session.ready()
    assert status(session).state == "failed" and "FUSE" in status(session).message
    assert any("fsspec still reach the data" in said for said in events(session))
    await session.stop()


async def test_a_refused_mount_says_why(root_studio: Studio, seaweed: SeaweedFS, bucket: str) -> None:
    refused = access(seaweed, bucket, "gone", refusal="The data link is gone.")
    session = await root_studio.start(mounts=mounts(refused, access(seaweed, bucket)))
    await session.ready()
    assert status(session, "gone").message == "The data link is gone."
    assert await session.sh("cat /workspace/data/lake/readme.txt") == "hello"
    await session.stop()


async def test_links_in_the_studios_files_lead_nowhere(
    root_studio: Studio, seaweed: SeaweedFS, bucket: str
) -> None:
    """A session that puts a link where mounts go must not make the agent work on the machine's own folders."""
    target = root_studio.home / "target"
    target.mkdir(mode=0o777)
    first = await root_studio.start()
    await first.ready()
    await first.sh(f"ln -s {target} /workspace/data")
    checkpoint = await first.stop()
    session = await root_studio.start(checkpoint, mounts=mounts(access(seaweed, bucket)))
    await session.ready()
    assert (
        status(session).state == "failed"
        and "“data” in the studio's files is no folder" in status(session).message
    )
    assert list(target.iterdir()) == []
    await session.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, for a disk of its own")
async def test_a_full_disk_is_told_to_who_writes(
    root_studio: Studio, seaweed: SeaweedFS, bucket: str
) -> None:
    """What does not fit into the cache is an error of the program that writes, and what fits gets into the bucket."""
    disk = root_studio.home / "scratch"
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=96m", "none", disk], check=True)
    try:
        session = await root_studio.start(mounts=mounts(access(seaweed, bucket, writable=True)))
        await session.ready()
        said = await session.sh(
            "dd if=/dev/zero of=/workspace/data/lake/huge bs=1M count=200 2>&1", check=False
        )
        assert "No space left on device" in said or "Input/output error" in said, said
        await session.sh("rm -f /workspace/data/lake/huge; echo small > /workspace/data/lake/small")
        await session.stop()
        assert get(seaweed, bucket, "small") == b"small\n"
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)


async def test_a_folder_with_200000_entries(root_studio: Studio, seaweed: SeaweedFS) -> None:
    """From a store that makes its listing up: to fill one takes minutes."""
    async with listing(200_000) as endpoint:
        huge = access(seaweed, "huge")
        huge.options |= {"endpoint": endpoint, "list_version": "2"}
        session = await root_studio.start(mounts=mounts(huge))
        await session.ready()
        assert await session.sh("ls -f /workspace/data/lake | wc -l") == "200002\n"
        assert await session.sh("stat -c %s /workspace/data/lake/file-199999") == "7\n"
        await session.stop()


@contextlib.asynccontextmanager
async def listing(count: int, used: list[str] | None = None) -> AsyncIterator[str]:
    """A store with one bucket of ``count`` objects, which can be listed and no more. ``used``: gets the keys."""

    async def answer(request: web.Request) -> web.Response:
        if used is not None:
            used.append(request.headers["Authorization"].partition("Credential=")[2].partition("/")[0])
        start = int(request.query.get("continuation-token", "0"))
        end = min(start + 1000, count)
        objects = "".join(
            f"<Contents><Key>file-{n:06}</Key><LastModified>2026-11-01T00:00:00.000Z</LastModified>"
            f"<ETag>&quot;{n:032x}&quot;</ETag><Size>7</Size><StorageClass>STANDARD</StorageClass></Contents>"
            for n in range(start, end)
        )
        following = f"<NextContinuationToken>{end}</NextContinuationToken>" if end < count else ""
        return web.Response(
            content_type="application/xml",
            text=f"<ListBucketResult><Name>huge</Name><KeyCount>{end - start}</KeyCount><MaxKeys>1000</MaxKeys>"
            f"<IsTruncated>{str(end < count).lower()}</IsTruncated>{following}{objects}</ListBucketResult>",
        )

    app = web.Application()
    app.router.add_get("/huge", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
