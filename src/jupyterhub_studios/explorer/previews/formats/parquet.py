"""Parquet: the schema and facts from the footer, and the first rows of one row group."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ....models import TablePreview, ViewName
from ..ask import Ask, Unreadable
from ..source import Source, TooMuch
from .tables import COLUMNS, Row, table

ROWS = 500
FOOTER = 16 << 20  # bytes of the description at the end
TRY = 16 << 20  # bytes of the row group; once more for half of the columns where that is not enough
TRIES = 3
PAGES = 64 << 10  # what is read of a column at once: its first pages are enough for the first rows


def parquet(source: Source, ask: Ask, views: list[ViewName]) -> TablePreview:
    if source.get(max(source.size - 4, 0), 4) != b"PAR1":
        raise Unreadable(
            "It begins as Parquet, but its end is missing: it is cut off or still being written."
        )
    source.budget = FOOTER
    try:
        file = pq.ParquetFile(source, buffer_size=PAGES, pre_buffer=False)
        meta = file.metadata
        schema = file.schema_arrow
    except TooMuch:
        raise Unreadable("The description at its end is longer than a preview reads.") from None
    except (pa.ArrowException, OSError, ValueError):
        raise Unreadable("It begins as Parquet, but its description cannot be read: it is damaged.") from None
    group = _group(ask, meta.num_row_groups)
    names = [field.name for field in schema][:COLUMNS]
    rows: list[Row] = []
    notes: list[str] = []
    if meta.num_row_groups:
        names, rows, notes = _rows(source, file, group, names)
    found = table(
        source, ask, views, "parquet", [field.name for field in schema], rows, notes,
        total=meta.num_rows, types=[str(field.type) for field in schema], facts=_facts(meta, schema, group),
    )  # fmt: skip
    found.groups = meta.num_row_groups
    found.group = group if meta.num_row_groups else None
    return found


def _group(ask: Ask, groups: int) -> int:
    return max(0, min(ask.group or 0, groups - 1))


def _rows(source: Source, file: Any, group: int, names: list[str]) -> tuple[list[str], list[Row], list[str]]:
    """The first rows; of fewer columns, or none, when they would need more bytes than a preview reads."""
    count = file.metadata.row_group(group).num_rows
    kept = names
    for _ in range(TRIES):
        source.budget = source.bytes_read + TRY
        try:
            batches = file.iter_batches(batch_size=ROWS, row_groups=[group], columns=kept, use_threads=False)
            batch = next(batches, None)
            rows = _cells(batch, names) if batch is not None else []
            notes = (
                [f"The first {len(rows):,} of {count:,} rows of this row group."] if len(rows) < count else []
            )
            if kept is not names:
                notes.append(f"Only {len(kept)} columns are filled: the row group is very large.")
            return names, rows, notes
        except (TooMuch, MemoryError):
            kept = kept[: len(kept) // 2]
            if not kept:
                break
        except (pa.ArrowException, OSError, ValueError):
            return (
                names,
                [],
                ["The rows of this row group cannot be read: it is damaged, or its codec is not known."],
            )
    return names, [], ["The rows are not shown: the row group needs more memory than a preview may use."]


def _cells(batch: Any, names: list[str]) -> list[Row]:
    """Columns by their place in the schema, as names may be there twice. Nested values as text."""
    columns: list[list[Any]] = []
    for name in names:
        index = batch.schema.get_field_index(name)
        columns.append(_values(batch.column(index)) if index >= 0 else [None] * batch.num_rows)
    return [list(row) for row in zip(*columns, strict=True)]


def _values(column: Any) -> list[Any]:
    try:
        values = column.to_pylist()
    except (pa.ArrowException, ValueError, OverflowError):  # a time that Python has no word for
        return [str(column[row]) for row in range(len(column))]
    return [value.hex() if isinstance(value, bytes) else value for value in values]


def _facts(meta: Any, schema: Any, group: int) -> list[tuple[str, str]]:
    facts = [
        ("rows", f"{meta.num_rows:,}"),
        ("columns", f"{meta.num_columns:,}"),
        ("row groups", f"{meta.num_row_groups:,}"),
        ("written by", meta.created_by or ""),
    ]
    if group < meta.num_row_groups:
        of_group = meta.row_group(group)
        codecs = {of_group.column(n).compression for n in range(min(of_group.num_columns, COLUMNS))}
        facts += [
            ("rows of this row group", f"{of_group.num_rows:,}"),
            ("bytes of this row group", f"{of_group.total_byte_size:,} unpacked"),
            ("compression", ", ".join(sorted(codecs))),
        ]
    for name in schema.metadata or {}:
        facts.append(("metadata", name.decode(errors="replace")[:200]))
    return facts[:50]
