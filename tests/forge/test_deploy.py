"""`studios forge` from the first look to the end, against moto's server."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from traitlets.config import Config

from jupyterhub_studios.config import Studios

from .aws import Aws

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def place(aws: Aws, bundle: Path) -> list[str]:
    """Options of a forge that can be made."""
    vpc, _, _ = aws.vpc()
    return ["--vpc", vpc, "--bucket", "lab-work/team", "--hub-cidr", "10.20.0.0/24", "--bundle", str(bundle)]


def stacks(aws: Aws) -> dict[str, str]:
    found = aws.client("cloudformation").list_stacks()["StackSummaries"]
    return {s["StackName"]: s["StackStatus"] for s in found if s["StackStatus"] != "DELETE_COMPLETE"}


def buckets(aws: Aws) -> list[str]:
    return [b["Name"] for b in aws.client("s3").list_buckets()["Buckets"]]


def queue(aws: Aws, name: str = "studios-lab-on-demand") -> dict[str, Any]:
    found: dict[str, Any] = aws.client("batch").describe_job_queues(jobQueues=[name])["jobQueues"][0]
    return found


@pytest.fixture
def waiting_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs that were submitted wait for a machine for ever."""
    from moto.batch.models import Job

    monkeypatch.setattr(Job, "start", lambda self: None)


def submit(aws: Aws, count: int) -> None:
    batch = aws.client("batch")
    properties = {"image": "busybox", "vcpus": 1, "memory": 128}
    batch.register_job_definition(
        jobDefinitionName="studios-x", type="container", containerProperties=properties
    )
    for number in range(count):
        batch.submit_job(jobName=f"job-{number}", jobQueue="studios-lab-on-demand", jobDefinition="studios-x")


# --- looking first ---


def test_a_dry_run_shows_everything_and_changes_nothing(aws: Aws, forge: Run, place: list[str]) -> None:
    code, out, err = forge("create", *place, "--dry-run")
    assert code == 0
    assert out == "Nothing was changed.\n"
    assert "+ bucket lab-work, private; it is never removed by this" in err
    assert "Forge “lab” in eu-west-1: 9 changes" in err
    assert "  + OnDemandQueue      AWS::Batch::JobQueue" in err
    assert stacks(aws) == {}
    assert buckets(aws) == []


def test_a_dry_run_of_a_change_shows_what_differs(aws: Aws, forge: Run, place: list[str]) -> None:
    forge("create", *place, "--yes")
    code, _, err = forge("create", *place, "--max-vcpus", "64", "--spot", "--dry-run")
    assert code == 0
    changes = [line.split()[:2] for line in err.splitlines() if line.startswith(("  +", "  ~", "  -"))]
    assert changes == [
        ["~", "HubPolicy"],
        ["~", "OnDemandMachines"],
        ["+", "SpotMachines"],
        ["+", "SpotQueue"],
    ]
    assert stacks(aws) == {"studios-lab": "CREATE_COMPLETE"}


def test_a_dry_run_for_scripts_has_the_template(forge: Run, place: list[str]) -> None:
    _, out, _ = forge("create", *place, "--dry-run", "--json")
    document = json.loads(out)
    assert {c["name"] for c in document["changes"]} == set(document["template"]["Resources"])
    assert (document["new"], document["new_bucket"]) == (True, True)


def test_without_consent_nothing_is_made(aws: Aws, forge: Run, place: list[str], monkeypatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False)
    code, out, err = forge("create", *place)
    assert (code, out) == (2, "")
    assert err.endswith("studios: nothing was changed. Say --yes when you mean it.\n")
    assert (stacks(aws), buckets(aws)) == ({}, [])


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 1), ("\n", 1)])
def test_a_person_is_asked(
    aws: Aws, forge: Run, place: list[str], monkeypatch, answer: str, code: int
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("sys.stdin.readline", lambda: answer)
    assert forge("create", *place)[0] == code
    assert bool(stacks(aws)) == (code == 0)


# --- making ---


def test_what_is_made_works_as_configuration(aws: Aws, forge: Run, place: list[str]) -> None:
    code, out, err = forge("create", *place, "--yes", "--spot", "--gpu", "--gate-ports", "9000-9100")
    assert code == 0, err
    assert stacks(aws) == {"studios-lab": "CREATE_COMPLETE"}
    config = Config()
    exec(out, {"c": config})
    environments = Studios(config=config).compute_environments
    assert list(environments) == ["lab-on-demand", "lab-spot", "lab-gpu"]
    env = environments["lab-spot"]
    assert (env.kind, env.region, env.work_dir) == ("aws-batch", "eu-west-1", "s3://lab-work/team/")
    assert (env.gate_ports, env.gate_networks) == ((9000, 9100), ["10.20.0.0/16"])
    batch = env.batch
    assert batch is not None
    assert batch.queue == queue(aws, "studios-lab-spot")["jobQueueArn"]
    roles = [r["Arn"] for r in aws.client("iam").list_roles()["Roles"]]
    assert batch.job_role in roles
    groups = [g["logGroupName"] for g in aws.client("logs").describe_log_groups()["logGroups"]]
    assert groups == [batch.log_group]
    assert (batch.bundle, batch.tags) == ("/opt/studios/agent", {"studios:forge": "lab"})


def test_the_machines_are_as_asked_for(aws: Aws, forge: Run, place: list[str]) -> None:
    code, _, err = forge("create", *place, "--yes", "--instance-types", "m6i.xlarge,c6i", "--max-vcpus", "48")
    assert code == 0, err
    found = aws.client("batch").describe_compute_environments()["computeEnvironments"][0]
    given = found["computeResources"]
    assert (found["computeEnvironmentName"], found["state"]) == ("studios-lab-on-demand", "ENABLED")
    assert given["instanceTypes"] == ["m6i.xlarge", "c6i"]
    assert (int(given["minvCpus"]), int(given["maxvCpus"])) == (0, 48)
    group = aws.client("ec2").describe_security_groups(GroupIds=given["securityGroupIds"])["SecurityGroups"][
        0
    ]
    assert [(p["FromPort"], p["ToPort"], p["IpRanges"][0]["CidrIp"]) for p in group["IpPermissions"]] == [
        (8500, 8999, "10.20.0.0/24")
    ]


def test_the_bucket_is_made_private_with_the_agent_in_it(aws: Aws, forge: Run, place: list[str]) -> None:
    _, _, err = forge("create", *place, "--yes")
    s3 = aws.client("s3")
    blocked = s3.get_public_access_block(Bucket="lab-work")["PublicAccessBlockConfiguration"]
    assert all(blocked.values()) and len(blocked) == 4
    (entry,) = s3.list_objects_v2(Bucket="lab-work")["Contents"]
    assert entry["Key"].startswith("team/.studios-agent/") and entry["Key"].endswith(".tar.zst")
    assert "✓ bucket lab-work" in err


def test_a_bucket_of_awss_first_region(aws: Aws, forge: Run, bundle: Path) -> None:
    """It alone must not be named when a bucket is made."""
    vpc, _, _ = aws.vpc(region="us-east-1")
    options = ["--vpc", vpc, "--bucket", "lab-work", "--hub-cidr", "10.20.0.0/24", "--bundle", str(bundle)]
    code, _, err = forge("create", *options, "--region", "us-east-1", "--yes")
    assert code == 0, err
    assert buckets(aws) == ["lab-work"]


def test_a_bucket_that_is_there_is_taken_as_it_is(aws: Aws, forge: Run, place: list[str]) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="lab-work", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_object(Bucket="lab-work", Key="mine", Body=b"mine")
    code, _, err = forge("create", *place, "--yes")
    assert code == 0
    assert "bucket lab-work" not in err
    assert s3.get_object(Bucket="lab-work", Key="mine")["Body"].read() == b"mine"


def test_private_subnets_are_preferred(aws: Aws, forge: Run, bundle: Path) -> None:
    vpc, public, private = aws.vpc(public=2, private=2)
    options = [
        "--vpc",
        vpc,
        "--bucket",
        "lab-work",
        "--hub-cidr",
        "10.20.0.0/24",
        "--bundle",
        str(bundle),
        "--yes",
    ]
    forge("create", *options)
    given = aws.client("batch").describe_compute_environments()["computeEnvironments"][0]["computeResources"]
    assert given["subnets"] == sorted(private)
    forge("create", *options, "--subnets", ",".join(public), name="two")
    found = aws.client("batch").describe_compute_environments(computeEnvironments=["studios-two-on-demand"])
    assert found["computeEnvironments"][0]["computeResources"]["subnets"] == public


def test_the_hubs_role_gets_its_policy(aws: Aws, forge: Run, place: list[str]) -> None:
    iam = aws.client("iam")
    iam.create_role(RoleName="hub", AssumeRolePolicyDocument="{}")
    _, _, err = forge("create", *place, "--yes", "--hub-role", "hub")
    assert "the role hub has the Hub's policy" in err
    (attached,) = iam.list_attached_role_policies(RoleName="hub")["AttachedPolicies"]
    assert attached["PolicyName"].startswith("studios-lab-HubPolicy")


def test_the_same_again_changes_nothing(aws: Aws, forge: Run, place: list[str]) -> None:
    forge("create", *place, "--yes")
    before = aws.client("cloudformation").describe_stack_events(StackName="studios-lab")["StackEvents"]
    code, out, err = forge("create", *place)  # not even consent is asked for
    assert code == 0, err
    assert "Forge “lab” in eu-west-1: nothing changes." in err
    assert "compute_environments" in out
    after = aws.client("cloudformation").describe_stack_events(StackName="studios-lab")["StackEvents"]
    assert len(before) == len(after)


def test_a_change_needs_no_bundle_again(forge: Run, place: list[str]) -> None:
    forge("create", *place, "--yes")
    code, _, err = forge("create", *place[:-2], "--yes", "--max-vcpus", "64")
    assert code == 0, err
    assert "Forge “lab” in eu-west-1: 1 change\n  ~ OnDemandMachines" in err


# --- jobs that run ---


@pytest.mark.usefixtures("waiting_jobs")
def test_machines_are_not_replaced_below_running_studios(aws: Aws, forge: Run, place: list[str]) -> None:
    forge("create", *place, "--yes")
    submit(aws, 2)
    code, _, err = forge("create", *place, "--max-vcpus", "64", "--yes")
    assert code == 1
    assert err.splitlines()[-1] == (
        "studios: 2 jobs have not ended, and this change replaces machines: AWS Batch ends what runs on them: after "
        "six hours what is still running there. Stop the studios first, or say --force: they keep what was saved last."
    )
    assert stacks(aws) == {"studios-lab": "CREATE_COMPLETE"}
    assert forge("create", *place, "--max-vcpus", "64", "--yes", "--force")[0] == 0
    assert (
        forge("create", *place, "--max-vcpus", "64", "--log-days", "7", "--yes")[0] == 0
    )  # no machine changes


@pytest.mark.usefixtures("waiting_jobs")
def test_a_queue_does_not_go_from_under_running_studios(aws: Aws, forge: Run, place: list[str]) -> None:
    forge("create", *place, "--yes", "--spot")
    submit(aws, 1)
    code, _, err = forge("create", *place, "--yes")
    assert code == 1
    assert (
        "1 job has not ended, and this change removes machines: AWS Batch ends what runs on them at once."
        in err
    )


@pytest.mark.usefixtures("waiting_jobs")
def test_a_forge_with_jobs_is_not_destroyed(aws: Aws, forge: Run, place: list[str]) -> None:
    forge("create", *place, "--yes")
    submit(aws, 1)
    code, _, err = forge("destroy", "--yes")
    assert code == 1
    assert err == (
        "studios: 1 job has not ended on the forge “lab”: studios that run there would lose what is not saved yet. "
        "Stop them first, or say --force.\n"
    )
    assert stacks(aws) == {"studios-lab": "CREATE_COMPLETE"}
    assert forge("destroy", "--yes", "--force")[0] == 0
    assert stacks(aws) == {}


# --- looking, and the end ---


@pytest.mark.usefixtures("waiting_jobs")
def test_status(aws: Aws, forge: Run, place: list[str]) -> None:
    forge("create", *place, "--yes")
    submit(aws, 3)
    code, out, _ = forge("status")
    assert code == 0
    lines = dict(line.split(maxsplit=1) for line in out.split("\n\n")[0].splitlines())
    assert lines["Stack"] == "studios-lab: CREATE_COMPLETE"
    assert lines["Jobs"] == "3 not ended"
    assert "studios-lab-on-demand  ENABLED  VALID   0 of 256" in out
    document = json.loads(forge("status", "--json")[1])
    assert document["jobs"] == {queue(aws)["jobQueueArn"]: 3}
    assert document["machines"][0]["status"] == "VALID"


def test_the_configuration_can_be_had_again(forge: Run, place: list[str]) -> None:
    made = forge("create", *place, "--yes")[1]
    assert forge("status", "--config")[1].strip() == made.strip()


def test_destroy_keeps_the_bucket_and_says_so(aws: Aws, forge: Run, place: list[str]) -> None:
    forge("create", *place, "--yes")
    aws.client("s3").put_object(Bucket="lab-work", Key="team/.studios/layers/x", Body=b"work")
    code, out, err = forge("destroy", "--yes")
    assert code == 0
    assert "Kept: s3://lab-work/team/ with all checkpoints." in err
    assert out == "The forge “lab” is gone. s3://lab-work/team/ is as it was.\n"
    assert stacks(aws) == {}
    assert (
        aws.client("s3").get_object(Bucket="lab-work", Key="team/.studios/layers/x")["Body"].read() == b"work"
    )
    ours = [r["RoleName"] for r in aws.client("iam").list_roles()["Roles"] if "studios-lab" in r["RoleName"]]
    assert ours == []
    assert aws.client("logs").describe_log_groups()["logGroups"] == []


def test_destroy_asks(aws: Aws, forge: Run, place: list[str], monkeypatch) -> None:
    forge("create", *place, "--yes")
    monkeypatch.setattr("sys.stdin.isatty", lambda: False)
    assert forge("destroy")[0] == 2
    assert stacks(aws) == {"studios-lab": "CREATE_COMPLETE"}
