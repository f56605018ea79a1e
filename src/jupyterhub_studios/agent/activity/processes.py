"""What the processes of a session do: processor time, and programs at work in terminals. From /proc alone."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")
NAMES = 3  # programs that are named

# They wait for a person, or show what others do, and write to their terminal meanwhile.
WAITING = {
    "top", "htop", "btop", "atop", "nvtop", "watch", "less", "more", "man", "vim", "vi", "nvim", "nano", "emacs",
    "tmux: client", "tmux: server", "tmux", "screen", "bash", "sh", "zsh", "fish", "dash",
}  # fmt: skip


@dataclass(frozen=True)
class Process:
    pid: int
    name: str
    parent: int
    session: int
    terminal: int
    own: int  # ticks of its own
    children: int  # ticks of children that have ended and were waited for
    started: int

    @property
    def key(self) -> tuple[int, int]:
        """Of this process alone: numbers are used again."""
        return self.pid, self.started


def parse(text: str) -> Process:
    """A line of /proc/<pid>/stat. The name may hold spaces and brackets."""
    head, _, tail = text.rpartition(")")
    pid, _, name = head.partition(" (")
    f = tail.split()
    ticks = [int(word) for word in f[11:15]]
    return Process(
        pid=int(pid),
        name=name,
        parent=int(f[1]),
        session=int(f[3]),
        terminal=int(f[4]),
        own=ticks[0] + ticks[1],
        children=ticks[2] + ticks[3],
        started=int(f[19]),
    )


def below(first: int) -> dict[tuple[int, int], Process]:
    """The process ``first`` and all that it brought forth and that are still there."""
    everybody = {process.pid: process for process in _all()}
    offspring: dict[int, list[int]] = {}
    for process in everybody.values():
        offspring.setdefault(process.parent, []).append(process.pid)
    found, waiting = {}, [first]
    while waiting:
        one = everybody.get(waiting.pop())
        if one is not None:
            found[one.key] = one
            waiting += offspring.get(one.pid, [])
    return found


def _all() -> Iterator[Process]:
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            try:
                yield parse((entry / "stat").read_text())
            except (OSError, ValueError, IndexError):
                continue  # it has just ended


def spent(before: dict[tuple[int, int], Process], after: dict[tuple[int, int], Process]) -> int:
    """Ticks that passed in these processes between two looks, of those that ended in between included."""
    ticks = 0
    for key, process in after.items():
        earlier = before.get(key)
        ticks += process.own - (earlier.own if earlier else 0)
        ticks += process.children - (earlier.children if earlier else 0)
    # Who ended is in what its parent waited for, with the part that was counted already.
    ticks -= sum(process.own + process.children for key, process in before.items() if key not in after)
    return max(0, ticks)


class Meter:
    """Looks now and again. Blocks for some milliseconds."""

    def __init__(self, window: float) -> None:
        self._window = window  # seconds
        self._before: dict[tuple[int, int], Process] = {}
        self._moved_bytes: dict[tuple[int, int], int] = {}
        self._moved_at: dict[tuple[int, int], float] = {}
        self._marks: deque[tuple[float, int]] = deque()  # time, ticks until then
        self.cpu = 0.0  # processors in use on average
        self.programs: list[str] = []

    def look(self, first: int) -> None:
        """``first``: the first process of the session. Raises OSError where nothing can be seen of it."""
        at, processes = time.monotonic(), below(first)
        if not processes:
            raise ProcessLookupError(first)
        total = self._marks[-1][1] if self._marks else 0
        if self._before:
            total += spent(self._before, processes)
        self._marks.append((at, total))
        while len(self._marks) > 2 and self._marks[1][0] <= at - self._window:
            self._marks.popleft()
        since, then = self._marks[0]
        self.cpu = (total - then) / TICKS / (at - since) if at > since else 0.0
        self.programs = self._at_work(processes, at)
        self._before = processes

    def _at_work(self, processes: dict[tuple[int, int], Process], at: float) -> list[str]:
        """Names of the programs of terminals that computed or moved data within the window."""
        names = set()
        moved: dict[tuple[int, int], int] = {}
        moved_at: dict[tuple[int, int], float] = {}
        for key, process in processes.items():
            if process.terminal == 0 or process.pid == process.session or process.name in WAITING:
                continue
            moved[key] = _bytes(process.pid)
            earlier = self._before.get(key)
            if earlier is None or process.own > earlier.own or moved[key] > self._moved_bytes.get(key, 0):
                moved_at[key] = at
            elif key in self._moved_at:
                moved_at[key] = self._moved_at[key]
            if key in moved_at and at - moved_at[key] <= self._window:
                names.add(process.name)
        self._moved_bytes, self._moved_at = moved, moved_at
        return sorted(names)[:NAMES]


def _bytes(pid: int) -> int:
    """What a process has read and written; 0 where that is not to be seen."""
    try:
        lines = (PROC / str(pid) / "io").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith(("rchar", "wchar")))
