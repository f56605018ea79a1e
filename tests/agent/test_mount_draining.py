"""The end of mounts while the network is away: how long is waited, and what brings a file through once it is back.

The ten minutes pass on a clock that jumps, against a model of rclone's queue: each failure doubles the pause before a
file is tried again, from 5 seconds to 5 minutes, for ever; a file that is told to go is tried at once.
``test_mount_faults`` has the real one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest

from jupyterhub_studios.agent.mounts import draining, rclone
from jupyterhub_studios.agent.mounts.driving import RETRY_SECONDS, Rclone
from jupyterhub_studios.agent.mounts.leftovers import Leftover
from jupyterhub_studios.agent.mounts.mount import Mount
from jupyterhub_studios.agent.mounts.rc import Rc, Waiting
from jupyterhub_studios.models import MountAccess

from .. import clocks

CUT = 600.0
FIRST, LONGEST = 5.0, 300.0  # rclone's pauses: its write-back time, and the most that it waits
ATTEMPT = 30.0  # until a try at a network that is away has failed
SIZE = 1000


class Queue:
    """rclone's, with one file, written when the network went away. In place of its rc."""

    def __init__(self) -> None:
        self.began = self._clock()
        self.due, self.delay = self.began + FIRST, FIRST
        self.tries, self.uploading, self.done = 0, False, False
        self.pauses: list[float] = []
        self._told = asyncio.Event()
        self._work = asyncio.create_task(self._upload())

    @staticmethod
    def _clock() -> float:
        return asyncio.get_running_loop().time()

    @property
    def elapsed(self) -> float:
        """Since the network went away."""
        return self._clock() - self.began

    async def _upload(self) -> None:
        while not self.done:
            while (pause := self.due - self._clock()) > 0:
                self._told.clear()
                waiting = asyncio.create_task(self._told.wait())
                await asyncio.wait([waiting], timeout=pause)
                waiting.cancel()
            self.uploading, self.tries = True, self.tries + 1
            away = self.elapsed < CUT
            await asyncio.sleep(ATTEMPT if away else 1)
            self.uploading, self.done = False, not away
            self.delay = min(self.delay * 2, LONGEST)
            self.pauses.append(self.delay)
            self.due = self._clock() + self.delay

    async def queue(self) -> list[Waiting]:
        return [] if self.done else [Waiting(1, "big", SIZE, self.tries, self.uploading)]

    async def hurry(self, waiting: Waiting) -> None:
        assert not self.uploading, "rclone does not bear that"
        self.due = self._clock()
        self._told.set()

    async def uploaded(self) -> int:
        return SIZE if self.done else 0

    def leftovers(self) -> list[Leftover]:
        return [] if self.done else [Leftover("big", SIZE, Path("big"), whole=True)]


class Driven(Rclone):
    """Asks the model."""

    model: Queue

    @property
    def _rc(self) -> Rc:
        return cast(Rc, self.model)


@dataclass
class OneMount:
    driver: Driven

    def leftovers(self) -> list[Leftover]:
        return self.driver.model.leftovers()


@pytest.fixture(autouse=True)
def no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock would jump on while one is at work."""

    async def at_once(work: Callable[..., Any], *given: Any) -> Any:
        return work(*given)

    monkeypatch.setattr(asyncio, "to_thread", at_once)


async def stop_at(seconds: float, **limits: Any) -> tuple[Queue, float]:
    """A stop, so long after the network went away; and how long it waited."""
    driver = Driven(
        rclone.Place(Path("/"), Path("/")), rclone.Limits(0, 0), MountAccess(name="lake", url="s3://lake/")
    )
    driver.model = model = Queue()
    await asyncio.sleep(seconds)
    began = model.elapsed
    await draining.drain([cast(Mount, OneMount(driver))], lambda mount, left: None, **limits)
    model._work.cancel()
    return model, model.elapsed - began


def after(seconds: float, **limits: Any) -> tuple[Queue, float]:
    return clocks.run(stop_at(seconds, **limits))


def test_rclone_brings_it_through_by_itself() -> None:
    """Five minutes after the network is back, at the latest."""
    model, _ = after(CUT + LONGEST + ATTEMPT + 2)
    assert model.done and model.pauses[:4] == [10, 20, 40, 80]


@pytest.mark.parametrize("seconds", [CUT + 1, CUT - 30, CUT - 200])
def test_a_stop_near_the_end_of_a_cut_brings_it_through(seconds: float) -> None:
    """Soon after the network is back, whatever pause rclone has come to by then."""
    model, waited = after(seconds)
    assert model.done and max(model.pauses) >= 160
    assert waited <= max(CUT - seconds, 0) + ATTEMPT + RETRY_SECONDS + 2


@pytest.mark.parametrize(
    ("limits", "waits"),
    [({}, draining.PATIENCE), ({"limit": draining.HASTY_SECONDS}, draining.HASTY_SECONDS)],
)
def test_a_stop_early_in_a_cut_does_not_wait_for_its_end(limits: dict[str, float], waits: float) -> None:
    """What is left is kept by who asked. A file that fails is not tried without a pause meanwhile."""
    model, waited = after(60, **limits)
    assert not model.done and model.leftovers()
    assert waits <= waited <= waits + 2 * draining.LOOK_SECONDS
    assert model.tries <= 4 + waited / RETRY_SECONDS
