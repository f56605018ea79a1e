"""Stores that fail, sessions that die, files that will not hold still."""

from __future__ import annotations

import asyncio
import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyterhub_studios.checkpoints import (
    Fenced,
    LayerDamaged,
    LayerMissing,
    Saver,
    Store,
    claim,
    current,
    fetch_layers,
)
from jupyterhub_studios.models import Checkpoint, CheckpointStatus, LayerRef, StudiosError

from ..stores import SeaweedFS
from .trees import BASE, mount, restored, unmount

SAVES = ((False, None), (False, "by hand"), (True, None))
CALLS = ("get", "create", "replace", "size", "put_file", "list", "delete")


class Killed(BaseException):
    """The process ended here."""


class Walked(Store):
    """A store that fails at its ``at``-th call, before or after the call has its effect."""

    def __init__(self, inner: Store, at: int, after: bool, error: BaseException) -> None:
        self.inner, self.at, self.after, self.error, self.calls = inner, at, after, error, 0

    def __getattribute__(self, name: str) -> Any:
        if name not in CALLS:
            return super().__getattribute__(name)
        call: Callable[..., Awaitable[Any]] = getattr(self.inner, name)

        async def guarded(*arguments: Any) -> Any:
            mine, self.calls = self.calls, self.calls + 1
            if mine == self.at and not self.after:
                raise self.error
            result = await call(*arguments)
            if mine == self.at:
                raise self.error
            return result

        return guarded


async def a_session(store: Store, upper: Path, epoch: int, saved: Callable[[str], None]) -> None:
    """Claim, an interim save, a named one and a final one, each with another content of the file ``f``."""
    parent = await current(store, "st-1")
    line = await claim(store, "st-1", f"se-{epoch}", epoch, author="ada", base=BASE, parent=parent)
    saver = Saver(line, upper, upper.parent / "scratch")
    for final, name in SAVES:
        content = f"{epoch} {final} {name}"
        (upper / "f").write_text(content)
        await saver.save(final=final, name=name)
        saved(content)


async def content(store: Store, base: Path, folder: Path) -> tuple[int, str] | None:
    """Size and digest of the file ``f`` in what the head leads to."""
    head = await current(store, "st-1")
    tree = await restored(store, head, base, folder) if head else {}
    return tree[b"f"][5] if b"f" in tree else None


def as_seen(text: str | None) -> tuple[int, str] | None:
    return None if text is None else (len(text), hashlib.sha256(text.encode()).hexdigest())


@pytest.mark.root
@pytest.mark.slow
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_killed_at_every_storage_call(tmp_path: Path, base: Path, after: bool) -> None:
    """The head always leads to something that restores and is not older than what was acknowledged last; the
    next session continues from there."""
    at, finished = 0, False
    while not finished:
        folder = tmp_path / str(at)
        upper = folder / "upper"
        upper.mkdir(parents=True)
        plain = Store.open(f"file://{folder}/bucket")
        walked = Walked(plain, at, after, Killed())
        acknowledged: list[str] = []
        try:
            await a_session(walked, upper, 1, acknowledged.append)
            finished = True
        except Killed:
            pass
        order = [None, *(as_seen(f"1 {final} {name}") for final, name in SAVES)]
        last = as_seen(acknowledged[-1]) if acknowledged else None
        seen = await content(plain, base, folder / "check")
        assert order.index(seen) >= order.index(last), f"call {at}"
        again: list[str] = []
        await a_session(plain, upper, 2, again.append)
        assert await content(plain, base, folder / "next") == as_seen(again[-1])
        at += 1
    assert at > 25


@pytest.mark.root
@pytest.mark.slow
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_failed_at_every_storage_call(tmp_path: Path, base: Path, after: bool) -> None:
    """A save that failed is simply repeated."""
    at, finished = 0, False
    while not finished:
        folder = tmp_path / str(at)
        upper = folder / "upper"
        upper.mkdir(parents=True)
        plain = Store.open(f"file://{folder}/bucket")
        walked = Walked(plain, at, after, StudiosError("away", status=503))

        async def retried(act: Callable[[], Awaitable[Any]]) -> Any:
            try:
                return await act()
            except StudiosError:
                return await act()

        line = await retried(lambda s=walked: claim(s, "st-1", "se-1", 1, author="ada", base=BASE))
        saver = Saver(line, upper, folder / "scratch")
        for step, final in enumerate((False, False, True)):
            (upper / f"file-{step}").write_text(str(step))
            (upper / f"file-{step - 1}").unlink(missing_ok=True)
            await retried(lambda s=saver, f=final: s.save(final=f))
        head = await current(plain, "st-1")
        assert head is not None and head.status is CheckpointStatus.FINALISED
        tree = await restored(plain, head, base, folder / "check")
        assert b"file-2" in tree and not {b"file-0", b"file-1"} & tree.keys(), f"call {at}"
        assert not list((folder / "scratch").iterdir())
        finished = walked.calls <= at
        at += 1
    assert at > 20


async def test_two_sessions_race(store: Store, tmp_path: Path) -> None:
    """One of two claims of the same epoch wins; a session that was taken over cannot save."""

    async def begin(session_id: str, epoch: int) -> Any:
        parent = await current(store, "st-1")
        return await claim(store, "st-1", session_id, epoch, author="ada", base=BASE, parent=parent)

    lines = await asyncio.gather(*(begin(f"se-{n}", 1) for n in range(6)), return_exceptions=True)
    won = [line for line in lines if not isinstance(line, BaseException)]
    assert len(won) == 1
    assert all(isinstance(line, StudiosError) for line in lines if line is not won[0])
    upper = tmp_path / "upper"
    upper.mkdir()
    (upper / "f").write_text("old")
    old = Saver(won[0], upper, tmp_path / "scratch")
    await old.save()
    line = await begin("se-next", 2)
    before = await current(store, "st-1")
    with pytest.raises(Fenced):
        await old.save(final=True)
    assert await current(store, "st-1") == before
    with pytest.raises(Fenced):
        await claim(store, "st-1", "se-late", 1, author="ada", base=BASE, parent=before)
    await Saver(line, upper, tmp_path / "scratch-2").save(final=True)


async def test_taken_over_between_layer_and_head(store: Store, tmp_path: Path) -> None:
    """Also a session that was alone when its save began."""
    upper = tmp_path / "upper"
    upper.mkdir()
    (upper / "f").write_text("old")
    line = await claim(store, "st-1", "se-1", 1, author="ada", base=BASE)

    class Slow(Walked):
        def __getattribute__(self, name: str) -> Any:
            if name == "put_file":

                async def overtaken(key: str, path: Path) -> None:
                    await self.inner.put_file(key, path)
                    await claim(store, "st-1", "se-2", 2, author="bob", base=BASE, parent=line.checkpoint)

                return overtaken
            return super().__getattribute__(name)

    line.store = Slow(store, -1, False, Killed())
    with pytest.raises(Fenced):
        await Saver(line, upper, tmp_path / "scratch").save()
    head = await current(store, "st-1")
    assert head is not None and head.session_id == "se-2" and head.layers == []


async def test_must_continue_from_what_was_saved_last(store: Store, tmp_path: Path) -> None:
    upper = tmp_path / "upper"
    upper.mkdir()
    line = await claim(store, "st-1", "se-1", 1, author="ada", base=BASE)
    (upper / "f").write_text("x")
    await Saver(line, upper, tmp_path / "scratch").save(final=True)
    for stale in (None, line.checkpoint.model_copy(update={"layers": []})):
        with pytest.raises(StudiosError, match="saved by another session meanwhile"):
            await claim(store, "st-1", "se-2", 2, author="ada", base=BASE, parent=stale)


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def _cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1)


@pytest.mark.parametrize("damage", [_flip, _cut, Path.unlink])
async def test_damaged_layer(folder_store: Store, tmp_path: Path, damage: Callable[[Path], None]) -> None:
    upper = tmp_path / "upper"
    upper.mkdir()
    (upper / "f").write_bytes(os.urandom(100_000))
    line = await claim(folder_store, "st-1", "se-1", 1, author="ada", base=BASE)
    checkpoint = await Saver(line, upper, tmp_path / "scratch").save(final=True)
    digest = checkpoint.layers[0].digest
    damage(tmp_path / "bucket" / ".studios" / "layers" / f"{digest}.sqsh")
    expected = LayerMissing if damage is Path.unlink else LayerDamaged
    with pytest.raises(expected, match=digest[:12]):
        await fetch_layers(folder_store, checkpoint.layers, tmp_path / "layers")
    assert not list((tmp_path / "layers").iterdir())


async def test_verified_layer_is_used_again(folder_store: Store, tmp_path: Path) -> None:
    upper = tmp_path / "upper"
    upper.mkdir()
    (upper / "f").write_bytes(os.urandom(20 << 20))
    line = await claim(folder_store, "st-1", "se-1", 1, author="ada", base=BASE)
    layers: list[LayerRef] = (await Saver(line, upper, tmp_path / "scratch").save(final=True)).layers
    steps: list[tuple[int, int]] = []
    (path,) = await fetch_layers(folder_store, layers, tmp_path / "layers", lambda *step: steps.append(step))
    assert len(steps) > 1 and steps[-1] == (layers[0].size, layers[0].size)
    written = path.stat().st_mtime_ns
    assert await fetch_layers(folder_store, layers, tmp_path / "layers") == [path]
    assert path.stat().st_mtime_ns == written


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "small"
    place.mkdir()
    mount("-t", "tmpfs", "-o", "size=4m", "tmpfs", place)
    yield place
    unmount(place)


@pytest.mark.root
@pytest.mark.parametrize("files", [1, 2500], ids=["stream", "whole"])
async def test_disk_full(folder_store: Store, tmp_path: Path, small_disk: Path, files: int) -> None:
    upper = tmp_path / "upper"
    upper.mkdir()
    for number in range(files):
        (upper / f"f{number}").write_bytes(os.urandom((20 << 20) // files))
    line = await claim(folder_store, "st-1", "se-1", 1, author="ada", base=BASE)
    saver = Saver(line, upper, small_disk)
    with pytest.raises(StudiosError, match="The disk is full: nothing was saved"):
        await saver.save()
    assert os.listdir(small_disk) == []  # noqa: PTH208
    for number in range(files):
        (upper / f"f{number}").unlink()
    (upper / "less").write_text("fits")
    assert (await saver.save(final=True)).status is CheckpointStatus.FINALISED


async def test_bucket_gone(seaweed: SeaweedFS, tmp_path: Path) -> None:
    bucket = seaweed.bucket()
    store = Store.open(f"s3://{bucket}/work", seaweed.options)
    upper = tmp_path / "upper"
    upper.mkdir()
    (upper / "f").write_text("kept")
    saver = Saver(await claim(store, "st-1", "se-1", 1, author="a", base=BASE), upper, tmp_path / "scratch")
    client = seaweed.client()
    for found in client.list_objects_v2(Bucket=bucket)["Contents"]:
        client.delete_object(Bucket=bucket, Key=found["Key"])
    client.delete_bucket(Bucket=bucket)
    with pytest.raises(
        StudiosError, match=f"s3://{bucket}/work cannot be .* (?i:its bucket) does not exist"
    ) as told:
        await saver.save(final=True)
    assert seaweed.secret_key not in str(told.value) and seaweed.access_key not in str(told.value)


class Restless:
    """Something that keeps changing ``folder`` while it is saved."""

    def __init__(self, act: Callable[[int], None]) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(act,))

    def _run(self, act: Callable[[int], None]) -> None:
        step = 0
        while not self._stop.is_set():
            act(step)
            step += 1

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


@pytest.mark.root
@pytest.mark.parametrize("files", [10, 2500], ids=["stream", "whole"])
async def test_files_that_change_while_they_are_read(
    folder_store: Store, tmp_path: Path, base: Path, files: int
) -> None:
    """They never make a save fail, and the save after they came to rest has them as they are."""
    upper = tmp_path / "upper"
    upper.mkdir()
    for number in range(files):
        (upper / f"f{number}").write_bytes(os.urandom(20_000))
    line = await claim(folder_store, "st-1", "se-1", 1, author="ada", base=BASE)
    saver = Saver(line, upper, tmp_path / "scratch")
    (upper / "big").write_bytes(os.urandom(4 << 20))
    turns = upper / "turns"
    for name in "ab":
        (upper / name / "deep").mkdir(parents=True)
        (upper / name / "deep" / "same").write_text(name * (1 + (name == "b")))

    def act(step: int) -> None:
        with (upper / "big").open("r+b") as file:
            file.write(os.urandom(1000))
            file.truncate(4_000_000 + step % 3)
        (upper / f"f{step % files}").unlink(missing_ok=True)
        (upper / f"short-lived-{step % 7}").write_text("x")
        (upper / f"short-lived-{step % 5}").unlink(missing_ok=True)
        for old, new in (("a", "c"), ("b", "a"), ("c", "b")):
            (upper / old).rename(upper / new)
        if step % 2:
            turns.mkdir()
            (turns / "inside").write_text("x")
        elif turns.exists():
            (turns / "inside").unlink()
            turns.rmdir()

    with Restless(act):
        saves = [await saver.save() for _ in range(3)]
    if files == 10:
        assert any("big" in saved.message and "changed while being read" in saved.message for saved in saves)
    saved = await saver.save(final=True)
    assert saved.message == ""
    tree = await restored(folder_store, saved, base, tmp_path / "check")
    mine = {path for path in tree if not (base / path.decode()).exists()}
    assert mine == {str(p.relative_to(upper)).encode() for p in upper.rglob("*")}
    for path in mine:
        if (upper / path.decode()).is_file():
            assert tree[path][5][0] == (upper / path.decode()).stat().st_size


@pytest.mark.root
async def test_unreadable_files_are_told(tmp_path: Path) -> None:
    """As an ordinary user, who may own files that he cannot read."""
    for number in range(2100):
        (tmp_path / "upper").mkdir(exist_ok=True)
        (tmp_path / "upper" / f"f{number}").write_text("x")
    (tmp_path / "upper" / "locked").write_text("secret")
    (tmp_path / "upper" / "locked").chmod(0)
    await asyncio.to_thread(subprocess.run, ["chown", "-R", "65534:65534", tmp_path], check=True)
    for folder in (tmp_path, *tmp_path.parents):
        if str(folder).startswith("/tmp/pytest"):
            folder.chmod(0o755)
    script = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from jupyterhub_studios.checkpoints import *\n"
        "from jupyterhub_studios.models import Base\n"
        "async def main(top):\n"
        "    store = Store.open(f'file://{top}/bucket')\n"
        "    line = await claim(store, 'st', 'se', 1, author='a', base=Base(image='', digest=''))\n"
        "    saved = await Saver(line, top / 'upper', top / 'scratch').save()\n"
        "    print(saved.layers[0].files, saved.message)\n"
        "asyncio.run(main(Path(sys.argv[1])))\n"
    )
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", script, tmp_path],
        user=65534,
        group=65534,
        extra_groups=[],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "2100 locked could not be read and is not in this checkpoint.", done.stderr


async def _until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.01)


async def test_a_cancelled_save_leaves_nothing(folder_store: Store, tmp_path: Path) -> None:
    upper = tmp_path / "upper"
    upper.mkdir()
    for number in range(40):
        (upper / f"f{number}").write_bytes(os.urandom(2 << 20))
    line = await claim(folder_store, "st-1", "se-1", 1, author="ada", base=BASE)
    saver = Saver(line, upper, tmp_path / "scratch")
    task = asyncio.ensure_future(saver.save())
    await _until(lambda: any((tmp_path / "scratch").iterdir()))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not list((tmp_path / "scratch").iterdir())
    assert isinstance(await saver.save(), Checkpoint)
