"""What a job of AWS Batch runs: an image by its digest, with the agent in it.

The agent is in the image already (ours, or one that was adapted by hand), or is added in the image's registry before
its first use, or comes from the machine that runs the job (``batch.bundle``).
"""

from __future__ import annotations

import json
import logging

from ..images import manifests
from ..images.bundle import COMMAND
from ..images.credentials import Logins
from ..images.reference import Reference
from ..images.registry import Registry
from ..models import BatchSettings, ImageConfig, Job, StudiosError
from . import Say, silent
from .adapting import UNREACHABLE, about_image, needed_image, wanted_image, with_agent
from .containers import repository_of

log = logging.getLogger(__name__)

ARCHITECTURE = "amd64"  # of an image for several, where no bundle says it


async def prepare(settings: BatchSettings, job: Job, say: Say = silent) -> tuple[str, ImageConfig]:
    """The image to run, and what its agent is told of the one that it was made of."""
    image = needed_image(job, "AWS Batch")
    wanted = wanted_image(image, job.digest)
    if settings.adapt is not None and (made := await with_agent(settings.adapt, wanted, say)) is not None:
        return made.image, ImageConfig(image=image, digest=made.base_digest)
    try:
        found = await look(wanted)
    except StudiosError as error:
        if error.problem.status != UNREACHABLE:
            raise about_image(error) from error
        # The machines may reach a registry that the Hub does not.
        log.warning("%s is not resolved to a digest: %s", wanted, error)
        return wanted, ImageConfig(image=image)
    own = found.model_copy(update={"image": image})
    if own.entrypoint == list(COMMAND):
        own = ImageConfig(image=image, digest=own.digest)  # the rest is in the image, beside the agent
    return f"{repository_of(wanted)}@{found.digest}", own


async def look(name: str) -> ImageConfig:
    """The image ``name`` as its registry describes it."""
    wanted = Reference.parse(name)
    async with Registry(wanted, Logins()) as registry:
        document = await registry.manifest(wanted)
        digest = document.digest
        if document.media_type in manifests.INDEXES:
            chosen = manifests.choose(json.loads(document.content), ARCHITECTURE, wanted)
            document = await registry.manifest(wanted.at(chosen))
        if document.media_type not in manifests.MANIFESTS:
            raise manifests.unknown(document.media_type, wanted)
        config = await registry.blob(wanted, json.loads(document.content)["config"]["digest"])
        return manifests.described(json.loads(config), wanted, digest)
