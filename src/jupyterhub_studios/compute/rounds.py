"""One timer for all studios that run, where a Hub has one for each spawner.

A round costs next to nothing for a studio that runs as it should: what its compute environment said of it last is
looked up. Only the others are polled as the Hub would poll them. Every so often the service is told, in one request,
whose servers the Hub has: it need not ask for each.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from typing import ClassVar, Protocol

log = logging.getLogger(__name__)

TELL_SECONDS = 15.0
TURN = 100  # members that are looked at before others on the event loop have their turn


class Member(Protocol):
    """A spawner whose server runs."""

    session_id: str

    def looks_well(self) -> bool:
        """Whether nothing is to be done about it, as far as is known without waiting."""

    async def poll_and_notify(self) -> object:
        """Finds out how it is, and tells the Hub when it has ended."""

    async def tell_alive(self, sessions: Sequence[str]) -> None:
        """Tells the service that the Hub has the servers of these sessions."""


class Rounds:
    _instances: ClassVar[dict[float, Rounds]] = {}

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._members: dict[Member, None] = {}
        self._tasks: dict[Member | None, asyncio.Task[object]] = {}  # None: that which tells the service
        self._going: asyncio.Task[None] | None = None
        self._told = 0.0  # monotonic time

    @classmethod
    def every(cls, seconds: float) -> Rounds:
        """Those that all spawners of this process with this interval share."""
        return cls._instances.setdefault(seconds, cls(seconds))

    def add(self, member: Member) -> None:
        self._members[member] = None
        going = self._going
        if going is None or going.done() or going.get_loop() is not asyncio.get_running_loop():
            self._going = asyncio.create_task(self._go())

    def discard(self, member: Member) -> None:
        self._members.pop(member, None)

    def watches(self, member: Member) -> bool:
        return member in self._members

    async def _go(self) -> None:
        while self._members:
            await asyncio.sleep(self._interval)
            try:
                await self.round()
            except Exception:
                log.exception("Looking after the running studios failed")

    async def round(self) -> None:
        """Look at every member once."""
        well: list[Member] = []
        for number, member in enumerate(list(self._members), start=1):
            if member not in self._members:
                continue  # stopped meanwhile
            if member.looks_well():
                well.append(member)
            elif member not in self._tasks:
                self._keep(member, asyncio.ensure_future(member.poll_and_notify()))
            if number % TURN == 0:
                await asyncio.sleep(0)
        if well and None not in self._tasks and time.monotonic() - self._told >= TELL_SECONDS:
            self._told = time.monotonic()
            sessions = [member.session_id for member in well]
            self._keep(None, asyncio.ensure_future(well[0].tell_alive(sessions)))

    def _keep(self, key: Member | None, task: asyncio.Task[object]) -> None:
        self._tasks[key] = task

        def done(task: asyncio.Task[object]) -> None:
            del self._tasks[key]
            if not task.cancelled() and (error := task.exception()):
                log.error("Looking after a studio failed", exc_info=error)

        task.add_done_callback(done)
