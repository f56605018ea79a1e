"""What the service makes of jobs: phases while they wait, orphans, addresses, machines that are lost."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from jupyterhub_studios.models import (
    PHASES,
    TAKEN_BACK,
    CheckpointStatus,
    ComputeEnvironment,
    Event,
    JobStatus,
    Phase,
    RunningJob,
    SessionState,
)
from jupyterhub_studios.service.database import SessionRow
from jupyterhub_studios.service.reaper import GIVEN_UP, NEVER_THERE, UNKNOWN, orphaned
from jupyterhub_studios.service.sessions import state

from .conftest import Play
from .player import Agent

AT = datetime(2026, 11, 23, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def told(*statuses: JobStatus) -> dict[str, tuple[str, str]]:
    """Status and message of each phase that has begun, after the compute environment has said ``statuses``."""
    phases = {name: Phase(name=name) for name in PHASES}  # type: ignore[arg-type]
    phases["queued"] = Phase(name="queued", status="running", started_at=AT)
    for status in statuses:
        phases |= {phase.name: phase for phase in state.job_phases(list(phases.values()), status, AT)}
    return {
        name: (phase.status, phase.message) for name, phase in phases.items() if phase.status != "pending"
    }


QUEUED = JobStatus(state="queued", reason="waiting for capacity: none of p4d")
STARTING = JobStatus(state="starting", reason="its machine fetches the image")
RUNNING = JobStatus(state="running")


def test_a_waiting_job_says_what_it_waits_for() -> None:
    assert told(QUEUED) == {"queued": ("running", "waiting for capacity: none of p4d")}
    fetching = {"queued": ("done", ""), "host": ("running", "its machine fetches the image")}
    assert told(QUEUED, STARTING) == fetching
    assert told(QUEUED, STARTING, RUNNING)["host"] == ("running", "the agent starts")
    assert told(RUNNING, QUEUED) == told(QUEUED), "its machine was lost, and it waits for another"
    assert told(QUEUED, JobStatus(state="unknown")) == told(QUEUED)


PREPARING = JobStatus(state="preparing", reason="Adding the agent: 12 MB sent")


def test_an_image_that_is_worked_on_says_how_far_it_is() -> None:
    assert told(PREPARING) == {"image": ("running", "Adding the agent: 12 MB sent")}, "nothing is queued yet"
    assert told(PREPARING, QUEUED) == {**told(QUEUED), "image": ("done", "")}
    assert told(PREPARING, RUNNING) == {**told(RUNNING), "image": ("done", "")}


async def test_people_see_why_a_start_takes_its_time(play: Play) -> None:
    studio = await play.create()
    async with await play.start(studio) as agent:
        session = (await play.show(studio["id"]))["session"]["id"]

        def tell(status: JobStatus) -> None:
            answer = play.hub.internal("POST", f"sessions/{session}/job", json=status.model_dump(mode="json"))
            assert answer.status_code == 200, answer.text

        tell(QUEUED)
        tell(QUEUED)
        phases = (await play.show(studio["id"]))["session"]["phases"]
        assert phases[0]["message"] == QUEUED.reason
        events = (await play.api("GET", f"sessions/{session}/events")).json()["items"]
        assert [event["message"] for event in events].count(f"queued: {QUEUED.reason}") == 1
        await agent.come_up()
        tell(STARTING)  # an answer of the compute environment that comes late changes nothing
        phases = (await play.show(studio["id"]))["session"]["phases"]
        assert [phase["status"] for phase in phases[:2]] == ["done", "done"]
        play.end_job(session)
        await play.until(studio["id"], "errored")


async def test_a_studio_whose_machine_was_lost_goes_on_elsewhere(play: Play) -> None:
    studio = await play.create()
    async with await play.start(studio) as agent:
        await agent.come_up()
        first = (await play.until(studio["id"], "running"))["session"]["id"]
        play.end_job(first, state="lost", reason="its machine was lost", host_lost=True)
        again = await play.until(studio["id"], "starting")
        second = again["session"]["id"]
        assert second != first
        play.end_job(second)
        await play.until(studio["id"], "errored")


async def tell_taken_back(agent: Agent) -> str:
    message = "AWS takes this machine back at 12:00:00 UTC."
    event = Event(at=AT, kind=TAKEN_BACK, message=message, level="warning")
    await agent.send("event", event=event)
    return message


@pytest.mark.parametrize("saved", [True, False], ids=["saved in time", "lost before"])
async def test_a_studio_whose_machine_is_taken_back_goes_on_elsewhere(play: Play, saved: bool) -> None:
    studio = await play.create()
    async with await play.start(studio) as agent:
        await agent.come_up()
        await play.until(studio["id"], "running")
        message = await tell_taken_back(agent)
        assert (await play.show(studio["id"]))["message"] == message
        await agent.send("stopping", message=message)
        session = agent.spec.session_id
        if saved:
            await agent.send("stopped", checkpoint=await agent.save(CheckpointStatus.FINALISED))
            play.end_job(session, state="succeeded", reason="")
        else:
            play.end_job(session, state="lost", reason="its machine was lost", host_lost=True)
        await play.until(studio["id"], "starting")
    async with Agent((await play.job(studio)).job) as again:
        assert (await play.show(studio["id"]))["session"]["id"] != session
        await again.come_up()
        await play.until(studio["id"], "running")
        play.end_job(again.spec.session_id)
        await play.until(studio["id"], "errored")


async def test_what_a_person_stopped_meanwhile_stays_stopped(play: Play) -> None:
    studio = await play.create()
    async with await play.start(studio) as agent:
        await agent.come_up()
        await play.until(studio["id"], "running")
        await tell_taken_back(agent)
        stop = asyncio.create_task(play.api("POST", f"studios/{studio['id']}/stop", json={}))
        assert (await agent.command())["kind"] == "stop"
        await agent.finish()
        await stop
        await play.until(studio["id"], "stopped")
        play.end_job(agent.spec.session_id, state="succeeded", reason="")
        report = {"state": "succeeded"}
        path = f"sessions/{agent.spec.session_id}/ended"
        assert (await asyncio.to_thread(play.hub.internal, "POST", path, json=report)).status_code == 200
        sessions = (await play.api("GET", f"studios/{studio['id']}/sessions")).json()["items"]
        assert [one["id"] for one in sessions] == [agent.spec.session_id]


# --- orphans ---


def row(ended: timedelta | None, agent_seen: bool) -> SessionRow:
    done = SessionState.ERRORED if ended is not None else SessionState.RUNNING
    return SessionRow(
        id="se-1",
        state=done.value,
        agent_seen=agent_seen,
        ended_at=None if ended is None else AT - ended,
    )


@pytest.mark.parametrize(
    ("session", "connected", "age", "doomed"),
    [
        (None, False, UNKNOWN, False),
        (None, False, UNKNOWN + SECOND, True),
        (row(None, True), True, timedelta(days=9), False),
        (row(None, False), False, timedelta(days=9), False),
        (row(NEVER_THERE, False), False, timedelta(days=9), False),
        (row(NEVER_THERE + SECOND, False), False, timedelta(days=9), True),
        (row(timedelta(days=1), False), False, NEVER_THERE, False),
        (row(GIVEN_UP, True), False, timedelta(days=9), False),
        (row(GIVEN_UP + SECOND, True), False, timedelta(days=9), True),
        (row(GIVEN_UP + SECOND, True), True, timedelta(days=9), False),
    ],
    ids=[
        "unknown, but fresh", "unknown", "running", "starting", "given up just now", "never there",
        "submitted late", "lost just now", "lost", "lost, but back and saving",
    ],
)  # fmt: skip
def test_only_jobs_that_save_nothing_are_orphans(
    session: SessionRow | None, connected: bool, age: timedelta, doomed: bool
) -> None:
    job = RunningJob(job_id="j", session_id="se-1", created_at=AT - age)
    assert bool(orphaned(job, session, connected, AT)) is doomed


# --- where gates may be ---


def environment(kind: str, **fields: object) -> ComputeEnvironment:
    given = {"id": "e", "title": "E", "kind": kind, "work_dir": "s3://w/", **fields}
    if kind == "aws-batch":
        given |= {"region": "eu-west-1", "batch": {"queue": "q"}}
    return ComputeEnvironment.model_validate(given)


@pytest.mark.parametrize(
    ("given", "host", "port", "admitted"),
    [
        (environment("local"), "127.0.0.1", 1, True),
        (environment("local"), "10.0.0.1", 1, False),
        (environment("docker"), "172.17.0.2", 1, True),
        (environment("docker"), "127.0.0.1", 1, False),
        (environment("docker", gate_networks=["127.0.0.0/8"]), "127.0.0.1", 1, True),
        (environment("aws-batch"), "10.1.2.3", 1, True),
        (environment("aws-batch"), "93.184.216.34", 1, False),
        (environment("aws-batch"), "169.254.169.254", 80, False),
        (environment("aws-batch", gate_networks=["0.0.0.0/0"]), "169.254.169.254", 80, False),
        (environment("aws-batch", gate_networks=["10.1.0.0/16"]), "10.2.0.1", 1, False),
        (environment("aws-batch", gate_networks=["10.1.0.0/16"]), "fd00::1", 1, False),
        (environment("aws-batch", gate_networks=["fd00::/8"]), "fd00::1", 1, True),
        (environment("aws-batch", gate_ports=(9000, 9010)), "10.1.2.3", 9010, True),
        (environment("aws-batch", gate_ports=(9000, 9010)), "10.1.2.3", 9011, False),
    ],
    ids=lambda value: value.kind.value if isinstance(value, ComputeEnvironment) else str(value),
)
def test_a_gate_is_only_where_gates_may_be(
    given: ComputeEnvironment, host: str, port: int, admitted: bool
) -> None:
    assert given.admits(host, port) is admitted


@pytest.mark.parametrize("fields", [{}, {"region": "eu-west-1"}, {"batch": {"queue": "q"}}])
def test_batch_needs_a_queue_and_a_region(fields: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="needs region and batch"):
        ComputeEnvironment.model_validate(
            {"id": "e", "title": "E", "kind": "aws-batch", "work_dir": "s3://w/", **fields}
        )
