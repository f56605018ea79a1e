"""Jobs of AWS Batch as moto runs them, in real containers; with a proxy in front of it that fails on command, and
botocore's stubs for what moto never says."""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.stub import Stubber

from jupyterhub_studios.compute import aws_batch as module
from jupyterhub_studios.compute import batch_payloads
from jupyterhub_studios.compute.aws_batch import BatchCompute
from jupyterhub_studios.compute.poller import Poller
from jupyterhub_studios.models import ComputeEnvironment, Job, JobStatus, StudiosError, job_name
from tests.engine import Engine
from tests.faults.store_proxy import Request, StoreProxy
from tests.moto_server import REGION, Moto
from tests.registries import Registry

pytestmark = [pytest.mark.root, pytest.mark.docker]

WAITS = "trap 'exit 0' TERM; while :; do sleep 0.1; done"


@pytest.fixture(scope="module")
def queue(moto: Moto) -> str:
    return moto.queue(f"jobs-{secrets.token_hex(4)}")


@pytest.fixture
def proxy(moto: Moto, monkeypatch: pytest.MonkeyPatch) -> Iterator[StoreProxy]:
    found = StoreProxy(("127.0.0.1", moto.port))
    for name, value in moto.environment(found.endpoint).items():
        monkeypatch.setenv(name, value)
    yield found
    found.close()


@pytest.fixture
def compute(proxy: StoreProxy, queue: str, monkeypatch: pytest.MonkeyPatch) -> BatchCompute:
    monkeypatch.setattr(BatchCompute, "poll_interval", 0.2)
    monkeypatch.setattr(BatchCompute, "submit_pauses", (0.1, 0.1, 0.1, 0.1))
    fields = {
        "id": "eu",
        "title": "Europe",
        "kind": "aws-batch",
        "region": REGION,
        "work_dir": "s3://bucket/",
    }
    settings = {"queue": queue}
    return BatchCompute(
        ComputeEnvironment.model_validate(
            {**fields, "batch": settings, "scratch": "/var/tmp"}  # moto's engine makes no folders
        )
    )


@pytest.fixture(scope="module")
def image(engine: Engine, open_registry: Registry) -> Iterator[Callable[[str], str]]:
    """The name in the registry of an image that runs a shell line."""
    made: dict[str, str] = {}

    def variant(line: str) -> str:
        if line not in made:
            tag = f"{open_registry.host}/test-{secrets.token_hex(6)}"
            made[line] = engine.variant(tag, "sh", "-c", line)
            engine.docker("push", "--quiet", tag)
        return made[line]

    yield variant
    for tag in made.values():
        engine.docker("rmi", "--force", tag, check=False)


def job(image: str, hub: str = "h") -> Job:
    session = f"se-{secrets.token_hex(6)}"
    return Job(
        session_id=session,
        name=job_name(session),
        image=image,
        cpus=1,
        memory_mib=64,
        tags={"session": session, "hub": hub},
    )


async def until(compute: BatchCompute, job_id: str, *states: str) -> JobStatus:
    while True:
        status = (await compute.describe([job_id])).get(job_id)
        if status is not None and status.state in states:
            return status
        await asyncio.sleep(0.1)


def submitted(moto: Moto, queue: str, name: str) -> int:
    filters = [{"name": "JOB_NAME", "values": [name]}]
    return len(moto.client("batch").list_jobs(jobQueue=queue, filters=filters)["jobSummaryList"])


async def test_a_job_from_submit_to_log(compute: BatchCompute, image: Callable[[str], str]) -> None:
    one = job(image("echo hello >&2; sleep 0.1; echo out of luck >&2; exit 3"))
    job_id = await compute.submit(one)
    status = await until(compute, job_id, "failed")
    assert status.reason.endswith(": out of luck")  # and the exit code, which moto does not tell
    text, after = await compute.logs(one.name, None)
    assert text.splitlines() == ["hello", "out of luck"]
    assert (await compute.logs(one.name, after))[0] == ""
    assert await compute.logs("studio-never-was", None) == ("", None)


async def test_an_empty_page_of_a_log_is_not_its_end(compute: BatchCompute) -> None:
    found = {"container": {"logStreamName": "s"}}
    pages = [("", "a"), ("", "b"), ("late", "c"), ("", "d"), ("", "d")]
    with Stubber(compute.aws.client("logs")) as stub:
        for text, token in pages:
            events = [{"message": text}] if text else []
            stub.add_response("get_log_events", {"events": events, "nextForwardToken": token})
        assert await compute._log(found, None) == ("late\n", "c")
        assert await compute._log(found, "c") == ("", "d")
        stub.assert_no_pending_responses()


@pytest.mark.parametrize("state", ["queued", "starting", "running"])
async def test_a_job_can_be_ended_in_every_state(
    compute: BatchCompute, moto: Moto, image: Callable[[str], str], engine: Engine, state: str
) -> None:
    moto.slow_down(1.0)
    try:
        one = job(image(WAITS))
        job_id = await compute.submit(one)
        await until(compute, job_id, state)
        await compute.terminate(job_id, "cancelled")
        status = await until(compute, job_id, "failed")
        await compute.terminate(job_id, "again")
    finally:
        moto.slow_down(0)
    assert status.ended
    assert one.name not in await asyncio.to_thread(engine.docker, "ps", "--format", "{{.Names}}")


# --- submitting through faults ---


@pytest.mark.parametrize("fault", ["throttled", "broken", "cut off"])
async def test_a_submit_through_faults_makes_one_job(
    compute: BatchCompute, proxy: StoreProxy, moto: Moto, queue: str, image: Callable[[str], str], fault: str
) -> None:
    """``cut off``: the request was carried out, and its answer lost."""
    faults = iter([True, True])

    def refuse(request: Request) -> int | None:
        if "submitjob" in request.path and next(faults, False):
            return 429 if fault == "throttled" else 503
        return None

    def cut(request: Request) -> None:
        if "submitjob" in request.path:
            raise ConnectionAbortedError("the answer is lost, as this test wants it")

    if fault == "cut off":
        proxy.after = cut
    else:
        proxy.before = refuse
    one = job(image(WAITS))
    job_id = await compute.submit(one)
    assert submitted(moto, queue, one.name) == 1
    assert await compute.submit(one) == job_id
    assert submitted(moto, queue, one.name) == 1
    await compute.terminate(job_id, "test")


async def test_a_submit_whose_job_is_listed_late_makes_one_job(
    compute: BatchCompute, proxy: StoreProxy, moto: Moto, queue: str, image: Callable[[str], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Its answer is lost, and ListJobs does not show it yet when it is first looked for."""

    def cut(request: Request) -> None:
        if "submitjob" in request.path:
            raise ConnectionAbortedError("the answer is lost, as this test wants it")

    looks: list[str] = []
    find = compute._find

    async def late(name: str) -> str | None:
        looks.append(name)
        return None if len(looks) < 3 else await find(name)

    proxy.after = cut
    monkeypatch.setattr(compute, "_find", late)
    one = job(image(WAITS))
    job_id = await compute.submit(one)
    assert len(looks) == 3 and submitted(moto, queue, one.name) == 1
    await compute.terminate(job_id, "test")


async def test_a_submit_that_never_gets_through_is_told(
    compute: BatchCompute, proxy: StoreProxy, moto: Moto, queue: str, image: Callable[[str], str]
) -> None:
    proxy.before = lambda request: 503 if "submitjob" in request.path else None
    one = job(image(WAITS))
    with pytest.raises(StudiosError, match="AWS Batch did not take the job") as fault:
        await compute.submit(one)
    assert "Try again" in fault.value.problem.action
    assert submitted(moto, queue, one.name) == 0


@pytest.mark.parametrize(
    ("code", "said", "action"),
    [
        ("ClientException", "JobQueue studios is DISABLED", "studios doctor"),
        ("AccessDeniedException", "not authorized to perform batch:SubmitJob", "right"),
    ],
)
async def test_what_aws_refuses_is_told(
    compute: BatchCompute, image: Callable[[str], str], code: str, said: str, action: str
) -> None:
    with Stubber(compute.aws.client("batch", once=True)) as stub:
        stub.add_client_error("submit_job", code, said, 400)
        with pytest.raises(StudiosError, match=said) as fault:
            await compute.submit(job(image(WAITS)))
        stub.assert_no_pending_responses()
    assert action in fault.value.problem.action


# --- definitions ---


def active(moto: Moto, name: str) -> list[dict[str, Any]]:
    found = moto.client("batch").describe_job_definitions(jobDefinitionName=name, status="ACTIVE")
    return list(found["jobDefinitions"])


async def test_a_definition_is_used_again_made_again_and_given_up(
    compute: BatchCompute, moto: Moto, image: Callable[[str], str]
) -> None:
    hub = secrets.token_hex(6)
    one = job(image("exit 0"), hub)
    batch = moto.client("batch")
    job_id = await compute.submit(one)
    arn = batch.describe_jobs(jobs=[job_id])["jobs"][0]["jobDefinition"]
    name = arn.rpartition("/")[2].partition(":")[0]
    again = BatchCompute(compute._env)  # another process, which remembers nothing
    await again.submit(job(image("exit 0"), hub))
    assert [found["jobDefinitionArn"] for found in active(moto, name)] == [arn]

    await compute.tidy(hub)
    assert len(active(moto, name)) == 1, "it is in use"
    long_ago = (datetime.now(UTC) - module.UNUSED - timedelta(days=1)).date()
    tags = batch_payloads.definition_tags(compute._env, hub, long_ago)
    await compute.aws.ask("batch", "tag_resource", resourceArn=arn, tags=tags)
    await compute.tidy("another hub")
    assert len(active(moto, name)) == 1
    await compute.tidy(hub)
    assert active(moto, name) == []
    fresh = BatchCompute(compute._env)
    await fresh.submit(job(image("exit 0"), hub))
    assert len(active(moto, name)) == 1


async def test_a_definition_that_somebody_deregistered_is_made_again(
    compute: BatchCompute, image: Callable[[str], str]
) -> None:
    await compute.submit(job(image("exit 0")))
    with Stubber(compute.aws.client("batch", once=True)) as stub:
        stub.add_client_error("submit_job", "ClientException", "Job definition x:1 is INACTIVE", 400)
        stub.add_response("submit_job", {"jobName": "j", "jobId": "the-job"})
        assert await compute.submit(job(image("exit 0"))) == "the-job"
        stub.assert_no_pending_responses()


# --- looking ---


async def test_many_jobs_are_few_requests(compute: BatchCompute) -> None:
    asked: list[int] = []

    async def ask(service: str, operation: str, **request: Any) -> dict[str, Any]:
        asked.append(len(request["jobs"]))
        return {"jobs": [{"jobId": one, "status": "RUNNING"} for one in request["jobs"]]}

    compute.aws.ask = ask  # type: ignore[method-assign,assignment]
    poller = Poller()
    found = await asyncio.gather(*(poller.status(compute, f"j{n}") for n in range(250)))
    assert {status.state for status in found} == {"running"}
    assert sorted(asked) == [50, 100, 100]


async def test_aws_is_never_asked_on_the_event_loop(compute: BatchCompute) -> None:
    threads = set()
    client = compute.aws.client("batch")
    client.meta.events.register("before-call", lambda **_: threads.add(threading.current_thread()))
    await compute.describe(["no-such-job"])
    assert threads and threading.main_thread() not in threads


async def test_a_job_that_is_not_visible_yet_is_not_lost(
    compute: BatchCompute, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await compute.describe(["not-yet"]) == {}
    assert (await Poller().status(compute, "not-yet")).state == "unknown"
    monkeypatch.setattr(module, "INVISIBLE_SECONDS", 0.0)
    await asyncio.sleep(0.01)
    assert (await Poller().status(compute, "not-yet")).state == "lost", "Batch forgets jobs after a week"


@pytest.mark.parametrize("status", [429, 503])
async def test_an_aws_that_does_not_answer_ends_nothing(
    compute: BatchCompute, proxy: StoreProxy, image: Callable[[str], str], status: int
) -> None:
    job_id = await compute.submit(job(image(WAITS)))
    await until(compute, job_id, "running")
    poller = Poller()
    proxy.before = lambda request: status
    assert (await poller.status(compute, job_id)).state == "unknown"
    proxy.before = lambda request: None
    while (found := await poller.status(compute, job_id)).state == "unknown":
        await asyncio.sleep(0.1)
    assert found.state == "running"
    await compute.terminate(job_id, "test")


async def test_only_our_own_jobs_are_listed(compute: BatchCompute, image: Callable[[str], str]) -> None:
    hub = secrets.token_hex(6)
    ours, others = job(image(WAITS), hub), job(image(WAITS), "another hub")
    ids = [await compute.submit(one) for one in (ours, others)]
    found = await compute.running(hub)
    assert [(one.job_id, one.session_id) for one in found] == [(ids[0], ours.session_id)]
    await asyncio.gather(*(compute.terminate(job_id, "test") for job_id in ids))
    assert await compute.running(hub) == []
