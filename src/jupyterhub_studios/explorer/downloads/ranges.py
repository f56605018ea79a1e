"""The Range header, as RFC 9110 has it."""

from __future__ import annotations

import re

_ONE = re.compile(r"\s*(\d*)\s*-\s*(\d*)\s*")


def parse(header: str | None, size: int) -> tuple[int, int] | None:
    """``[start, end)`` of what is asked for; None: all of it.

    Several ranges at once, and what cannot be read as a range, are answered with all of it, as the RFC allows.
    ValueError: none of what is asked for lies within the object (416).
    """
    if header is None:
        return None
    unit, equals, listed = header.partition("=")
    if unit.strip().lower() != "bytes" or not equals:
        return None
    found = []
    for one in listed.split(","):
        match = _ONE.fullmatch(one)
        if match is None or not (match[1] or match[2]):
            return None
        first, last = match[1], match[2]
        if first and last and int(last) < int(first):
            return None
        if first:
            start, end = int(first), min(int(last) + 1, size) if last else size
        else:
            start, end = max(size - int(last), 0), size
        if start < end:
            found.append((start, end))
    if not found:
        raise ValueError(f"none of {header!r} lies within {size} bytes")
    return found[0] if listed.count(",") == 0 else None
