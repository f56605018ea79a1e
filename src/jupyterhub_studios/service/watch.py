"""What nobody reports: servers that the Hub has lost, shares that were taken back."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta

from ..models import SessionEnded, SessionState, StudiosError, now
from . import route
from .core import Service
from .database import SessionRow
from .database import queries as q
from .hub import HubError
from .sessions import lifecycle
from .sharing import links, visitors

log = logging.getLogger("studios.watch")

INTERVAL = 15.0
GRACE = timedelta(minutes=2)  # that the Hub may not know a session's server before the session counts as lost


class Watch:
    def __init__(self, service: Service) -> None:
        self._service = service
        self._missing: dict[str, datetime] = {}  # by session: since when the Hub does not know its server

    async def run(self) -> None:
        while True:
            await asyncio.sleep(INTERVAL)
            await self.check(now())

    async def check(self, at: datetime) -> None:
        """Look at every session that has not ended. ``at`` is the time that counts as now."""
        await self._tidy_shares(at)
        sessions = await self._service.database.run(q.unended_sessions)
        self._missing = {row.id: self._missing[row.id] for row in sessions if row.id in self._missing}
        for row in sessions:
            try:
                if row.state == SessionState.RUNNING.value:
                    await route.check(self._service, row)
                await self._reconcile(row, at)
                await visitors.check(self._service, row)
            except HubError as error:
                self._missing.pop(row.id, None)  # the time without a Hub does not count
                log.warning("The Hub could not be asked about %s/%s: %s", row.owner, row.server_name, error)
            except Exception:
                log.exception("Watching session %s failed", row.id)

    # --- servers that the Hub lost ---

    async def _reconcile(self, row: SessionRow, at: datetime) -> None:
        # Of nearly all sessions the spawners tell. The Hub is asked about the others alone: each question costs it.
        if self._service.alive.has(row.id) or row.server_name in await self._service.hub.active_servers(
            row.owner
        ):
            self._missing.pop(row.id, None)
            return
        since = self._missing.setdefault(row.id, at)
        if at - since < GRACE:
            return
        if self._service.connected(row.id):
            # Alive, but nobody can reach it and nothing else would ever stop it.
            await lifecycle.stop(self._service, row.id, "The Hub no longer knows this studio's server.")
            return
        log.warning("Session %s of %s/%s is lost", row.id, row.owner, row.server_name)
        report = SessionEnded(state="lost", reason="the Hub no longer knows its server")
        await lifecycle.ended(self._service, row.id, report)

    # --- shares ---

    async def _tidy_shares(self, at: datetime) -> None:
        try:
            await links.tidy(self._service, at)
        except StudiosError as error:
            log.warning("Shares that are over could not be ended: %s", error)
        except Exception:
            log.exception("Looking for shares that are over failed")
