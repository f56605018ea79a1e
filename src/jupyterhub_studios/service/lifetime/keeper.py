"""Looks at every running session again and again, stops those whose time is over, and tells those inside."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime

from sqlalchemy.orm import Session

from ...models import LifetimeNotice, LifetimePolicy, now
from ..core import Service
from ..database import queries as q
from ..sessions import lifecycle
from . import keeping

log = logging.getLogger("studios.lifetime")

INTERVAL = 15.0


class Keeper:
    def __init__(self, service: Service) -> None:
        self._service = service
        self._shown: dict[str, str] = {}  # by session: what people were shown last

    async def run(self) -> None:
        while True:
            await asyncio.sleep(self._pause())
            try:
                await self.check(now())
            except Exception:
                log.exception("Looking after the sessions failed")

    def _pause(self) -> float:
        """Seconds: short against the shortest time that is configured."""
        config = self._service.config
        offers = [*config.templates.values(), *config.compute_environments.values()]
        usual = LifetimePolicy.model_validate(config.lifetime)
        policies = [usual, *(usual.with_changes(offer.lifetime) for offer in offers)]
        return min(INTERVAL, *(policy.report_seconds / 2 for policy in policies),
                   *(policy.ask_seconds for policy in policies))  # fmt: skip

    async def check(self, at: datetime) -> None:
        """Look at every running session. ``at`` is the time that counts as now."""
        service = self._service
        outcomes = await service.database.run(keeping.look, service.config, at)
        shown = {outcome.session_id: outcome.signature for outcome in outcomes}
        for outcome in outcomes:
            try:
                await self._carry_out(outcome, at)
            except Exception:
                log.exception("Session %s: %s failed", outcome.session_id, outcome.decision.verdict)
        self._shown = shown

    async def _carry_out(self, outcome: keeping.Outcome, at: datetime) -> None:
        if outcome.decision.verdict == "stop":
            reason = " ".join(outcome.decision.reasons)
            log.info("Session %s is stopped: %s", outcome.session_id, reason)
            await lifecycle.stop(self._service, outcome.session_id, reason)
        elif outcome.changed or self._shown.get(outcome.session_id) != outcome.signature:
            await show(self._service, outcome.session_id, at)


async def show(service: Service, session_id: str, at: datetime) -> None:
    """Bring what changed of a session's lifetime before those on its page and those inside."""
    row = await service.database.run(_touched, session_id)
    service.changes.announce(row, session_id)
    await tell(service, session_id, at)


def _touched(db: Session, session_id: str) -> str:
    row = q.session(db, session_id)
    q.touch(db, row)
    return row.studio_id


async def tell(service: Service, session_id: str, at: datetime | None = None) -> None:
    """Send those inside what they are to see, when their agent is there."""
    channel = service.channels.get(session_id)
    if channel is None:
        return
    found = await service.database.run(notice, service, session_id, at or now())
    if found is not None:
        channel.lifetime(found)


def notice(db: Session, service: Service, session_id: str, at: datetime) -> LifetimeNotice | None:
    row = q.session(db, session_id)
    case = keeping.case_of(service.config, row, q.studio(db, row.studio_id))
    if case is None:
        return None
    return LifetimeNotice(
        view=keeping.view(case, at, extends=not case.policy.locked),
        warn_minutes=case.policy.warn_minutes,
        greeting=keeping.greeting(db, row),
        ask_seconds=case.policy.ask_seconds,
        input_seconds=case.policy.report_seconds,
    )
