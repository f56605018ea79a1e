"""Mounts on Azure, Google Cloud and folders, with the remotes and credentials that the service makes for them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from jupyterhub_studios.models import CredentialSpec, LinkView, MountAccess, Provider, now
from jupyterhub_studios.service.mounts import minting, remotes

from ..explorer.stores import Place, Server, running_azurite, running_gcs
from .harness import Studio
from .test_mounts import mounts, rclone_of

pytestmark = pytest.mark.skipif(not Path("/dev/fuse").exists(), reason="needs FUSE")

SCHEMES = {Provider.AZURE: "az", Provider.GCS: "gs", Provider.FOLDER: "file"}


def link(provider: Provider, bucket: str, prefix: str) -> LinkView:
    given: dict[str, Any] = {
        "id": "dl-1", "name": "Lake", "description": "", "provider": provider,
        "url": f"{SCHEMES[provider]}://{bucket}/{prefix}", "bucket": bucket, "prefix": prefix, "region": None,
        "endpoint": None, "source": "added", "owner": "ada", "workspace": None, "workspace_role": None,
        "credential": "mine", "role": "write", "writable": True, "why": "",
    }  # fmt: skip
    return LinkView.model_validate(given)


async def access(seen: LinkView, spec: CredentialSpec | None, *, writable: bool = True) -> MountAccess:
    """As ``service.mounts.core`` puts it together."""
    place = minting.Place(
        seen.provider, seen.bucket, seen.prefix, seen.region, writable, now() + timedelta(hours=1)
    )
    issued = await minting.issue(spec, place)
    return MountAccess(
        name="lake",
        url=seen.url,
        writable=writable,
        remote=remotes.remote(seen, ""),
        options=remotes.options(seen, spec) | issued.options,
        keys=issued.keys,
        expires_at=issued.expires_at,
    )


async def put(place: Place, key: str, body: bytes) -> None:
    backend = await place.open()
    try:
        await backend.put(key, body, replace=True)
    finally:
        await backend.close()


@pytest.mark.parametrize("running", [running_azurite, running_gcs])
async def test_a_bucket_of_another_cloud(
    root_studio: Studio, running: Callable[[], AbstractContextManager[Server]]
) -> None:
    with running() as server:
        place = server.place()
        await put(place, "raw/in.txt", b"hello")
        seen = link(place.provider, place.bucket, "raw/")
        session = await root_studio.start(mounts=mounts(await access(seen, place.spec)))
        await session.ready()
        assert (
            await session.sh("cd /workspace/data/lake && cat in.txt && mkdir new && echo out > new/out.txt")
            == "hello"
        )
        await session.stop()
        read = await root_studio.start(mounts=mounts(await access(seen, place.spec, writable=False)))
        await read.ready()
        assert await read.sh("cat /workspace/data/lake/new/out.txt") == "out\n"
        assert "Read-only" in await read.sh("rm /workspace/data/lake/in.txt", check=False)
        await read.stop()


async def test_a_sas_for_reading_writes_nothing(root_studio: Studio) -> None:
    """Read-only is not only rclone's word: the signature itself allows no more."""
    with running_azurite() as server:
        place = server.place()
        await put(place, "in.txt", b"hello")
        narrow = await access(link(place.provider, place.bucket, ""), place.spec, writable=False)
        session = await root_studio.start(mounts=mounts(narrow.model_copy(update={"writable": True})))
        await session.ready()
        await session.sh("echo x > /workspace/data/lake/new.txt")
        await session.service.wait(lambda m: any(one.failing_files for one in m.mounts), 90)
        await session.kill()


async def test_a_folder_of_the_machine(root_studio: Studio) -> None:
    folder = root_studio.home / "reference"
    folder.mkdir()
    (folder / "hg38.fa").write_text("ACGT\n")
    (folder / "out").symlink_to("/etc")
    session = await root_studio.start(
        mounts=mounts(await access(link(Provider.FOLDER, str(folder), ""), None))
    )
    await session.ready()
    assert await session.sh("ls /workspace/data/lake; cat /workspace/data/lake/hg38.fa") == "hg38.fa\nACGT\n"
    await session.sh("echo new > /workspace/data/lake/new")
    await session.stop()
    assert (folder / "new").read_text() == "new\n"


@pytest.mark.slow
async def test_a_token_that_ends_is_replaced_in_use(root_studio: Studio) -> None:
    """What is mounted stays mounted: rclone reads the new token from its configuration."""
    with running_gcs() as server:
        place = server.place()
        await put(place, "early/in.txt", b"hello")
        await put(place, "late/in.txt", b"hello")
        seen = link(place.provider, place.bucket, "")

        def given(seconds: float) -> MountAccess:
            issued = minting.token("t", now() + timedelta(seconds=seconds))
            return MountAccess(
                name="lake",
                url=seen.url,
                remote=remotes.remote(seen, ""),
                options=remotes.options(seen, place.spec) | issued.options,
                expires_at=issued.expires_at,
            )

        service = await root_studio.prepare(mounts=mounts(given(30)))
        service.mounts = [given(3600)]
        session = await root_studio.launch(service)
        await session.ready()
        before = rclone_of(session)
        await session.sh("ls /workspace/data/lake/early; sleep 31")
        assert await session.sh("cat /workspace/data/lake/late/in.txt") == "hello"
        assert service.renewals == [["lake"]] and rclone_of(session) == before
        await session.stop()
