"""CSV, TSV and other tables of text: the first rows."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from ....models import Column, TablePreview, ViewName
from ..ask import Ask, Unreadable
from ..source import Source
from .sample import Sample, sample

ROWS = 1000
COLUMNS = 200
CELL = 2000  # characters
DELIMITERS = ",\t;|"

Row = list[Any]


def csv_table(source: Source, ask: Ask, views: list[ViewName], *, is_packed: bool, kind: str) -> TablePreview:
    found = sample(source, ask, is_packed=is_packed)
    delimiter = "\t" if kind == "tsv" and "\t" in found.text else delimiter_of(found.text)
    rows = _parse(found.text, delimiter, ROWS + 2)
    cut = not found.complete and len(rows) <= ROWS + 1
    if cut:
        rows = rows[:-1]  # the last may go on beyond the sample, within quotes
    if not rows:
        raise Unreadable("No row ends in what was read: a quote is not closed, or a row is very long.")
    has_names = looks_like_names(rows)
    names = rows[0] if has_names else [str(n + 1) for n in range(max(len(row) for row in rows))]
    body = rows[1:] if has_names else rows
    every = found.complete and len(body) <= ROWS
    notes = [found.note] if found.note else []
    if not every:
        notes.append(f"The first {min(len(body), ROWS):,} rows.")
    return table(
        source, ask, views, "tsv" if delimiter == "\t" else "csv", names, body, notes,
        total=len(body) if every else None,
    )  # fmt: skip


def delimiter_of(text: str) -> str:
    """The delimiter that splits the first lines most evenly; a comma where none does."""
    best, score = ",", (0.0, 0)
    for candidate in DELIMITERS:
        rows = [row for row in _parse(text[: 32 << 10], candidate, 21)[:20] if row]
        if not rows:
            continue
        width = len(rows[0])
        even = sum(len(row) == width for row in rows) / len(rows)
        if width > 1 and (even, width) > score:
            best, score = candidate, (even, width)
    return best


def _parse(text: str, delimiter: str, most: int) -> list[list[str]]:
    csv.field_size_limit(len(text) + 1)
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            if row:
                rows.append(row)
            if len(rows) >= most:
                break
    except csv.Error:
        raise Unreadable("It is not a table: its rows cannot be told apart.") from None
    return rows


def looks_like_names(rows: list[list[str]]) -> bool:
    """Whether the first row names the columns: no numbers in it, and no cell twice."""
    first = [cell.strip() for cell in rows[0]]
    filled = [cell for cell in first if cell]
    return bool(filled) and len(set(filled)) == len(filled) and not any(map(_is_number, filled))


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", "."))
    except ValueError:
        return False
    return True


def table(
    source: Source,
    ask: Ask,
    views: list[ViewName],
    format_: str,
    names: list[str],
    rows: list[Row],
    notes: list[str],
    *,
    total: int | None = None,
    header: str = "",
    types: list[str] | None = None,
    facts: list[tuple[str, str]] | None = None,
) -> TablePreview:
    """A preview of at most so many rows and columns, all of the same width."""
    if len(names) > COLUMNS:
        notes = [*notes, f"The first {COLUMNS} of {len(names):,} columns."]
    width = min(max([len(names), *map(len, rows[:ROWS])], default=0), COLUMNS)
    names = [*names, *(str(n + 1) for n in range(len(names), width))][:width]
    types = [*(types or []), *[""] * width][:width]
    return TablePreview(
        path=ask.path, size=source.size, bytes_read=source.bytes_read, views=views, note=" ".join(notes),
        format=format_, header=header, total_rows=total, facts=facts or [],
        columns=[Column(name=cell(name), type=kind) for name, kind in zip(names, types, strict=True)],
        rows=[[short(value) for value in [*row, *[None] * width][:width]] for row in rows[:ROWS]],
    )  # fmt: skip


def cell(text: str) -> str:
    return text if len(text) <= CELL else text[:CELL] + "…"


def short(value: Any) -> str | int | float | bool | None:
    """A value as a cell of JSON: numbers that JSON or a browser would change are text."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) < 2**53 else str(value)
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else str(value)
    return cell(value if isinstance(value, str) else str(value))


def ndjson(source: Source, ask: Ask, views: list[ViewName], *, is_packed: bool) -> TablePreview:
    """One row for each line that is an object; what is nested stays JSON."""
    found = sample(source, ask, is_packed=is_packed)
    records = []
    for line in found.lines()[: ROWS + 1]:
        if line.strip():
            try:
                record = json.loads(line)
            except (ValueError, RecursionError):
                raise Unreadable("One of its lines is not JSON.") from None
            records.append(record if isinstance(record, dict) else {"value": record})
    if not records:
        raise Unreadable("There is no line in it.")
    names = list(dict.fromkeys(name for record in records[:ROWS] for name in record))
    rows = [[_nested(record.get(name)) for name in names[:COLUMNS]] for record in records[:ROWS]]
    every = found.complete and len(records) <= ROWS
    notes = [note for note in (found.note, "" if every else f"The first {len(rows):,} rows.") if note]
    return table(source, ask, views, "ndjson", names, rows, notes, total=len(rows) if every else None)


def _nested(value: Any) -> Any:
    if isinstance(value, dict | list):
        try:
            return json.dumps(value, ensure_ascii=False)
        except RecursionError:
            raise Unreadable("Something in it is nested too deeply.") from None
    return value


def lines_of(found: Sample) -> list[str]:
    return [line for line in found.lines() if line]
