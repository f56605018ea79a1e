"""Text of any size: a window of whole lines around any byte of it."""

from __future__ import annotations

import json
from typing import Literal

from ....models import TextPreview, ViewName
from ..ask import Ask
from ..source import Source
from .encodings import decode, utf16

WINDOW = 256 << 10
LOOK_BACK = 64 << 10  # for the start of the line that holds a byte

LANGUAGES = {
    ".json": "json", ".ipynb": "json", ".ndjson": "json", ".jsonl": "json", ".md": "markdown", ".markdown": "markdown",
    ".py": "python", ".r": "r", ".rmd": "markdown", ".qmd": "markdown", ".nf": "groovy", ".groovy": "groovy",
    ".sh": "bash", ".bash": "bash", ".yaml": "yaml", ".yml": "yaml", ".html": "html", ".htm": "html", ".xml": "xml",
    ".svg": "xml", ".csv": "csv", ".tsv": "csv", ".toml": "toml", ".ini": "ini", ".sql": "sql", ".js": "javascript",
    ".ts": "typescript", ".c": "c", ".h": "c", ".cpp": "cpp", ".java": "java", ".go": "go", ".rs": "rust",
    ".jl": "julia", ".css": "css", ".wdl": "groovy", ".smk": "python", ".diff": "diff", ".patch": "diff",
}  # fmt: skip
# Files that Nextflow leaves in each task's folder, and others without an ending.
NAMES = {
    ".command.sh": "bash", ".command.run": "bash", ".command.begin": "plain", ".bashrc": "bash", ".profile": "bash",
    "nextflow.config": "groovy", "dockerfile": "dockerfile", "makefile": "makefile", "snakefile": "python",
}  # fmt: skip


def language_of(name: str, head: bytes) -> str:
    name = name.removesuffix(".gz").removesuffix(".bgz")
    if name in NAMES:
        return NAMES[name]
    _, dot, suffix = name.rpartition(".")
    if dot and (known := LANGUAGES.get("." + suffix)):
        return known
    if name.startswith("nextflow") and suffix == "config":
        return "groovy"
    if head.startswith(b"#!"):
        first = head[:200].split(b"\n", 1)[0].lower()
        for word, language in (
            (b"python", "python"),
            (b"rscript", "r"),
            (b"sh", "bash"),
            (b"nextflow", "groovy"),
        ):
            if word in first:
                return language
    return "plain"


class Lines:
    """Where lines begin, in bytes. In UTF-16 a line's end is two bytes, at an even place."""

    def __init__(self, head: bytes) -> None:
        encoding = utf16(head)
        self.unit = 2 if encoding else 1
        self.end = "\n".encode(encoding) if encoding else b"\n"
        self.utf8 = encoding is None

    def after(self, data: bytes, offset: int, start: int) -> int | None:
        """The first place in ``data`` after a line's end, from ``start`` on; ``offset`` is where data begins."""
        found = data.find(self.end, start)
        while found >= 0 and (offset + found) % self.unit:
            found = data.find(self.end, found + 1)
        return found + self.unit if found >= 0 else None

    def last(self, data: bytes, offset: int, end: int) -> int | None:
        """The last place up to ``end`` that follows a line's end."""
        found = data.rfind(self.end, 0, end)
        while found >= 0 and (offset + found) % self.unit:
            found = data.rfind(self.end, 0, found + self.unit - 1)
        return found + self.unit if found >= 0 else None

    def character(self, data: bytes, offset: int, at: int) -> int:
        """``at``, or a little later, where a character begins."""
        if not self.utf8:
            return at + (offset + at) % self.unit
        for step in range(4):
            if at + step >= len(data) or data[at + step] & 0xC0 != 0x80:
                return at + step
        return at


def place_window(
    data: bytes, offset: int, at: int, whole: int | None, lines: Lines, *, from_end: bool = False
) -> tuple[int, int]:
    """Which part of ``data`` to show so that the line with the byte ``at`` comes first; as places in ``data``.

    ``offset`` is where data begins in the text, ``whole`` the text's length, if known.
    """
    if from_end:
        start = max(len(data) - WINDOW, 0)
        if offset + start > 0:
            first = lines.after(data, offset, max(start - lines.unit, 0))
            start = first if first is not None and first < len(data) else lines.character(data, offset, start)
        return start, len(data)
    inside = at - offset
    start = 0
    if inside > 0 or offset > 0:
        before = lines.last(data, offset, inside)
        if before is not None:
            start = before
        elif offset > 0:
            start = lines.character(data, offset, inside)
    end = min(start + WINDOW, len(data))
    if whole is None or offset + end < whole:
        cut = lines.last(data, offset, end)
        if cut is not None and cut > start:
            end = cut
        else:  # a line longer than the window; cut between two characters
            while end > start + 4 and lines.utf8 and end < len(data) and data[end] & 0xC0 == 0x80:
                end -= 1
            end -= (offset + end) % lines.unit
    return start, end


def text(source: Source, ask: Ask, views: list[ViewName]) -> TextPreview:
    head = source.head
    lines = Lines(head)
    size = source.size
    at = _at(ask, size)
    if at == "end":
        offset = max(size - WINDOW - lines.unit, 0)
        offset -= offset % lines.unit
        data = source.get(offset, size - offset)
        start, end = place_window(data, offset, size, size, lines, from_end=True)
    else:
        offset = max(at - LOOK_BACK, 0)
        offset -= offset % lines.unit
        data = source.get(offset, at - offset + WINDOW)
        start, end = place_window(data, offset, at, size, lines)
    shown, encoding, note = decode(data[start:end], head, first=offset + start == 0)
    language = language_of(ask.name, head)
    if language == "json" and end - start == size:
        shown, note = laid_out(shown, note)
    return TextPreview(
        path=ask.path, size=size, bytes_read=source.bytes_read, views=views, note=note, text=shown, language=language,
        start=offset + start, end=offset + end, length=size, encoding=encoding,
    )  # fmt: skip


def _at(ask: Ask, size: int) -> int | Literal["end"]:
    if ask.at == "end" or (isinstance(ask.at, int) and ask.at >= size):
        return "end"
    return max(ask.at, 0) if isinstance(ask.at, int) else 0


def laid_out(shown: str, note: str) -> tuple[str, str]:
    """JSON that is written in one line, in many."""
    if "\n" in shown.strip():
        return shown, note
    try:
        return json.dumps(json.loads(shown), indent=2, ensure_ascii=False), note or "Laid out for reading."
    except (ValueError, RecursionError):
        return shown, note
