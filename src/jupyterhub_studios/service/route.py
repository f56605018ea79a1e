"""When the way into a session is open.

The agent reports its address, the spawner hands it to the Hub, and the Hub tests it and tells its proxy. Only then
does a studio count as running for people: earlier, "Open" would lead to the Hub's waiting page.
"""

from __future__ import annotations

import asyncio

from sqlalchemy.orm import Session

from .core import Service
from .database import SessionRow
from .database import queries as q
from .hub import HubError

PAUSE = 0.2  # seconds between two questions to the Hub
PATIENCE = 60.0  # seconds; later the watch goes on asking, less often


async def follow(service: Service, session_id: str) -> None:
    """Ask the Hub until the way is open, the session has ended, or patience does."""
    for _ in range(int(PATIENCE / PAUSE)):
        row = await service.database.run(_find, session_id)
        if row is None or row.ended_at is not None or await check(service, row):
            return
        await asyncio.sleep(PAUSE)


async def check(service: Service, row: SessionRow) -> bool:
    """Whether the way is open; noted when it is for the first time."""
    if row.routed:
        return True
    try:
        if not await service.hub.server_ready(row.owner, row.server_name):
            return False
    except HubError:
        return False

    def note(db: Session) -> None:
        found = q.session(db, row.id)
        found.routed = True
        q.touch(db, found)

    await service.database.run(note)
    service.changes.announce(row.id, row.studio_id)
    return True


def _find(db: Session, session_id: str) -> SessionRow | None:
    return db.get(SessionRow, session_id)
