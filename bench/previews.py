"""Previews of huge files: how many bytes of them are read.

The last lines of a log of 5 GB and the rows of one row group of a Parquet file of 2 GB, through the engine and its
worker. Both lie in a folder, the log with a hole in its middle: which ranges are asked for does not depend on the
store. Bars: less than 2 MB of the log, and of Parquet no more than the row group.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from jupyterhub_studios.models import TablePreview, TextPreview
from tests.explorer.engines import ADA, Desk, desk_at
from tests.explorer.stores import local_folder

LOG = 5 << 30
PARQUET = 2 << 30
GROUP = 256 << 20
LOG_BAR = 2e6


def rows() -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="studios-bench-") as name:
        place = local_folder(Path(name)).place()
        _log(Path(place.bucket, "run.log"))
        group = _parquet(Path(place.bucket, "table.parquet"))

        async def look() -> tuple[float, float]:
            async with desk_at(place) as desk:
                return await _read(desk, "run.log", at="end"), await _read(desk, "table.parquet", group=1)

        log, parquet = asyncio.run(look())
    return [
        _row("explorer: last lines of a 5 GB log", log, LOG_BAR),
        _row("explorer: rows of a row group of a 2 GB Parquet / that row group", parquet, group),
    ]


def _row(name: str, ours: float, bar: float) -> dict[str, Any]:
    return {
        "name": name,
        "ours": ours,
        "peer": bar,
        "unit": "bytes read",
        "ratio": ours / bar,
        "bar": "< 1",
        "holds": ours < bar,
    }


async def _read(desk: Desk, path: str, **asked: Any) -> float:
    found = await desk.engine.preview(ADA, desk.link, path, **asked)
    if isinstance(found, TextPreview):
        if not found.text.endswith("the very last line\n"):
            raise RuntimeError("these are not the last lines")
    elif not (isinstance(found, TablePreview) and found.rows):
        raise RuntimeError(found.note)
    return float(found.bytes_read)


def _log(path: Path) -> None:
    lines = (
        b"2026-01-01T00:00:00Z INFO a line of a log that goes on and on, as logs do when nobody looks\n"
        * 10_000
    )
    with path.open("wb") as file:
        file.write(lines)
        file.seek(LOG)
        file.write(b"\n" + lines + b"the very last line\n")


def _parquet(path: Path) -> float:
    """2 GB in row groups of 256 MB; answers the bytes of one."""
    chance = np.random.default_rng(1)
    table = pa.table({f"c{n}": chance.random(GROUP // 64) for n in range(8)})
    with pq.ParquetWriter(path, table.schema, use_dictionary=False, compression="none") as writer:
        for _ in range(PARQUET // GROUP):
            writer.write_table(table, row_group_size=table.num_rows)
    meta = pq.ParquetFile(path).metadata.row_group(1)
    return float(sum(meta.column(n).total_compressed_size for n in range(meta.num_columns)))
