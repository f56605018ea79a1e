"""Measures an event loop from inside: how much later than asked for a sleep of 10 ms returns.

The Hub's configuration of :mod:`bench.scale` calls :func:`start`, which writes one line of JSON a second:
``{"at": seconds since the epoch, "late": [ms, …], "busy": [ms, …]}``. ``busy`` is how late a tick was because the loop
itself worked (its thread's processor time): what is late beyond that waited for the machine, or for Python's lock.
"""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Literal

TICK = 0.01
_running: list[asyncio.Task[None]] = []


def start(file: Path) -> None:
    """Nothing happens where no loop runs: the service reads the same configuration before it has one."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return
    _running.append(loop.create_task(_measure(file)))


async def _measure(file: Path) -> None:
    with file.open("a") as out:
        late: list[float] = []
        busy: list[float] = []
        told = time.monotonic()
        while True:
            before, worked = time.monotonic(), time.thread_time()
            await asyncio.sleep(TICK)
            after = time.monotonic()
            late.append(round((after - before - TICK) * 1000, 2))
            busy.append(round(max(0.0, time.thread_time() - worked - TICK) * 1000, 2))
            if after - told > 1:
                out.write(json.dumps({"at": time.time(), "late": late, "busy": busy}) + "\n")
                out.flush()
                late, busy, told = [], [], after


def between(file: Path, begin: float, end: float, what: Literal["late", "busy"]) -> list[float]:
    """All that was measured in that time, in milliseconds, sorted."""
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    return sorted(one for line in lines if begin <= line["at"] <= end for one in line[what])
