"""What the roles may do: by content, against AWS' own list of what can be granted for less than everything."""

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

import jupyterhub_studios
from jupyterhub_studios.forge import policies
from jupyterhub_studios.forge.template import template

from .conftest import settings

AWS = json.loads((files("cfnlint") / "data" / "AdditionalSpecs" / "Policies.json").read_text())
"""cfn-lint's copy of AWS' service authorization reference: which actions know resources."""


def statements(resource: str) -> list[dict[str, Any]]:
    properties = template(settings(spot=True, gpu=True))["Resources"][resource]["Properties"]
    document = (
        properties["PolicyDocument"]
        if "PolicyDocument" in properties
        else properties["Policies"][0]["PolicyDocument"]
    )
    found: list[dict[str, Any]] = document["Statement"]
    return found


def resources_of(statement: dict[str, Any]) -> list[Any]:
    given = statement["Resource"]
    return given if isinstance(given, list) else [given]


def arns(statement: dict[str, Any]) -> list[str]:
    return [
        r["Fn::Sub"] if isinstance(r, dict) and "Fn::Sub" in r else str(r) for r in resources_of(statement)
    ]


def granted(resource: str) -> dict[str, list[str]]:
    """Each action, and on what."""
    return {action: arns(s) for s in statements(resource) for action in s["Action"]}


PARTIES = ("JobRole", "MachineRole", "HubPolicy")


@pytest.mark.parametrize("party", PARTIES)
def test_no_action_is_a_pattern(party: str) -> None:
    assert not [a for s in statements(party) for a in s["Action"] if "*" in a]
    assert {s["Effect"] for s in statements(party)} == {"Allow"}
    assert not [s for s in statements(party) if "NotAction" in s or "NotResource" in s]


@pytest.mark.parametrize("party", PARTIES)
def test_everything_is_meant_only_where_aws_offers_nothing_smaller(party: str) -> None:
    unbound = {a for s in statements(party) if "*" in resources_of(s) for a in s["Action"]}
    for action in unbound:
        service, name = action.split(":")
        assert not AWS[service]["Actions"][name.lower()].get("Resources"), (
            f"{action} can be bound to a resource"
        )
        assert action in policies.UNBOUND, f"{action} needs a reason"


def test_no_reason_is_left_over() -> None:
    unbound = {a for p in PARTIES for s in statements(p) if "*" in resources_of(s) for a in s["Action"]}
    assert unbound == set(policies.UNBOUND)


@pytest.mark.parametrize("party", PARTIES)
def test_every_resource_is_of_a_kind_that_the_action_knows(party: str) -> None:
    """A typing error in an ARN grants nothing, which nobody would see before the first studio."""
    for statement in statements(party):
        for action in statement["Action"]:
            service, name = action.split(":")
            known = AWS[service]["Actions"][name.lower()].get("Resources", [])
            for arn in arns(statement):
                if arn.startswith("arn:"):
                    assert any(
                        _fits(arn, form)
                        for kind in known
                        for form in AWS[service]["Resources"][kind]["ARNFormats"]
                    ), f"{action} on {arn}"


def _fits(arn: str, form: str) -> bool:
    """``form`` is AWS' pattern of ARNs; variables are left as they are in both."""
    ours = arn.replace("${AWS::Partition}", "${Partition}").replace("${AWS::Region}", "${Region}")
    ours = ours.replace("${AWS::AccountId}", "${Account}")
    start = form.split(".*")[0].split("${BucketName}")[0]
    return ours.startswith(start)


def test_a_job_reaches_checkpoints_and_nothing_else() -> None:
    below = "arn:${AWS::Partition}:s3:::lab-work/team/one/.studios/*"
    assert granted("JobRole") == {
        "s3:GetObject": [below],
        "s3:PutObject": [below],
        "s3:DeleteObject": [below],
        "s3:AbortMultipartUpload": [below],
        "s3:ListBucket": ["arn:${AWS::Partition}:s3:::lab-work"],
    }


def test_a_job_without_a_prefix_reaches_checkpoints_only() -> None:
    document = policies.job(settings(prefix=""))
    assert arns(document["Statement"][0]) == ["arn:${AWS::Partition}:s3:::lab-work/.studios/*"]


def test_only_tasks_of_this_account_become_jobs() -> None:
    trust = template(settings())["Resources"]["JobRole"]["Properties"]["AssumeRolePolicyDocument"][
        "Statement"
    ]
    assert trust == [
        {
            "Effect": "Allow",
            "Principal": {"Service": "ecs-tasks.amazonaws.com"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}},
        }
    ]


def test_a_machine_reads_the_agent_and_no_checkpoint() -> None:
    s3 = {a: on for a, on in granted("MachineRole").items() if a.startswith("s3:")}
    assert s3 == {"s3:GetObject": ["arn:${AWS::Partition}:s3:::lab-work/team/one/.studios-agent/*"]}
    assert not [a for a in granted("MachineRole") if a.startswith(("iam:", "batch:", "ec2:"))]


def test_a_machine_writes_logs_of_its_forge_alone() -> None:
    ours = ["arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:/studios/lab:log-stream:*"]
    assert granted("MachineRole")["logs:PutLogEvents"] == ours


def test_the_hub_submits_to_its_own_queues_alone() -> None:
    submit = next(s for s in statements("HubPolicy") if "batch:SubmitJob" in s["Action"])
    queues, definitions = submit["Resource"][:-1], submit["Resource"][-1]
    assert queues == [{"Ref": "OnDemandQueue"}, {"Ref": "SpotQueue"}, {"Ref": "GpuQueue"}]
    assert definitions["Fn::Sub"].endswith(":job-definition/studios-*")


def test_the_hub_ends_its_own_jobs_alone() -> None:
    end = next(s for s in statements("HubPolicy") if "batch:TerminateJob" in s["Action"])
    assert end["Condition"] == {"StringEquals": {"aws:ResourceTag/studios:forge": "lab"}}


def test_the_hub_hands_on_the_job_role_alone_and_to_jobs_alone() -> None:
    hand_on = next(s for s in statements("HubPolicy") if "iam:PassRole" in s["Action"])
    assert hand_on["Resource"] == {"Fn::GetAtt": ["JobRole", "Arn"]}
    assert hand_on["Condition"] == {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}


def test_nobody_changes_rights_or_machines() -> None:
    changing = ("iam:Create", "iam:Put", "iam:Attach", "iam:Update", "ec2:Run", "ec2:Terminate", "sts:")
    assert not [a for party in PARTIES for a in granted(party) if a.startswith(changing)]


SOURCES = Path(jupyterhub_studios.__file__).parent
ASKED = re.compile(r'"(batch|logs|iam|ec2)",\s*"([a-z_]+)"')
# IAM's own simulator is for those who may ask it; the doctor says so to all others.
NOT_GRANTED = {"iam:SimulatePrincipalPolicy"}


@pytest.mark.parametrize("part", ["compute", "doctor"])
def test_the_hub_may_do_what_the_sources_do(part: str) -> None:
    asked = {
        f"{service}:{''.join(word.capitalize() for word in operation.split('_'))}"
        for file in (SOURCES / part).rglob("*.py")
        for service, operation in ASKED.findall(file.read_text())
    }
    assert len(asked) >= 5
    assert asked - NOT_GRANTED <= set(granted("HubPolicy"))


def test_the_page_lists_what_is_granted_for_everything() -> None:
    page = (Path(__file__).parents[2] / "docs" / "administrator.md").read_text()
    rows = page.partition("<!-- unbound:")[2].partition("\n\n")[0]
    assert set(re.findall(r"`(\w+:\w+)`", rows)) == set(policies.UNBOUND)
