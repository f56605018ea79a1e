"""All that is to be seen of a session's use, together, and told to the service."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import time
from collections.abc import Callable
from typing import Any

from ...models import LaunchSpec, Observation, now
from ...models.lifetime import Source
from ..app import App
from ..control import Control
from .gpu import Gpu
from .kernels import Kernels, Unknown
from .processes import Meter
from .use import Use

log = logging.getLogger(__name__)

LONGEST_PAUSE = 15.0  # seconds between two looks


class Watcher:
    def __init__(self, spec: LaunchSpec, app: App, identity_key: bytes, use: Use) -> None:
        self._every = spec.report_seconds
        self._app, self._use = app, use
        self._kernels = Kernels(spec, app.upstream, identity_key)
        self._meter = Meter(spec.report_seconds)
        self._gpu = Gpu(spec.kind)

    async def observe(self) -> Observation:
        unknown: list[Source] = []
        seen = Observation(at=now(), input_at=self._use.input_at, traffic_at=self._use.traffic_at)
        try:
            seen.kernels = await self._kernels.busy()
        except Unknown as error:
            log.debug("Kernels: %s", error)
            unknown.append("kernels")
        try:
            await asyncio.to_thread(self._meter.look, self._app.first)
            seen.cpu, seen.programs = round(self._meter.cpu, 3), self._meter.programs
        except OSError as error:
            log.debug("Processes: %s", error)
            unknown.append("processes")
        try:
            seen.gpu = await asyncio.to_thread(self._gpu.busy)
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            log.debug("GPU: %s", error)
            unknown.append("gpu")
        seen.unknown = unknown
        return seen

    async def report(self, control: Control, presence: Callable[[], tuple[list[str], Any]]) -> None:
        """Tell the service until cancelled: at once what changes, and everything at the latest when a report is due.
        ``presence``: who is connected, and when a request was last more than polling."""
        told: tuple[Any, ...] | None = None
        due = 0.0
        while True:
            seen = await self.observe()
            people, active_at = presence()
            current = (people, active_at, seen.input_at, seen.kernels, seen.programs, seen.unknown)
            if current != told or time.monotonic() >= due:
                told, due = current, time.monotonic() + self._every
                control.send("activity", people=people, active_at=active_at, observation=seen)
            await asyncio.sleep(min(LONGEST_PAUSE, self._every / 4))
