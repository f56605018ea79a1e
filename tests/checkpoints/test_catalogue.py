"""List, rename, fork, delete, sweep: also while sessions save."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from jupyterhub_studios.checkpoints import (
    LayerMissing,
    Saver,
    Store,
    bucket,
    catalogue,
    claim,
    fetch_layers,
)
from jupyterhub_studios.models import Checkpoint, CheckpointStatus, Package, StudiosError

from .trees import BASE


class Studio:
    """A studio whose sessions save the one folder ``upper``."""

    def __init__(self, store: Store, folder: Path, studio_id: str = "st-1") -> None:
        self.store, self.id, self.folder, self.epoch = store, studio_id, folder, 0
        self.upper = folder / "upper"
        self.upper.mkdir(parents=True)

    async def begin(self) -> Saver:
        self.epoch += 1
        parent = await catalogue.current(self.store, self.id)
        line = await claim(
            self.store, self.id, f"se-{self.epoch}", self.epoch, author="ada", base=BASE, parent=parent
        )
        return Saver(line, self.upper, self.folder / f"scratch-{self.epoch}")

    async def run(self, text: str) -> Checkpoint:
        saver = await self.begin()
        (self.upper / "f").write_text(text)
        return await saver.save(final=True)


@pytest.fixture
def studio(store: Store, tmp_path: Path) -> Studio:
    return Studio(store, tmp_path / "st-1")


async def layers_in(store: Store) -> set[str]:
    return {found.key.split("/")[1].split(".")[0] for found in await store.list("layers/")}


async def test_one_session(studio: Studio) -> None:
    """What each kind of save makes, and what it answers."""
    assert await catalogue.current(studio.store, studio.id) is None
    saver = await studio.begin()
    started = await catalogue.current(studio.store, studio.id)
    assert started == saver.line.checkpoint
    assert started.status is CheckpointStatus.INTERIM and started.layers == [] and started.parent is None
    (studio.upper / "f").write_text("1")
    numpy = Package(manager="pip", name="numpy", version="2")
    interim = await saver.save(installed=[numpy])
    assert (interim.id, len(interim.layers), interim.installed) == (started.id, 1, [numpy])
    named = await saver.save(name="before the upgrade", author="bob")
    assert (named.name, named.author, named.status) == (
        "before the upgrade",
        "bob",
        CheckpointStatus.FINALISED,
    )
    assert named.id != interim.id and named.layers
    assert (await catalogue.current(studio.store, studio.id)).id == started.id
    final = await saver.save(final=True, name="done")
    assert (final.id, final.name, final.status) == (started.id, "done", CheckpointStatus.FINALISED)
    assert final.installed == [numpy]
    assert await catalogue.list_checkpoints(studio.store, studio.id) == [final, named]
    following = await studio.begin()
    assert following.line.checkpoint.parent == final.id and following.line.checkpoint.layers == final.layers


async def test_nothing_changed(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    """No layer is written, but the checkpoint says that it is up to date."""
    saver = await studio.begin()
    (studio.upper / "f").write_text("1")
    os.utime(studio.upper / "f", (0, 0))
    await saver.save()
    await asyncio.sleep(1.1)
    second = await saver.save()  # the file was too young to be trusted the first time
    third = await saver.save()
    assert third.layers == second.layers and third.saved_at > second.saved_at
    assert len(await layers_in(studio.store)) == 2


async def test_equal_changes_make_different_layers(studio: Studio) -> None:
    """overlayfs refuses a layer that lies below itself."""
    (studio.upper / "d").mkdir()
    saves = [await (await studio.begin()).save(final=True) for _ in range(3)]
    assert len({layer.digest for layer in saves[-1].layers}) == 3


async def test_a_long_session_has_few_layers(studio: Studio) -> None:
    saver = await studio.begin()
    (studio.upper / "big").write_bytes(os.urandom(6 << 20))
    big = (await saver.save()).layers[0]
    for step in range(12):
        (studio.upper / f"f{step}").write_bytes(os.urandom(1 << 16))
        checkpoint = await saver.save()
        assert len(checkpoint.layers) <= 4
        assert step == 0 or checkpoint.layers[0].size >= 6 << 20
    for _ in range(12):
        (studio.upper / "big").write_bytes(os.urandom(20 << 20))
        checkpoint = await saver.save()
    assert checkpoint.size < 110 << 20, "mostly dead layers are written anew"
    assert big.digest not in {layer.digest for layer in checkpoint.layers}


async def test_rename(studio: Studio) -> None:
    saver = await studio.begin()
    checkpoint = saver.line.checkpoint
    renamed = await catalogue.rename(studio.store, studio.id, checkpoint.id, "mine")
    assert renamed.name == "mine"
    (studio.upper / "f").write_text("1")
    assert (await saver.save()).name == "mine"
    names = [f"name {n}" for n in range(8)]
    await asyncio.gather(
        saver.save(), *(catalogue.rename(studio.store, studio.id, checkpoint.id, name) for name in names)
    )
    final = await saver.save(final=True)
    assert final.name in names and len(final.layers) >= 1
    with pytest.raises(StudiosError, match="no such checkpoint") as told:
        await catalogue.rename(studio.store, studio.id, "cp-none", "x")
    assert told.value.problem.status == 404


async def test_fork(studio: Studio, tmp_path: Path) -> None:
    source = await studio.run("shared")
    before = await layers_in(studio.store)
    forked = await catalogue.fork(studio.store, source, "st-2", author="bob")
    assert (forked.studio_id, forked.layers, forked.parent) == ("st-2", source.layers, source.id)
    assert (forked.session_id, forked.epoch, forked.author) == (None, 0, "bob")
    assert await layers_in(studio.store) == before
    other = Studio(studio.store, tmp_path / "st-2", "st-2")
    changed = await other.run("only here")
    assert changed.layers[:-1] == source.layers
    assert await catalogue.current(studio.store, "st-1") == source
    with pytest.raises(StudiosError, match="has checkpoints already"):
        await catalogue.fork(studio.store, source, "st-2", author="bob")
    assert len(await catalogue.list_checkpoints(studio.store, "st-2")) == 2


async def test_fork_of_something_gone(studio: Studio) -> None:
    source = await studio.run("x")
    await studio.store.delete([bucket.layer_key(source.layers[0].digest)])
    with pytest.raises(LayerMissing):
        await catalogue.fork(studio.store, source, "st-2", author="bob")
    assert await catalogue.list_checkpoints(studio.store, "st-2") == []


async def test_delete(studio: Studio) -> None:
    first, second = await studio.run("1"), await studio.run("2")
    with pytest.raises(StudiosError, match=r"(?i)it is the current one") as told:
        await catalogue.delete(studio.store, studio.id, second.id)
    assert told.value.problem.status == 409
    await catalogue.delete(studio.store, studio.id, first.id)
    assert await catalogue.list_checkpoints(studio.store, studio.id) == [second]
    await catalogue.delete_studio(studio.store, studio.id)
    assert await catalogue.current(studio.store, studio.id) is None
    assert await catalogue.list_checkpoints(studio.store, studio.id) == []


async def test_start_from_an_earlier_one_when_the_current_is_invalid(studio: Studio) -> None:
    first, second = await studio.run("1"), await studio.run("2")
    marked = await catalogue.mark_invalid(studio.store, studio.id, second.id, "a layer is missing")
    assert (marked.status, marked.message) == (CheckpointStatus.INVALID, "a layer is missing")
    line = await claim(studio.store, studio.id, "se-9", 9, author="ada", base=BASE, parent=first)
    assert line.checkpoint.layers == first.layers


async def test_sweep(studio: Studio, tmp_path: Path) -> None:
    kept = await studio.run("kept")
    other = Studio(studio.store, tmp_path / "st-2", "st-2")
    gone = await other.run("gone")
    await catalogue.delete_studio(studio.store, "st-2")
    for _ in range(2):
        assert (await catalogue.sweep(studio.store, grace=3600)).removed == 0
    swept = await catalogue.sweep(studio.store, grace=0)
    assert (swept.removed, swept.freed_bytes, swept.kept) == (1, gone.size, 1)
    assert await layers_in(studio.store) == {layer.digest for layer in kept.layers}
    record, _ = await bucket.read_sweep(studio.store)
    assert record.condemned == [] and record.marks == {}


async def test_sweep_marks_first(studio: Studio) -> None:
    """A layer that is named again before the grace is over loses its mark."""
    await studio.run("x")
    checkpoint = await catalogue.current(studio.store, studio.id)
    assert checkpoint is not None
    key, document = bucket.checkpoint_key(studio.id, checkpoint.id), bucket.encode(checkpoint)
    await studio.store.delete([key])
    await catalogue.sweep(studio.store, grace=3600)
    marked, _ = await bucket.read_sweep(studio.store)
    assert set(marked.marks) == {layer.digest for layer in checkpoint.layers}
    await studio.store.create(key, document)
    await catalogue.sweep(studio.store, grace=3600)
    assert (await bucket.read_sweep(studio.store))[0].marks == {}
    await studio.store.delete([key])
    old = marked.model_copy(update={"marks": dict.fromkeys(marked.marks, datetime(2020, 1, 1, tzinfo=UTC))})
    _, version = await bucket.read_sweep(studio.store)
    await bucket.write_sweep(studio.store, old, version)
    # Marked long ago, but the object itself is younger than the grace: not yet.
    assert (await catalogue.sweep(studio.store, grace=3600)).removed == 0


async def test_sweep_stops_at_what_it_cannot_read(studio: Studio, tmp_path: Path) -> None:
    await Studio(studio.store, tmp_path / "st-2", "st-2").run("x")
    await catalogue.delete_studio(studio.store, "st-2")
    await studio.store.create("studios/st-3/checkpoints/cp-1.json", b'{"id": "from the futu')
    with pytest.raises(StudiosError, match=r"studios/st-3/checkpoints/cp-1\.json is damaged"):
        await catalogue.sweep(studio.store, grace=0)
    assert len(await layers_in(studio.store)) == 1


class Interrupting(Store):
    """Calls ``act`` right before the sweep's or the fork's ``verb`` on a key with ``part`` in it, once."""

    def __init__(self, inner: Store, verb: str, part: str, act: Callable[[], Awaitable[Any]]) -> None:
        self.inner, self.verb, self.part, self.act, self.done = inner, verb, part, act, False

    def __getattribute__(self, name: str) -> Any:
        if name not in ("get", "create", "replace", "size", "put_file", "list", "delete"):
            return super().__getattribute__(name)
        call = getattr(self.inner, name)

        async def guarded(*arguments: Any) -> Any:
            if name == self.verb and self.part in str(arguments[0]) and not self.done:
                self.done = True
                await self.act()
            return await call(*arguments)

        return guarded


@pytest.mark.parametrize(
    ("verb", "part"),
    [("get", "sweep.json"), ("list", "layers/"), ("list", "studios/"), ("create", "sweep.json")],
)
async def test_fork_at_any_moment_of_a_sweep(studio: Studio, verb: str, part: str) -> None:
    """Whoever is first: a fork that was made has its layers."""
    source = await studio.run("x")
    await catalogue.delete_studio(studio.store, studio.id)

    async def forked() -> None:
        await catalogue.fork(studio.store, source, "st-2", author="bob")

    await catalogue.sweep(Interrupting(studio.store, verb, part, forked), grace=0)
    assert await layers_in(studio.store) == {layer.digest for layer in source.layers}


@pytest.mark.parametrize(
    ("verb", "part"), [("create", "checkpoints"), ("get", "sweep.json"), ("create", "head.json")]
)
async def test_sweep_at_any_moment_of_a_fork(studio: Studio, tmp_path: Path, verb: str, part: str) -> None:
    source = await studio.run("x")
    await catalogue.delete_studio(studio.store, studio.id)

    async def swept() -> None:
        await catalogue.sweep(studio.store, grace=0)

    interrupted = Interrupting(studio.store, verb, part, swept)
    try:
        forked = await catalogue.fork(interrupted, source, "st-2", author="bob")
    except LayerMissing:
        assert await catalogue.current(studio.store, "st-2") is None
    else:
        await fetch_layers(studio.store, forked.layers, tmp_path / "layers")


async def test_a_save_waits_for_a_sweep_and_brings_its_layer_back(studio: Studio) -> None:
    """Its upload was seen by a sweep before its checkpoint was: the sweep removes it, the save notices."""
    saver = await studio.begin()
    (studio.upper / "f").write_text("x")

    async def swept() -> None:
        assert (await catalogue.sweep(studio.store, grace=0)).removed == 1

    saver.line.store = Interrupting(studio.store, "replace", "checkpoints", swept)
    checkpoint = await saver.save(final=True)
    assert await layers_in(studio.store) == {layer.digest for layer in checkpoint.layers}


async def test_condemned_layers_are_waited_for(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    source = await studio.run("x")
    record = bucket.SweepRecord(condemned=[source.layers[0].digest], run="one")
    version = await bucket.write_sweep(studio.store, record, None)
    fork = asyncio.ensure_future(catalogue.fork(studio.store, source, "st-2", author="bob"))
    await asyncio.sleep(1.5)
    assert not fork.done()
    with pytest.raises(StudiosError, match="already running"):
        waiting = asyncio.ensure_future(catalogue.sweep(studio.store, grace=0))
        await asyncio.sleep(0.5)
        await bucket.write_sweep(studio.store, bucket.SweepRecord(run="two"), version)
        await waiting
    assert (await fork).layers == source.layers


async def test_a_sweep_that_died_blocks_nobody_for_long(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bucket, "LEASE", 1.0)
    source = await studio.run("x")
    dead = bucket.SweepRecord(condemned=[source.layers[0].digest], run="dead")
    await bucket.write_sweep(studio.store, dead, None)
    await catalogue.fork(studio.store, source, "st-2", author="bob")
    assert (await bucket.read_sweep(studio.store))[0].condemned == []


async def test_two_sweeps(studio: Studio, tmp_path: Path) -> None:
    for number in range(3):
        await Studio(studio.store, tmp_path / f"x{number}", f"st-x{number}").run(str(number))
        await catalogue.delete_studio(studio.store, f"st-x{number}")
    results = await asyncio.gather(
        *(catalogue.sweep(studio.store, grace=0) for _ in range(3)), return_exceptions=True
    )
    removed = [result.removed for result in results if not isinstance(result, BaseException)]
    refused = [result for result in results if isinstance(result, BaseException)]
    assert sum(removed) == 3 and all(isinstance(error, StudiosError) for error in refused)
    assert await layers_in(studio.store) == set()
