"""One timer for all: who is well is let be, who is not is polled, and the service is told once for all."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from jupyterhub_studios.compute.rounds import Rounds


class Studio:
    def __init__(self, name: str, rounds: Rounds) -> None:
        self.session_id = name
        self.rounds = rounds
        self.well = True
        self.polled = 0
        self.told: list[list[str]] = []
        self.fault: Exception | None = None
        self.go = asyncio.Event()
        self.go.set()

    def looks_well(self) -> bool:
        return self.well

    async def poll_and_notify(self) -> None:
        self.polled += 1
        await self.go.wait()
        if self.fault:
            raise self.fault
        self.rounds.discard(self)  # as the Hub does with one that has ended

    async def tell_alive(self, sessions: Sequence[str]) -> None:
        self.told.append(list(sessions))


@pytest.fixture
def rounds() -> Rounds:
    return Rounds(3600)


def studios(rounds: Rounds, count: int) -> list[Studio]:
    found = [Studio(f"s{n}", rounds) for n in range(count)]
    for one in found:
        rounds.add(one)
    return found


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_only_who_is_not_well_is_polled(rounds: Rounds) -> None:
    all_ = studios(rounds, 250)
    all_[7].well = False
    await rounds.round()
    await settle()
    assert [one.session_id for one in all_ if one.polled] == ["s7"]
    await rounds.round()
    await settle()
    assert all_[7].polled == 1, "it has ended"


async def test_a_slow_one_is_asked_once_and_holds_nobody_up(rounds: Rounds) -> None:
    slow, other = studios(rounds, 2)
    slow.well = other.well = False
    slow.go.clear()
    for _ in range(3):
        await rounds.round()
        await settle()
    assert (slow.polled, other.polled) == (1, 1)
    slow.go.set()
    await settle()
    await rounds.round()
    assert slow.polled == 1


async def test_a_fault_is_of_one_alone(rounds: Rounds, caplog: pytest.LogCaptureFixture) -> None:
    broken, other = studios(rounds, 2)
    broken.well = other.well = False
    broken.fault = OSError("no such luck")
    await rounds.round()
    await settle()
    assert other.polled == 1 and "no such luck" in caplog.text
    await rounds.round()
    await settle()
    assert broken.polled == 2, "it is tried again"


async def test_the_service_is_told_of_all_that_are_well_in_one_request(rounds: Rounds) -> None:
    all_ = studios(rounds, 150)
    all_[0].well = False
    rounds.discard(all_[1])
    await rounds.round()
    await rounds.round()
    await settle()
    told = [names for one in all_ for names in one.told]
    assert told == [[f"s{n}" for n in range(2, 150)]], "and not with every round"


async def test_it_goes_by_itself_while_there_is_anybody() -> None:
    rounds = Rounds(0.01)
    (one,) = studios(rounds, 1)
    one.well = False
    while not one.polled:
        await asyncio.sleep(0.01)
    assert rounds._going is not None
    await asyncio.wait_for(rounds._going, 10)
    (again,) = studios(rounds, 1)
    again.well = False
    while not again.polled:
        await asyncio.sleep(0.01)
