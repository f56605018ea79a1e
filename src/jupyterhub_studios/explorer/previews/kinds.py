"""What a file is: by its first bytes, and where they do not say, by its name."""

from __future__ import annotations

from .ask import Ask
from .formats.encodings import looks_like_text

# First bytes, offset, kind. What says nothing of itself (text) is told by its name below.
_MAGIC: tuple[tuple[bytes, int, str], ...] = (
    (b"PAR1", 0, "parquet"),
    (b"PARE", 0, "encrypted parquet"),
    (b"\x89HDF\r\n\x1a\n", 0, "hdf5"),
    (b"\x89HDF\r\n\x1a\n", 512, "hdf5"),
    (b"\x89HDF\r\n\x1a\n", 1024, "hdf5"),
    (b"\x89HDF\r\n\x1a\n", 2048, "hdf5"),
    (b"CRAM", 0, "cram"),
    (b"PK\x03\x04", 0, "zip"),
    (b"PK\x05\x06", 0, "zip"),
    (b"\x1f\x8b", 0, "gzip"),
    (b"ustar", 257, "tar"),
    (b"%PDF-", 0, "pdf"),
    (b"\x89PNG\r\n\x1a\n", 0, "png"),
    (b"\xff\xd8\xff", 0, "jpeg"),
    (b"GIF87a", 0, "gif"),
    (b"GIF89a", 0, "gif"),
    (b"WEBP", 8, "webp"),
    (b"ftypavif", 4, "avif"),
    (b"\x00\x00\x01\x00", 0, "ico"),
)

# What is known and has no view of its own, for a better word than "binary".
_OTHERS: tuple[tuple[bytes, int, str], ...] = (
    (b"BZh", 0, "packed with bzip2"),
    (b"\xfd7zXZ\x00", 0, "packed with xz"),
    (b"\x28\xb5\x2f\xfd", 0, "packed with Zstandard"),
    (b"\x04\x22\x4d\x18", 0, "packed with LZ4"),
    (b"7z\xbc\xaf\x27\x1c", 0, "a 7z archive"),
    (b"\x7fELF", 0, "a program"),
    (b"II*\x00", 0, "a TIFF image, which browsers do not show"),
    (b"MM\x00*", 0, "a TIFF image, which browsers do not show"),
    (b"ARROW1", 0, "an Arrow file"),
    (b"ORC", 0, "an ORC file"),
    (b"Obj\x01", 0, "an Avro file"),
    (b"SQLite format 3\x00", 0, "an SQLite database"),
    (b"\x93NUMPY", 0, "a NumPy array"),
    (b"\x80\x04", 0, "probably a Python pickle, which is a program and is not opened"),
    (b"CDF", 0, "a classic NetCDF file"),
    (b"BAI\x01", 0, "an index of a BAM file"),
    (b"CSI\x01", 0, "an index of a BCF or BAM file"),
    (b"TBI\x01", 0, "an index of a bgzip file"),
)

# Magic that a name promises: a file that lacks it is not what it is called.
PROMISED = {
    ".parquet": "parquet", ".pq": "parquet", ".h5": "hdf5", ".hdf5": "hdf5", ".h5ad": "hdf5", ".loom": "hdf5",
    ".bam": "bam", ".cram": "cram", ".bcf": "bcf", ".zip": "zip", ".tar": "tar", ".tgz": "gzip", ".gz": "gzip",
    ".bgz": "gzip", ".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".gif": "gif", ".webp": "webp", ".pdf": "pdf",
}  # fmt: skip

_TEXTS = {
    ".csv": "csv", ".tsv": "tsv", ".tab": "tsv", ".vcf": "vcf", ".sam": "sam", ".bed": "bed", ".gff": "gff",
    ".gff3": "gff", ".gtf": "gff", ".fastq": "fastq", ".fq": "fastq", ".fasta": "fasta", ".fa": "fasta",
    ".fna": "fasta", ".faa": "fasta", ".json": "json", ".ndjson": "ndjson", ".jsonl": "ndjson",
    ".ipynb": "notebook", ".svg": "svg", ".html": "html", ".htm": "html",
}  # fmt: skip


def by_bytes(head: bytes) -> str | None:
    """The kind that the first bytes tell of; None: text, or not known."""
    for magic, offset, kind in _MAGIC:
        if head.startswith(magic, offset):
            return kind
    return None


def other(head: bytes) -> str | None:
    return next((words for magic, offset, words in _OTHERS if head.startswith(magic, offset)), None)


def of_text(name: str, head: bytes) -> str:
    """Which text: by its name, or by how it begins where that is certain."""
    for suffix, kind in _TEXTS.items():
        if name.endswith(suffix):
            return kind
    start = head[:1024].lstrip().lower()
    if head.startswith(b"##fileformat=VCF"):
        return "vcf"
    if head.startswith(b"@HD\tVN:"):
        return "sam"
    if start.startswith((b"<!doctype html", b"<html")):
        return "html"
    if b"<svg" in start and start.startswith((b"<svg", b"<?xml")):
        return "svg"
    return "text"


def kind_of(ask: Ask, head: bytes) -> str:
    """The kind of a file that is not packed; "binary" when nothing better is known."""
    return by_bytes(head) or (of_text(ask.name, head) if looks_like_text(head) else "binary")


def promise(name: str) -> str | None:
    """What the ending of a name promises, when first bytes could tell."""
    return next((kind for suffix, kind in PROMISED.items() if name.endswith(suffix)), None)
