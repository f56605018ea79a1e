"""Jobs as containers of a real engine: submitted once, described truly, ended whatever they do."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from jupyterhub_studios.compute import docker as module
from jupyterhub_studios.compute.docker import DockerCompute
from jupyterhub_studios.compute.poller import Poller
from jupyterhub_studios.config import Studios
from jupyterhub_studios.models import ComputeEnvironment, Job, JobStatus, StudiosError, job_name, now
from jupyterhub_studios.service.core import open_service
from jupyterhub_studios.service.reaper import UNKNOWN, Reaper
from tests.engine import Engine

pytestmark = [pytest.mark.root, pytest.mark.docker]

SAVES = "trap 'echo saved; exit 0' TERM; while :; do sleep 0.1; done"


def environment(engine: str) -> ComputeEnvironment:
    fields = {"id": "here", "title": "Here", "kind": "docker", "work_dir": "file:///nowhere"}
    return ComputeEnvironment.model_validate({**fields, "docker": {"engine": engine}})


@pytest.fixture
def compute(engine: Engine) -> DockerCompute:
    return DockerCompute(environment(engine.host))


@pytest_asyncio.fixture
async def make(engine: Engine) -> AsyncIterator[Callable[..., Job]]:
    """Jobs that run a shell line; all gone at the end."""
    made: list[str] = []
    tags: list[str] = []

    def job(line: str = SAVES, hub: str = "h", **fields: Any) -> Job:
        session = f"se-{secrets.token_hex(6)}"
        made.append(job_name(session))
        if "image" not in fields:
            tags.append(engine.variant(f"test-{secrets.token_hex(6)}", "sh", "-c", line))
            fields["image"] = tags[-1]
        tagged = {"session": session, "hub": hub}
        return Job(
            **{
                "session_id": session,
                "name": made[-1],
                "cpus": 0.5,
                "memory_mib": 64,
                "tags": tagged,
                **fields,
            }
        )

    yield job
    for name in made:
        await asyncio.to_thread(engine.docker, "rm", "--force", "--volumes", name, check=False)
    for tag in tags:
        await asyncio.to_thread(engine.docker, "rmi", "--force", tag, check=False)


async def ended(compute: DockerCompute, job_id: str) -> JobStatus:
    while True:
        status = (await compute.describe([job_id]))[job_id]
        if status.ended:
            return status
        await asyncio.sleep(0.1)


async def test_the_same_job_submitted_twice_is_one(compute: DockerCompute, make: Callable[..., Job]) -> None:
    job = make()
    first, second = await compute.submit(job), await compute.submit(job)
    assert first == second
    assert (await compute.describe([first]))[first] == JobStatus(state="running")
    assert [one.session_id for one in await compute.running("h") if one.job_id == first] == [job.session_id]
    assert await compute.running("another hub") == []
    await compute.terminate(first, "test", grace=5)


async def test_an_ended_job_lets_its_work_be_saved(compute: DockerCompute, make: Callable[..., Job]) -> None:
    job = make()
    job_id = await compute.submit(job)
    await compute.terminate(job_id, "test", grace=20)
    assert await ended(compute, job_id) == JobStatus(state="succeeded", exit_code=0)
    await compute.terminate(job_id, "again", grace=20)
    await compute.terminate("no-such-job", "never was", grace=1)
    assert (await compute.logs(job.name, None))[0] == "saved\n"


async def test_a_job_that_does_not_end_is_killed(compute: DockerCompute, make: Callable[..., Job]) -> None:
    job_id = await compute.submit(make("trap '' TERM; while :; do sleep 0.1; done"))
    await compute.terminate(job_id, "test", grace=1)
    assert "signal 9" in (await ended(compute, job_id)).reason


async def test_a_job_says_why_it_gave_up(compute: DockerCompute, make: Callable[..., Job]) -> None:
    # One stream: of two the engine keeps no order.
    job = make("exec 2>&1; echo one; echo out of luck; exit 3")
    job_id = await compute.submit(job)
    status = await ended(compute, job_id)
    assert (status.state, status.exit_code) == ("failed", 3)
    assert status.reason == "the agent ended (exit code 3): out of luck"
    text, after = await compute.logs(job.name, None)
    assert text == "one\nout of luck\n"
    assert await compute.logs(job.name, after) == ("", after)
    assert await compute.logs("never-was", None) == ("", None)


async def test_a_job_that_takes_too_much_memory_says_so(
    compute: DockerCompute, make: Callable[..., Job]
) -> None:
    status = await ended(compute, await compute.submit(make("exec tail /dev/zero", memory_mib=32)))
    assert status.state == "failed"
    assert "more than its 32 MiB of memory" in status.reason


async def test_a_removed_container_is_lost(
    compute: DockerCompute, make: Callable[..., Job], engine: Engine
) -> None:
    job_id = await compute.submit(make())
    await asyncio.to_thread(engine.docker, "rm", "--force", job_id)
    assert (await ended(compute, job_id)).state == "lost"


@pytest.mark.parametrize(
    ("image", "words"), [("127.0.0.1:1/nothing:here", "127.0.0.1:1/nothing:here"), (None, "no image")]
)
async def test_an_image_that_is_not_there_is_told(
    compute: DockerCompute, make: Callable[..., Job], image: str | None, words: str
) -> None:
    with pytest.raises(StudiosError, match=words) as fault:
        await compute.submit(make(image=image))
    assert fault.value.problem.field == "image" and fault.value.problem.action


async def test_a_program_that_is_not_in_the_image_is_told(
    compute: DockerCompute, make: Callable[..., Job], engine: Engine
) -> None:
    image = engine.variant(f"test-{secrets.token_hex(6)}", "/no/such/agent")
    job = make(image=image)
    with pytest.raises(StudiosError, match="/no/such/agent"):
        await compute.submit(job)
    assert job.name not in await asyncio.to_thread(engine.docker, "ps", "-a", "--format", "{{.Names}}")
    await asyncio.to_thread(engine.docker, "rmi", image)


async def test_a_studio_goes_on_with_the_bytes_it_was_built_on(
    compute: DockerCompute, make: Callable[..., Job], engine: Engine
) -> None:
    tag = f"test-{secrets.token_hex(6)}"
    old = engine.docker("inspect", "--format", "{{.Id}}", engine.variant(tag, "echo", "old"))
    engine.variant(tag, "echo", "new")
    for digest, said in ((old, "old\n"), (None, "new\n")):
        job = make(image=tag, digest=digest)
        await ended(compute, await compute.submit(job))
        assert (await compute.logs(job.name, None))[0] == said
        await asyncio.to_thread(engine.docker, "rm", "--volumes", job.name)
    await asyncio.to_thread(engine.docker, "rmi", old)
    with pytest.raises(StudiosError, match="that this studio was built on are gone"):
        await compute.submit(make(image=tag, digest=old))
    await asyncio.to_thread(engine.docker, "rmi", tag)


async def test_an_engine_that_does_not_answer_ends_nothing(tmp_path: Path) -> None:
    compute = DockerCompute(environment(f"unix://{tmp_path}/none.sock"))
    status = await Poller().status(compute, "some-job")
    assert status.state == "unknown" and "does not answer" in status.reason
    with pytest.raises(StudiosError, match="does not answer"):
        await compute.terminate("some-job", "test", grace=1)


async def test_what_ended_long_ago_is_removed(
    compute: DockerCompute, make: Callable[..., Job], engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = secrets.token_hex(6)
    jobs = {
        name: make(line, hub=hub)
        for name, line in (("saved", "exit 0"), ("lost", "exit 1"), ("alive", SAVES))
    }
    ids = {name: await compute.submit(job) for name, job in jobs.items()}
    for name in ("saved", "lost"):
        await ended(compute, ids[name])

    def there() -> set[str]:
        containers = engine.docker("ps", "-aq", "--no-trunc").split()
        volumes = engine.docker("volume", "ls", "-q").split()
        return {name for name, job in jobs.items() if ids[name] in containers and job.name in volumes}

    await compute.tidy(hub)
    assert there() == {"saved", "lost", "alive"}
    monkeypatch.setattr(module, "KEEP_SAVED", 0.0)
    await compute.tidy("another hub")
    assert there() == {"saved", "lost", "alive"}
    await compute.tidy(hub)
    assert there() == {"lost", "alive"}, "what was not saved may be rescued by hand"


async def test_a_job_that_nobody_knows_is_ended(
    compute: DockerCompute, make: Callable[..., Job], tmp_path: Path
) -> None:
    config = Studios(database_url=f"sqlite:///{tmp_path}/db.sqlite", state_dir=str(tmp_path))
    service = open_service(
        config, api_url="http://127.0.0.1:9/hub/api", token="x", base="/", prefix="/services/studios/"
    )
    await service.database.migrate()
    job_id = await compute.submit(make(hub=service.keys.installation))
    other = await compute.submit(make(hub="another hub"))
    reaper = Reaper(service)
    await reaper.check(compute, now())
    assert [job.job_id for job in await compute.running(service.keys.installation)] == [job_id]
    await reaper.check(compute, now() + UNKNOWN + timedelta(minutes=1))
    assert (await ended(compute, job_id)).state == "succeeded", "it could save"
    assert (await compute.describe([other]))[other].state == "running"
    await service.hub.close()
    service.database.close()
