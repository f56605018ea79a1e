"""The doctor looks at a real Docker engine, and has it run what a studio's job runs."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from traitlets.config import Config

from jupyterhub_studios.compute import containers
from jupyterhub_studios.config import Studios
from jupyterhub_studios.doctor import checks, run
from jupyterhub_studios.doctor.findings import Result
from jupyterhub_studios.images.bundle import Bundle

from ..engine import BASE, STUDIO, Engine

pytestmark = pytest.mark.docker


async def seen(image: str | None, scratch: Path | None, **docker: Any) -> dict[str, Result]:
    env = {"kind": "docker", "work_dir": "memory:///", "docker": docker, "scratch": scratch and str(scratch)}
    traits = {
        "compute_environments": {"env": env},
        "templates": {"jupyter": None, "tiny": {"title": "Tiny", "command": [], "image": image}},
    }
    plan = run.plan({}, Studios(config=Config({"Studios": traits})), "env")
    return {result.check: result for result in await checks.run(plan, lambda result: None)}


def left(engine: Engine) -> str:
    """What of the doctor is on the engine."""
    containers = engine.docker("ps", "--all", "--quiet", "--filter", "name=studio-doctor")
    return containers + engine.docker("volume", "ls", "--quiet", "--filter", "name=studio-doctor")


@pytest.mark.parametrize("own_scratch", [False, True])
async def test_a_job_may_mount_here(engine: Engine, tmp_path: Path, own_scratch: bool) -> None:
    await asyncio.to_thread(engine.studio_image)
    results = await seen(STUDIO, tmp_path if own_scratch else None, engine=engine.host)
    found = {name: result.finding for name, result in results.items()}
    assert found == {
        "engine": "engine-ok",
        "trial": "trial-ok",
        "bucket": "bucket-ok",
        "image of tiny": "image-here",
    }
    assert await asyncio.to_thread(left, engine) == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("devices", "finding"),
    [
        ([], "trial-fuse"),
        ([{"PathOnHost": "/dev/fuse-gone", "PathInContainer": "/dev/fuse"}], "trial-device"),
    ],
)
async def test_what_buckets_are_mounted_with_is_not_there(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, devices: list[dict[str, str]], finding: str
) -> None:
    """An engine that gives its jobs no such device, and one whose machine has none."""
    await asyncio.to_thread(engine.studio_image)
    whole = containers.container

    def without(*given: Any) -> dict[str, Any]:
        body = whole(*given)
        return body | {"HostConfig": body["HostConfig"] | {"Devices": devices}}

    monkeypatch.setattr(containers, "container", without)
    result = (await seen(STUDIO, None, engine=engine.host))["trial"]
    assert result.finding == finding, result
    assert await asyncio.to_thread(left, engine) == ""


async def test_the_agent_bundle_runs_in_a_plain_image(engine: Engine, bundle: Bundle) -> None:
    await asyncio.to_thread(engine.base_image)
    results = await seen(BASE, None, engine=engine.host, bundle=str(bundle.folder))
    assert results["trial"].finding == "trial-ok", results["trial"]


async def test_a_bundle_that_is_not_there(engine: Engine, tmp_path: Path) -> None:
    await asyncio.to_thread(engine.base_image)
    for place in (tmp_path, tmp_path / "nowhere"):
        result = (await seen(BASE, None, engine=engine.host, bundle=str(place)))["trial"]
        assert (result.finding, result.what) == (
            "trial-bundle",
            f"the agent bundle {place} is not on the engine's machine",
        )
    assert await asyncio.to_thread(left, engine) == ""


async def test_an_image_without_the_agent(engine: Engine) -> None:
    await asyncio.to_thread(engine.base_image)
    result = (await seen(BASE, None, engine=engine.host))["trial"]
    assert (result.finding, result.what) == ("image-bare", "the image of the template “tiny” has no agent")


async def test_an_image_that_is_nowhere(engine: Engine) -> None:
    results = await seen("127.0.0.1:9/no/image:1", None, engine=engine.host)
    assert results["trial"].finding == "trial-untried"
    assert results["image of tiny"].status == "fail"


async def test_an_engine_that_is_not_there() -> None:
    results = await seen(None, None, engine="unix:///nowhere.sock")
    assert (results["engine"].finding, results["engine"].what) == (
        "problem",
        "The Docker engine does not answer",
    )
