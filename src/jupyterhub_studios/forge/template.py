"""The CloudFormation template of a forge, from its settings alone."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from . import policies
from .machines import launch_template
from .settings import AGENT_FOLDER, SCRATCH_FOLDER, TAG, Settings

Json = dict[str, Any]


@dataclass(frozen=True)
class Capacity:
    """One kind of machines: a compute environment and the queue in front of it."""

    id: str  # in names: studios-<forge>-<id>
    logical: str  # of resources and outputs
    title: str
    type: str
    strategy: str
    image: str
    gpu: bool = False


ON_DEMAND = Capacity("on-demand", "OnDemand", "on demand", "EC2", "BEST_FIT_PROGRESSIVE", "ECS_AL2023")
# This strategy needs no Spot Fleet role, which only BEST_FIT does.
SPOT = Capacity("spot", "Spot", "spot", "SPOT", "SPOT_PRICE_CAPACITY_OPTIMIZED", "ECS_AL2023")
GPU = Capacity("gpu", "Gpu", "GPU", "EC2", "BEST_FIT_PROGRESSIVE", "ECS_AL2023_NVIDIA", gpu=True)
ALL = (ON_DEMAND, SPOT, GPU)


def capacities(settings: Settings) -> list[Capacity]:
    return [ON_DEMAND, *([SPOT] if settings.spot else []), *([GPU] if settings.gpu else [])]


def template(settings: Settings) -> Json:
    kinds = capacities(settings)
    resources: Json = {
        "LogGroup": _log_group(settings),
        "SecurityGroup": _security_group(settings),
        "JobRole": _role(policies.job_trust(), policies.job(settings), "Checkpoints"),
        "MachineRole": _role(policies.trust("ec2.amazonaws.com"), policies.machine(settings), "RunJobs"),
        "MachineProfile": {
            "Type": "AWS::IAM::InstanceProfile",
            "Properties": {"Roles": [{"Ref": "MachineRole"}]},
        },
        "Machine": launch_template(settings),
        "HubPolicy": _hub_policy(settings, kinds),
    }
    for kind in kinds:
        resources[f"{kind.logical}Machines"] = _compute_environment(settings, kind)
        resources[f"{kind.logical}Queue"] = _queue(settings, kind)
    if settings.budget is not None:
        resources["Budget"] = _budget(settings)
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"Studios on JupyterHub: where the studios of {settings.name} run",
        "Resources": resources,
        "Outputs": _outputs(settings, kinds),
    }


def body(settings: Settings) -> str:
    return json.dumps(template(settings), indent=1)


def _tags(settings: Settings) -> list[Json]:
    return [{"Key": TAG, "Value": settings.name}]


def _log_group(settings: Settings) -> Json:
    return {
        "Type": "AWS::Logs::LogGroup",
        "DeletionPolicy": "Delete",
        "UpdateReplacePolicy": "Delete",
        "Properties": {
            "LogGroupName": policies.log_group(settings),
            "RetentionInDays": settings.log_days,
            "Tags": _tags(settings),
        },
    }


def _security_group(settings: Settings) -> Json:
    """In: the Hub, to the gates' ports, and nobody else. Out: everything, as studios install packages."""
    first, last = settings.gate_ports
    rule: Json = {
        "IpProtocol": "tcp",
        "FromPort": first,
        "ToPort": last,
        "Description": "The Hub to the gates",
    }
    sources: list[Json] = []
    if settings.hub_security_group:
        sources.append({"SourceSecurityGroupId": settings.hub_security_group})
    if settings.hub_cidr:
        sources.append({"CidrIp": settings.hub_cidr})
    return {
        "Type": "AWS::EC2::SecurityGroup",
        "Properties": {
            "GroupDescription": f"Studios of {settings.name}",
            "VpcId": settings.vpc,
            "SecurityGroupIngress": [rule | source for source in sources],
            "SecurityGroupEgress": [{"IpProtocol": "-1", "CidrIp": "0.0.0.0/0", "Description": "Anywhere"}],
            "Tags": _tags(settings),
        },
    }


def _role(trust: Json, policy: Json, name: str) -> Json:
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "AssumeRolePolicyDocument": trust,
            "Policies": [{"PolicyName": name, "PolicyDocument": policy}],
        },
    }


def _hub_policy(settings: Settings, kinds: list[Capacity]) -> Json:
    queues = [{"Ref": f"{kind.logical}Queue"} for kind in kinds]
    properties: Json = {
        "Description": f"For the Hub: jobs and checkpoints of the studios of {settings.name}",
        "PolicyDocument": policies.hub(settings, queues, {"Fn::GetAtt": ["JobRole", "Arn"]}),
    }
    if settings.hub_role:
        properties["Roles"] = [settings.hub_role]
    return {"Type": "AWS::IAM::ManagedPolicy", "Properties": properties}


def _compute_environment(settings: Settings, kind: Capacity) -> Json:
    resources: Json = {
        "Type": kind.type,
        "AllocationStrategy": kind.strategy,
        "MinvCpus": 0,
        "MaxvCpus": settings.max_vcpus,
        "InstanceTypes": settings.gpu_instance_types if kind.gpu else settings.instance_types,
        "Subnets": settings.subnets,
        "SecurityGroupIds": [{"Fn::GetAtt": ["SecurityGroup", "GroupId"]}],
        "InstanceRole": {"Fn::GetAtt": ["MachineProfile", "Arn"]},
        "LaunchTemplate": {
            "LaunchTemplateId": {"Ref": "Machine"},
            "Version": {"Fn::GetAtt": ["Machine", "LatestVersionNumber"]},
        },
        "Ec2Configuration": [{"ImageType": kind.image}],
        "UpdateToLatestImageVersion": True,
        "Tags": {TAG: settings.name, "Name": f"{settings.stack}-{kind.id}"},
    }
    if settings.warm_minutes:
        resources["ScalingPolicy"] = {"MinScaleDownDelayMinutes": settings.warm_minutes}
    return {
        "Type": "AWS::Batch::ComputeEnvironment",
        "Properties": {
            "ComputeEnvironmentName": f"{settings.stack}-{kind.id}",
            "Type": "MANAGED",
            "State": "ENABLED",
            # No ServiceRole: Batch's own service-linked role is what updates in place need.
            "ReplaceComputeEnvironment": False,
            # A changed machine replaces the old ones; what runs there has as long as Batch allows.
            "UpdatePolicy": {"TerminateJobsOnUpdate": False, "JobExecutionTimeoutMinutes": 360},
            "ComputeResources": resources,
            "Tags": {TAG: settings.name},
        },
    }


def _queue(settings: Settings, kind: Capacity) -> Json:
    return {
        "Type": "AWS::Batch::JobQueue",
        "Properties": {
            "JobQueueName": f"{settings.stack}-{kind.id}",
            "State": "ENABLED",
            "Priority": 1,
            "ComputeEnvironmentOrder": [
                {"Order": 1, "ComputeEnvironment": {"Ref": f"{kind.logical}Machines"}}
            ],
            "Tags": {TAG: settings.name},
        },
    }


def _budget(settings: Settings) -> Json:
    """Tells by mail, and stops nothing. It counts what carries the tag, once that is a cost allocation tag."""
    mail = [{"SubscriptionType": "EMAIL", "Address": settings.budget_email}]
    alerts = [("ACTUAL", 80), ("FORECASTED", 100)]
    return {
        "Type": "AWS::Budgets::Budget",
        "Properties": {
            "Budget": {
                "BudgetName": settings.stack,
                "BudgetType": "COST",
                "TimeUnit": "MONTHLY",
                "BudgetLimit": {"Amount": settings.budget, "Unit": "USD"},
                "CostFilters": {"TagKeyValue": [f"user:{TAG}${settings.name}"]},
            },
            "NotificationsWithSubscribers": [
                {
                    "Notification": {
                        "NotificationType": kind,
                        "ComparisonOperator": "GREATER_THAN",
                        "Threshold": percent,
                        "ThresholdType": "PERCENTAGE",
                    },
                    "Subscribers": mail,
                }
                for kind, percent in alerts
            ],
        },
    }


def _outputs(settings: Settings, kinds: list[Capacity]) -> Json:
    """Everything that the snippet, ``status`` and ``destroy`` need later, without the settings."""
    given: Json = {
        "WorkDir": settings.work_dir,
        "JobRole": {"Fn::GetAtt": ["JobRole", "Arn"]},
        "HubPolicy": {"Ref": "HubPolicy"},
        "LogGroup": policies.log_group(settings),
        "SecurityGroup": {"Fn::GetAtt": ["SecurityGroup", "GroupId"]},
        "GatePorts": "{}-{}".format(*settings.gate_ports),
        "Networks": ",".join(settings.networks),
        "TagKey": TAG,
        "AgentFolder": AGENT_FOLDER,
        "ScratchFolder": SCRATCH_FOLDER,
        "BundleKey": settings.bundle.key,
        "BundleSha256": settings.bundle.sha256,
        **{f"{kind.logical}Queue": {"Ref": f"{kind.logical}Queue"} for kind in kinds},
    }
    return {name: {"Value": value} for name, value in given.items()}
