"""What the kernel says of processes that are not our children."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path


def started(pid: int) -> str | None:
    """When process ``pid`` started, as an opaque word; None when it has ended (also as a zombie)."""
    if sys.platform != "linux":
        answer = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True)
        return "".join(answer.stdout.split()).replace(":", "") or None
    fields = _stat(pid)
    return None if fields is None or fields[0] in "ZX" else fields[19]


def children(pid: int) -> list[int]:
    if sys.platform != "linux":
        answer = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True)
        return [int(word) for word in answer.stdout.split()]
    return [other for other, fields in _all() if fields[1] == str(pid)]


def session_exists(sid: int) -> bool:
    """Whether a live process belongs to the session that process ``sid`` had begun."""
    if sys.platform != "linux":
        return bool(subprocess.run(["pgrep", "-g", str(sid)], capture_output=True).stdout)
    return any(fields[3] == str(sid) and fields[0] not in "ZX" for _, fields in _all())


def _all() -> Iterator[tuple[int, list[str]]]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))) is not None:
            yield int(entry.name), fields


def _stat(pid: int) -> list[str] | None:
    """The fields of /proc/PID/stat from the state on: a command's name may hold anything, even ")"."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
