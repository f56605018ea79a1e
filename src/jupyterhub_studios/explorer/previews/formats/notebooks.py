"""Notebooks: cells and their outputs, of which HTML and scripts stay hidden."""

from __future__ import annotations

import json
import re
from typing import Any

from ....models import NotebookCell, NotebookOutput, NotebookPreview, ViewName
from ..ask import Ask, Unreadable
from ..source import Source

READ_MAX = 1_700_000
CELLS = 500
TEXT = 20_000  # characters of one output
_CELLS = re.compile(r'"cells"\s*:\s*\[')
_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def notebook(source: Source, ask: Ask, views: list[ViewName]) -> NotebookPreview:
    text = source.get(0, READ_MAX).decode("utf-8", "replace")
    note = ""
    try:
        if source.size <= READ_MAX:
            document = json.loads(text)
            cells = document["cells"] if "cells" in document else _first_version(document)
            metadata = document.get("metadata", {})
        else:
            cells, metadata = _beginning(text), {}
            note = f"The first {len(cells):,} cells: the notebook is longer than a preview reads."
        shown = [_cell(cell) for cell in cells[:CELLS]]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise Unreadable("It is not a whole notebook: its JSON is damaged or cut off.") from None
    if len(cells) > CELLS:
        note = f"The first {CELLS} of {len(cells):,} cells."
    return NotebookPreview(
        path=ask.path, size=source.size, bytes_read=source.bytes_read, views=views, note=note,
        language=_language(metadata), cells=shown,
    )  # fmt: skip


def _beginning(text: str) -> list[Any]:
    """The whole cells of a notebook that was not read to its end."""
    match = _CELLS.search(text)
    if match is None:
        raise ValueError("no cells")
    cells: list[Any] = []
    decoder, at = json.JSONDecoder(), match.end()
    while len(cells) < CELLS:
        while at < len(text) and text[at] in " \t\r\n,":
            at += 1
        try:
            cell, at = decoder.raw_decode(text, at)
        except ValueError:
            break
        cells.append(cell)
    return cells


def _first_version(document: Any) -> list[Any]:
    """Version 3 of the format kept cells in worksheets."""
    return [cell for sheet in document["worksheets"] for cell in sheet["cells"]]


def _language(metadata: Any) -> str:
    found = metadata.get("language_info", {}).get("name") or metadata.get("kernelspec", {}).get("language")
    return found if isinstance(found, str) else "python"


def _cell(cell: Any) -> NotebookCell:
    kind = cell.get("cell_type")
    outputs = cell.get("outputs", []) if kind == "code" else []
    return NotebookCell(
        kind=kind if kind in ("code", "markdown") else "raw",
        source=_joined(cell.get("source", cell.get("input", ""))),
        outputs=[shown for output in outputs[:50] if (shown := _output(output)) is not None],
    )


def _joined(text: Any) -> str:
    return "".join(map(str, text)) if isinstance(text, list) else str(text)


def _output(output: Any) -> NotebookOutput | None:
    if output.get("output_type") == "stream":
        return NotebookOutput(kind="text", text=_plain(output.get("text", "")))
    if output.get("output_type") in ("error", "pyerr"):
        return NotebookOutput(kind="error", text=_plain("\n".join(map(str, output.get("traceback", [])))))
    data = output.get("data", output)
    for kind in ("image/png", "image/jpeg"):
        if kind in data:
            packed = re.sub(r"[^A-Za-z0-9+/=]", "", _joined(data[kind]))
            return NotebookOutput(kind="image", text=f"data:{kind};base64,{packed}")
    if "text/plain" in data:
        return NotebookOutput(kind="text", text=_plain(data["text/plain"]))
    if "text/html" in data or "application/javascript" in data or "image/svg+xml" in data:
        return NotebookOutput(kind="hidden")
    return None


def _plain(text: Any) -> str:
    clean = _COLOURS.sub("", _joined(text))
    return clean if len(clean) <= TEXT else clean[:TEXT] + "\n…"
