"""Which bytes a Docker engine runs: fetched with credentials, and given an agent, at real registries."""

from __future__ import annotations

import base64
import json
import logging
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyterhub_studios.compute.containers import Pull, registry_auth
from jupyterhub_studios.compute.docker import DockerCompute
from jupyterhub_studios.images.credentials import Login
from jupyterhub_studios.models import ComputeEnvironment, Job, StudiosError, job_name
from tests.compute.test_docker import ended
from tests.engine import Engine
from tests.images.conftest import make_tiny
from tests.images.making import Maker, layer
from tests.registries import PASSWORD, USER, Registry, registry_with_password

pytestmark = [pytest.mark.root, pytest.mark.docker]


@pytest.fixture
def private(engine: Engine) -> Iterator[str]:
    """An image in a registry that asks who comes; the engine has it no more."""
    with registry_with_password() as registry:
        path = f"team/said-{secrets.token_hex(4)}:1"
        with registry.unguarded() as door:
            inside = engine.variant(f"{door.host}/{path}", "echo", "said")
            engine.docker("push", "--quiet", inside)
        engine.docker("rmi", "--force", inside)
        yield f"{registry.host}/{path}"
        engine.docker("rmi", "--force", f"{registry.host}/{path}", check=False)


@pytest.fixture
def signed_in(private: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    login = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    config = {"auths": {private.partition("/")[0]: {"auth": login}}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    return private


def compute(engine: Engine, **docker: object) -> DockerCompute:
    fields = {"id": "here", "title": "Here", "kind": "docker", "work_dir": "file:///nowhere"}
    settings = {"docker": {"engine": engine.host, **docker}}
    return DockerCompute(ComputeEnvironment.model_validate({**fields, **settings}))


def job(image: str, digest: str | None = None) -> Job:
    session = f"se-{secrets.token_hex(6)}"
    return Job(
        session_id=session, name=job_name(session), image=image, digest=digest, cpus=0.5, memory_mib=64,
        tags={"session": session, "hub": "h"},
    )  # fmt: skip


async def said(found: DockerCompute, engine: Engine, one: Job) -> tuple[str, list[str]]:
    """What the job printed, and what was told of its image before."""
    told: list[str] = []
    try:
        await ended(found, await found.submit(one, told.append))
        return (await found.logs(one.name, None))[0], told
    finally:
        engine.docker("rm", "--force", "--volumes", one.name, check=False)


async def test_a_private_image_is_fetched_with_the_accounts_own_credentials(
    signed_in: str, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    text, told = await said(compute(engine), engine, job(signed_in))
    assert text == "said\n"
    assert told[0] == "Fetching the image"
    assert PASSWORD not in caplog.text
    assert registry_auth(Login(USER, PASSWORD), signed_in.partition("/")[0]) not in caplog.text


async def test_without_credentials_it_is_told_what_to_do(
    private: str, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    with pytest.raises(StudiosError, match="cannot be had") as fault:
        await compute(engine).submit(job(private))
    problem = fault.value.problem
    assert problem.field == "image" and "docker login" in problem.action


async def test_an_image_gets_the_agent_before_its_first_use(
    engine: Engine, open_registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    bundle = make_tiny(tmp_path / "bundle", b'#!/bin/sh\necho "agent $@ of $STUDIOS_IMAGE"\n')
    adapting = compute(engine, adapt={"bundle": str(bundle.folder)})
    plain = engine.variant(f"{open_registry.host}/plain-{secrets.token_hex(4)}:1", "echo", "plain")
    engine.docker("push", "--quiet", plain)
    digest = engine.docker("inspect", "--format", "{{index .RepoDigests 0}}", plain).partition("@")[2]
    engine.docker("rmi", "--force", plain)

    text, told = await said(adapting, engine, job(plain))
    words, _, about = text.partition(" of ")
    assert words == "agent -I -m jupyterhub_studios.agent"
    assert json.loads(about) == {"image": plain, "digest": digest}
    assert [line for line in told if line.startswith("Adding the agent")] and told[-1] == "Fetching the image"

    text, told = await said(adapting, engine, job(plain, digest))
    assert text.startswith(words)
    assert not [line for line in told if line.startswith(("Adding", "Fetching"))], "it is there already"
    engine.docker(
        "rmi", "--force", *engine.docker("images", "-q", plain.rpartition(":")[0]).split(), check=False
    )


async def test_what_was_built_on_the_engine_runs_as_it_is(engine: Engine, tmp_path: Path) -> None:
    image = engine.variant(f"test-{secrets.token_hex(6)}", "echo", "own")
    adapting = compute(engine, adapt={"bundle": str(make_tiny(tmp_path / "bundle").folder)})
    assert await said(adapting, engine, job(image)) == ("own\n", [])
    engine.docker("rmi", "--force", image)


async def test_an_image_that_cannot_be_adapted_is_told(
    engine: Engine, open_registry: Registry, tmp_path: Path
) -> None:
    adapting = compute(engine, adapt={"bundle": str(make_tiny(tmp_path / "bundle").folder)})
    with pytest.raises(StudiosError, match="There is no image") as fault:
        await adapting.submit(job(f"{open_registry.host}/nothing:here"))
    assert fault.value.problem.field == "image" and fault.value.problem.action
    missing = compute(engine, adapt={"bundle": str(tmp_path / "none")})
    with pytest.raises(StudiosError, match="is no agent bundle"):
        await missing.submit(job(f"{open_registry.host}/nothing:here"))


async def test_an_image_for_other_processors_is_told(
    engine: Engine, open_registry: Registry, tmp_path: Path
) -> None:
    maker = Maker(open_registry, f"tests/{secrets.token_hex(6)}")
    maker.image("1", layer({"one": b"1"}), architecture="arm64")
    adapting = compute(engine, adapt={"bundle": str(make_tiny(tmp_path / "bundle").folder)})
    with pytest.raises(StudiosError, match="is not made for linux/amd64") as fault:
        await adapting.submit(job(f"{maker.name}:1"))
    assert fault.value.problem.field == "image" and "linux/arm64" in fault.value.problem.detail


async def test_a_registry_that_refuses_is_told(
    private: str, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    adapting = compute(engine, adapt={"bundle": str(make_tiny(tmp_path / "bundle").folder)})
    with pytest.raises(StudiosError, match="does not let you pull") as fault:
        await adapting.submit(job(private))
    assert fault.value.problem.field == "image" and "docker login" in fault.value.problem.action


def test_how_far_a_pull_is() -> None:
    pull = Pull()
    lines = [
        {"status": "Pulling from team/said", "id": "1"},
        {"status": "Downloading", "id": "a", "progressDetail": {"current": 1_000_000, "total": 4_000_000}},
        {"status": "Downloading", "id": "b", "progressDetail": {"current": 2_000_000, "total": 2_000_000}},
        {"status": "Extracting", "id": "b", "progressDetail": {"current": 7, "total": 9}},
    ]
    assert pull.words == "Fetching the image"
    for line in lines:
        pull.read(json.dumps(line).encode() + b"\r\n")
    pull.read(b"not a document")
    assert pull.words == "Fetching the image: 3 of 6 MB" and pull.fault is None
    pull.read(b'{"status": "Download complete", "id": "a"}')
    assert pull.words == "Fetching the image: 6 of 6 MB"
    pull.read(b'{"errorDetail": {"message": "no room"}, "error": "no room"}')
    assert pull.fault == "no room"


def test_tokens_of_helpers_are_given_as_tokens() -> None:
    header = registry_auth(Login("<token>", "secret"), "registry.example.org")
    assert json.loads(base64.urlsafe_b64decode(header)) == {
        "identitytoken": "secret",
        "serveraddress": "registry.example.org",
    }
