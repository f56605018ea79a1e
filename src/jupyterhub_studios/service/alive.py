"""Which sessions' servers the Hub has, as its spawners tell without being asked."""

from __future__ import annotations

import time
from collections.abc import Iterable

BELIEVED = 60.0  # seconds; the spawners tell four times as often


class Rolls:
    def __init__(self) -> None:
        self._seen: dict[str, float] = {}  # by session: monotonic time

    def note(self, sessions: Iterable[str]) -> None:
        clock = time.monotonic()
        kept = {session: at for session, at in self._seen.items() if clock - at < BELIEVED}
        self._seen = kept | dict.fromkeys(sessions, clock)

    def has(self, session_id: str) -> bool:
        """False says nothing: the Hub may be away, or the server start or stop."""
        at = self._seen.get(session_id)
        return at is not None and time.monotonic() - at < BELIEVED
