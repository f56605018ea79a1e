"""The job's memory: who is to go when it is full, and whether somebody went."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

SCORE = 500  # of 1000
COUNTERS = ("memory.events", "memory/memory.oom_control")  # of the two versions of control groups


def sacrifice(pid: int) -> None:
    """When memory is full the kernel ends a process: rather one of the session's, whose agent then saves, than the
    agent. What ``pid`` starts inherits this."""
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid}/oom_score_adj").write_text(str(SCORE))


def kills(folder: Path = Path("/sys/fs/cgroup")) -> int:
    """How many processes of this container were ended because its memory was full."""
    for name in COUNTERS:
        with contextlib.suppress(OSError):
            if found := re.search(r"^oom_kill (\d+)$", (folder / name).read_text(), re.MULTILINE):
                return int(found[1])
    return 0
