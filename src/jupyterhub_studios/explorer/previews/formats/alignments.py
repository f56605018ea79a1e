"""BAM, CRAM and BCF, read by htslib from the beginning of the file."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import IO, Any

import pysam

from ....models import TablePreview, ViewName
from ..ask import Ask, Unreadable
from ..source import Source
from .sequences import SAM, SEQUENCE, VCF, cut_header
from .tables import Row, table

HEAD = 512 << 10
LONG_HEAD = 1_700_000  # where the header alone is longer
RECORDS = 200
_BGZF_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")

pysam.set_verbosity(0)


def alignments(source: Source, ask: Ask, views: list[ViewName], *, kind: str) -> TablePreview:
    reader = {"bam": _bam, "cram": _cram, "bcf": _bcf}[kind]
    for length in (HEAD, LONG_HEAD):
        data = source.get(0, length)
        with tempfile.TemporaryFile() as file:
            file.write(data)
            file.flush()
            file.seek(0)
            try:
                header, names, rows, ended = reader(file)
                break
            except (OSError, ValueError, MemoryError):
                if len(data) == source.size:
                    raise Unreadable(
                        f"It cannot be read as {kind.upper()}: it is damaged or cut off."
                    ) from None
    else:
        raise Unreadable(f"The header of this {kind.upper()} file is longer than a preview reads.")
    whole = len(data) == source.size
    notes = []
    if kind == "cram":
        notes.append("The header alone: the records need their reference.")
    elif not (ended and whole):
        notes.append(f"The first {len(rows):,} records.")
    if kind != "cram" and source.get(max(source.size - len(_BGZF_END), 0), len(_BGZF_END)) != _BGZF_END:
        notes.append("The mark at its end is missing: the file may be cut off.")
    total = len(rows) if ended and whole and kind != "cram" else None
    return table(source, ask, views, kind, names, rows, notes, header=cut_header(header), total=total)


Read = tuple[str, list[str], list[Row], bool]


def _bam(file: IO[bytes]) -> Read:
    with pysam.AlignmentFile(file, "rb", check_sq=False) as opened:
        rows, ended = _some(opened.fetch(until_eof=True))
        return str(opened.header), SAM, [_record(text) for text in rows], ended


def _cram(file: IO[bytes]) -> Read:
    with pysam.AlignmentFile(file, "rc", check_sq=False) as opened:
        references = list(zip(opened.references, opened.lengths, strict=True))[: 10 * RECORDS]
        rows: list[Row] = [[name, length] for name, length in references]
        return str(opened.header), ["reference", "length"], rows, False


def _bcf(file: IO[bytes]) -> Read:
    with pysam.VariantFile(file, "rb") as opened:
        header = str(opened.header)
        found, ended = _some(opened)
        names = next((line[1:] for line in header.splitlines() if line.startswith("#CHROM")), "\t".join(VCF))
        return header, names.split("\t"), [text.rstrip("\n").split("\t") for text in found], ended


def _some(records: Any) -> tuple[list[str], bool]:
    """The text of the first records, and whether there are no more. The last may be cut off, as our part ends there."""
    texts: list[str] = []
    iterator: Iterator[Any] = iter(records)
    try:
        for record in iterator:
            if len(texts) == RECORDS:
                return texts, False
            texts.append(record.to_string() if hasattr(record, "to_string") else str(record))
    except (OSError, ValueError):
        return texts, False
    return texts, True


def _record(text: str) -> Row:
    fields = text.rstrip("\n").split("\t")
    for index in (9, 10):
        if len(fields) > index and len(fields[index]) > SEQUENCE:
            fields[index] = fields[index][:SEQUENCE] + "…"
    return [*fields[:11], " ".join(fields[11:])]
