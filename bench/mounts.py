"""Buckets as folders: ours against ``rclone mount`` with its defaults, Debian's s3fs and fsspec's own FUSE.

One SeaweedFS for all, which take turns in each round, each mounted anew. Seconds are medians of wall-clock; the peer
of a row is the fastest of the three, but for the bytes, where it is rclone with its defaults.

* sequential: a file of 512 MiB from end to end in reads of 1 MiB, our profile ``stream``
* random: 100 reads of 4 KiB at random places of it, our profile ``random``; bytes that came from the store
* listing: names, sizes and times of 10,000 files in one folder
* column: one of forty columns of a Parquet file, read by pyarrow
* regions: the reads of 40 regions of an indexed BAM of some 300 MB, fetched by htslib
"""

from __future__ import annotations

import asyncio
import os
import random
import statistics
import threading
import time
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy
import pyarrow
import pyarrow.parquet
import pysam

from jupyterhub_studios.models import MountProfile
from tests.stores import SeaweedFS, running

from .mounters import PEERS, Mounter, ours, rclone_mount

MIB = 1 << 20
SIZE = 512 * MIB
READS, REGIONS, FILES, COLUMNS = 100, 40, 10_000, 40
PARQUET_ROWS, BAM_READS, GENOME = 500_000, 1_500_000, 248_956_422
ROUNDS = 3
Work = Callable[[Path], None]


def rows() -> list[dict[str, Any]]:
    with running() as store, TemporaryDirectory() as scratch:
        bucket = store.bucket()
        _fill(store, bucket, Path(scratch))
        fewer = _bytes(store, bucket, ours(MountProfile.RANDOM))
        defaults = _bytes(store, bucket, rclone_mount)
        return [
            _faster("sequential read", store, bucket, MountProfile.STREAM, sequential, 1.0),
            {
                "name": "mounts: bytes for 100 random reads of 4 KiB",
                "ours": fewer / MIB, "peer": defaults / MIB, "unit": "MiB",
                "ratio": defaults / fewer, "bar": ">= 5", "holds": defaults / fewer >= 5,
            },
            _faster("first listing of 10,000", store, bucket, MountProfile.RANDOM, listing, 0.8),
            _faster("one column of Parquet", store, bucket, MountProfile.RANDOM, column, 0.8),
            _faster("40 regions of a BAM", store, bucket, MountProfile.RANDOM, regions, 0.8),
        ]  # fmt: skip


# --- what is done in the folder ---


def sequential(folder: Path) -> None:
    total = 0
    with (folder / "whole.bin").open("rb", buffering=0) as file:
        while block := file.read(MIB):
            total += len(block)
    assert total == SIZE


def scattered(folder: Path) -> None:
    places = random.Random(4)
    fd = os.open(folder / "whole.bin", os.O_RDONLY)
    try:
        # As databases and indexed formats do: the kernel reads nothing ahead.
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_RANDOM)
        for _ in range(READS):
            assert len(os.pread(fd, 4096, places.randrange(SIZE // 4096) * 4096)) == 4096
    finally:
        os.close(fd)


def listing(folder: Path) -> None:
    with os.scandir(folder / "many") as entries:
        assert sum(entry.stat().st_size for entry in entries) == FILES


def column(folder: Path) -> None:
    table = pyarrow.parquet.read_table(folder / "table.parquet", columns=["c7"])
    assert table.num_rows == PARQUET_ROWS


def regions(folder: Path) -> None:
    places = random.Random(5)
    with pysam.AlignmentFile(str(folder / "reads.bam"), "rb") as file:
        for _ in range(REGIONS):
            start = places.randrange(GENOME - 20_000)
            assert sum(1 for _ in file.fetch("chr1", start, start + 20_000)) > 0


# --- how it is measured ---


def _faster(
    name: str, store: SeaweedFS, bucket: str, profile: MountProfile, work: Work, bar: float
) -> dict[str, Any]:
    sides = {"ours": ours(profile), **PEERS}
    seconds: dict[str, list[float]] = {side: [] for side in sides}
    for _ in range(ROUNDS):
        for side, mounter in sides.items():
            with mounter(store, bucket, store.endpoint) as folder:
                start = time.perf_counter()
                work(folder)
                seconds[side].append(time.perf_counter() - start)
    took = {side: statistics.median(values) for side, values in seconds.items()}
    mine = took.pop("ours")
    best = min(took, key=lambda side: took[side])
    others = ", ".join(f"{side} {value:.2f}" for side, value in took.items())
    ratio = took[best] / mine
    return {
        "name": f"mounts: {name}, the fastest peer takes",
        "ours": mine,
        "peer": took[best],
        "unit": f"s; {others}",
        "ratio": ratio,
        "bar": f">= {bar:g}",
        "holds": ratio >= bar,
    }


def _bytes(store: SeaweedFS, bucket: str, mounter: Mounter) -> int:
    """What the store sends for the random reads."""
    with counting(store.host, store.ports[0]) as (endpoint, sent), mounter(store, bucket, endpoint) as folder:
        before = sent[0]
        scattered(folder)
        return sent[0] - before


@contextmanager
def counting(host: str, port: int) -> Iterator[tuple[str, list[int]]]:
    """An endpoint before the one at ``host:port``, and how many bytes have come from that."""
    sent = [0]
    loop = asyncio.new_event_loop()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, count: bool) -> None:
        try:
            while data := await reader.read(1 << 16):
                sent[0] += len(data) if count else 0
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection(host, port)
        await asyncio.gather(pump(reader, there_writer, False), pump(there_reader, writer, True))

    server = loop.run_until_complete(asyncio.start_server(serve, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", sent
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        server.close()


# --- what is read ---


def _fill(store: SeaweedFS, bucket: str, scratch: Path) -> None:
    client = store.client()
    whole = scratch / "whole.bin"
    with whole.open("wb") as file:
        for _ in range(SIZE // (16 * MIB)):
            file.write(os.urandom(16 * MIB))
    _table(scratch / "table.parquet")
    _alignments(scratch / "reads.bam")
    for path in sorted(scratch.iterdir()):
        client.upload_file(str(path), bucket, path.name)
    for number in range(FILES):
        client.put_object(Bucket=bucket, Key=f"many/{number:05}.txt", Body=b"x")


def _table(path: Path) -> None:
    numbers = numpy.random.default_rng(6)
    columns = {f"c{n}": numbers.random(PARQUET_ROWS) for n in range(COLUMNS)}
    pyarrow.parquet.write_table(pyarrow.table(columns), path, row_group_size=100_000)


def _alignments(path: Path) -> None:
    """Reads of 150 bases, sorted by place, with an index."""
    numbers = numpy.random.default_rng(7)
    header = {"HD": {"VN": "1.6", "SO": "coordinate"}, "SQ": [{"SN": "chr1", "LN": GENOME}]}
    bases = "".join(numpy.array(list("ACGT"))[numbers.integers(0, 4, MIB)])
    qualities = array("B", numbers.integers(20, 41, MIB, dtype="uint8").tobytes())
    with pysam.AlignmentFile(str(path), "wb", header=header) as file:
        for place in sorted(numbers.integers(0, GENOME - 150, BAM_READS).tolist()):
            read = pysam.AlignedSegment(file.header)
            start = place % (MIB - 150)
            read.query_name = f"r{place}"
            read.query_sequence = bases[start : start + 150]
            read.query_qualities = qualities[start : start + 150]
            read.reference_id, read.reference_start, read.mapping_quality = 0, place, 60
            read.cigarstring = "150M"
            file.write(read)
    pysam.index(str(path))
