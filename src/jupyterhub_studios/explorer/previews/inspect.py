"""From the first bytes of a file to the preview that fits it. Whatever a file holds, the answer is a preview."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Literal

from ...models import BinaryPreview, DocumentPreview, Preview, TextPreview, ViewName
from .ask import Ask, Unreadable
from .formats import alignments, archives, notebooks, packed, parquet, sequences, tables, text, trees
from .formats.encodings import looks_like_text
from .kinds import by_bytes, kind_of, of_text, other, promise
from .source import Source, TooMuch

Show = Callable[[Source, Ask, list[ViewName]], Preview]
HEX = 4 << 10
IMAGES = {
    "png": "image/png", "jpeg": "image/jpeg", "gif": "image/gif", "webp": "image/webp", "avif": "image/avif",
    "ico": "image/x-icon", "svg": "image/svg+xml",
}  # fmt: skip
_RECORDS = ("vcf", "sam", "bed", "gff", "fastq", "fasta")


def inspect(source: Source, ask: Ask) -> Preview:
    """The view that is asked for where the file has it, or the best one; if that fails, the next, and why."""
    if not source.size:
        return _empty(ask)
    kind, is_packed = _kind(source, ask)
    ways = _ways(kind, is_packed)
    views: list[ViewName] = [view for view, _ in ways]
    order = sorted(ways, key=lambda way: way[0] != ask.view)  # stable: the one asked for, then the others
    notes = [_misnamed(ask, kind, is_packed)]
    for view, show in order:
        try:
            found = show(source, ask, [view, *(other_ for other_ in views if other_ != view)])
        except Unreadable as error:
            notes.append(str(error))
        except TooMuch:
            notes.append("It needs more bytes than a preview reads.")
        except (MemoryError, RecursionError):
            notes.append("It needs more memory than a preview may use.")
        else:
            return found.model_copy(update={"note": " ".join(note for note in [*notes, found.note] if note)})
        if view in views:
            views.remove(view)
    raise AssertionError("the last way shows any bytes")


def _kind(source: Source, ask: Ask) -> tuple[str, bool]:
    """What it is, and whether packed with gzip."""
    kind = kind_of(ask, source.head)
    if kind != "gzip":
        return kind, False
    try:
        head = packed.head_of(source).data
    except Unreadable:
        return "damaged gzip", False
    if head.startswith(b"BAM\1"):
        return "bam", False
    if head.startswith(b"BCF\2"):
        return "bcf", False
    if by_bytes(head) == "tar":
        return "tar", True
    if not looks_like_text(head):
        return "packed binary", False
    name = ask.name
    for suffix in (".gz", ".bgz", ".gzip"):
        name = name.removesuffix(suffix)
    return of_text(name, head), True


def _ways(kind: str, is_packed: bool) -> list[tuple[ViewName, Show]]:
    """The views of a kind, the best one first. The last one can show any bytes."""
    binary: tuple[ViewName, Show] = ("binary", partial(_binary, kind=kind))
    as_text: tuple[ViewName, Show] = ("text", packed.text if is_packed else text.text)
    ways: list[tuple[ViewName, Show]]
    if kind == "parquet":
        ways = [("table", parquet.parquet)]
    elif kind in ("bam", "cram", "bcf"):
        ways = [("table", partial(alignments.alignments, kind=kind))]
    elif kind == "hdf5":
        ways = [("tree", trees.tree)]
    elif kind == "zip":
        ways = [("archive", archives.zip_listing)]
    elif kind == "tar":
        ways = [("archive", archives.packed_tar_listing if is_packed else archives.tar_listing)]
    elif kind in IMAGES and kind != "svg":
        ways = [("document", partial(_document, media="image", content_type=IMAGES[kind]))]
    elif kind == "pdf":
        ways = [("document", partial(_document, media="pdf", content_type="application/pdf"))]
    else:
        ways = (
            [*_ways_of_text(kind, is_packed), as_text] if "binary" not in kind and "gzip" not in kind else []
        )
    return [*ways, binary]


def _ways_of_text(kind: str, is_packed: bool) -> list[tuple[ViewName, Show]]:
    if kind in ("csv", "tsv"):
        return [("table", partial(tables.csv_table, is_packed=is_packed, kind=kind))]
    if kind == "ndjson":
        return [("table", partial(tables.ndjson, is_packed=is_packed))]
    if kind in _RECORDS:
        return [("table", partial(sequences.records, is_packed=is_packed, kind=kind))]
    if is_packed:  # a browser and a notebook's reader get the file as it lies there
        return []
    if kind == "notebook":
        return [("notebook", notebooks.notebook)]
    if kind == "svg":
        return [("document", partial(_document, media="image", content_type="image/svg+xml"))]
    if kind == "html":
        return [("document", partial(_document, media="html", content_type="text/html"))]
    return []


def _document(
    source: Source,
    ask: Ask,
    views: list[ViewName],
    *,
    media: Literal["image", "pdf", "html"],
    content_type: str,
) -> DocumentPreview:
    return DocumentPreview(
        path=ask.path, size=source.size, bytes_read=source.bytes_read, views=views, media=media,
        content_type=content_type,
    )  # fmt: skip


def _binary(source: Source, ask: Ask, views: list[ViewName], *, kind: str) -> BinaryPreview:
    shown = hexdump(source, ask)
    note = ""
    if views == ["binary"]:
        known = other(source.head)
        if kind == "packed binary":
            note = "It is packed with gzip, and what is in it is no text: these are its first bytes."
        elif kind == "damaged gzip":
            note = "It begins as gzip does, but cannot be unpacked: it is damaged. These are its first bytes."
        elif known:
            note = f"It is {known}: these are its first bytes."
        elif kind == "encrypted parquet":
            note = "It is encrypted Parquet: these are its first bytes."
        else:
            note = "These are its first bytes."
    return shown.model_copy(update={"views": views, "note": note})


def hexdump(source: Source, ask: Ask) -> BinaryPreview:
    """The first bytes, sixteen in a line, beside what of them can be read."""
    data = source.get(0, HEX)
    lines = []
    for start in range(0, len(data), 16):
        part = data[start : start + 16]
        codes = f"{part[:8].hex(' '):<23}  {part[8:].hex(' '):<23}"
        letters = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)
        lines.append(f"{start:08x}  {codes}  |{letters}|")
    return BinaryPreview(
        path=ask.path,
        size=source.size,
        bytes_read=source.bytes_read,
        views=["binary"],
        hexdump="\n".join(lines),
    )


def _empty(ask: Ask) -> TextPreview:
    return TextPreview(
        path=ask.path,
        size=0,
        bytes_read=0,
        views=["text"],
        note="The file is empty.",
        text="",
        start=0,
        end=0,
        length=0,
    )


def _misnamed(ask: Ask, kind: str, is_packed: bool) -> str:
    """A word when a file is not what its name says."""
    promised = promise(ask.name)
    got = "gzip" if is_packed or "gzip" in kind or kind == "packed binary" else kind
    if promised is None or promised == got or (promised == "gzip" and kind in ("bam", "bcf")):
        return ""
    return f"Its name says {promised}, but it is not."
