"""What nobody reports: lifespans that are over, servers that the Hub has lost, shares that were taken back."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from ..models import Command, SessionEnded, SessionState, new_id, now
from . import route
from .core import Service
from .database import SessionRow
from .database import queries as q
from .hub import HubError
from .permissions import shared_with
from .sessions import lifecycle, state

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
        sessions = await self._service.database.run(q.unended_sessions)
        self._missing = {row.id: self._missing[row.id] for row in sessions if row.id in self._missing}
        for row in sessions:
            try:
                if row.state == SessionState.RUNNING.value:
                    await route.check(self._service, row)
                await self._end_lifespan(row, at)
                await self._reconcile(row, at)
                await self._check_visitors(row)
            except HubError as error:
                log.warning("The Hub could not be asked about %s/%s: %s", row.owner, row.server_name, error)
            except Exception:
                log.exception("Watching session %s failed", row.id)

    # --- lifespans ---

    async def _end_lifespan(self, row: SessionRow, at: datetime) -> None:
        hours = (await self._service.database.run(q.studio, row.studio_id)).lifespan_hours
        if row.state == SessionState.RUNNING.value and state.lifespan_over(row.ready_at, hours, at):
            await lifecycle.stop(
                self._service, row.id, f"Its lifespan of {hours} h was over. Everything is saved."
            )

    # --- servers that the Hub lost ---

    async def _reconcile(self, row: SessionRow, at: datetime) -> None:
        if row.server_name in await self._service.hub.active_servers(row.owner):
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

    # --- shares that were taken back ---

    async def _check_visitors(self, row: SessionRow) -> None:
        if row.state != SessionState.RUNNING.value or not row.visitors:
            return
        shares = await self._service.hub.shares(row.owner, row.server_name)
        for name in row.visitors:
            person = await self._service.hub.person(name) or {}
            if person.get("admin") or (person and shared_with(name, person.get("groups", []), shares)):
                continue
            command = await self._service.database.run(_revoke, row.id, name)
            lifecycle.send(self._service, row.id, command)


def _revoke(db: Session, session_id: str, name: str) -> Command:
    row = q.session(db, session_id)
    row.visitors = [one for one in row.visitors if one != name]
    q.add_event(db, row, now(), "access", f"{name} may no longer open this studio.")
    return lifecycle.add_command(db, row, Command(id=new_id("co"), kind="revoke", user=name))
