"""Jobs that nobody waits for: the Hub died between a submit and noting it, or a session was given up whose job lives.

Here and not in the Hub, because the service knows which sessions there are and how they ended, while the Hub knows the
servers that it has now; and because looking for orphans must go on while the Hub restarts.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from ..compute import Remote, remote
from ..models import ComputeEnvironment, RunningJob, SessionState, StudiosError, now
from .core import Service
from .database import SessionRow

log = logging.getLogger("studios.reaper")

INTERVAL = 60.0
TIDY_INTERVAL = 86400.0
STOP_SECONDS = 120.0  # an agent that lives still saves what it has
NEVER_THERE = timedelta(minutes=1)  # to wait for the Hub, which ends jobs by itself
GIVEN_UP = timedelta(minutes=10)  # for an agent that was thought lost to come back, and to save
# An agent whose session is not known gives up by itself after ten minutes, and saves then.
UNKNOWN = timedelta(minutes=15)


def orphaned(job: RunningJob, row: SessionRow | None, connected: bool, at: datetime) -> str:
    """Why ``job`` is to be ended; empty when it is not. Never one that may still be saving."""
    if row is None:
        return "its session is not known here" if at - job.created_at > UNKNOWN else ""
    if not SessionState(row.state).ended or connected or row.ended_at is None:
        return ""
    patience = GIVEN_UP if row.agent_seen else NEVER_THERE
    return "its session is over" if at - max(row.ended_at, job.created_at) > patience else ""


class Reaper:
    def __init__(self, service: Service) -> None:
        self._service = service
        self._tidied: dict[str, float] = {}

    async def run(self) -> None:
        while True:
            await asyncio.sleep(INTERVAL)
            for environment, compute in self._computes():
                try:
                    await self.check(compute, now())
                    await self._tidy(environment, compute)
                except StudiosError as error:
                    log.warning("“%s” could not be searched for orphans: %s", environment.title, error)
                except Exception:
                    log.exception("Searching “%s” for orphans failed", environment.title)

    def _computes(self) -> Iterator[tuple[ComputeEnvironment, Remote]]:
        for environment in self._service.config.compute_environments.values():
            if (compute := remote(environment)) is not None:
                yield environment, compute

    async def check(self, compute: Remote, at: datetime) -> None:
        """Ends what is orphaned now. ``at`` is the time that counts as now."""
        jobs = await compute.running(self._service.keys.installation)

        def rows(db: Session) -> dict[str, SessionRow]:
            found = [db.get(SessionRow, job.session_id) for job in jobs]
            return {row.id: row for row in found if row is not None}

        known = await self._service.database.run(rows)
        doomed = [
            (job, why)
            for job in jobs
            if (why := orphaned(job, known.get(job.session_id), self._service.connected(job.session_id), at))
        ]
        for job, why in doomed:
            log.warning("Job %s of session %s is ended: %s", job.job_id, job.session_id, why)
        await asyncio.gather(
            *(compute.terminate(job.job_id, f"orphan: {why}", grace=STOP_SECONDS) for job, why in doomed)
        )

    async def _tidy(self, environment: ComputeEnvironment, compute: Remote) -> None:
        clock = asyncio.get_running_loop().time()
        if clock - self._tidied.get(environment.id, -TIDY_INTERVAL) >= TIDY_INTERVAL:
            self._tidied[environment.id] = clock
            await compute.tidy(self._service.keys.installation)
