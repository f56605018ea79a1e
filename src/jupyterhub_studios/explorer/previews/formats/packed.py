"""gzip and bgzip: unpacked from the start, as far as a preview may read, and never more than fits in memory."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from ....models import TextPreview, ViewName
from ..ask import Ask, Unreadable
from ..source import Source
from .encodings import decode
from .text import LOOK_BACK, WINDOW, Lines, laid_out, language_of, place_window

STEP = 128 << 10
UNPACKED_MAX = 64 << 20  # bytes that are unpacked on the way to a place in the text
HEAD_UNPACKED = 256 << 10


@dataclass
class Unpacked:
    data: bytes  # the last ones, if not all were kept
    offset: int  # where data begins in the unpacked file
    complete: bool  # the end was reached
    damaged: bool = False

    @property
    def end(self) -> int:
        return self.offset + len(self.data)


def unpack(source: Source, until: int, *, keep: int | None = None) -> Unpacked:
    """Unpack up to ``until`` bytes; of them, if ``keep`` is given, only about the last so many are held."""
    until = min(until, UNPACKED_MAX)
    result = Unpacked(b"", 0, False)
    parts: list[bytes] = []
    held = 0
    unpacker = zlib.decompressobj(wbits=31)
    at, waiting = 0, b""
    room = source.budget - source.bytes_read - STEP
    while result.offset + held < until:
        if not waiting:
            if at >= source.size or at >= room:
                break
            waiting = source.get(at, STEP)
            at += len(waiting)
            if not waiting:
                break
        try:
            part = unpacker.decompress(waiting, min(until - result.offset - held, 1 << 20))
        except zlib.error:
            result.damaged = True
            break
        parts.append(part)
        held += len(part)
        waiting = unpacker.unconsumed_tail
        if unpacker.eof:  # bgzip is many of them, one after the other
            waiting = unpacker.unused_data
            if not waiting and at >= source.size:
                result.complete = True
                break
            if waiting.strip(b"\0") == b"" and at >= source.size:
                result.complete = True  # padded with zeros, as tapes and some writers do
                break
            unpacker = zlib.decompressobj(wbits=31)
        while keep is not None and held - len(parts[0]) >= keep:
            held -= len(parts[0])
            result.offset += len(parts.pop(0))
    if at >= source.size and not waiting and not result.complete and not result.damaged:
        result.damaged = result.offset + held < until  # its end is missing
    result.data = b"".join(parts)
    return result


def head_of(source: Source) -> Unpacked:
    """The first unpacked bytes, by which the content is recognised."""
    found = unpack(source, HEAD_UNPACKED)
    if found.damaged and not found.data:
        raise Unreadable("It begins as gzip does, but cannot be unpacked: it is damaged.")
    return found


def text(source: Source, ask: Ask, views: list[ViewName]) -> TextPreview:
    head = head_of(source).data
    lines = Lines(head)
    at = ask.at if isinstance(ask.at, int) else 0
    from_end = ask.at == "end"
    until = UNPACKED_MAX if from_end else max(at, 0) + WINDOW
    found = unpack(source, until, keep=WINDOW + LOOK_BACK + 2 * STEP)
    from_end = from_end or at >= found.end
    start, end = place_window(
        found.data, found.offset, max(at, 0), found.end if found.complete else None, lines, from_end=from_end
    )
    if from_end and not found.complete:  # not its end: a line may go on
        end = lines.last(found.data, found.offset, end) or end
    shown, encoding, note = decode(found.data[start:end], head, first=found.offset + start == 0)
    language = language_of(ask.name, head)
    if language == "json" and found.complete and end - start == found.end:
        shown, note = laid_out(shown, note)
    if found.damaged:
        note = "The file is damaged, or its end is missing: this is what could be unpacked of it."
    elif from_end and not found.complete:
        note = "Packed text can only be read from its start, and this is as far as a preview goes."
    return TextPreview(
        path=ask.path, size=source.size, bytes_read=source.bytes_read, views=views, note=note, text=shown,
        language=language, start=found.offset + start, end=found.offset + end,
        length=found.end if found.complete else None, packed="gzip", encoding=encoding,
    )  # fmt: skip
