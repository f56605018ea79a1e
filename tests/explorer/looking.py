"""Previews of bytes, made in this process: what the formats do, without the worker around them."""

from __future__ import annotations

from typing import Any

from jupyterhub_studios.explorer.previews.ask import Ask
from jupyterhub_studios.explorer.previews.inspect import inspect
from jupyterhub_studios.explorer.previews.source import Source
from jupyterhub_studios.models import AnyPreview

CAP = 2_000_000  # bytes of the store for any preview but Parquet's


def look(name: str, data: bytes, **asked: Any) -> Any:
    """The preview of a file with this content; checked for what holds for all of them."""
    reads: list[tuple[int, int]] = []

    def fetch(start: int, length: int) -> bytes:
        reads.append((start, length))
        return data[start : start + length]

    found = inspect(Source(len(data), fetch), Ask(name, len(data), **asked))
    again = AnyPreview.model_validate_json(AnyPreview(found).model_dump_json()).root
    assert again == found
    assert found.bytes_read == sum(min(length, len(data) - start) for start, length in reads)
    assert found.views[0] == found.view
    assert "Traceback" not in found.note and "Error" not in found.note
    if getattr(found, "format", "") != "parquet":
        assert found.bytes_read < CAP
    return found
