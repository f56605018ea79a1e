"""Jobs as containers of a Docker engine.

A container has the job's deterministic name, so a job that is submitted twice is one container. It stays after its
end, with its volume, until somebody has seen how it ended: see :meth:`DockerCompute.tidy`.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from ..images.credentials import Logins
from ..images.reference import Reference
from ..models import ComputeEnvironment, ImageConfig, Job, JobStatus, RunningJob, StudiosError
from . import GRACE, Say, containers, silent
from .adapting import about_image, needed_image, wanted_image, with_agent
from .containers import LABEL, Image
from .engine import Engine, EngineError, log_lines

log = logging.getLogger(__name__)

PULL_SECONDS = 3600.0
SAY_SECONDS = 1.0  # between two words about a pull
KEEP_SAVED = 86400.0  # seconds that an ended container is kept, for the Hub to see and people to read its log
KEEP_UNSAVED = 3 * 86400.0  # the same when it did not save: its work may be rescued by hand
LOG_LINES = 1000
SESSION = f"{LABEL}session"


class DockerCompute:
    poll_interval = 1.0

    def __init__(self, env: ComputeEnvironment) -> None:
        assert env.docker is not None
        self._env, self._settings = env, env.docker
        self._engine = Engine(env.docker.engine)
        self._ended: dict[str, JobStatus] = {}  # does not change any more

    # --- starting ---

    async def submit(self, job: Job, say: Say = silent) -> str:
        image = await self._image(job, say)
        body = containers.container(self._env, self._settings, job, image)
        try:
            made = await self._engine.ask("POST", "/containers/create", body, name=job.name)
            job_id = str(made["Id"])
        except EngineError as error:
            if error.status != 409:
                raise _refused("made", error) from error
            job_id = str((await self._engine.ask("GET", f"/containers/{quote(job.name)}/json"))["Id"])
        try:
            await self._engine.ask("POST", f"/containers/{job_id}/start")
        except BaseException as error:
            with contextlib.suppress(EngineError, StudiosError):
                await self._engine.ask("DELETE", f"/containers/{job_id}", force=True, v=True)
            if isinstance(error, EngineError):
                raise _refused("started", error) from error
            raise
        return job_id

    async def _image(self, job: Job, say: Say) -> Image:
        """The image to run: the very bytes that the studio was built on, where it has been saved before."""
        image = needed_image(job, self._env.title)
        wanted = wanted_image(image, job.digest)
        names = [wanted, job.digest] if job.digest else [wanted]
        there = [found for name in names if (found := await self._inspect(name)) is not None]
        # What was built on the engine is in no registry where the agent could be added: it brings one.
        if self._settings.adapt is not None and not any(not one.get("RepoDigests") for one in there):
            made = await with_agent(self._settings.adapt, wanted, say)
            if made is not None:
                found = await self._inspect(made.image) or await self._pull(job, made.image, say)
                return Image(found["Id"], ImageConfig(image=image, digest=made.base_digest))
        return containers.image(image, there[0] if there else await self._pull(job, wanted, say))

    async def _inspect(self, name: str) -> dict[str, Any] | None:
        try:
            return dict(await self._engine.ask("GET", f"/images/{quote(name)}/json"))
        except EngineError as error:
            if error.status in (400, 404):
                return None
            raise _refused("found", error) from error

    async def _pull(self, job: Job, name: str, say: Say) -> dict[str, Any]:
        """The image, fetched with the credentials that this account has for its registry."""
        repository, tag = containers.repository_of(name), name.removeprefix(containers.repository_of(name))
        try:
            registry = Reference.parse(name).registry
            login = await Logins().find(registry)
        except StudiosError as error:
            raise about_image(error) from error
        headers = {"X-Registry-Auth": containers.registry_auth(login, registry)} if login else {}
        log.info("Pulling %s", name)
        pull, told = containers.Pull(), 0.0
        say(pull.words)
        try:
            async for line in self._engine.lines(
                "POST", "/images/create", headers=headers, patience=PULL_SECONDS, fromImage=repository,
                tag=tag.lstrip(":@") or "latest",
            ):  # fmt: skip
                pull.read(line)
                if time.monotonic() - told > SAY_SECONDS:
                    told = time.monotonic()
                    say(pull.words)
        except EngineError as error:
            raise _no_image(job, str(error)) from error
        if pull.fault:
            raise _no_image(job, pull.fault)
        if (found := await self._inspect(name)) is None:
            raise StudiosError("The image is not there", f"the engine pulled {name} and does not know it")
        return found

    # --- looking ---

    async def describe(self, ids: Iterable[str]) -> dict[str, JobStatus]:
        wanted = list(ids)
        found = {job_id: self._ended[job_id] for job_id in wanted if job_id in self._ended}
        listed = {entry["Id"]: entry for entry in await self._list()}
        self._ended = {job_id: status for job_id, status in self._ended.items() if job_id in listed}
        for job_id in wanted:
            if job_id in found:
                continue
            if job_id not in listed:
                found[job_id] = JobStatus(state="lost", reason="its container is gone: somebody removed it")
                continue
            found[job_id] = containers.status(listed[job_id]) or await self._look_closer(job_id)
        return found

    async def _list(self, **filters: list[str]) -> list[dict[str, Any]]:
        wanted = {"label": [SESSION], **filters}
        return list(await self._engine.ask("GET", "/containers/json", all=True, filters=wanted) or [])

    async def _look_closer(self, job_id: str) -> JobStatus:
        found = await self._engine.ask("GET", f"/containers/{job_id}/json")
        lines = await self._log(job_id, tail=1)
        memory = found["HostConfig"]["Memory"] >> 20
        status = self._ended[job_id] = containers.ended(found, memory, lines[-1][:300] if lines else "")
        return status

    async def logs(self, name: str, after: str | None) -> tuple[str, str | None]:
        """What the container called ``name`` printed since the cursor ``after``, and the next cursor."""
        try:
            lines = await self._log(name, tail=LOG_LINES, timestamps=True, since=containers.seconds(after))
        except EngineError:
            return "", after  # not made yet, or removed already
        pairs = [line.partition(" ")[::2] for line in lines]
        fresh = [(at, text) for at, text in pairs if after is None or at > after]
        return "".join(f"{text}\n" for _, text in fresh), fresh[-1][0] if fresh else after

    async def _log(self, job_id: str, **options: Any) -> list[str]:
        return log_lines(
            await self._engine.read("GET", f"/containers/{job_id}/logs", stdout=True, stderr=True, **options)
        )

    async def running(self, hub: str) -> list[RunningJob]:
        """The jobs of the Hub ``hub`` that have not ended."""
        alive = ["created", "running", "paused", "restarting"]
        wanted = [SESSION, f"{LABEL}hub={hub}"]
        return [containers.running_job(entry) for entry in await self._list(label=wanted, status=alive)]

    # --- ending ---

    async def terminate(self, job_id: str, reason: str, *, grace: float = GRACE) -> None:
        """SIGTERM to the agent, which saves and ends; SIGKILL to all after ``grace`` seconds."""
        log.info("Ending container %s: %s", job_id[:12], reason)
        try:
            await self._engine.ask(
                "POST", f"/containers/{job_id}/stop", patience=grace + 60, t=max(1, round(grace))
            )
            status = (await self.describe([job_id]))[job_id]
            if not status.ended:  # one that was never started cannot be stopped
                await self._engine.ask("DELETE", f"/containers/{job_id}", force=True, v=True)
        except EngineError as error:
            if error.status not in (304, 404):
                raise _refused("ended", error) from error

    async def tidy(self, hub: str) -> None:
        """Removes containers that ended a while ago, with their volumes: what was saved is in the bucket."""
        ours = [SESSION, f"{LABEL}hub={hub}"]
        try:
            for entry in await self._list(label=ours, status=["exited", "dead"]):
                found = await self._engine.ask("GET", f"/containers/{entry['Id']}/json")
                age = (datetime.now(UTC) - containers.moment(found["State"]["FinishedAt"])).total_seconds()
                if age < (KEEP_SAVED if found["State"]["ExitCode"] == 0 else KEEP_UNSAVED):
                    continue
                await self._engine.ask("DELETE", f"/containers/{entry['Id']}", v=True)
                with contextlib.suppress(EngineError):  # a folder of the machine holds its files, no volume
                    await self._engine.ask("DELETE", f"/volumes/{entry['Names'][0].lstrip('/')}")
        except EngineError as error:
            log.warning("Old containers could not be removed: %s", error)


def _refused(what: str, error: EngineError) -> StudiosError:
    return StudiosError(
        f"The studio's container could not be {what}",
        f"the Docker engine says: {error}",
        "Tell an administrator",
        status=503 if error.status >= 500 else 400,
    )


def _no_image(job: Job, why: str) -> StudiosError:
    if job.digest is not None:
        return StudiosError(
            f"The bytes of the image {job.image} that this studio was built on are gone",
            why,
            "Make a new studio from its checkpoint, with an image that is there",
            status=404,
            field="image",
        )
    return StudiosError(
        f"The image {job.image} cannot be had",
        why,
        "Check its name; for a private registry an administrator has to sign the Hub's account in: docker login",
        status=404,
        field="image",
    )
