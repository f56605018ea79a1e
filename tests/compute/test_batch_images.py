"""Which bytes a job of AWS Batch runs: looked up, kept, and given an agent, at a real registry."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyterhub_studios.compute.batch_images import prepare
from jupyterhub_studios.images.bundle import Bundle
from jupyterhub_studios.models import BatchSettings, ImageConfig, Job, StudiosError
from tests.engine import Engine
from tests.images.conftest import make_tiny
from tests.registries import Registry

pytestmark = [pytest.mark.root, pytest.mark.docker]


@pytest.fixture
def push(engine: Engine, open_registry: Registry) -> Iterator[Callable[[str, str], str]]:
    """Puts an image that says something into the registry."""
    made: set[str] = set()

    def image(name: str, said: str) -> str:
        tag = f"{open_registry.host}/{name}:1"
        made.add(engine.variant(tag, "echo", said))
        engine.docker("push", "--quiet", tag)
        return tag

    yield image
    for tag in made:
        engine.docker("rmi", "--force", tag, check=False)


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bundle:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return make_tiny(tmp_path / "bundle")


def job(image: str | None, digest: str | None = None) -> Job:
    return Job(session_id="se-1", name="studio-se-1", image=image, digest=digest, cpus=1, memory_mib=64)


def settings(**fields: Any) -> BatchSettings:
    return BatchSettings(queue="studios", **fields)


def name() -> str:
    return f"test-{secrets.token_hex(6)}"


async def test_a_tag_becomes_a_digest_and_stays_it(push: Callable[[str, str], str]) -> None:
    tag = push(name(), "old")
    runs, known = await prepare(settings(), job(tag))
    assert runs == f"{tag.removesuffix(':1')}@{known.digest}"
    assert known.image == tag and known.entrypoint == ["echo", "old"]
    push(tag.rpartition("/")[2].removesuffix(":1"), "new")
    assert (await prepare(settings(), job(tag)))[1].entrypoint == ["echo", "new"]
    again, same = await prepare(settings(), job(tag, digest=known.digest))
    assert again == runs and same == known


async def test_an_image_gets_the_agent_before_its_first_use(
    push: Callable[[str, str], str], bundle: Bundle
) -> None:
    tag = push(name(), "plain")
    plain = (await prepare(settings(), job(tag)))[1]
    adapting = settings(adapt={"bundle": str(bundle.folder)})
    runs, known = await prepare(adapting, job(tag))
    assert runs.startswith(f"{tag.removesuffix(':1')}@sha256:") and plain.digest not in runs
    assert known == ImageConfig(image=tag, digest=plain.digest), "the rest lies beside the agent"
    assert (await prepare(adapting, job(tag, digest=plain.digest)))[0] == runs
    assert await prepare(adapting, job(runs)) == (
        runs,
        ImageConfig(image=runs, digest=runs.partition("@")[2]),
    )


async def test_an_image_that_is_not_there_is_told(open_registry: Registry) -> None:
    with pytest.raises(StudiosError) as fault:
        await prepare(settings(), job(f"{open_registry.host}/nothing:here"))
    assert fault.value.problem.status == 404
    with pytest.raises(StudiosError, match="has no image"):
        await prepare(settings(), job(None))


async def test_a_registry_that_only_the_machines_reach_is_left_to_them() -> None:
    image = "127.0.0.1:1/team/notebook:1"
    assert await prepare(settings(), job(image)) == (image, ImageConfig(image=image))
