"""One look for all who ask."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from jupyterhub_studios.compute.poller import Poller
from jupyterhub_studios.models import Job, JobStatus


class Counting:
    """A compute environment that counts how often it is asked, and fails when told to."""

    poll_interval = 0.1

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.fault: Exception | None = None
        self.state: dict[str, JobStatus] = {}

    async def submit(self, job: Job) -> str:
        raise NotImplementedError

    async def terminate(self, job_id: str, reason: str, *, grace: float = 0) -> None:
        raise NotImplementedError

    async def describe(self, ids: Iterable[str]) -> dict[str, JobStatus]:
        self.asked.append(sorted(ids))
        if self.fault:
            raise self.fault
        return {i: self.state[i] for i in self.asked[-1] if i in self.state}


async def test_all_who_ask_together_share_one_look() -> None:
    compute, poller = Counting(), Poller()
    compute.state = {f"j{n}": JobStatus(state="running") for n in range(50)}
    found = await asyncio.gather(*(poller.status(compute, f"j{n % 50}") for n in range(200)))
    assert {status.state for status in found} == {"running"}
    assert len(compute.asked) == 1
    assert len(compute.asked[0]) == 50


async def test_an_answer_is_never_older_than_the_question() -> None:
    compute, poller = Counting(), Poller()
    compute.state["j"] = JobStatus(state="running")
    assert (await poller.status(compute, "j")).state == "running"
    compute.state["j"] = JobStatus(state="succeeded", exit_code=0)
    assert (await poller.status(compute, "j")).state == "succeeded"
    assert len(compute.asked) == 2


async def test_what_is_not_known_there_is_unknown() -> None:
    found = await Poller().status(Counting(), "nowhere")
    assert found.state == "unknown"
    assert not found.ended


async def test_errors_are_unknown_and_slow_the_looking_down() -> None:
    compute, poller = Counting(), Poller()
    compute.state["j"] = JobStatus(state="running")
    compute.fault = OSError("throttled")
    found = await poller.status(compute, "j")
    assert found.state == "unknown"
    assert "throttled" in found.reason
    for _ in range(20):
        assert (await poller.status(compute, "j")).state == "unknown"
    assert len(compute.asked) == 1  # not asked again before it is due
    compute.fault = None
    while (found := await poller.status(compute, "j")).state == "unknown":
        await asyncio.sleep(0.02)
    assert found.state == "running"


async def test_a_caller_that_gives_up_takes_nothing_from_the_others() -> None:
    compute, poller = Counting(), Poller()
    compute.state["j"] = JobStatus(state="running")
    first = asyncio.create_task(poller.status(compute, "j"))
    second = asyncio.create_task(poller.status(compute, "j"))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).state == "running"


async def test_who_asks_all_the_time_never_waits() -> None:
    compute, poller = Counting(), Poller()
    compute.poll_interval = 3600
    compute.state["j"] = JobStatus(state="running")
    assert (await poller.recent(compute, "j")).state == "running"  # nobody has asked before: it is looked
    for _ in range(20):
        assert (await poller.recent(compute, "j")).state == "running"
    assert len(compute.asked) == 1


async def test_a_recent_answer_is_followed_by_a_look() -> None:
    compute, poller = Counting(), Poller()
    compute.poll_interval = 0.01
    compute.state |= {"j": JobStatus(state="running"), "other": JobStatus(state="running")}
    await poller.recent(compute, "j")
    compute.state["j"] = JobStatus(state="succeeded", exit_code=0)
    await poller.status(compute, "other")  # a look at others does not forget it
    assert (await poller.recent(compute, "j")).state == "running"
    while (await poller.recent(compute, "j")).state == "running":
        await asyncio.sleep(0.01)
