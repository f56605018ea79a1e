"""Jobs as containers of a Docker engine.

A container has the job's deterministic name, so a job that is submitted twice is one container. It stays after its
end, with its volume, until somebody has seen how it ended: see :meth:`DockerCompute.tidy`.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from ..models import ComputeEnvironment, Job, JobStatus, RunningJob, StudiosError
from . import GRACE, containers
from .containers import LABEL, Image
from .engine import Engine, EngineError, log_lines

log = logging.getLogger(__name__)

PULL_SECONDS = 3600.0
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

    async def submit(self, job: Job) -> str:
        image = await self._image(job)
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

    async def _image(self, job: Job) -> Image:
        """The image to run: the very bytes that the studio was built on, where it has been saved before."""
        if job.image is None:
            raise StudiosError(
                "The studio has no image",
                f"“{self._env.title}” runs images, and the studio's template names none",
                "Give the studio an image, or have an administrator give the template one",
                field="image",
            )
        names = [job.image]
        if job.digest is not None:
            names = [f"{containers.repository_of(job.image)}@{job.digest}", job.digest]
        for name in names:
            if (found := await self._inspect(name)) is not None:
                return containers.image(job.image, found)
        await self._pull(job, names[0])
        if (found := await self._inspect(names[0])) is None:
            raise StudiosError("The image is not there", f"the engine pulled {names[0]} and does not know it")
        return containers.image(job.image, found)

    async def _inspect(self, name: str) -> dict[str, Any] | None:
        try:
            return dict(await self._engine.ask("GET", f"/images/{quote(name)}/json"))
        except EngineError as error:
            if error.status in (400, 404):
                return None
            raise _refused("found", error) from error

    async def _pull(self, job: Job, name: str) -> None:
        repository, tag = containers.repository_of(name), name.removeprefix(containers.repository_of(name))
        log.info("Pulling %s", name)
        try:
            said = await self._engine.read(
                "POST", "/images/create", patience=PULL_SECONDS, fromImage=repository,
                tag=tag.lstrip(":@") or "latest",
            )  # fmt: skip
        except EngineError as error:
            raise _no_image(job, str(error)) from error
        for line in said.splitlines():
            if fault := containers.pull_fault(line):
                raise _no_image(job, fault)

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
        "Check its name; for a private registry an administrator has to sign the engine in",
        status=404,
        field="image",
    )
