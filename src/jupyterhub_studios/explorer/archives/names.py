"""Names in a zip that every tool extracts below its own folder, whatever the keys were."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

_DRIVE = re.compile(r"^[A-Za-z]:")


def safe(path: str) -> str:
    """Relative, without "..", drive letters, backslashes or control characters; a folder keeps its "/"."""
    parts = []
    for part in path.split("/"):
        clean = "".join(letter if _fits(letter) else "_" for letter in part)
        if clean not in ("", "."):
            parts.append("__" if clean == ".." else clean)
    if parts and _DRIVE.match(parts[0]):
        parts[0] = parts[0].replace(":", "_", 1)
    name = "/".join(parts) or "_"
    return name + "/" if path.endswith("/") else name


def unique(paths: Sequence[str]) -> list[str]:
    """A name for each path. Two that became the same are told apart, and so are a file and a folder of one name."""
    names = [safe(path) for path in paths]
    taken = {parent for name in names for parent in _folders_of(name)}
    result = []
    for name in names:
        if name.endswith("/"):  # folders of the same name are one
            result.append(name)
            continue
        free, number = name, 2
        stem, suffix = _split(name)
        while free in taken:
            free, number = f"{stem} ({number}){suffix}", number + 1
        taken.add(free)
        result.append(free)
    return result


def _fits(letter: str) -> bool:
    return letter != "\\" and unicodedata.category(letter) not in ("Cc", "Cs", "Zl", "Zp")


def _folders_of(name: str) -> list[str]:
    """All folders that a name lies in, or is."""
    parts = name.split("/")[:-1]
    return ["/".join(parts[: end + 1]) for end in range(len(parts))]


def _split(name: str) -> tuple[str, str]:
    head, slash, last = name.rpartition("/")
    stem, dot, suffix = last.rpartition(".")
    return (head + slash + stem, dot + suffix) if stem else (name, "")
