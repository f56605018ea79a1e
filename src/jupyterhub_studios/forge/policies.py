"""Who may do what: the IAM policies of a forge, each as small as AWS lets it be.

Three parties: a *job* reads and writes checkpoints, a *machine* runs jobs and fetches the agent, the *Hub* submits
jobs to this forge's queues. ``Resource: "*"`` stands only where AWS offers nothing smaller: see :data:`UNBOUND`.
"""

from __future__ import annotations

from typing import Any

from .settings import BUNDLES, TAG, Settings

Json = dict[str, Any]

UNBOUND = {
    "ecs:DiscoverPollEndpoint": "tells the ECS agent of a machine where its cluster's endpoint is",
    "ecr:GetAuthorizationToken": "a token to pull with; what can be pulled is bound separately",
    "batch:DescribeJobs": "reading the state of jobs",
    "batch:ListJobs": "finding a job again whose submission was cut off",
    "batch:DescribeJobDefinitions": "finding a job definition that exists already",
    "batch:DescribeJobQueues": "`studios doctor` and messages about a queue's state",
    "batch:DescribeComputeEnvironments": "`studios doctor` and messages about capacity",
    "ec2:DescribeSecurityGroups": "`studios doctor`: may the Hub reach the gates?",
}
"""Actions that AWS grants for all resources or not at all, and what each is needed for."""

JOB_DEFINITIONS = "studios-*"  # the names that the Hub's compute registers


def arn(service: str, resource: str) -> Json:
    """In the stack's own partition, region and account."""
    return {"Fn::Sub": f"arn:${{AWS::Partition}}:{service}:${{AWS::Region}}:${{AWS::AccountId}}:{resource}"}


def _bucket(settings: Settings, key: str = "") -> Json:
    return {"Fn::Sub": f"arn:${{AWS::Partition}}:s3:::{settings.bucket}" + (f"/{key}" if key else "")}


def _allow(actions: list[str], resource: Any, condition: Json | None = None, sid: str = "") -> Json:
    statement: Json = {"Effect": "Allow", "Action": actions, "Resource": resource}
    if condition:
        statement["Condition"] = condition
    return {"Sid": sid, **statement} if sid else statement


def document(statements: list[Json]) -> Json:
    return {"Version": "2012-10-17", "Statement": statements}


def trust(service: str, condition: Json | None = None) -> Json:
    """Who may take a role on: one AWS service."""
    statement: Json = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sts:AssumeRole",
    }
    return document([statement | ({"Condition": condition} if condition else {})])


def checkpoints(settings: Settings) -> list[Json]:
    """Reading and writing what lies below ``.studios/`` of the work dir.

    Listing is for the whole bucket: S3 answers "404" for an object that is not there only to those who may list, and
    does not count such a request as one for a prefix. It shows names, never content.
    """
    objects = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
    return [
        _allow(objects, _bucket(settings, settings.key(".studios/*")), sid="Checkpoints"),
        _allow(["s3:ListBucket"], _bucket(settings), sid="WhatIsThere"),
    ]


def job(settings: Settings) -> Json:
    return document(checkpoints(settings))


def job_trust() -> Json:
    """Only for tasks of this account: another account's could not pose as ours."""
    return trust(
        "ecs-tasks.amazonaws.com", {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    )


def machine(settings: Settings) -> Json:
    """What the ECS agent and the user data do. A studio shares its machine's network, so whoever is in a studio can
    do this too: it is less than AWS' own managed policy for container instances."""
    cluster, instances = arn("ecs", "cluster/*"), arn("ecs", "container-instance/*")
    return document(
        [
            _allow(["ecs:DiscoverPollEndpoint"], "*", sid="FindTheCluster"),
            _allow(
                [
                    "ecs:RegisterContainerInstance",
                    "ecs:SubmitContainerStateChange",
                    "ecs:SubmitTaskStateChange",
                    "ecs:SubmitAttachmentStateChanges",
                ],
                cluster,
                sid="Report",
            ),
            _allow(
                ["ecs:Poll", "ecs:StartTelemetrySession", "ecs:UpdateContainerInstancesState"],
                instances,
                sid="TakeJobs",
            ),
            _allow(["ecr:GetAuthorizationToken"], "*", sid="SignInToPull"),
            _allow(PULL, arn("ecr", "repository/*"), sid="Pull"),
            _allow(
                ["logs:CreateLogStream", "logs:PutLogEvents"],
                arn("logs", f"log-group:{log_group(settings)}:log-stream:*"),
                sid="WriteLogs",
            ),
            _allow(["s3:GetObject"], _bucket(settings, settings.key(f"{BUNDLES}/*")), sid="FetchTheAgent"),
        ]
    )


PULL = ["ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"]


def log_group(settings: Settings) -> str:
    return f"/studios/{settings.name}"


def hub(settings: Settings, queues: list[Json], job_role: Json) -> Json:
    """For the role or user that the Hub and the studios service run as. Jobs of others are out of reach: only those
    that carry this forge's tag can be ended."""
    ours = {"StringEquals": {f"aws:ResourceTag/{TAG}": settings.name}}
    tagged = {"StringEquals": {f"aws:RequestTag/{TAG}": settings.name}}
    definitions, jobs = arn("batch", f"job-definition/{JOB_DEFINITIONS}"), arn("batch", "job/*")
    return document(
        [
            _allow(["batch:SubmitJob"], [*queues, definitions], sid="Submit"),
            _allow(["batch:TagResource"], jobs, tagged, sid="TagJobs"),
            _allow(["batch:TagResource"], definitions, sid="TagJobDefinitions"),
            _allow(["batch:TerminateJob", "batch:CancelJob"], jobs, ours, sid="EndOwnJobs"),
            _allow(
                ["batch:RegisterJobDefinition", "batch:DeregisterJobDefinition"],
                definitions,
                sid="JobDefinitions",
            ),
            _allow(
                [
                    "batch:DescribeJobs",
                    "batch:ListJobs",
                    "batch:DescribeJobDefinitions",
                    "batch:DescribeJobQueues",
                    "batch:DescribeComputeEnvironments",
                ],
                "*",
                sid="Look",
            ),
            _allow(
                ["iam:PassRole"],
                job_role,
                {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
                sid="GiveJobsTheirRole",
            ),
            _allow(["iam:GetRole"], job_role, sid="CheckTheJobRole"),
            _allow(
                ["logs:GetLogEvents"],
                arn("logs", f"log-group:{log_group(settings)}:log-stream:*"),
                sid="ReadLogs",
            ),
            _allow(
                ["logs:DescribeLogStreams"], arn("logs", f"log-group:{log_group(settings)}:*"), sid="FindLogs"
            ),
            _allow(["ecr:GetAuthorizationToken"], "*", sid="SignInToRegistries"),
            _allow(PULL, arn("ecr", "repository/*"), sid="ResolveImages"),
            _allow(["ec2:DescribeSecurityGroups"], "*", sid="CheckReachability"),
            *checkpoints(settings),
        ]
    )
