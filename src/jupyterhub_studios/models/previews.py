"""What a preview of a file answers: always a small part, read by ranges."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, RootModel

from .base import Model

ViewName = Literal["text", "table", "notebook", "document", "archive", "tree", "binary"]
Cell = str | int | float | bool | None


class Preview(Model):
    path: str
    size: int  # bytes of the file
    bytes_read: int  # from the store, for this answer
    views: list[ViewName] = []  # other ways to look at the same file; the one given is the first
    note: str = ""  # what people should know: "the first 1,000 of …", "this file is truncated"


class TextPreview(Preview):
    """A window of a text: ``start`` and ``end`` are bytes, of the unpacked text where ``packed``.

    Whole lines, but where a line is longer than the window.
    """

    view: Literal["text"] = "text"
    text: str
    language: str = "plain"  # json, markdown, python, r, groovy, bash, yaml, html, xml, csv, plain …
    start: int
    end: int
    length: int | None  # of the text; None: packed, so it is not known before its end
    packed: Literal["gzip"] | None = None
    encoding: str = "utf-8"


class Column(Model):
    name: str
    type: str


class TablePreview(Preview):
    """Rows of CSV, TSV, Parquet, BAM, VCF, FASTQ …; ``header`` is the format's own header text."""

    view: Literal["table"] = "table"
    format: str  # csv, tsv, parquet, bam, cram, vcf, bcf, fastq, fasta …
    header: str = ""
    columns: list[Column]
    rows: list[list[Cell]]
    total_rows: int | None = None  # None: not known without reading it all
    groups: int | None = None  # Parquet: row groups in the file
    group: int | None = None  # Parquet: the one shown, from 0
    facts: list[tuple[str, str]] = []  # further lines of a summary: ("compression", "ZSTD") …


class NotebookOutput(Model):
    kind: Literal["text", "image", "error", "hidden"]  # hidden: HTML and scripts, never run here
    text: str = ""  # image: a data: URL of PNG or JPEG


class NotebookCell(Model):
    kind: Literal["code", "markdown", "raw"]
    source: str
    outputs: list[NotebookOutput] = []


class NotebookPreview(Preview):
    view: Literal["notebook"] = "notebook"
    language: str
    cells: list[NotebookCell]


class DocumentPreview(Preview):
    """Something a browser shows by itself, from ``/raw``, in a sandboxed frame or an image element."""

    view: Literal["document"] = "document"
    media: Literal["image", "pdf", "html"]
    content_type: str


class Member(Model):
    path: str
    size: int | None
    folder: bool = False


class ArchivePreview(Preview):
    view: Literal["archive"] = "archive"
    format: str  # zip, tar, tar.gz …
    members: list[Member]
    truncated: bool  # there are more than are listed


class Node(Model):
    path: str
    kind: Literal["group", "dataset"]
    shape: list[int] | None = None
    type: str = ""
    detail: str = ""  # attributes, the first values …


class TreePreview(Preview):
    """HDF5 and what is made of it; AnnData files tell cells, genes and annotations in ``facts``."""

    view: Literal["tree"] = "tree"
    format: str  # hdf5, anndata
    facts: list[tuple[str, str]]
    nodes: list[Node]
    truncated: bool


class BinaryPreview(Preview):
    """The first bytes, where nothing better is known; ``note`` says why."""

    view: Literal["binary"] = "binary"
    hexdump: str


AnyPreview = RootModel[
    Annotated[
        TextPreview
        | TablePreview
        | NotebookPreview
        | DocumentPreview
        | ArchivePreview
        | TreePreview
        | BinaryPreview,
        Field(discriminator="view"),
    ]
]
