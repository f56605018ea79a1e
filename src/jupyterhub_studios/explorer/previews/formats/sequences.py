"""Formats of genomics that are text: header and first records."""

from __future__ import annotations

from ....models import TablePreview, ViewName
from ..ask import Ask, Unreadable
from ..source import Source
from .sample import Sample, sample
from .tables import Row, lines_of, table

HEADER = 64 << 10  # characters
SEQUENCE = 200
SAM = ["QNAME", "FLAG", "RNAME", "POS", "MAPQ", "CIGAR", "RNEXT", "PNEXT", "TLEN", "SEQ", "QUAL", "TAGS"]
BED = [
    "chrom", "start", "end", "name", "score", "strand", "thickStart", "thickEnd", "itemRgb", "blockCount",
    "blockSizes", "blockStarts",
]  # fmt: skip
GFF = ["seqid", "source", "type", "start", "end", "score", "strand", "phase", "attributes"]
VCF = ["CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO"]


def records(source: Source, ask: Ask, views: list[ViewName], *, is_packed: bool, kind: str) -> TablePreview:
    found = sample(source, ask, is_packed=is_packed)
    lines = lines_of(found)
    header = "\n".join(line for line in lines if line.startswith(_COMMENTS.get(kind, ("#",))))
    names, rows = _READERS[kind](lines, found)
    if not rows and not header:
        raise Unreadable(f"It does not look like {kind.upper()}.")
    every = found.complete
    notes = [found.note] if found.note else []
    if not every:
        notes.append(
            f"The first {len(rows):,} records." if rows else "Its header is longer than what is read."
        )
    return table(
        source,
        ask,
        views,
        kind,
        names,
        rows,
        notes,
        header=cut_header(header),
        total=len(rows) if every else None,
    )


def cut_header(header: str) -> str:
    return header if len(header) <= HEADER else header[:HEADER] + "\n…"


def _vcf(lines: list[str], found: Sample) -> tuple[list[str], list[Row]]:
    names = next((line[1:].split("\t") for line in lines if line.startswith("#CHROM")), VCF)
    return names, [line.split("\t") for line in lines if not line.startswith("#")]


def _sam(lines: list[str], found: Sample) -> tuple[list[str], list[Row]]:
    split = [line.split("\t") for line in lines if not line.startswith("@")]
    return SAM, [[*fields[:11], " ".join(fields[11:])] for fields in split]


def _bed(lines: list[str], found: Sample) -> tuple[list[str], list[Row]]:
    rows: list[Row] = [line.split("\t") if "\t" in line else line.split() for line in _plain(lines, "bed")]
    width = max(map(len, rows), default=3)
    return [*BED, *(str(n + 1) for n in range(len(BED), width))][:width], rows


def _gff(lines: list[str], found: Sample) -> tuple[list[str], list[Row]]:
    return GFF, [line.split("\t") for line in _plain(lines, "gff")]


def _plain(lines: list[str], kind: str) -> list[str]:
    return [line for line in lines if not line.startswith(_COMMENTS[kind])]


def _fastq(lines: list[str], found: Sample) -> tuple[list[str], list[Row]]:
    rows: list[Row] = []
    for start in range(0, len(lines) - 3, 4):
        name, sequence, plus, quality = lines[start : start + 4]
        if not name.startswith("@") or not plus.startswith("+"):
            raise Unreadable("It does not have the four lines of a FASTQ record.")
        rows.append([name[1:], len(sequence), _start(sequence), _start(quality)])
    if not rows:
        raise Unreadable("There is no whole FASTQ record in it.")
    return ["name", "length", "sequence", "quality"], rows


def _fasta(lines: list[str], found: Sample) -> tuple[list[str], list[Row]]:
    if not lines or not lines[0].startswith(">"):
        raise Unreadable("It does not begin with “>”, as FASTA does.")
    rows: list[Row] = []
    sequence: list[str] = []
    for line in [*lines, ">"]:
        if not line.startswith(">"):
            sequence.append(line.strip())
            continue
        if rows:
            rows[-1][2:] = [sum(map(len, sequence)), _start("".join(sequence[:20]))]
        name, _, description = line[1:].partition(" ")
        rows.append([name, description, None, ""])
        sequence = []
    rows.pop()
    if not found.complete:
        rows[-1][2] = None  # it goes on
    return ["name", "description", "length", "sequence"], rows


def _start(sequence: str) -> str:
    return sequence if len(sequence) <= SEQUENCE else sequence[:SEQUENCE] + "…"


_COMMENTS = {
    "sam": ("@",),
    "bed": ("#", "track", "browser"),
    "gff": ("#",),
    "fastq": ("\0",),
    "fasta": ("\0",),
}
_READERS = {"vcf": _vcf, "sam": _sam, "bed": _bed, "gff": _gff, "fastq": _fastq, "fasta": _fasta}
