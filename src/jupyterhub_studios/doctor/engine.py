"""Looking at a Docker engine, by running what a studio's job runs."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import quote

from ..compute import containers
from ..compute.engine import Engine, EngineError, log_lines
from ..images.bundle import PLACE
from ..models import SCRATCH, ComputeEnvironment, DockerSettings, Job, Template
from . import verdicts
from .checks import Check
from .findings import Result, found

TRIAL_SECONDS = 90.0

# Run by the bundle's Python: mounts as the agent does, an overlay on the scratch volume; and opens what buckets are
# mounted with.
SCRIPT = f"""
import os, shutil, subprocess, sys
place = {SCRATCH!r} + "/doctor-" + os.urandom(6).hex()
folders = [place + "/" + name for name in ("lower", "upper", "work", "root")]
for folder in folders: os.makedirs(folder)
options = "userxattr,lowerdir=%s,upperdir=%s,workdir=%s" % tuple(folders[:3])
done = subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, folders[3]], capture_output=True, text=True)
if done.returncode == 0: subprocess.run(["umount", folders[3]])
shutil.rmtree(place, ignore_errors=True)
print(done.stderr.strip())
if done.returncode: sys.exit({verdicts.MOUNT_REFUSED})
try:
    os.close(os.open("/dev/fuse", os.O_RDWR))
except OSError as error:
    print(error.strerror)
    sys.exit({verdicts.FUSE_REFUSED})
"""


def checks(env: ComputeEnvironment, templates: Sequence[Template]) -> list[Check]:
    settings = env.docker or DockerSettings()
    engine = Engine(settings.engine)

    async def look() -> Result:
        return await _engine(engine)

    async def trial() -> Result:
        return await _trial(engine, env, settings, templates)

    return [
        Check(env.id, "engine", look),
        Check(env.id, "trial", trial, seconds=TRIAL_SECONDS),
    ]


async def _engine(engine: Engine) -> Result:
    version = await engine.ask("GET", "/version")
    info = await engine.ask("GET", "/info")
    return verdicts.engine(engine.url, version["Version"], info.get("SecurityOptions") or [])


async def _trial(
    engine: Engine, env: ComputeEnvironment, settings: DockerSettings, templates: Sequence[Template]
) -> Result:
    for template in templates:
        if template.image is None:
            continue
        image = await inspect(engine, template.image)
        if image is None:
            continue
        if settings.bundle is None and not has_agent(image):
            return found("image-bare", template=template.id, image=template.image)
        return await _run(engine, env, settings, template.image, image)
    return found("trial-untried")


async def inspect(engine: Engine, image: str) -> dict[str, Any] | None:
    try:
        return dict(await engine.ask("GET", f"/images/{quote(image)}/json"))
    except EngineError as error:
        if error.status in (400, 404):
            return None
        raise


async def has(env: ComputeEnvironment, image: str) -> bool:
    return await inspect(Engine((env.docker or DockerSettings()).engine), image) is not None


def has_agent(image: dict[str, Any]) -> bool:
    """Whether what the image starts is the agent: an adapted image, or one of ours."""
    config = image.get("Config") or {}
    return any(
        "jupyterhub_studios.agent" in word
        for word in [*(config.get("Entrypoint") or []), *(config.get("Cmd") or [])]
    )


async def _run(
    engine: Engine, env: ComputeEnvironment, settings: DockerSettings, name: str, image: dict[str, Any]
) -> Result:
    job = Job(
        session_id="doctor", name=f"studio-doctor-{secrets.token_hex(6)}", image=name, cpus=1, memory_mib=256,
        tags={"doctor": "trial"},
    )  # fmt: skip
    body = containers.container(env, settings, job, containers.image(name, image))
    python = (
        f"{PLACE}/bin/python3"
        if settings.bundle
        else str((image["Config"].get("Entrypoint") or ["python3"])[0])
    )
    body |= {"Entrypoint": [python, "-I", "-c", SCRIPT], "Cmd": []}
    made = ""
    try:
        made = (await engine.ask("POST", "/containers/create", body, name=job.name))["Id"]
        await engine.ask("POST", f"/containers/{made}/start")
        code = int(
            (await engine.ask("POST", f"/containers/{made}/wait", patience=TRIAL_SECONDS))["StatusCode"]
        )
        lines = log_lines(await engine.read("GET", f"/containers/{made}/logs", stdout=True, stderr=True))
        said = next((line for line in reversed(lines) if line.strip()), "")
        return verdicts.trial(code, said, settings.bundle or PLACE)
    except EngineError as error:
        missing = "no such file or directory" in str(error) or "bind source path does not exist" in str(error)
        return verdicts.trial(127 if missing else 1, str(error), settings.bundle or PLACE)
    finally:
        if made:
            with suppress(EngineError):
                await engine.ask("DELETE", f"/containers/{made}", force=True, v=True)
            with suppress(EngineError):
                await engine.ask("DELETE", f"/volumes/{job.name}", force=True)
