"""Headers of answers that are files: names, types, times, and what keeps their content harmless."""

from __future__ import annotations

import mimetypes
from datetime import datetime
from email.utils import format_datetime, parsedate_to_datetime
from urllib.parse import quote

# A document from a bucket is shown without scripts, without our origin, and loads nothing.
SANDBOX = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"
# What /raw shows in a frame or an image element. Everything else is a download.
INLINE = {
    "image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/bmp", "image/svg+xml",
    "image/x-icon", "application/pdf", "text/html",
}  # fmt: skip


def content_type(name: str) -> str:
    """By the name alone; text in an encoding of its own, which a browser finds out."""
    kind, packed = mimetypes.guess_type(name.replace("?", "_").replace("#", "_"), strict=False)
    if packed:
        return "application/gzip" if packed == "gzip" else "application/octet-stream"
    if kind == "image/vnd.microsoft.icon":
        return "image/x-icon"
    return kind or "application/octet-stream"


def disposition(name: str, *, inline: bool = False) -> str:
    """Content-Disposition by RFC 6266, with the name as it is (RFC 5987) and once more for what cannot read that."""
    name = "".join("_" if not letter.isprintable() or letter in "/\\" else letter for letter in name).strip()
    name = name or "download"
    kind = "inline" if inline else "attachment"
    plain = "".join(letter if letter.isascii() and letter not in '"%' else "_" for letter in name)
    value = f'{kind}; filename="{plain}"'
    return value if plain == name else f"{value}; filename*=UTF-8''{quote(name, safe='')}"


def etag_header(etag: str | None) -> str | None:
    """A strong entity tag; stores answer theirs with quotes or without."""
    if not etag or etag.startswith("W/"):
        return None
    plain = etag.strip('"')
    return f'"{plain}"' if plain.isascii() and plain.isprintable() and '"' not in plain else None


def date_header(moment: datetime | None) -> str | None:
    return format_datetime(moment.replace(microsecond=0), usegmt=True) if moment else None


def still_the_same(if_range: str | None, etag: str | None, modified: datetime | None) -> bool:
    """Whether a Range counts: If-Range names the object as it is now."""
    if if_range is None:
        return True
    if if_range.lstrip().startswith('"'):
        return if_range.strip() == etag_header(etag)
    try:
        return modified is not None and parsedate_to_datetime(if_range) == modified.replace(microsecond=0)
    except (ValueError, TypeError):  # no date; or one without a time zone
        return False
