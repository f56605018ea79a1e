"""Which encoding a text is in, and whether bytes are a text at all."""

from __future__ import annotations

import codecs

_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f\b\x1b")) + b"\x7f"
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


def utf16(head: bytes) -> str | None:
    """UTF-16, with its mark or told by where the zero bytes are."""
    for bom, name in _BOMS[1:]:
        if head.startswith(bom):
            return name
    sample = head[:4096]
    if len(sample) < 4 or not sample.count(0):
        return None
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    half = len(sample) // 2
    if odd > 0.7 * half and even < 0.05 * half:
        return "utf-16-le"
    if even > 0.7 * half and odd < 0.05 * half:
        return "utf-16-be"
    return None


def looks_like_text(head: bytes) -> bool:
    if not head or utf16(head):
        return True
    sample = head[: 32 << 10]
    if 0 in sample:
        return False
    controls = len(sample) - len(sample.translate(None, _CONTROLS))
    return controls <= len(sample) // 50


def decode(data: bytes, head: bytes, *, first: bool) -> tuple[str, str, str]:
    """Text, encoding and a note. ``head`` are the first bytes of the file, ``first``: so are ``data``."""
    wide = utf16(head)
    if wide:
        text, note = data.decode(wide, "replace"), ""
        return (text.removeprefix("\ufeff") if first else text), wide, note
    text = data.decode("utf-8", "replace")
    if first:
        text = text.removeprefix("\ufeff")
    wrong = text.count("\ufffd")
    if wrong == 0:
        return text, "utf-8", ""
    # A damaged byte here and there is still UTF-8; if most of what is not ASCII is wrong, it is something else.
    beyond = len(data) - len(data.translate(None, bytes(range(128, 256))))
    if wrong * 4 <= beyond:
        return text, "utf-8", "Some bytes are not valid UTF-8; they are shown as �."
    return (
        data.decode("latin-1"),
        "latin-1",
        "This is not UTF-8; it is shown as Latin-1, which fits any bytes.",
    )
