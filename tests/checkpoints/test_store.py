"""The store itself: conditions, files in parts, errors that tell enough and no secret."""

from __future__ import annotations

import asyncio
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from jupyterhub_studios.checkpoints import Store
from jupyterhub_studios.checkpoints.store import PART, Conflict, Version
from jupyterhub_studios.models import StudiosError

from ..stores import SeaweedFS


async def test_documents(store: Store) -> None:
    assert await store.get("a/doc") is None
    first = await store.create("a/doc", b"1")
    assert await store.get("a/doc") == (b"1", first)
    with pytest.raises(Conflict):
        await store.create("a/doc", b"2")
    second = await store.replace("a/doc", b"2", first)
    with pytest.raises(Conflict):
        await store.replace("a/doc", b"3", first)
    assert await store.get("a/doc") == (b"2", second)
    with pytest.raises(Conflict):
        await store.replace("a/none", b"3", second)
    assert [(found.key, found.size) for found in await store.list("a/")] == [("a/doc", 1)]
    await store.delete(["a/doc", "a/none"])
    await store.delete([])
    assert await store.list("a/") == []


async def test_one_writer_wins(store: Store) -> None:
    created = await asyncio.gather(
        *(store.create("doc", b"%d" % n) for n in range(10)), return_exceptions=True
    )
    won = [version for version in created if isinstance(version, Version)]
    assert len(won) == 1
    replaced = await asyncio.gather(
        *(store.replace("doc", b"next %d" % n, won[0]) for n in range(10)), return_exceptions=True
    )
    assert sum(isinstance(version, Version) for version in replaced) == 1


async def test_own_write_is_recognised(store: Store) -> None:
    """A request that is repeated because its answer got lost is no conflict."""
    version = await store.create("doc", b"mine, and nobody else's")
    assert await store.create("doc", b"mine, and nobody else's") == version


async def test_one_writer_of_many_processes_wins(folder_store: Store, tmp_path: Path) -> None:
    """A folder's lock also holds between processes."""
    await folder_store.create("count", b"0")
    script = (
        "import asyncio, sys\n"
        "from jupyterhub_studios.checkpoints.store import Conflict, Store\n"
        "async def main(store):\n"
        "    done = 0\n"
        "    while done < 40:\n"
        "        data, version = await store.get('count')\n"
        "        try:\n"
        "            await store.replace('count', b'%d' % (int(data) + 1), version)\n"
        "            done += 1\n"
        "        except Conflict:\n"
        "            pass\n"
        "asyncio.run(main(Store.open(sys.argv[1])))\n"
    )
    processes = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", script, f"file://{tmp_path}/bucket")
        for _ in range(3)
    ]
    assert [await process.wait() for process in processes] == [0, 0, 0]
    assert (await folder_store.get("count") or (b"", None))[0] == b"120"


@pytest.mark.parametrize("size", [0, 1, PART, 3 * PART + 17])
async def test_files(store: Store, tmp_path: Path, size: int) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(os.urandom(size))
    await store.put_file("layers/x", source)
    assert await store.size("layers/x") == size
    steps: list[int] = []
    digest = await store.fetch("layers/x", target, size, steps.append)
    assert digest == hashlib.sha256(source.read_bytes()).hexdigest()
    assert target.read_bytes() == source.read_bytes() and sum(steps) == size


async def test_missing_file(store: Store, tmp_path: Path) -> None:
    assert await store.size("layers/none") is None
    assert await store.fetch("layers/none", tmp_path / "target", 10) is None


async def test_check(store: Store) -> None:
    await store.check()
    assert await store.list("check/") == []


async def test_errors_of_a_bucket(seaweed: SeaweedFS) -> None:
    bucket = seaweed.bucket()
    wrong = seaweed.options | {"secret_access_key": "not-the-secret-key"}
    away = seaweed.options | {"endpoint": "http://127.0.0.1:9"}
    for url, options, told in (
        ("s3://no-such-bucket/work", seaweed.options, "bucket does not exist"),
        (f"s3://{bucket}/work", wrong, "access was denied"),
        (f"s3://{bucket}/work", away, "server does not answer"),
        (f"s3://{bucket}/work", {"nonsense": "not-the-secret-key"}, "options are not understood"),
        ("ftp://somewhere/work", {}, "options are not understood"),
    ):
        with pytest.raises(StudiosError, match=f"(?i){told}") as error:
            await Store.open(url, options).check()
        for secret in (seaweed.access_key, seaweed.secret_key, "not-the-secret-key"):
            assert secret not in str(error.value)
        assert url in str(error.value)


async def test_errors_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StudiosError, match=r"(?i)not a directory"):
        Store.open(f"file://{tmp_path}/file/below")


@pytest.mark.root
async def test_folder_that_is_not_writable(tmp_path: Path) -> None:
    for folder in (tmp_path, *tmp_path.parents):
        if "pytest" in str(folder):
            folder.chmod(0o755)
    (tmp_path / "bucket" / ".studios").mkdir(parents=True)
    script = (
        "import asyncio, sys\n"
        "from jupyterhub_studios.checkpoints import Store\n"
        "asyncio.run(Store.open(sys.argv[1]).check())\n"
    )
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", script, f"file://{tmp_path}/bucket"],
        user=65534, group=65534, extra_groups=[], capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "access was denied" in done.stderr.lower(), done.stderr


async def test_store_that_ignores_conditions(seaweed: SeaweedFS, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some S3 look-alikes do: they must not be used."""
    store = seaweed.store()
    import obstore

    put = obstore.put_async

    async def careless(backend: object, key: str, data: object, **options: object) -> object:
        options.pop("mode", None)
        return await put(backend, key, data, **options)

    monkeypatch.setattr(obstore, "put_async", careless)
    with pytest.raises(StudiosError, match="ignores conditional writes"):
        await store.check()


async def test_store_that_comes_back(tmp_path: Path) -> None:
    """A short outage is waited out by the request itself."""
    folder = tmp_path / "data"
    folder.mkdir()
    server = SeaweedFS(folder)
    try:
        server.start()
        store = server.store()
        await store.create("doc", b"kept")
        await asyncio.to_thread(server.stop)
        with pytest.raises(StudiosError, match="server does not answer"):
            await store.get("doc")
        await asyncio.to_thread(server.start)
        assert (await store.get("doc") or (b"", None))[0] == b"kept"
    finally:
        server.stop()
