"""The spawner's two rules, with a compute environment and a service that fail on command.

The compute is a stand-in because the real local one cannot be made to throttle or to time out; the service is a
real HTTP server with scripted answers. The real things together are in tests/faults and tests/stories.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from traitlets.config import Config

from jupyterhub_studios import spawner as module
from jupyterhub_studios.compute import Say, silent
from jupyterhub_studios.compute.poller import Poller
from jupyterhub_studios.compute.rounds import Rounds
from jupyterhub_studios.config.hub import listens_beyond_loopback
from jupyterhub_studios.models import Job, JobStatus, Phase, SessionProgress, SessionState, StudiosError
from jupyterhub_studios.spawner import BatchSpawner

RUNNING = JobStatus(state="running")
LOST = JobStatus(state="lost", reason="killed")


class Compute:
    """Says what it is told to say."""

    poll_interval = 0.01

    def __init__(self) -> None:
        self.status: JobStatus | Exception = RUNNING
        self.terminated: list[str] = []
        self.words: list[str] = []  # about the image, before there is a job
        self.refusal: StudiosError | None = None

    async def submit(self, job: Job, say: Say = silent) -> str:
        for words in self.words:
            say(words)
            await asyncio.sleep(0.05)
        if self.refusal is not None:
            raise self.refusal
        return "job-1"

    async def describe(self, ids: Iterable[str]) -> dict[str, JobStatus]:
        if isinstance(self.status, Exception):
            raise self.status
        return dict.fromkeys(ids, self.status)

    async def terminate(self, job_id: str, reason: str, *, grace: float = 1) -> None:
        self.terminated.append(reason)
        self.status = JobStatus(state="failed", exit_code=137, reason=reason)


class Service:
    """The service's internal routes, with ``progress`` as the answer and a list of what it was asked."""

    def __init__(self) -> None:
        self.progress = SessionProgress(version=1, state=SessionState.RUNNING, agent_seen=True)
        self.asked: list[str] = []
        self.reports: list[dict[str, Any]] = []
        self.broken = False
        self.on_stop: Callable[[], None] = lambda: None

    async def answer(self, request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "token secret"
        if self.broken:
            return web.Response(status=502)
        what = request.path.rsplit("/", 1)[-1]
        self.asked.append(what)
        if what in ("ended", "job"):
            self.reports.append(await request.json())
        if what == "stop":
            self.on_stop()
        await asyncio.sleep(0.01)
        return web.Response(text=self.progress.model_dump_json(), content_type="application/json")


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    service = Service()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", service.answer)
    server = TestServer(app)
    await server.start_server()
    service.url = str(server.make_url("/services/studios/"))  # type: ignore[attr-defined]
    yield service
    await server.close()


@pytest.fixture
def compute(monkeypatch: pytest.MonkeyPatch) -> Compute:
    compute = Compute()
    monkeypatch.setattr(module, "open_compute", lambda env: compute)
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.01)
    monkeypatch.setattr(Poller, "_instance", None)
    return compute


@pytest.fixture
def spawner(service: Service, compute: Compute) -> BatchSpawner:
    config = Config()
    config.BatchSpawner.service_url = service.url  # type: ignore[attr-defined]
    config.BatchSpawner.service_token = "secret"
    config.Studios.compute_environments = {"here": {"kind": "local", "work_dir": "file:///tmp/none"}}
    spawner = BatchSpawner(config=config)
    spawner.load_state(
        {"studio_id": "st-1", "session_id": "se-1", "compute_environment": "here", "job_id": "job-1"}
    )
    return spawner


@pytest.mark.parametrize(
    "status",
    [
        RuntimeError("throttled"),
        TimeoutError(),
        JobStatus(state="unknown", reason="not visible yet"),
        JobStatus(state="queued"),
        JobStatus(state="starting"),
        RUNNING,
    ],
    ids=str,
)
async def test_only_a_definite_end_is_an_end(
    spawner: BatchSpawner, compute: Compute, service: Service, status: Any
) -> None:
    compute.status = status
    assert await spawner.poll() is None
    assert service.asked == []


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (JobStatus(state="succeeded", exit_code=0), 0),
        (JobStatus(state="failed", exit_code=3), 3),
        (LOST, 1),
    ],
    ids=str,
)
async def test_an_ended_job_is_reported_once(
    spawner: BatchSpawner, compute: Compute, service: Service, status: JobStatus, code: int
) -> None:
    compute.status = status
    assert await spawner.poll() == code
    assert service.asked == [], "not before the Hub has dealt with the end"
    await spawner.run_post_stop_hook()
    await spawner.run_post_stop_hook()
    assert service.asked == ["ended"]


async def test_an_end_the_service_did_not_hear_is_told_again(
    spawner: BatchSpawner, compute: Compute, service: Service
) -> None:
    compute.status = LOST
    service.broken = True
    assert await spawner.poll() == 1
    told = asyncio.create_task(spawner.run_post_stop_hook())
    await asyncio.sleep(0.05)
    assert not told.done()
    service.broken = False
    await asyncio.wait_for(told, 10)
    assert service.asked == ["ended"]


async def test_one_round_for_all_finds_the_end_and_tells_who_runs(
    spawner: BatchSpawner, compute: Compute, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Rounds, "_instances", {})
    rounds, ended = Rounds.every(spawner.poll_interval), asyncio.Event()
    spawner.add_poll_callback(ended.set)
    spawner.start_polling()
    while "alive" not in service.asked:
        await rounds.round()
        await asyncio.sleep(0.01)
    assert not ended.is_set()
    compute.status = LOST
    while not ended.is_set():
        await rounds.round()
        await asyncio.sleep(0.01)
    asked = len(service.asked)
    for _ in range(3):
        assert not rounds._members, "the Hub has heard of it"
        await rounds.round()
    assert len(service.asked) == asked


async def test_a_stop_that_begins_during_a_look_is_not_taken_for_an_end(
    spawner: BatchSpawner, compute: Compute, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Rounds, "_instances", {})
    told: list[bool] = []
    spawner.add_poll_callback(told.append, True)
    spawner.start_polling()
    look = asyncio.create_task(spawner.poll_and_notify())
    await asyncio.sleep(0)  # it asks
    compute.status = JobStatus(state="succeeded", exit_code=0)
    spawner.stop_polling()  # as the Hub does first when it stops a server
    assert await look is None and told == []
    spawner.start_polling()
    assert await spawner.poll_and_notify() == 0 and told == [True], "as long as nobody stops it, it is told"


async def test_a_hub_that_does_not_poll(spawner: BatchSpawner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Rounds, "_instances", {})
    spawner.poll_interval = 0
    spawner.start_polling()
    assert not Rounds.every(0)._members


def test_settings_are_read_once_for_all_spawners(spawner: BatchSpawner) -> None:
    other = BatchSpawner(config=spawner.config)
    assert other._studios is spawner._studios
    changed = Config(spawner.config)
    changed.Studios.compute_environments = {}
    assert BatchSpawner(config=changed)._studios.compute_environments == {}


async def test_without_a_job_nothing_runs(spawner: BatchSpawner, service: Service) -> None:
    spawner.clear_state()
    assert await spawner.poll() == 0
    assert service.asked == []


async def test_a_stop_waits_until_the_save_is_durable(
    spawner: BatchSpawner, compute: Compute, service: Service
) -> None:
    stop = asyncio.create_task(spawner.stop())
    await asyncio.sleep(0.3)
    assert not stop.done() and compute.terminated == []
    service.progress = SessionProgress(version=2, state=SessionState.STOPPED, agent_seen=True, durable=True)
    await asyncio.sleep(0.1)
    compute.status = JobStatus(state="succeeded", exit_code=0)
    await asyncio.wait_for(stop, 10)
    assert compute.terminated == []
    assert service.asked.count("stop") == 1
    await spawner.run_post_stop_hook()
    assert service.asked[-1] == "ended"


async def test_a_stop_outlasts_a_service_that_is_away(
    spawner: BatchSpawner, compute: Compute, service: Service
) -> None:
    service.broken = True
    stop = asyncio.create_task(spawner.stop())
    await asyncio.sleep(0.3)
    assert not stop.done() and compute.terminated == []
    service.broken = False
    service.on_stop = lambda: setattr(compute, "status", JobStatus(state="succeeded", exit_code=0))
    await asyncio.wait_for(stop, 10)
    assert compute.terminated == []


async def test_a_stop_survives_a_compute_that_cannot_be_asked(
    spawner: BatchSpawner, compute: Compute, service: Service
) -> None:
    compute.status = RuntimeError("throttled")
    stop = asyncio.create_task(spawner.stop())
    await asyncio.sleep(0.3)
    assert not stop.done() and compute.terminated == []
    compute.status = JobStatus(state="succeeded", exit_code=0)
    await asyncio.wait_for(stop, 10)


async def test_only_force_ends_a_session_that_has_not_saved(
    spawner: BatchSpawner, compute: Compute, service: Service
) -> None:
    service.progress = SessionProgress(version=2, state=SessionState.STOPPING, agent_seen=True, force=True)
    await asyncio.wait_for(spawner.stop(), 10)
    assert compute.terminated == ["force"]


async def test_a_job_whose_agent_never_came_is_cancelled(
    spawner: BatchSpawner, compute: Compute, service: Service
) -> None:
    service.progress = SessionProgress(version=2, state=SessionState.STOPPING)
    await asyncio.wait_for(spawner.stop(), 10)
    assert compute.terminated == ["cancelled"]


async def test_a_job_that_begins_anew_without_its_machine_is_over(
    spawner: BatchSpawner, compute: Compute, service: Service
) -> None:
    compute.status = JobStatus(state="queued", attempt=2)
    assert await spawner.poll() is None, "nobody was there yet: the second attempt is as good as the first"
    spawner.address = "http://10.0.0.1:1"
    assert await spawner.poll() == 1
    assert compute.terminated == ["its machine was lost"]
    await spawner.run_post_stop_hook()
    assert service.reports[-1]["state"] == "lost" and service.reports[-1]["host_lost"]


async def test_what_a_starting_job_waits_for_is_told_once(
    spawner: BatchSpawner, compute: Compute, service: Service
) -> None:
    service.progress = SessionProgress(version=1, state=SessionState.STARTING)
    compute.status = JobStatus(state="queued", reason="waiting for capacity")
    start = asyncio.create_task(spawner._wait_ready())
    while service.asked.count("se-1") < 5:
        await asyncio.sleep(0.01)
    assert service.asked.count("job") == 1
    compute.status = LOST
    with pytest.raises(StudiosError, match="killed"):
        await asyncio.wait_for(start, 10)
    assert service.asked.count("ended") == 1


def test_state_survives_a_restart_of_the_hub(spawner: BatchSpawner) -> None:
    other = BatchSpawner()
    other.load_state(spawner.get_state())
    assert (other.session_id, other.job_id, other.compute_environment) == ("se-1", "job-1", "here")


async def test_a_late_viewer_sees_the_whole_progress(spawner: BatchSpawner) -> None:
    phases = [Phase(name="queued", status="done"), Phase(name="host", status="running"), Phase(name="image")]
    spawner._progress = SessionProgress(version=3, state=SessionState.RUNNING, phases=phases)
    for _viewer in range(2):
        events = [event async for event in spawner.progress()]
        assert [event["message"] for event in events] == ["queued: done", "host: running"]
        assert events[0]["progress"] < events[1]["progress"] <= 100


@pytest.mark.parametrize(
    ("hub", "beyond"),
    [
        ({}, True),
        ({"bind_url": "http://:8000"}, True),
        ({"bind_url": "http://0.0.0.0:8000/x/"}, True),
        ({"bind_url": "https://10.1.2.3:443"}, True),
        ({"bind_url": "http://127.0.0.1:8000/"}, False),
        ({"bind_url": "http://[::1]:8000/"}, False),
        ({"bind_url": "http://localhost:8000/"}, False),
        ({"ip": "127.0.0.1"}, False),
        ({"ip": ""}, True),
    ],
)
def test_a_hub_that_others_can_reach_is_recognised(hub: dict[str, str], beyond: bool) -> None:
    assert listens_beyond_loopback(Config(JupyterHub=hub)) is beyond


async def test_local_studios_are_refused_on_a_hub_that_others_can_reach(
    spawner: BatchSpawner, compute: Compute
) -> None:
    with pytest.raises(StudiosError, match="allow_local_on_network"):
        spawner._check_local("here")


async def test_an_administrator_may_let_local_studios_run_on_a_network(
    spawner: BatchSpawner, compute: Compute
) -> None:
    spawner.config.Studios.allow_local_on_network = True
    spawner._check_local("here")


@pytest.mark.parametrize("refused", [False, True])
async def test_what_is_done_to_an_image_is_told_before_there_is_a_job(
    spawner: BatchSpawner, compute: Compute, service: Service, refused: bool
) -> None:
    job = Job(session_id="se-1", name="studio-se-1", cpus=1, memory_mib=64)
    compute.words = ["Reading it", "Adding the agent: 12 MB sent"]
    if refused:
        compute.refusal = StudiosError("There is no image")
        with pytest.raises(StudiosError, match="There is no image"):
            await spawner._submit(job)
    else:
        assert await spawner._submit(job) == "job-1"
    assert [(one["state"], one["reason"]) for one in service.reports] == [
        ("preparing", words) for words in compute.words
    ]


async def test_a_service_that_is_away_delays_no_submit(
    spawner: BatchSpawner, compute: Compute, service: Service
) -> None:
    service.broken, compute.words = True, ["Reading it"]
    job = Job(session_id="se-1", name="studio-se-1", cpus=1, memory_mib=64)
    assert await spawner._submit(job) == "job-1"
