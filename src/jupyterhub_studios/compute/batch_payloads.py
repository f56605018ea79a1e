"""What a job looks like to AWS Batch, and what Batch's answers mean. Pure: no I/O.

A definition holds what many jobs share (the image's bytes and the compute environment's settings), a submission what is
one job's own. Both can be read by everybody with the right to describe jobs: nothing in them is secret but the
bootstrap code, which works once.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from datetime import UTC, date, datetime
from typing import Any

from ..models import SCRATCH, BatchSettings, ComputeEnvironment, ImageConfig, Job, JobStatus, RunningJob
from .containers import BUNDLE, IMAGE_VARIABLE, start

DEFAULT_SCRATCH = "/var/lib/studios/scratch"  # of the machines; the forge makes it
LEAST_SECONDS = 60  # that Batch accepts as a timeout
BACKSTOP_HOURS = 2  # after the latest end of a lifespan, so that the orderly end comes first
TAG = "studios:"  # before the name of each of our tags
USED = f"{TAG}used"  # of a definition: the day on which a job was last submitted with it
ENVIRONMENT = f"{TAG}environment"  # of a definition: the compute environment that it belongs to
HOST_LOST = "Host EC2"  # how Batch begins its reason when the machine went away
ALIVE = ("SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING")
ENDED = ("SUCCEEDED", "FAILED")


# --- what is asked ---


def job_definition(
    env: ComputeEnvironment, settings: BatchSettings, runs: str, image: ImageConfig
) -> dict[str, Any]:
    """The request RegisterJobDefinition, without its tags. Its name says what is in it, so that definitions with
    the same content are one. ``runs``: the image by its digest; ``image``: what its agent is told."""
    body: dict[str, Any] = {
        "type": "container",
        "platformCapabilities": ["EC2"],
        "propagateTags": True,
        "containerProperties": _container(env, settings, runs, image),
        # A job whose machine is lost before its agent was there begins again by itself. One whose agent was there is
        # not saved by that: its code is used up. The spawner sees the second attempt and ends it.
        "retryStrategy": {
            "attempts": settings.attempts,
            "evaluateOnExit": [
                {"onStatusReason": f"{HOST_LOST}*", "action": "RETRY"},
                {"onReason": "*", "action": "EXIT"},
            ],
        },
    }
    content = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    return {"jobDefinitionName": f"studios-{_word(env.id)}-{content[:20]}", **body}


def _container(
    env: ComputeEnvironment, settings: BatchSettings, runs: str, image: ImageConfig
) -> dict[str, Any]:
    volumes = [("scratch", env.scratch or DEFAULT_SCRATCH, SCRATCH, False)]
    if settings.bundle:
        volumes.append(("bundle", settings.bundle, BUNDLE, True))
    linux: dict[str, Any] = {}
    if settings.shared_memory_mib is not None:
        linux["sharedMemorySize"] = settings.shared_memory_mib
    begin = start(settings)
    variables = {**begin.environment, IMAGE_VARIABLE: image.model_dump_json(exclude_defaults=True)}
    body: dict[str, Any] = {
        "image": runs,
        "command": list(begin.command),
        "user": "root",
        # The agent mounts, and gives no such right on to the session. Batch knows no single capabilities.
        "privileged": True,
        "readonlyRootFilesystem": False,
        "environment": _pairs(variables),
        "resourceRequirements": _resources(1, 512, 0),  # a submission says what its job needs
        "volumes": [{"name": name, "host": {"sourcePath": source}} for name, source, _, _ in volumes],
        "mountPoints": [
            {"sourceVolume": name, "containerPath": target, "readOnly": read_only}
            for name, _, target, read_only in volumes
        ],
        "ulimits": [
            {"name": name, "softLimit": limit, "hardLimit": limit}
            for name, limit in sorted(settings.ulimits.items())
        ],
        "linuxParameters": linux,
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {"awslogs-group": settings.log_group, "awslogs-region": str(env.region)},
        },
    }
    if settings.job_role:
        body["jobRoleArn"] = settings.job_role
    if settings.execution_role:
        body["executionRoleArn"] = settings.execution_role
    return body


def definition_tags(env: ComputeEnvironment, hub: str, today: date) -> dict[str, str]:
    return {f"{TAG}hub": hub, ENVIRONMENT: env.id, USED: today.isoformat()}


def submission(settings: BatchSettings, job: Job, definition: str) -> dict[str, Any]:
    """The request SubmitJob. ``definition``: the ARN of the job's definition."""
    body: dict[str, Any] = {
        "jobName": job.name,
        "jobQueue": settings.queue,
        "jobDefinition": definition,
        "propagateTags": True,  # down to the task, where costs are counted
        "tags": {
            **settings.tags,
            **{f"{TAG}{name}": _tag_value(value) for name, value in job.tags.items()},
        },
        "containerOverrides": {
            "environment": _pairs(job.environment),
            "resourceRequirements": _resources(job.cpus, job.memory_mib, job.gpus),
        },
    }
    if job.timeout_seconds is not None:
        body["timeout"] = {"attemptDurationSeconds": max(LEAST_SECONDS, job.timeout_seconds)}
    return body


def backstop(lifespan_hours: int, longest_hours: int) -> int | None:
    """Seconds after which a job is ended even if Hub and service are gone; None: never, as its studio has no end
    (``lifespan_hours`` 0). A job's timeout is fixed when it is submitted, while its studio's lifespan can be extended:
    so it comes after the longest lifespan that the administrator allows, and no extension is ever cut."""
    return (max(lifespan_hours, longest_hours) + BACKSTOP_HOURS) * 3600 if lifespan_hours > 0 else None


def _resources(cpus: float, memory_mib: int, gpus: int) -> list[dict[str, str]]:
    # On EC2 instances whole processors only.
    wanted = {"VCPU": max(1, math.ceil(cpus)), "MEMORY": memory_mib, "GPU": gpus}
    return [{"type": kind, "value": str(value)} for kind, value in wanted.items() if value]


def _pairs(values: dict[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in values.items()]


def _word(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "-", text)[:60]


def _tag_value(text: str) -> str:
    """Tags hold letters of any script, digits and few signs."""
    return re.sub(r"[^\w\s.:/=+@-]", "_", text)[:256]


# --- what is answered ---


def status(found: dict[str, Any]) -> JobStatus:
    """Of a job as DescribeJobs tells it."""
    reason = str(found.get("statusReason") or "")
    attempt = 1 + sum("stoppedAt" in one for one in found.get("attempts") or [])
    match found["status"]:
        case "SUBMITTED" | "PENDING":
            return JobStatus(state="queued", reason="AWS Batch has taken the job", attempt=attempt)
        case "RUNNABLE":
            words = f"waiting for capacity: {reason}" if reason else "waiting for capacity"
            return JobStatus(state="queued", reason=words, attempt=attempt)
        case "STARTING":
            return JobStatus(state="starting", reason="its machine fetches the image", attempt=attempt)
        case "RUNNING":
            return JobStatus(state="running", attempt=attempt)
        case "SUCCEEDED":
            return JobStatus(state="succeeded", exit_code=0)
    return _failed(found, reason)


def _failed(found: dict[str, Any], reason: str) -> JobStatus:
    container = found.get("container") or {}
    code = container.get("exitCode")
    if reason.startswith(HOST_LOST):
        return JobStatus(
            state="lost", exit_code=code, host_lost=True, reason=f"its machine was lost: {reason}"
        )
    said = str(container.get("reason") or "")
    if said.startswith("OutOfMemoryError"):
        words = f"it was killed because it needed more than its {_memory(container)} MiB of memory"
    elif said.startswith("CannotPullContainer"):
        words = f"its image cannot be had: {said}"
    elif code is not None and code > 128:
        words = _joined(f"the agent was killed by signal {code - 128}", reason, said)
    elif code:
        words = _joined(f"the agent ended with exit code {code}", said)
    else:
        words = _joined(reason, said) or "AWS Batch gives no reason"
    return JobStatus(state="failed", exit_code=code, reason=words)


def _joined(*parts: str) -> str:
    return ": ".join(dict.fromkeys(part for part in parts if part))


def _memory(container: dict[str, Any]) -> str:
    for one in container.get("resourceRequirements") or []:
        if one["type"] == "MEMORY":
            return str(one["value"])
    return str(container.get("memory", ""))


def running_job(found: dict[str, Any]) -> RunningJob:
    return RunningJob(
        job_id=found["jobId"],
        session_id=(found.get("tags") or {}).get(f"{TAG}session", ""),
        created_at=datetime.fromtimestamp(found["createdAt"] / 1000, UTC),
    )


def stale(definition: dict[str, Any], env: ComputeEnvironment, hub: str, before: date) -> bool:
    """Whether an active definition is ours, and no job was submitted with it since ``before``."""
    tags = definition.get("tags") or {}
    ours = tags.get(f"{TAG}hub") == hub and tags.get(ENVIRONMENT) == env.id
    return ours and str(tags.get(USED, "")) < before.isoformat()
