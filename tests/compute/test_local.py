"""Jobs as processes of this machine: real ones, with a stand-in for what the agent does."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyterhub_studios.compute import local, open_compute, processes, remote
from jupyterhub_studios.compute.local import LocalCompute
from jupyterhub_studios.models import ComputeEnvironment, Job, JobStatus, Kind, StudiosError, new_id

AGENT = """
import os, signal, sys, time
def end(*_):
    print("asked to end", flush=True)
    sys.exit(int(os.environ.get("STUDIOS_CODE", "0")))
if os.environ.get("STUDIOS_STUBBORN"):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
else:
    signal.signal(signal.SIGTERM, end)
open("ready", "w").write(str(os.getpid()))
while not os.path.exists("go"):
    time.sleep(0.05)
end()
"""


@pytest.fixture
def env(tmp_path: Path) -> ComputeEnvironment:
    return ComputeEnvironment(
        id="local", title="Here", kind=Kind.LOCAL, work_dir="memory:///", scratch=str(tmp_path / "scratch")
    )


@pytest.fixture
def compute(
    env: ComputeEnvironment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[LocalCompute]:
    """A compute whose jobs run :data:`AGENT` in place of the real agent."""
    script = tmp_path / "agent.py"
    script.write_text(textwrap.dedent(AGENT))
    wrapper = local.WRAPPER.replace('"$@"', f'"$1" {script}')
    monkeypatch.setattr(local, "WRAPPER", wrapper)
    made = LocalCompute(env)
    yield made
    for folder in (tmp_path / "scratch").glob("*/job"):
        pid = int(folder.read_text().split(":")[1])
        if processes.session_exists(pid):
            os.killpg(pid, signal.SIGKILL)


def job(**environment: str) -> Job:
    return Job(session_id=new_id("se"), name="test", cpus=1, memory_mib=256, environment=environment)


async def submitted(compute: LocalCompute, tmp_path: Path, **environment: str) -> tuple[str, Path]:
    job_id = await compute.submit(job(**environment))
    folder = tmp_path / "scratch" / job_id.split(":")[0]
    while not (folder / "ready").exists():
        assert not (await status(compute, job_id)).ended, (folder / "agent.log").read_text()
        await asyncio.sleep(0.05)
    return job_id, folder


async def status(compute: LocalCompute, job_id: str) -> JobStatus:
    return (await compute.describe([job_id]))[job_id]


async def ended(compute: LocalCompute, job_id: str) -> JobStatus:
    while not (found := await status(compute, job_id)).ended:
        await asyncio.sleep(0.05)
    return found


async def test_a_job_runs_and_its_exit_code_is_known(compute: LocalCompute, tmp_path: Path) -> None:
    job_id, folder = await submitted(compute, tmp_path, STUDIOS_CODE="0")
    bad_id, bad_folder = await submitted(compute, tmp_path, STUDIOS_CODE="3")
    assert {s.state for s in (await compute.describe([job_id, bad_id])).values()} == {"running"}
    (folder / "go").touch()
    (bad_folder / "go").touch()
    assert await ended(compute, job_id) == JobStatus(state="succeeded", exit_code=0)
    found = await ended(compute, bad_id)
    assert (found.state, found.exit_code) == ("failed", 3)
    assert "asked to end" in (folder / "agent.log").read_text()
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "agent.log").stat().st_mode & 0o077 == 0


async def test_a_restarted_hub_finds_its_jobs(
    compute: LocalCompute, env: ComputeEnvironment, tmp_path: Path
) -> None:
    job_id, folder = await submitted(compute, tmp_path)
    later = LocalCompute(env)
    assert (await status(later, job_id)).state == "running"
    (folder / "go").touch()
    assert (await ended(later, job_id)).state == "succeeded"


async def test_another_process_with_the_same_number_is_not_the_job(
    compute: LocalCompute, tmp_path: Path
) -> None:
    other = subprocess.Popen(["sleep", "60"])
    try:
        (tmp_path / "scratch" / "se-old").mkdir(parents=True)
        job_id = f"se-old:{other.pid}:1"
        found = await status(compute, job_id)
        assert found.state == "lost"
        assert "killed" in found.reason
        await compute.terminate(job_id, "test", grace=0)
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


async def test_the_job_gets_nothing_of_the_hubs_environment(
    compute: LocalCompute, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "very-secret")
    job_id, folder = await submitted(compute, tmp_path, STUDIOS_BOOTSTRAP_CODE="code")
    environ = Path(f"/proc/{(folder / 'ready').read_text()}/environ").read_bytes()
    assert b"very-secret" not in environ
    assert {line.split(b"=")[0] for line in environ.split(b"\0") if line} <= {
        b"PATH", b"LANG", b"PWD", b"STUDIOS_BOOTSTRAP_CODE", b"STUDIOS_ROOT_MODE",
    }  # fmt: skip
    assert "code" not in job_id


async def test_terminate_asks_first_and_may_be_repeated(compute: LocalCompute, tmp_path: Path) -> None:
    job_id, folder = await submitted(compute, tmp_path)
    await compute.terminate(job_id, "test")
    await compute.terminate(job_id, "test")
    assert "asked to end" in (folder / "agent.log").read_text()
    assert (await status(compute, job_id)).state == "succeeded"


async def test_terminate_kills_what_does_not_end(compute: LocalCompute, tmp_path: Path) -> None:
    job_id, folder = await submitted(compute, tmp_path, STUDIOS_STUBBORN="1")
    await compute.terminate(job_id, "test", grace=0.3)
    assert (await status(compute, job_id)).state == "lost"
    assert processes.started(int((folder / "ready").read_text())) is None


async def test_a_killed_agent_is_told_with_its_signal(compute: LocalCompute, tmp_path: Path) -> None:
    job_id, folder = await submitted(compute, tmp_path)
    os.kill(int((folder / "ready").read_text()), signal.SIGKILL)
    found = await ended(compute, job_id)
    assert (found.state, found.exit_code) == ("failed", 137)
    assert "signal 9" in found.reason


async def test_an_agent_whose_shell_was_killed_still_runs(compute: LocalCompute, tmp_path: Path) -> None:
    job_id, folder = await submitted(compute, tmp_path)
    os.kill(int(job_id.split(":")[1]), signal.SIGKILL)
    await asyncio.sleep(0.2)
    assert (await status(compute, job_id)).state == "running"
    (folder / "go").touch()
    assert (await ended(compute, job_id)).state == "lost"


async def test_no_zombie_stays(compute: LocalCompute, tmp_path: Path) -> None:
    job_id, folder = await submitted(compute, tmp_path)
    (folder / "go").touch()
    await ended(compute, job_id)
    assert not Path(f"/proc/{job_id.split(':')[1]}").exists()


async def test_only_what_ended_and_was_saved_is_tidied_away(compute: LocalCompute, tmp_path: Path) -> None:
    running_id, running = await submitted(compute, tmp_path)
    _, saved = await submitted(compute, tmp_path)
    _, lost = await submitted(compute, tmp_path)
    _, old = await submitted(compute, tmp_path)
    (running / "saved").touch()
    (saved / "saved").touch()
    stranger = tmp_path / "scratch" / "something-else"
    stranger.mkdir()
    for name in ("upper", "fetched"):
        (lost / name).mkdir()
        (running / name).mkdir()
    for folder in (saved, lost, old):
        (folder / "go").touch()
        await ended(compute, (folder / "job").read_text())
    for entry in old.iterdir():
        os.utime(entry, (time.time() - 2 * local.KEEP_UNSAVED,) * 2)
    await submitted(compute, tmp_path)
    assert (saved.exists(), lost.exists(), old.exists(), stranger.exists()) == (False, True, False, True)
    assert ((lost / "upper").exists(), (lost / "fetched").exists()) == (True, False)
    assert (running / "fetched").exists()
    assert (await status(compute, running_id)).state == "running"


async def test_scratch_that_cannot_be_made_is_told(env: ComputeEnvironment, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    compute = LocalCompute(env.model_copy(update={"scratch": str(tmp_path / "file" / "scratch")}))
    with pytest.raises(StudiosError, match="scratch folder"):
        await compute.submit(job())


def test_one_compute_for_one_environment(env: ComputeEnvironment) -> None:
    assert open_compute(env) is open_compute(env.model_copy())
    assert open_compute(env) is not open_compute(env.model_copy(update={"scratch": "/elsewhere"}))
    assert remote(env) is None


async def test_the_real_agent_is_what_a_job_starts(env: ComputeEnvironment) -> None:
    compute = LocalCompute(env)
    job_id = await compute.submit(job())
    found = await ended(compute, job_id)
    log = (Path(env.scratch or "") / job_id.split(":")[0] / "agent.log").read_text()
    assert found.state == "failed", log
    assert "STUDIOS_BOOTSTRAP_URL" in log
    assert sys.executable not in job_id
