"""One look at the jobs of a compute environment for all who ask.

A Hub polls every spawner by itself; a hundred studios must not be a hundred requests. All callers of
:meth:`Poller.status` within an interval share one ``describe``.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, field

from ..models import JobStatus
from . import Compute

log = logging.getLogger(__name__)

LONGEST_BACKOFF = 60.0
RECENT = 30.0  # seconds that an answer is good enough for those who ask again anyway


class Poller:
    """Answers what a compute environment says of a job, never older than the question."""

    _instance: Poller | None = None

    def __init__(self) -> None:
        self._lines: dict[int, _Line] = {}

    @classmethod
    def instance(cls) -> Poller:
        """The one that all spawners of this process share."""
        if cls._instance is None:
            cls._instance = cls()
        return cls._instance

    async def status(self, compute: Compute, job_id: str) -> JobStatus:
        """The job's status by a ``describe`` that began after this call; ``unknown`` when that failed, or
        when the last one did and the next try is not due yet."""
        return await self._line(compute).status(job_id)

    async def recent(self, compute: Compute, job_id: str) -> JobStatus:
        """What the last look said, at once, while the next one is under way; only a job that nobody has asked
        for lately is waited for. For those who ask again and again, and must not hold up others."""
        return self.last(compute, job_id) or await self._line(compute).status(job_id)

    def last(self, compute: Compute, job_id: str) -> JobStatus | None:
        """What the last look said, if that is not long ago; the next one is under way."""
        line = self._line(compute)
        line.ask(job_id)
        at, known = line.known.get(job_id, (0.0, None))
        return known if time.monotonic() - at <= RECENT else None

    def _line(self, compute: Compute) -> _Line:
        return self._lines.setdefault(id(compute), _Line(compute))


@dataclass
class _Line:
    """The questions to one compute environment."""

    compute: Compute
    waiting: dict[str, asyncio.Future[JobStatus]] = field(default_factory=dict)
    known: dict[str, tuple[float, JobStatus]] = field(default_factory=dict)  # what was found, and when
    task: asyncio.Task[None] | None = None
    due: float = 0.0  # monotonic time of the next look
    failures: int = 0
    fault: str = ""

    async def status(self, job_id: str) -> JobStatus:
        if self.failures and time.monotonic() < self.due:
            return JobStatus(state="unknown", reason=self.fault)
        # Shielded: one caller that gives up must not take the answer from the others.
        return await asyncio.shield(self.ask(job_id))

    def ask(self, job_id: str) -> asyncio.Future[JobStatus]:
        """Puts the job on the list of the next look."""
        loop = asyncio.get_running_loop()
        answer = self.waiting.get(job_id)
        if answer is None or answer.get_loop() is not loop:
            answer = self.waiting[job_id] = loop.create_future()
        if self.task is None or self.task.done():
            self.task = asyncio.create_task(self._look())
        return answer

    async def _look(self) -> None:
        """Looks until nobody waits."""
        while self.waiting:
            await asyncio.sleep(max(0.0, self.due - time.monotonic()))
            asked, self.waiting = self.waiting, {}
            try:
                found = await self.compute.describe(list(asked))
                self._note(found)
                self.failures, self.fault = 0, ""
                self.due = time.monotonic() + self.compute.poll_interval
            except Exception as error:
                found = {}
                self._failed(error)
            for job_id, answer in asked.items():
                if not answer.done():
                    answer.set_result(
                        found.get(job_id)
                        or JobStatus(state="unknown", reason=self.fault or "not known there yet")
                    )

    def _note(self, found: dict[str, JobStatus]) -> None:
        clock = time.monotonic()
        kept = {job_id: (at, status) for job_id, (at, status) in self.known.items() if clock - at < RECENT}
        self.known = kept | {job_id: (clock, status) for job_id, status in found.items()}

    def _failed(self, error: Exception) -> None:
        self.failures += 1
        pause = min(self.compute.poll_interval * 2**self.failures, LONGEST_BACKOFF)
        self.due = time.monotonic() + pause
        self.fault = f"the compute environment could not be asked: {error}"
        log.warning("Jobs could not be described, next try in %.0f s: %s", pause, error)
