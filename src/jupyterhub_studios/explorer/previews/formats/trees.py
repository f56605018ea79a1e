"""HDF5 and AnnData: what is in it, without following a link out of it."""

from __future__ import annotations

from typing import Any

import h5py

from ....models import Node, TreePreview, ViewName
from ..ask import Ask, Unreadable
from ..source import Source, TooMuch

NODES = 1000
DEPTH = 32
BLOCK = 16 << 10  # its parts are small and far apart
VALUES_MAX = 4096  # bytes of a dataset whose first values are told
FACT = 500  # characters
# Whatever a damaged file makes the library say.
_FAULTS = (OSError, RuntimeError, ValueError, KeyError, TypeError, MemoryError, TooMuch, UnicodeError)


def tree(source: Source, ask: Ask, views: list[ViewName]) -> TreePreview:
    source.use_blocks(BLOCK)
    nodes: list[Node] = []
    facts: list[tuple[str, str]] = []
    truncated = False
    try:
        with h5py.File(source, "r") as file:
            truncated = _walk(file, "", nodes, 0)
            is_anndata = _is_anndata(file)
            facts = _anndata(file) if is_anndata else _facts(file, nodes)
    except _FAULTS:
        if not nodes:
            why = (
                "needs more than a preview reads"
                if source.exceeded
                else "cannot be read: it is damaged or cut off"
            )
            raise Unreadable(f"It begins as HDF5, but its table of contents {why}.") from None
        truncated, is_anndata = True, False
    note = ""
    if source.exceeded or truncated:
        truncated = True
        note = f"The first {len(nodes):,} parts: there are more than a preview reads."
    return TreePreview(
        path=ask.path, size=source.size, bytes_read=source.bytes_read, views=views, note=note,
        format="anndata" if is_anndata else "hdf5", facts=facts, nodes=nodes, truncated=truncated,
    )  # fmt: skip


def _walk(group: Any, path: str, nodes: list[Node], depth: int) -> bool:
    """Groups and datasets in the order of the file; True when there are more than are told."""
    for name in group:
        if len(nodes) >= NODES or depth > DEPTH:
            return True
        inner = f"{path}/{name}"
        link = group.get(name, getlink=True)
        if not isinstance(link, h5py.HardLink):
            # A link may lead to any file of this machine: it is told, and never followed.
            where = f"a link to {link.path}" + (
                " in another file" if isinstance(link, h5py.ExternalLink) else ""
            )
            nodes.append(Node(path=inner, kind="dataset", type="link", detail=_cut(where)))
            continue
        try:
            item = group[name]
        except _FAULTS:
            nodes.append(Node(path=inner, kind="dataset", type="damaged"))
            continue
        if isinstance(item, h5py.Group):
            nodes.append(Node(path=inner, kind="group", detail=_attributes(item)))
            if _walk(item, inner, nodes, depth + 1):
                return True
        elif isinstance(item, h5py.Dataset):
            nodes.append(_dataset(item, inner))
    return False


def _dataset(item: Any, path: str) -> Node:
    try:
        shape, kind = list(item.shape or []), str(item.dtype)
        detail = _attributes(item)
        if (first := _values(item)) and len(detail) < FACT:
            detail = f"{detail}; {first}" if detail else first
    except _FAULTS:
        return Node(path=path, kind="dataset", type="damaged")
    return Node(path=path, kind="dataset", shape=shape, type=kind, detail=detail)


def _attributes(item: Any) -> str:
    told = []
    try:
        for name in list(item.attrs)[:10]:
            told.append(f"{name}={_text(item.attrs[name])}")
    except _FAULTS:
        told.append("…")
    return _cut(", ".join(told))


def _values(item: Any) -> str:
    """The first values of a small dataset that lies in the file itself."""
    if item.is_virtual or item.external or item.shape is None or item.nbytes > VALUES_MAX:
        return ""
    values = item.asstr()[()] if h5py.check_string_dtype(item.dtype) else item[()]
    return _text(values)


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        value = value.decode(errors="replace")
    if hasattr(value, "ravel") and getattr(value, "size", 1) > 1:
        flat = value.ravel()
        return "[" + ", ".join(str(item) for item in flat[:10]) + (", …]" if flat.size > 10 else "]")
    return _cut(str(value))


def _cut(text: str) -> str:
    return text if len(text) <= FACT else text[:FACT] + "…"


def _facts(file: Any, nodes: list[Node]) -> list[tuple[str, str]]:
    facts = [(str(name), _text(file.attrs[name])) for name in list(file.attrs)[:20]]
    facts.append(("datasets", f"{sum(node.kind == 'dataset' for node in nodes):,}"))
    return facts


def _is_anndata(file: Any) -> bool:
    told = file.attrs.get("encoding-type")
    return told in ("anndata", b"anndata") or {"X", "obs", "var"} <= set(file)


def _anndata(file: Any) -> list[tuple[str, str]]:
    facts: list[tuple[str, str]] = []
    shape = _matrix_shape(file.get("X")) if _is_own(file, "X") else None
    cells, genes = shape or (_length(file, "obs"), _length(file, "var"))
    for word, count in (("cells", cells), ("genes", genes)):
        if count is not None:
            facts.append((word, f"{count:,}"))
    if shape:
        facts.append(("matrix", _matrix(file["X"])))
    for name, words in (("obs", "annotations of cells"), ("var", "annotations of genes")):
        if _is_own(file, name) and (columns := _columns(file[name])):
            facts.append((words, _cut(", ".join(columns))))
    for name in ("layers", "obsm", "varm", "obsp", "varp", "uns"):
        if _is_own(file, name) and isinstance(file[name], h5py.Group) and len(file[name]):
            facts.append((name, _cut(", ".join(list(file[name])[:100]))))
    # Before anndata 0.7 a table was one compound dataset, and raw counts lay in "raw.X".
    facts.append(("raw counts", "yes" if "raw" in file or "raw.X" in file else "no"))
    return facts


def _is_own(group: Any, name: str) -> bool:
    return name in group and isinstance(group.get(name, getlink=True), h5py.HardLink)


def _columns(group: Any) -> list[str]:
    if isinstance(group, h5py.Dataset):
        return [name for name in group.dtype.names or () if name != "index"][:200]
    order = group.attrs.get("column-order")
    names = [str(name) for name in order] if order is not None else list(group)
    return [name for name in names if not name.startswith("_")][:200]


def _length(file: Any, name: str) -> int | None:
    if not _is_own(file, name):
        return None
    group = file[name]
    if isinstance(group, h5py.Dataset):
        return int(group.shape[0])
    index = group.attrs.get("_index", "_index")
    return int(group[index].shape[0]) if _is_own(group, index) else None


def _matrix_shape(item: Any) -> tuple[int, int] | None:
    shape = (
        item.shape
        if isinstance(item, h5py.Dataset)
        else item.attrs.get("shape", item.attrs.get("h5sparse_shape"))
    )
    return (int(shape[0]), int(shape[1])) if shape is not None and len(shape) == 2 else None


def _matrix(item: Any) -> str:
    if isinstance(item, h5py.Dataset):
        return f"dense, {item.dtype}"
    kind = _text(item.attrs.get("encoding-type", "sparse"))
    data = item["data"] if _is_own(item, "data") else None
    return f"{kind}, {data.dtype}, {data.shape[0]:,} values" if data is not None else kind
