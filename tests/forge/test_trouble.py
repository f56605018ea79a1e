"""Every way that making a forge fails: what people read, and what is left afterwards."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.stub import Stubber

from jupyterhub_studios.forge import account
from jupyterhub_studios.forge.account import Account
from jupyterhub_studios.forge.causes import CAUSES, OTHERWISE, mend, shown
from jupyterhub_studios.forge.run import progress
from jupyterhub_studios.forge.stack import Event, Plan, Stack, failure
from jupyterhub_studios.models import StudiosError

from .aws import KEYS, REGION, Aws

Run = Callable[..., tuple[int, str, str]]
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
STACK = "arn:aws:cloudformation:eu-west-1:123456789012:stack/studios-lab/1"

# --- what AWS says ---

SAYINGS = [
    (
        "User: arn:aws:iam::1:user/a is not authorized to perform: iam:CreateRole",
        "credentials that may do this",
    ),
    ("AccessDenied: no", "credentials that may do this"),
    ("Cannot delete a policy attached to entities.", "Detach the Hub's policy"),
    ("/studios/lab already exists in stack arn:aws:…", "choose another --name"),
    ("The role with name hub cannot be found.", "Check --hub-role"),
    ("The service-linked role does not exist", "create-service-linked-role"),
    ("Instance type m9z.large is not supported in your requested Availability Zone", "--instance-types"),
    ("The subnet ID 'subnet-1' does not exist", "--subnets"),
    ("The security group 'sg-1' does not exist", "--hub-security-group"),
    ("InvalidVpcID.NotFound: The vpc ID 'vpc-1' does not exist", "--vpc and --region"),
    ("You have reached the maximum number of addresses", "Service Quotas"),
    ("Rate exceeded", "run it again in some minutes"),
    ("resource sg has a dependent object", "Something still uses it"),
    ("Budget cannot be made", "Leave out --budget"),
]


@pytest.mark.parametrize(("reason", "action"), SAYINGS)
def test_what_aws_says_is_answered_with_what_to_do(reason: str, action: str) -> None:
    assert action in mend(reason)


def test_every_answer_is_tried() -> None:
    given = {mend(reason) for reason, _ in SAYINGS}
    assert given == {action for _, action in CAUSES}
    assert mend("something new") == OTHERWISE


def test_what_only_awss_support_can_use_is_left_out() -> None:
    reason = (
        'Resource handler returned message: "Invalid request: no such subnet (Service: Batch, Status Code: 400, '
        'Request ID: 1b2c (x))" (RequestToken: 9f, HandlerErrorCode: InvalidRequest)'
    )
    assert shown(reason) == 'Resource handler returned message: "Invalid request: no such subnet"'


# --- how it goes ---


def event(
    name: str,
    status: str,
    seconds: int = 0,
    reason: str = "",
    type: str = "AWS::IAM::Role",
    whole: bool = False,
) -> Event:
    return Event(NOW + timedelta(seconds=seconds), name, type, status, reason, whole)


def test_progress_tells_what_has_ended_and_how_long_it_took() -> None:
    begun = event("JobRole", "CREATE_IN_PROGRESS")
    assert progress(begun, []) == ""
    done = event("JobRole", "CREATE_COMPLETE", 17)
    assert progress(done, [begun]) == "  ✓ JobRole              17 s  IAM Role"
    failed = event("JobRole", "CREATE_FAILED", 3, "no such thing")
    assert progress(failed, [begun]) == "  ✗ JobRole               3 s  no such thing"
    gone = event("JobRole", "DELETE_COMPLETE", 3)
    assert progress(gone, [begun]) == "  ✓ removed JobRole               3 s  IAM Role"


def test_a_failure_names_the_resource_that_failed_by_itself() -> None:
    happened = [
        event(
            "SecurityGroup",
            "CREATE_FAILED",
            reason="Resource creation cancelled",
            type="AWS::EC2::SecurityGroup",
        ),
        event(
            "OnDemandMachines",
            "CREATE_FAILED",
            reason="subnet x is gone",
            type="AWS::Batch::ComputeEnvironment",
        ),
        event("JobRole", "DELETE_FAILED", reason="later"),
        event("studios-lab", "ROLLBACK_COMPLETE", whole=True),
    ]
    error = failure(happened, "Making studios-lab")
    assert error is not None
    assert str(error) == (
        "Making studios-lab failed at OnDemandMachines (Batch ComputeEnvironment). Subnet x is gone. "
        "Check --subnets: they must exist and lie in the VPC."
    )


@pytest.mark.parametrize(
    ("status", "good"),
    [
        ("CREATE_COMPLETE", True),
        ("UPDATE_COMPLETE", True),
        ("DELETE_COMPLETE", True),
        ("ROLLBACK_COMPLETE", False),
        ("UPDATE_ROLLBACK_COMPLETE", False),
        ("DELETE_FAILED", False),
        ("ROLLBACK_FAILED", False),
    ],
)
def test_how_a_stack_ends(status: str, good: bool) -> None:
    assert (failure([event("studios-lab", status, whole=True)], "x") is None) == good


@pytest.fixture
def stubbed(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Stack, Stubber]]:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    stack = Stack(Account(REGION), "studios-lab", poll=0)
    with Stubber(stack.account.client("cloudformation")) as stub:
        yield stack, stub
        stub.assert_no_pending_responses()


def told(number: int, name: str, status: str) -> dict[str, Any]:
    whole = name == "studios-lab"
    return {
        "StackId": STACK,
        "EventId": f"event-{number}",
        "StackName": "studios-lab",
        "LogicalResourceId": name,
        "PhysicalResourceId": STACK if whole else name,
        "ResourceType": "AWS::CloudFormation::Stack" if whole else "AWS::IAM::Role",
        "Timestamp": NOW + timedelta(seconds=number),
        "ResourceStatus": status,
    }


def test_events_are_told_once_in_their_order_until_it_is_over(stubbed: tuple[Stack, Stubber]) -> None:
    stack, stub = stubbed
    history = [
        told(0, "studios-lab", "REVIEW_IN_PROGRESS"),
        told(1, "studios-lab", "UPDATE_IN_PROGRESS"),
        told(2, "JobRole", "CREATE_IN_PROGRESS"),
        told(3, "JobRole", "CREATE_COMPLETE"),
        told(4, "studios-lab", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"),
        told(5, "studios-lab", "UPDATE_COMPLETE"),
    ]

    def look(upto: int) -> None:  # newest first, as AWS tells
        stub.add_response(
            "describe_stack_events", {"StackEvents": history[:upto][::-1]}, {"StackName": STACK}
        )

    look(1)
    stub.add_response("execute_change_set", {})
    for upto in (1, 3, 3, 5, 6):
        look(upto)
    happened = list(stack.execute(Plan("change-set", STACK, [], new=True)))
    assert [(e.name, e.status) for e in happened] == [
        (h["LogicalResourceId"], h["ResourceStatus"]) for h in history[1:]
    ]


def test_a_change_set_is_waited_for_and_read_to_the_last_page(stubbed: tuple[Stack, Stubber]) -> None:
    stack, stub = stubbed

    def change(name: str, **more: str) -> dict[str, Any]:
        given = {"Action": "Modify", "LogicalResourceId": name, "ResourceType": "AWS::IAM::Role", **more}
        return {"Type": "Resource", "ResourceChange": given}

    stub.add_response("create_change_set", {"Id": "change-set-id", "StackId": STACK})
    for status in ("CREATE_PENDING", "CREATE_IN_PROGRESS", "CREATE_COMPLETE"):
        stub.add_response("describe_change_set", {"Status": status})
    stub.add_response("describe_change_set", {"Changes": [change("A")], "NextToken": "more"})
    stub.add_response("describe_change_set", {"Changes": [change("B", Replacement="True")]})
    plan = stack.plan("{}", "lab", new=False)
    assert [(c.name, c.replaced) for c in plan.changes] == [("A", False), ("B", True)]


def test_a_change_set_that_cannot_be_made_is_told_and_taken_back(stubbed: tuple[Stack, Stubber]) -> None:
    stack, stub = stubbed
    stub.add_response("create_change_set", {"Id": "change-set-id", "StackId": STACK})
    stub.add_response(
        "describe_change_set", {"Status": "FAILED", "StatusReason": "Template error: vpc is not sound"}
    )
    stub.add_response("delete_change_set", {})
    stub.add_response("delete_stack", {})
    with pytest.raises(StudiosError, match=r"Template error: vpc is not sound\. Check --vpc and --region"):
        stack.plan("{}", "lab", new=True)


# --- what is there already ---


def options(aws: Aws, file: Path, **more: str) -> list[str]:
    given = {
        "vpc": aws.vpc()[0],
        "bucket": "lab-work",
        "hub-cidr": "10.20.0.0/24",
        "bundle": str(file),
        **more,
    }
    return ["--yes", *(word for name, value in given.items() for word in (f"--{name}", value))]


def test_a_failed_first_try_leaves_nothing_and_says_why(
    aws: Aws, forge: Run, bundle: Path, monkeypatch
) -> None:
    """moto cannot fail, so its change set is made to end as AWS' would."""
    from moto.cloudformation.models import ChangeSet

    def fail(self: Any) -> None:
        self.stack._add_stack_event(
            "ROLLBACK_COMPLETE", resource_status_reason="The role with name x cannot be found"
        )
        self.change_set_type = "ROLLBACK"

    monkeypatch.setattr(ChangeSet, "apply", fail)
    code, out, err = forge("create", *options(aws, bundle))
    assert (code, out) == (1, "")
    assert "Nothing of it is kept, but the bucket" in err
    assert err.splitlines()[-1].startswith(
        "studios: Making studios-lab failed at studios-lab (CloudFormation Stack): The role with name x cannot"
    )
    found = aws.client("cloudformation").list_stacks()["StackSummaries"]
    assert [s["StackStatus"] for s in found] == ["DELETE_COMPLETE"]


def test_a_stack_of_somebody_else_is_left_alone(aws: Aws, forge: Run, bundle: Path) -> None:
    body = '{"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}'
    aws.client("cloudformation").create_stack(StackName="studios-lab", TemplateBody=body)
    for action, more in (("create", options(aws, bundle)), ("destroy", ["--yes"]), ("status", [])):
        code, _, err = forge(action, *more)
        assert code == 1
        assert "The stack studios-lab was not made by a forge: it does not carry the tag studios:forge" in err
    assert len(aws.client("sns").list_topics()["Topics"]) == 1


@pytest.mark.parametrize(
    ("status", "text"),
    [
        ("UPDATE_IN_PROGRESS", "is being changed: its stack studios-lab is UPDATE_IN_PROGRESS. Wait until"),
        (
            "ROLLBACK_COMPLETE",
            "is broken and cannot be changed: its stack studios-lab is ROLLBACK_COMPLETE. Run",
        ),
        ("DELETE_FAILED", "Run `studios forge destroy --name lab`, and make it anew: the bucket stays"),
    ],
)
def test_a_stack_that_cannot_be_changed(aws: Aws, forge: Run, bundle: Path, status: str, text: str) -> None:
    from moto.cloudformation.models import cloudformation_backends

    given = options(aws, bundle)
    forge("create", *given)
    (stack,) = cloudformation_backends["123456789012"][REGION].stacks.values()
    stack.status = status
    code, _, err = forge("create", *given)
    assert code == 1
    assert text in err


def test_a_forge_does_not_lose_sight_of_its_checkpoints(aws: Aws, forge: Run, bundle: Path) -> None:
    given = options(aws, bundle)
    forge("create", *given)
    code, _, err = forge("create", *given, "--bucket", "other-bucket")
    assert code == 1
    assert "keeps checkpoints in s3://lab-work/: --bucket says s3://other-bucket/" in err


def test_a_forge_that_is_not_there(forge: Run) -> None:
    for action in ("status", "destroy"):
        code, _, err = forge(action)
        assert (code, err) == (
            1,
            "studios: There is no forge “lab” in eu-west-1: there is no stack studios-lab. "
            "Check --name and --region.\n",
        )


def test_a_bucket_of_another_region_is_refused(aws: Aws, forge: Run, bundle: Path) -> None:
    place = {"LocationConstraint": "eu-central-1"}
    aws.client("s3", "eu-central-1").create_bucket(Bucket="lab-work", CreateBucketConfiguration=place)
    code, _, err = forge("create", *options(aws, bundle))
    assert code == 1
    assert "The bucket lab-work cannot be used: it lies in eu-central-1, the forge in eu-west-1." in err


@pytest.mark.parametrize(
    ("more", "text"),
    [
        (
            {"subnets": "subnet-0123456789abcdef0"},
            "subnet-0123456789abcdef0 not found. Check --vpc, --subnets",
        ),
        ({"vpc": "vpc-0123456789abcdef0"}, "the VPC has none in eu-west-1. Check --vpc"),
        ({"bundle": "/nowhere/x"}, "The agent bundle /nowhere/x cannot be read: No such file or directory."),
    ],
)
def test_what_is_not_there(aws: Aws, forge: Run, bundle: Path, more: dict[str, str], text: str) -> None:
    code, _, err = forge("create", *options(aws, bundle, **more))
    assert code == 1
    assert text in err


def test_a_new_forge_needs_an_agent(aws: Aws, forge: Run, bundle: Path) -> None:
    given = options(aws, bundle)
    where = given.index("--bundle")
    code, _, err = forge("create", *given[:where], *given[where + 2 :])
    assert code == 1
    assert "A new forge needs the agent bundle" in err


def test_without_credentials(aws: Aws, forge: Run, monkeypatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    code, _, err = forge("status")
    assert code == 1
    assert "there are no AWS credentials" in err
    assert "Set AWS_PROFILE" in err


def test_without_a_region(forge: Run, monkeypatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    monkeypatch.setenv("AWS_REGION", "eu-north-1")
    assert "in eu-north-1" in forge("status")[2]
    monkeypatch.delenv("AWS_REGION")
    code, _, err = forge("status")
    assert (code, err) == (
        1,
        "studios: AWS cannot be used: no region is given. Give --region, or set AWS_REGION.\n",
    )


def test_without_aws(monkeypatch, capsys) -> None:
    from jupyterhub_studios.cli import main

    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(account, "ATTEMPTS", 1)
    assert main(["forge", "status", "--name", "lab", "--endpoint-url", "http://127.0.0.1:9"]) == 1
    assert "AWS was not reached" in capsys.readouterr().err
