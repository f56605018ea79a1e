"""Telling the Hub that somebody uses a studio. An open connection alone is no use: only what the agent
reports as a request or an input that was not polling."""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import datetime

from ..models import now
from .core import Service
from .database import queries as q
from .hub import HubError

log = logging.getLogger("studios.activity")

INTERVAL = 300.0  # as JupyterHub's own servers do: each report is a commit of the Hub


def report(service: Service, session_id: str, active_at: datetime) -> None:
    """Pass new activity on, at most once in five minutes for each session."""
    last = service.reported.get(session_id)
    if last is not None and time.monotonic() - last < INTERVAL:
        return
    service.reported[session_id] = time.monotonic()
    service.keep(asyncio.ensure_future(_report(service, session_id, active_at)))


async def _report(service: Service, session_id: str, active_at: datetime) -> None:
    row = await service.database.run(q.session, session_id)
    try:
        # A job whose clock is ahead: the Hub refuses what is yet to come.
        await service.hub.report_activity(row.owner, row.server_name, min(active_at, now()))
    except HubError as error:
        service.reported.pop(session_id, None)
        log.warning("Activity of %s/%s was not reported: %s", row.owner, row.server_name, error)
