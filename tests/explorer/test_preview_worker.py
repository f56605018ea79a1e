"""The process around the formats: what it may not do, and what happens when it dies, hangs or lies."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
import pyarrow as pa
import pytest

from jupyterhub_studios.explorer.previews import previewer, wire
from jupyterhub_studios.models import StudiosError

from .engines import ADA, Desk, desk_at
from .stores import Server
from .test_previews import bam, bcf, hdf5, parquet


@pytest.fixture
async def desk(folder: Server) -> AsyncIterator[Desk]:
    async with desk_at(folder.place()) as desk:
        yield desk


async def look(desk: Desk, name: str, **asked: Any) -> Any:
    return await desk.engine.preview(ADA, desk.link, name, **asked)


def zygote(desk: Desk) -> psutil.Process:
    process = desk.engine._previewer._zygote._process
    assert process is not None
    return psutil.Process(process.pid)


class Reading:
    """A backend whose reads do something first."""

    def __init__(self, inner: Any, before: Callable[[], Any]) -> None:
        self._inner = inner
        self._before = before

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def read(self, *args: Any, **kwargs: Any) -> bytes:
        waited = self._before()
        if asyncio.iscoroutine(waited):
            await waited
        return bytes(await self._inner.read(*args, **kwargs))


def once(desk: Desk, kind: signal.Signals) -> Callable[[], None]:
    """Sends a signal to the process that reads, the first time it asks for something."""
    sent: list[int] = []

    def send() -> None:
        if not sent:
            sent.append(1)
            # The newest: the one before may just be ending.
            max(zygote(desk).children(), key=lambda child: (child.create_time(), child.pid)).send_signal(kind)

    return send


async def test_a_file_is_read_in_a_process_of_its_own(desk: Desk) -> None:
    await desk.write("a.txt", body=b"hello\n")
    assert (await look(desk, "a.txt")).text == "hello\n"
    first = zygote(desk).pid
    assert (await look(desk, "a.txt")).text == "hello\n"
    assert zygote(desk).pid == first and first != os.getpid()  # it is kept


async def test_the_process_has_nothing_of_ours(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "very-secret")
    await desk.write("a.txt")
    await look(desk, "a.txt")
    process = zygote(desk)
    assert not {"AWS_SECRET_ACCESS_KEY", "PYTHONPATH"} & set(process.environ())
    assert all(not connection.laddr for connection in process.net_connections("inet"))
    files = {file.path for file in process.open_files()}
    assert not files
    status = Path(f"/proc/{process.pid}/status").read_text()
    assert "NoNewPrivs:\t1" in status


@pytest.mark.root
async def test_the_process_has_no_network_and_is_not_root(desk: Desk) -> None:
    await desk.write("a.txt")
    await look(desk, "a.txt")
    process = zygote(desk)
    assert process.uids().effective == 65534
    assert Path(f"/proc/{process.pid}/ns/net").readlink() != Path("/proc/self/ns/net").readlink()


@pytest.mark.parametrize("name", ["a.bam", "a.bcf", "a.cram", "a.h5"])
async def test_damaged_files_for_libraries_of_c(desk: Desk, name: str) -> None:
    """Any bytes are shown somehow, and the next file is, too."""
    chance = random.Random(7)
    good = {
        "a.bam": lambda: bam(300),
        "a.bcf": lambda: bcf(300),
        "a.cram": lambda: bam(300, "wc"),
        "a.h5": lambda: hdf5(lambda file: file.create_dataset("x", data=list(range(1000)))),
    }[name]()
    for _ in range(15):
        data = bytearray(good)
        for _ in range(chance.randrange(1, 30)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        await desk.write(name, body=bytes(data))
        found = await look(desk, name)
        assert found.view in ("table", "tree", "binary", "text")


async def test_a_process_that_dies_is_told_and_replaced(desk: Desk) -> None:
    await desk.write("a.txt", body=b"hello\n")
    await look(desk, "a.txt")
    desk.watch(Reading(desk.backend, once(desk, signal.SIGSEGV)))
    found = await look(desk, "a.txt")
    assert found.view == "binary" and "|hello" in found.hexdump
    assert "time and memory" in found.note
    assert (await look(desk, "a.txt")).view == "text"


async def test_a_process_that_hangs_is_ended(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    await desk.write("a.txt", body=b"hello\n")
    await look(desk, "a.txt")
    monkeypatch.setattr(previewer, "ANSWER_SECONDS", 1.0)
    desk.watch(Reading(desk.backend, once(desk, signal.SIGSTOP)))
    assert (await look(desk, "a.txt")).view == "binary"
    assert await nobody_reads(desk)


async def test_the_process_that_makes_the_others_is_replaced(desk: Desk) -> None:
    await desk.write("a.txt", body=b"hello\n")
    await look(desk, "a.txt")
    process = zygote(desk)
    process.kill()
    psutil.wait_procs([process], timeout=10)
    assert (await look(desk, "a.txt")).text == "hello\n"
    assert zygote(desk).pid != process.pid


async def test_whoever_leaves_ends_the_reading(desk: Desk) -> None:
    await desk.write("a.txt", body=b"hello\n")
    await look(desk, "a.txt")
    asked = asyncio.Event()

    async def wait() -> None:
        asked.set()
        await asyncio.Event().wait()

    desk.watch(Reading(desk.backend, wait))
    task = asyncio.create_task(look(desk, "a.txt"))
    await asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await nobody_reads(desk)
    desk.watch(desk.backend)
    assert (await look(desk, "a.txt")).text == "hello\n"


async def nobody_reads(desk: Desk) -> bool:
    for _ in range(200):
        if not zygote(desk).children():
            return True
        await asyncio.sleep(0.05)
    return False


async def test_only_so_many_at_once(desk: Desk) -> None:
    await desk.write("a.txt", body=b"hello\n")
    await look(desk, "a.txt")
    most: list[int] = []
    reading: set[object] = set()

    async def count() -> None:
        one = object()
        reading.add(one)
        most.append(len(reading))
        await asyncio.sleep(0.02)
        reading.discard(one)

    desk.watch(Reading(desk.backend, count))
    shown = await asyncio.gather(*(look(desk, "a.txt") for _ in range(8)))
    assert len(shown) == 8 and max(most) <= 2


async def test_memory_is_bounded(desk: Desk) -> None:
    """A few megabytes of Parquet whose first rows need gigabytes: 500 rows that all name one long text."""
    long = pa.DictionaryArray.from_arrays(pa.array([0] * 500, pa.int32()), pa.array(["x" * (3 << 20)]))
    await desk.write("a.parquet", body=parquet(pa.table({"long": long})))
    found = await look(desk, "a.parquet")
    assert found.view == "table" and found.rows == [] and found.columns[0].name == "long"
    assert "memory" in found.note


async def test_faults_of_the_store_are_told(desk: Desk) -> None:
    with pytest.raises(StudiosError) as raised:
        await look(desk, "nothing")
    assert raised.value.problem.status == 404


async def test_a_file_that_changes_meanwhile(desk: Desk) -> None:
    await desk.write("a.txt", body=b"hello\n")
    await look(desk, "a.txt")
    desk.watch(Reading(desk.backend, lambda: desk.write("a.txt", body=b"other\n")))
    with pytest.raises(StudiosError) as raised:
        await look(desk, "a.txt")
    assert raised.value.problem.status == 412


# --- a worker that was taken over by the file it read ---


class Liar:
    """In the place of the worker: sends what it is told to."""

    def __init__(self, *frames: bytes) -> None:
        self._frames = frames

    @asynccontextmanager
    async def child(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        ours, theirs = socket.socketpair()
        reader, writer = await asyncio.open_connection(sock=ours)
        theirs_reader, theirs_writer = await asyncio.open_connection(sock=theirs)
        for frame in self._frames:
            theirs_writer.write(frame)
        theirs_writer.write_eof()
        takes_all = asyncio.create_task(_take_all(theirs_reader))
        try:
            yield reader, writer
        finally:
            takes_all.cancel()
            writer.close()
            theirs_writer.close()

    def close(self) -> None:
        pass


async def _take_all(reader: asyncio.StreamReader) -> None:
    while await reader.read(1 << 20):
        pass


@pytest.mark.parametrize(
    "frame",
    [
        b"\xff" * 100,
        wire.frame({"read": [0, 1 << 40]}),
        wire.frame({"read": [-1, 5]}),
        wire.frame({"read": ["0", "5"]}),
        wire.frame({"read": "all"}),
        wire.frame({}),
        wire.frame({"done": True}, b"{}"),
        wire.frame({"done": True}, b'{"view":"text","html":"<script>"}'),
        wire.frame({"done": True}, b"not json"),
        b"\x02\0\0\0\0\0\0\0[]",
        b"\x50\xc3\0\0\0\0\0\0" + b"[" * 50_000,
        b"",
    ],
)
async def test_what_a_worker_says_is_not_believed(desk: Desk, frame: bytes) -> None:
    await desk.write("a.txt", body=b"hello\n")
    desk.engine._previewer._zygote = Liar(frame)  # type: ignore[assignment]
    with pytest.raises(StudiosError) as raised:
        await look(desk, "a.txt")
    assert raised.value.problem.status == 503
    assert json.dumps(raised.value.problem.model_dump()).find("Traceback") < 0


async def test_a_worker_gets_no_more_than_a_preview_may_read(desk: Desk) -> None:
    await desk.write("a.txt", body=b"x" * (9 << 20))
    served: list[int] = []
    desk.engine._previewer._zygote = Liar(*[wire.frame({"read": [0, 8 << 20]})] * 50)  # type: ignore[assignment]
    await desk.engine.browse(ADA, desk.link, "")
    desk.watch(Reading(desk.backend, lambda: served.append(8 << 20)))
    with pytest.raises(StudiosError):
        await look(desk, "a.txt")
    assert 0 < sum(served) <= 2 * previewer.TOTAL_MAX
