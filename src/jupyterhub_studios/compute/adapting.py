"""Giving an image the agent before its first use, in its registry: for every kind of compute that runs images."""

from __future__ import annotations

import asyncio
from pathlib import Path
from weakref import WeakValueDictionary

from ..images.adapt import Adapted, adapt
from ..images.bundle import Bundle
from ..models import AdaptSettings, Job, StudiosError
from . import Say, silent
from .containers import repository_of

ADAPTED_ALREADY = 409
UNREACHABLE = 503

_under_way: WeakValueDictionary[tuple[str, ...], asyncio.Lock] = WeakValueDictionary()


def needed_image(job: Job, title: str) -> str:
    """The name that people gave; an error where there is none. ``title``: of the compute environment."""
    if job.image is None:
        raise StudiosError(
            "The studio has no image",
            f"“{title}” runs images, and the studio's template names none",
            "Give the studio an image, or have an administrator give the template one",
            field="image",
        )
    return job.image


def wanted_image(image: str, digest: str | None) -> str:
    """The very bytes that the studio was built on, where it has been saved before."""
    return f"{repository_of(image)}@{digest}" if digest else image


async def with_agent(settings: AdaptSettings, image: str, say: Say = silent) -> Adapted | None:
    """``image`` with the agent, made once for its digest however many studios ask at the same time; None: it brings
    one. Errors name the field that people can change."""
    lock = _under_way.setdefault((image, settings.bundle, settings.repository or ""), asyncio.Lock())
    try:
        bundle = await asyncio.to_thread(Bundle.open, Path(settings.bundle))
        async with lock:  # who comes second finds it there
            return await adapt(image, bundle, settings.repository, say=say)
    except StudiosError as error:
        if error.problem.status == ADAPTED_ALREADY:
            return None
        raise about_image(error) from error


def about_image(error: StudiosError) -> StudiosError:
    """``error`` of a registry, as one about what a studio asks for."""
    given = error.problem
    return StudiosError(given.title, given.detail, given.action, status=given.status, field="image")
