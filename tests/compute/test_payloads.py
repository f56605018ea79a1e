"""What is asked of AWS Batch and of a Docker engine, and what their answers mean."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from jupyterhub_studios.compute import batch_payloads as batch
from jupyterhub_studios.compute import containers
from jupyterhub_studios.models import ComputeEnvironment, ImageConfig, Job, JobStatus

IMAGE = ImageConfig(
    image="registry.example.org:5000/lab/notebook:2026", digest=f"sha256:{'a' * 64}", user="1000:100"
)
RUNS = f"registry.example.org:5000/lab/notebook@{IMAGE.digest}"
CODE = "a-code-that-works-once"


def environment(**settings: Any) -> ComputeEnvironment:
    return ComputeEnvironment.model_validate(
        {
            "id": "eu",
            "title": "Europe",
            "kind": "aws-batch",
            "region": "eu-west-1",
            "work_dir": "s3://bucket/",
            "store_options": {"secret_access_key": "the-key-of-the-bucket"},
            "batch": {"queue": "studios", **settings},
        }
    )


def job(**fields: Any) -> Job:
    tags = {
        "studio": "st-1",
        "session": "se-1",
        "owner": "zoë+lab@example.org (guest)",
        "hub": "0123456789ab",
    }
    values = {
        "session_id": "se-1",
        "name": "studio-se-1",
        "image": IMAGE.image,
        "cpus": 1.5,
        "memory_mib": 2048,
    }
    bootstrap = {"STUDIOS_BOOTSTRAP_CODE": CODE}
    return Job.model_validate({**values, "environment": bootstrap, "tags": tags, **fields})


def validate(operation: str, request: dict[str, Any]) -> None:
    """Against what botocore knows of AWS Batch."""
    model = botocore.session.get_session().get_service_model("batch")
    shape = model.operation_model(operation).input_shape
    report = ParamValidator().validate(request, shape)
    assert not report.has_errors(), report.generate_report()
    unknown = set(request) - set(shape.members)
    assert not unknown


FULL = {
    "bundle": "/opt/studios/bundle",
    "shared_memory_mib": 1024,
    "ulimits": {"nofile": 65536},
    "job_role": "arn:aws:iam::123456789012:role/job",
    "execution_role": "arn:aws:iam::123456789012:role/run",
    "log_group": "/studios",
    "tags": {"cost-centre": "42"},
}


@pytest.mark.parametrize("settings", [{}, FULL], ids=["least", "full"])
def test_requests_are_what_aws_knows(settings: dict[str, Any]) -> None:
    env = environment(**settings)
    assert env.batch is not None
    definition = batch.job_definition(env, env.batch, RUNS, IMAGE)
    tags = batch.definition_tags(env, "0123456789ab", date(2026, 11, 23))
    validate("RegisterJobDefinition", {**definition, "tags": tags})
    arn = "arn:aws:batch:eu-west-1:123456789012:job-definition/x:1"
    validate("SubmitJob", batch.submission(env.batch, job(gpus=2, timeout_seconds=36000), arn))


def test_every_setting_is_in_the_definition() -> None:
    env = environment(**FULL)
    assert env.batch is not None
    container = batch.job_definition(env, env.batch, RUNS, IMAGE)["containerProperties"]
    assert container["image"] == RUNS
    assert container["privileged"] and container["user"] == "root"
    assert container["linuxParameters"] == {"sharedMemorySize": 1024}
    assert container["ulimits"] == [{"name": "nofile", "softLimit": 65536, "hardLimit": 65536}]
    assert (container["jobRoleArn"], container["executionRoleArn"]) == (
        FULL["job_role"],
        FULL["execution_role"],
    )
    assert container["logConfiguration"]["options"]["awslogs-group"] == "/studios"
    places = {
        volume["host"]["sourcePath"]: (point["containerPath"], point["readOnly"])
        for volume, point in zip(container["volumes"], container["mountPoints"], strict=True)
    }
    assert places == {
        "/var/lib/studios/scratch": ("/.studio-scratch", False),
        "/opt/studios/bundle": ("/.studio", True),
    }
    assert container["command"][-1] == "jupyterhub_studios.agent"


def test_a_submission_says_what_is_the_jobs_own() -> None:
    env = environment(**FULL)
    assert env.batch is not None
    request = batch.submission(env.batch, job(gpus=2, timeout_seconds=36000), "arn")
    needs = {one["type"]: one["value"] for one in request["containerOverrides"]["resourceRequirements"]}
    assert needs == {"VCPU": "2", "MEMORY": "2048", "GPU": "2"}  # whole processors only
    assert request["timeout"] == {"attemptDurationSeconds": 36000}
    assert request["tags"]["cost-centre"] == "42"
    assert request["tags"]["studios:owner"] == "zoë+lab@example.org _guest_"
    assert "timeout" not in batch.submission(env.batch, job(), "arn")


@pytest.mark.parametrize(("hours", "longest"), [(8, 120), (120, 120), (200, 120), (1, 12)])
def test_the_backstop_comes_after_every_extension(hours: int, longest: int) -> None:
    assert (batch.backstop(hours, longest) or 0) > 3600 * max(hours, longest)
    assert batch.backstop(0, longest) is None, "a studio without an end is not ended"


def test_definitions_are_shared_as_far_as_their_content_is() -> None:
    env = environment()
    assert env.batch is not None
    name = batch.job_definition(env, env.batch, RUNS, IMAGE)["jobDefinitionName"]
    assert batch.job_definition(env, env.batch, RUNS, IMAGE)["jobDefinitionName"] == name
    other = environment(shared_memory_mib=512)
    assert other.batch is not None
    moved = IMAGE.model_copy(update={"digest": f"sha256:{'b' * 64}"})
    others = {
        batch.job_definition(other, other.batch, RUNS, IMAGE)["jobDefinitionName"],
        batch.job_definition(env, env.batch, RUNS, moved)["jobDefinitionName"],
    }
    assert len(others) == 2 and name not in others


def test_nothing_secret_is_in_a_job() -> None:
    env = environment(**FULL)
    assert env.batch is not None
    everything = json.dumps(
        [batch.job_definition(env, env.batch, RUNS, IMAGE), batch.submission(env.batch, job(), "arn")]
    )
    assert everything.count(CODE) == 1
    assert "the-key-of-the-bucket" not in everything


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({"status": "SUBMITTED"}, ("queued", "taken")),
        ({"status": "RUNNABLE"}, ("queued", "waiting for capacity")),
        (
            {
                "status": "RUNNABLE",
                "statusReason": "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY - Instance type p4d is not available",
            },
            ("queued", "waiting for capacity: CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY"),
        ),
        ({"status": "STARTING"}, ("starting", "image")),
        ({"status": "RUNNING", "container": {}}, ("running", "")),
        ({"status": "SUCCEEDED"}, ("succeeded", "")),
        (
            {
                "status": "FAILED",
                "statusReason": "Essential container in task exited",
                "container": {
                    "exitCode": 137,
                    "reason": "OutOfMemoryError: Container killed due to memory usage",
                    "resourceRequirements": [{"type": "MEMORY", "value": "512"}],
                },
            },
            ("failed", "more than its 512 MiB"),
        ),
        (
            {
                "status": "FAILED",
                "statusReason": "Task failed to start",
                "container": {"reason": "CannotPullContainerError: pull access denied for x"},
            },
            ("failed", "its image cannot be had: CannotPullContainerError: pull access denied"),
        ),
        (
            {"status": "FAILED", "statusReason": "Host EC2 (instance i-0a) terminated.", "container": {}},
            ("lost", "its machine was lost: Host EC2 (instance i-0a) terminated."),
        ),
        (
            {"status": "FAILED", "statusReason": "Job attempt duration exceeded timeout", "container": {}},
            ("failed", "Job attempt duration exceeded timeout"),
        ),
        (
            {"status": "FAILED", "statusReason": "cancelled", "container": {"exitCode": 143}},
            ("failed", "killed by signal 15: cancelled"),
        ),
        ({"status": "FAILED", "container": {"exitCode": 1}}, ("failed", "exit code 1")),
        ({"status": "FAILED"}, ("failed", "gives no reason")),
    ],
    ids=lambda value: value.get("statusReason", value["status"])[:30] if isinstance(value, dict) else "",
)
def test_what_batch_says(found: dict[str, Any], expected: tuple[str, str]) -> None:
    status = batch.status(found)
    assert status.state == expected[0] and expected[1] in status.reason
    assert status.host_lost is (status.state == "lost")


@pytest.mark.parametrize(
    ("attempts", "number"),
    [([], 1), ([{"startedAt": 1}], 1), ([{"startedAt": 1, "stoppedAt": 2}], 2)],
    ids=["none", "the first runs", "the first is over"],
)
def test_attempts_are_counted_when_they_are_over(attempts: list[dict[str, int]], number: int) -> None:
    assert batch.status({"status": "RUNNING", "attempts": attempts}).attempt == number


def test_only_our_own_definitions_that_nobody_uses_are_stale() -> None:
    env = environment()
    used = batch.definition_tags(env, "hub", date(2026, 11, 1))
    limit = date(2026, 11, 2)
    assert batch.stale({"tags": used}, env, "hub", limit)
    assert not batch.stale({"tags": used}, env, "hub", date(2026, 11, 1))
    assert not batch.stale({"tags": used}, env, "another", limit)
    assert not batch.stale({"tags": used | {batch.ENVIRONMENT: "us"}}, env, "hub", limit)
    assert not batch.stale({}, env, "hub", limit)


# --- Docker ---


def docker_environment(**settings: Any) -> ComputeEnvironment:
    fields = {"id": "d", "title": "D", "kind": "docker", "work_dir": "s3://bucket/", "docker": settings}
    return ComputeEnvironment.model_validate(fields)


FOUND = {
    "Id": f"sha256:{'1' * 64}",
    "RepoDigests": ["other/image@sha256:0", f"registry.example.org:5000/lab/notebook@{IMAGE.digest}"],
    "Config": {
        "Env": ["PATH=/bin", "OPTIONS=a=b"],
        "Entrypoint": ["/init"],
        "Cmd": None,
        "User": "1000:100",
        "WorkingDir": "/srv",
    },
}


def test_an_image_is_known_by_its_registrys_digest() -> None:
    image = containers.image(IMAGE.image, FOUND)
    assert image.id == FOUND["Id"] and image.config.digest == IMAGE.digest
    assert image.config.environment == {"PATH": "/bin", "OPTIONS": "a=b"}
    assert image.config.entrypoint == ["/init"] and image.config.command == []
    assert containers.image("built-here:1", FOUND).config.digest == FOUND["Id"]


@pytest.mark.parametrize(
    ("reference", "repository"),
    [
        ("debian", "debian"),
        ("debian:12", "debian"),
        ("host:5000/a/b", "host:5000/a/b"),
        ("host:5000/a/b:1@sha256:00", "host:5000/a/b"),
    ],
)
def test_repositories_have_no_tag(reference: str, repository: str) -> None:
    assert containers.repository_of(reference) == repository


def test_a_container_has_the_jobs_limits() -> None:
    env = docker_environment(
        bundle="/opt/bundle", shared_memory_mib=256, ulimits={"nofile": 1024}, network="host"
    )
    assert env.docker is not None
    body = containers.container(env, env.docker, job(gpus=1), containers.image(IMAGE.image, FOUND))
    host = body["HostConfig"]
    assert (host["NanoCpus"], host["Memory"], host["MemorySwap"]) == (1_500_000_000, 2 << 30, 2 << 30)
    assert (host["ShmSize"], host["NetworkMode"]) == (256 << 20, "host")
    assert host["DeviceRequests"][0]["Count"] == 1
    assert [mount["Target"] for mount in host["Mounts"]] == ["/.studio-scratch", "/.studio"]
    assert body["Image"] == FOUND["Id"] and body["User"] == "0:0"
    assert not host["Privileged"] and host["CapAdd"] == ["SYS_ADMIN"]
    assert body["Labels"]["io.jupyterhub.studios.session"] == "se-1"
    assert "PATH=/.studio/bin" in body["Env"] and body["Entrypoint"][0].startswith("/.studio/")


def test_an_image_that_brings_the_agent_starts_it_itself() -> None:
    env = docker_environment()
    assert env.docker is not None
    body = containers.container(env, env.docker, job(), containers.image(IMAGE.image, FOUND))
    assert "Entrypoint" not in body and "Cmd" not in body


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ({"ExitCode": 0}, JobStatus(state="succeeded", exit_code=0)),
        (
            {"ExitCode": 137, "OOMKilled": True},
            JobStatus(
                state="failed",
                exit_code=137,
                reason="it was killed because it needed more than its 512 MiB of memory",
            ),
        ),
        (
            {"ExitCode": 137},
            JobStatus(state="failed", exit_code=137, reason="the agent ended (killed by signal 9): last"),
        ),
        (
            {"ExitCode": 128, "Error": "no such program"},
            JobStatus(state="failed", exit_code=128, reason="the engine says: no such program"),
        ),
    ],
    ids=["saved", "memory", "killed", "not started"],
)
def test_how_a_container_ended(state: dict[str, Any], expected: JobStatus) -> None:
    assert containers.ended({"State": state}, 512, "last") == expected
