"""The doctor looks at AWS: at a forge on moto's server; what moto cannot say is played by botocore's stubs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.stub import Stubber
from traitlets.config import Config

from jupyterhub_studios.config import Studios
from jupyterhub_studios.doctor import checks, run
from jupyterhub_studios.doctor.batch import Looker, own_address
from jupyterhub_studios.doctor.findings import Result
from jupyterhub_studios.models import ComputeEnvironment

from ..forge.aws import Aws

Run = Callable[..., tuple[int, str, str]]
QUEUE = "arn:aws:batch:eu-west-1:123456789012:job-queue/q"
ROLE = "arn:aws:iam::123456789012:role/job"


@pytest.fixture
def there(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Aws:
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
    return aws


@pytest.fixture
def configured(there: Aws, forge: Run, tmp_path: Path) -> Studios:
    """The configuration of a forge that this machine may reach, by its own snippet."""
    vpc, _, _ = there.vpc()
    bundle = tmp_path / "agent.tar.zst"
    bundle.write_bytes(b"the agent")
    made = forge(
        "create", "--vpc", vpc, "--bucket", "lab-work", "--bundle", str(bundle), "--yes",
        "--hub-cidr", f"{own_address('10.20.0.0/16')}/32",
    )  # fmt: skip
    assert made[0] == 0, made
    config = Config()
    exec(made[1], {"c": config})
    studios = Studios(config=config)
    here = {"endpoint": there.url, "access_key_id": "testing", "secret_access_key": "testing"}
    for env in studios.compute_environments.values():
        env.store_options |= here
    return studios


async def seen(studios: Studios, only: str = "lab-on-demand") -> dict[str, Result]:
    found = await checks.run(run.plan({}, studios, only), lambda result: None)
    return {result.check: result for result in found}


def changed(studios: Studios, **more: Any) -> Studios:
    """The same, but for some fields of its batch settings."""
    env = studios.compute_environments["lab-on-demand"].model_dump()
    env["batch"] |= more
    return Studios(config=Config({"Studios": {"compute_environments": {"lab-on-demand": env}}}))


async def test_a_fresh_forge_is_found_sound(configured: Studios) -> None:
    results = await seen(configured)
    assert {name: result.finding for name, result in results.items()} == {
        "credentials": "credentials-ok",
        "queue": "queue-ok",
        "machines": "machines-ok",
        "job role": "role-ok",
        "rights": "rights-unknown",  # moto does not simulate policies
        "logs": "log-ok",
        "gates": "gates-ok",
        "bucket": "bucket-ok",
        "image of jupyter": "image-none",
    }


async def test_what_is_not_there_is_found(configured: Studios) -> None:
    settings = {"queue": "nowhere", "log_group": "/none", "job_role": ROLE}
    results = await seen(changed(configured, **settings))
    assert {
        name: results[name].finding for name in ("queue", "machines", "job role", "logs", "gates", "rights")
    } == {
        "queue": "queue-missing",
        "machines": "machines-none",
        "job role": "role-missing",
        "logs": "log-missing",
        "gates": "gates-closed",
        "rights": "rights-unknown",
    }
    assert "aws logs create-log-group --log-group-name /none" in results["logs"].action


async def test_a_disabled_queue_is_found(there: Aws, configured: Studios) -> None:
    there.client("batch").update_job_queue(jobQueue="studios-lab-on-demand", state="DISABLED")
    assert (await seen(configured))["queue"].finding == "queue-disabled"


async def test_jobs_without_a_role_need_a_key(configured: Studios) -> None:
    studios = changed(configured, job_role=None)
    assert (await seen(studios))["job role"].finding == "role-keys"
    studios.compute_environments["lab-on-demand"].store_options = {"region": "eu-west-1"}
    plan = [check for check in run.plan({}, studios, "lab-on-demand") if check.name == "job role"]
    (result,) = await checks.run(plan, lambda result: None)
    assert result.finding == "role-none"


async def test_without_credentials(configured: Studios, monkeypatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    results = await seen(configured)
    assert {results[name].finding for name in ("credentials", "queue", "logs", "gates")} == {
        "credentials-none"
    }


async def test_without_aws(configured: Studios, monkeypatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    result = (await seen(configured))["queue"]
    assert result.finding == "unreached"


# --- what moto cannot say ---


@pytest.fixture
def looker(monkeypatch: pytest.MonkeyPatch) -> Looker:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    env = {
        "id": "env", "title": "Env", "kind": "aws-batch", "region": "eu-west-1", "work_dir": "s3://x/",
        "batch": {"queue": "q", "job_role": ROLE},
    }  # fmt: skip
    return Looker(ComputeEnvironment.model_validate(env))


def stub(looker: Looker, service: str) -> Stubber:
    stubber = Stubber(looker._aws.client(service))
    stubber.activate()
    return stubber


async def look(looker: Looker, name: str) -> Result:
    (result,) = await checks.run([c for c in looker.checks() if c.name == name], lambda result: None)
    return result


@pytest.mark.parametrize(
    ("check", "service", "operation", "doing"),
    [
        ("queue", "batch", "describe_job_queues", "look at queues"),
        ("machines", "batch", "describe_job_queues", "look at queues"),
        ("logs", "logs", "describe_log_streams", "read the log group"),
        ("credentials", "sts", "get_caller_identity", "ask who it is"),
    ],
)
async def test_a_right_that_is_missing(
    looker: Looker, check: str, service: str, operation: str, doing: str
) -> None:
    stub(looker, service).add_client_error(
        operation, "AccessDeniedException", "no identity-based policy allows it"
    )
    result = await look(looker, check)
    assert (result.finding, result.why) == ("denied", "no identity-based policy allows it")
    assert result.what == f"AWS does not let this machine {doing}"


async def test_a_role_that_may_not_be_looked_at(looker: Looker) -> None:
    stub(looker, "iam").add_client_error("get_role", "AccessDenied", "not authorized to perform iam:GetRole")
    result = await look(looker, "job role")
    assert (result.finding, result.status) == ("role-unseen", "warn")


async def test_a_key_that_aws_does_not_know(looker: Looker) -> None:
    stub(looker, "sts").add_client_error(
        "get_caller_identity", "InvalidClientTokenId", "The token is invalid."
    )
    assert (await look(looker, "credentials")).finding == "credentials-none"


async def test_a_fault_of_awss_own_is_told(looker: Looker) -> None:
    stub(looker, "batch").add_client_error("describe_job_queues", "ServerException", "try again")
    result = await look(looker, "queue")
    assert result.finding == "aws-fault"
    assert "try again" in result.why


def simulated(looker: Looker, identity: str, *lacking: str) -> Stubber:
    caller = {"Arn": identity, "Account": "123456789012", "UserId": "x"}
    stub(looker, "sts").add_response("get_caller_identity", caller)
    queue = {
        "jobQueueName": "q",
        "jobQueueArn": QUEUE,
        "state": "ENABLED",
        "priority": 1,
        "computeEnvironmentOrder": [],
    }
    stub(looker, "batch").add_response("describe_job_queues", {"jobQueues": [queue]})
    iam = stub(looker, "iam")
    definitions = "arn:aws:batch:eu-west-1:123456789012:job-definition/studios-doctor"
    role = "arn:aws:iam::123456789012:role/hub"
    to_tasks = {
        "ContextKeyName": "iam:PassedToService",
        "ContextKeyValues": ["ecs-tasks.amazonaws.com"],
        "ContextKeyType": "string",
    }
    looks = [
        "batch:DescribeJobs",
        "batch:ListJobs",
        "batch:DescribeJobDefinitions",
        "batch:DescribeJobQueues",
    ]
    for actions, resources, context in (
        (["batch:SubmitJob"], [QUEUE, definitions], []),
        (looks, ["*"], []),
        (["batch:RegisterJobDefinition", "batch:DeregisterJobDefinition"], [definitions], []),
        (["iam:PassRole"], [ROLE], [to_tasks]),
    ):
        decisions = [
            {"EvalActionName": a, "EvalDecision": "implicitDeny" if a in lacking else "allowed"}
            for a in actions
        ]
        asked = {
            "PolicySourceArn": role,
            "ActionNames": actions,
            "ResourceArns": resources,
            "ContextEntries": context,
        }
        iam.add_response("simulate_principal_policy", {"EvaluationResults": decisions}, asked)
    return iam


HUB_SESSION = "arn:aws:sts::123456789012:assumed-role/hub/i-0123"


async def test_rights_are_simulated_for_the_role_behind_the_machine(looker: Looker) -> None:
    iam = simulated(looker, HUB_SESSION)
    assert (await look(looker, "rights")).finding == "rights-ok"
    iam.assert_no_pending_responses()


async def test_rights_that_are_missing_are_named(looker: Looker) -> None:
    simulated(looker, "arn:aws:iam::123456789012:role/hub", "batch:SubmitJob", "iam:PassRole")
    result = await look(looker, "rights")
    assert result.finding == "rights-missing"
    assert result.why.endswith("lacks batch:SubmitJob, iam:PassRole")


def test_this_machines_address_is_found_without_sending_anything() -> None:
    assert own_address("127.0.0.0/8") == "127.0.0.1"
