"""What is checked for a configuration."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from traitlets import TraitError
from traitlets.config.loader import ConfigFileNotFound, PyFileConfigLoader

from ..checkpoints import Store
from ..config import Studios
from ..images.adapt import resolve
from ..models import ComputeEnvironment, Kind, StudiosError, Template
from . import batch, checks, engine, hub, local, tunnel
from .checks import Check
from .findings import Result, found

DENIED = ("403", "AccessDenied", "SignatureDoesNotMatch", "InvalidAccessKeyId")  # as stores say it
BUCKET_SECONDS = 75.0  # obstore itself tries for a minute


def load(path: str) -> tuple[Mapping[str, Any], Studios]:
    """The Hub's configuration file, run as the Hub runs it."""
    file = Path(path).absolute()
    title, action = f"The configuration {path} cannot be used", "Correct it, or name another with --config"
    try:
        config = PyFileConfigLoader(file.name, path=str(file.parent)).load_config()
        with warnings.catch_warnings(action="ignore"):  # of unknown settings, which are a finding
            return config, Studios(config=config)
    except ConfigFileNotFound:
        raise StudiosError(
            title, "there is no such file", "Name the Hub's with --config", status=404
        ) from None
    except TraitError as error:
        raise StudiosError(title, str(error), action) from None
    except (Exception, SystemExit) as error:  # it is a program, and may do anything
        raise StudiosError(title, f"{type(error).__name__}: {error}", action) from None


def examine(
    config: Mapping[str, Any], studios: Studios, only: str | None, tell: Callable[[Result], None]
) -> list[Result]:
    """All findings; with ``only``, those of one compute environment."""
    return asyncio.run(checks.run(plan(config, studios, only), tell))


def plan(config: Mapping[str, Any], studios: Studios, only: str | None) -> list[Check]:
    environments = studios.compute_environments
    if only is not None and only not in environments:
        known = ", ".join(environments) or "none"
        raise StudiosError(
            f"There is no compute environment “{only}”",
            f"configured are: {known}",
            "Name one of them",
            status=404,
        )
    wanted = [env for env in environments.values() if only in (None, env.id)]
    found = [] if only is not None else [*hub.checks(config, studios), *tunnel.checks(studios)]
    for env in wanted:
        found += _of(env, offered(env, studios.templates.values()))
    return found


def offered(env: ComputeEnvironment, templates: Any) -> list[Template]:
    return [one for one in templates if env.templates is None or one.id in env.templates]


def _of(env: ComputeEnvironment, templates: Sequence[Template]) -> list[Check]:
    bucket = Check(env.id, "bucket", lambda: _bucket(env), seconds=BUCKET_SECONDS)
    match env.kind:
        case Kind.LOCAL:
            return [*local.checks(env, templates), bucket]
        case Kind.DOCKER:
            return [*engine.checks(env, templates), bucket, *_images(env, templates, engine.has)]
    return [*batch.Looker(env).checks(), bucket, *_images(env, templates)]


async def _bucket(env: ComputeEnvironment) -> Result:
    """What saving a checkpoint does: create, replace with a condition, be refused with a wrong one, delete."""
    try:
        await Store.open(env.work_dir, env.store_options).check()
    except StudiosError as error:
        denied = any(word in error.problem.detail for word in DENIED)
        name = "bucket-denied" if denied else "bucket-failed"
        return found(name, what=error.problem.title, why=error.problem.detail)
    return found("bucket-ok", where=env.work_dir)


Has = Callable[[ComputeEnvironment, str], Awaitable[bool]]


async def _never(env: ComputeEnvironment, image: str) -> bool:
    return False


def _images(env: ComputeEnvironment, templates: Sequence[Template], has: Has = _never) -> list[Check]:
    """``has``: whether an image is where it is run already, so that no registry is needed."""

    def check(template: Template) -> Check:
        async def look() -> Result:
            if template.image is None:
                return found("image-none", template=template.id)
            if await has(env, template.image):
                return found("image-here", image=template.image)
            return found("image-ok", image=template.image, digest=(await resolve(template.image)).digest)

        return Check(env.id, f"image of {template.id}", look)

    return [check(template) for template in templates]
