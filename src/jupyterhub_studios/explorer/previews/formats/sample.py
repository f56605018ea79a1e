"""The beginning of a text, plain or packed, in whole lines: what tables are made of."""

from __future__ import annotations

from dataclasses import dataclass

from ..ask import Ask, Unreadable
from ..source import Source
from . import packed
from .encodings import decode

SAMPLE = 256 << 10
LINE_MAX = SAMPLE


@dataclass(frozen=True)
class Sample:
    text: str
    complete: bool  # it is the whole file
    note: str

    def lines(self) -> list[str]:
        return self.text.splitlines()


def sample(source: Source, ask: Ask, *, is_packed: bool) -> Sample:
    if is_packed:
        found = packed.head_of(source)
        data, complete = found.data, found.complete
        damaged = (
            "The file is damaged, or its end is missing: this is what could be read." if found.damaged else ""
        )
    else:
        data, damaged = source.get(0, SAMPLE), ""
        complete = len(data) == source.size
    shown, encoding, note = decode(data, data, first=True)
    if not complete:
        cut = shown.rfind("\n") + 1
        if not cut:
            raise Unreadable(
                f"Its first line is longer than {SAMPLE >> 10} KiB, so it is not shown as a table."
            )
        shown = shown[:cut]
    if encoding.startswith("utf-16"):
        note = note or "In UTF-16."
    return Sample(shown, complete, damaged or note)
