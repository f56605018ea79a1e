"""The template is sound for every combination of what can be asked for, and says what was asked for."""

import itertools
from typing import Any

import pytest
from cfnlint.api import lint
from cfnlint.core import get_rules

from jupyterhub_studios.forge.template import body, template

from .conftest import GIVEN, settings

RULES = get_rules([], [], ["I", "W", "E"])

SWITCHES: list[dict[str, Any]] = [
    {"spot": True},
    {"gpu": True},
    {"warm_minutes": 30, "images": ["quay.io/jupyter/base:1"]},
    {"budget": 500, "budget_email": "money@example.org"},
]
HUBS: list[dict[str, Any]] = [
    {},
    {"hub_role": "hub", "hub_cidr": "10.20.0.0/24"},
    {"hub_security_group": None, "hub_cidr": "10.20.0.0/24", "prefix": ""},
]
COMBINATIONS = [
    {key: value for switch, on in zip(SWITCHES, row, strict=True) if on for key, value in switch.items()}
    | hub
    for row in itertools.product([False, True], repeat=len(SWITCHES))
    for hub in HUBS
]


def faults(text: str) -> list[str]:
    found = lint(text, RULES, ["eu-west-1"])
    return [f"{f.rule.id} {'/'.join(map(str, f.path or []))}: {f.message}" for f in found]


@pytest.mark.parametrize("combination", COMBINATIONS, ids=lambda c: "+".join(c) or "plain")
def test_cfn_lint_finds_nothing(combination: dict[str, Any]) -> None:
    assert faults(body(settings(**combination))) == []


def test_cfn_lint_would_find_something() -> None:
    broken = body(settings()).replace("BEST_FIT_PROGRESSIVE", "BEST").replace("s3:GetObject", "s3:ReadObject")
    assert {fault.split()[0] for fault in faults(broken)} == {"E3030", "W3037"}


def resources(**more: Any) -> dict[str, Any]:
    found: dict[str, Any] = template(settings(**more))["Resources"]
    return found


def machines(name: str = "OnDemandMachines", **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = resources(**more)[name]["Properties"]["ComputeResources"]
    return found


def test_queues_are_those_asked_for() -> None:
    def queues(**more: Any) -> set[str]:
        return {name for name, r in resources(**more).items() if r["Type"] == "AWS::Batch::JobQueue"}

    assert queues() == {"OnDemandQueue"}
    assert queues(spot=True) == {"OnDemandQueue", "SpotQueue"}
    assert queues(spot=True, gpu=True) == {"OnDemandQueue", "SpotQueue", "GpuQueue"}


def test_machines_cost_nothing_while_nobody_works() -> None:
    for name in ("OnDemandMachines", "SpotMachines", "GpuMachines"):
        assert machines(name, spot=True, gpu=True)["MinvCpus"] == 0


def test_each_kind_of_machine() -> None:
    common = {"spot": True, "gpu": True, "max_vcpus": 64}
    on_demand, spot, gpu = (
        machines(n, **common) for n in ("OnDemandMachines", "SpotMachines", "GpuMachines")
    )
    assert [m["Type"] for m in (on_demand, spot, gpu)] == ["EC2", "SPOT", "EC2"]
    assert spot["AllocationStrategy"] == "SPOT_PRICE_CAPACITY_OPTIMIZED"
    assert gpu["Ec2Configuration"] == [{"ImageType": "ECS_AL2023_NVIDIA"}]
    assert gpu["InstanceTypes"] == ["g6", "g5", "g4dn"] != on_demand["InstanceTypes"]
    assert {m["MaxvCpus"] for m in (on_demand, spot, gpu)} == {64}


def test_warm_machines_only_where_asked_for() -> None:
    assert "ScalingPolicy" not in machines()
    assert machines(warm_minutes=45)["ScalingPolicy"] == {"MinScaleDownDelayMinutes": 45}


@pytest.mark.parametrize(
    ("hub", "sources"),
    [
        ({}, [{"SourceSecurityGroupId": GIVEN["hub_security_group"]}]),
        ({"hub_security_group": None, "hub_cidr": "10.1.0.0/24"}, [{"CidrIp": "10.1.0.0/24"}]),
        (
            {"hub_cidr": "10.1.0.0/24"},
            [{"SourceSecurityGroupId": GIVEN["hub_security_group"]}, {"CidrIp": "10.1.0.0/24"}],
        ),
    ],
)
def test_the_hub_alone_reaches_the_gates(hub: dict[str, Any], sources: list[dict[str, str]]) -> None:
    rules = resources(gate_ports=(9000, 9100), **hub)["SecurityGroup"]["Properties"]["SecurityGroupIngress"]
    about = {"IpProtocol": "tcp", "FromPort": 9000, "ToPort": 9100, "Description": "The Hub to the gates"}
    assert rules == [about | source for source in sources]


def test_disks_are_encrypted_and_go_with_their_machine() -> None:
    data = resources(scratch_gib=321, image_gib=77)["Machine"]["Properties"]["LaunchTemplateData"]
    volumes = {m["DeviceName"]: m["Ebs"] for m in data["BlockDeviceMappings"]}
    assert {name: v["VolumeSize"] for name, v in volumes.items()} == {"/dev/xvda": 77, "/dev/xvdb": 321}
    assert all(v["Encrypted"] and v["DeleteOnTermination"] for v in volumes.values())
    assert data["MetadataOptions"]["HttpTokens"] == "required"


def test_costs_can_be_told_apart() -> None:
    """What costs money carries the tag: machines, their volumes; and the budget counts it."""
    found = resources(budget=500, budget_email="money@example.org")
    assert found["OnDemandMachines"]["Properties"]["ComputeResources"]["Tags"]["studios:forge"] == "lab"
    volume = found["Machine"]["Properties"]["LaunchTemplateData"]["TagSpecifications"][0]
    assert volume["ResourceType"] == "volume"
    assert {"Key": "studios:forge", "Value": "lab"} in volume["Tags"]
    budget = found["Budget"]["Properties"]["Budget"]
    assert budget["CostFilters"] == {"TagKeyValue": ["user:studios:forge$lab"]}
    assert budget["BudgetLimit"] == {"Amount": 500, "Unit": "USD"}


def test_the_bucket_is_not_in_the_stack() -> None:
    assert not [r for r in resources(spot=True, gpu=True).values() if r["Type"].startswith("AWS::S3")]


def test_logs_go_after_the_days_asked_for() -> None:
    assert resources(log_days=7)["LogGroup"]["Properties"]["RetentionInDays"] == 7


def test_the_largest_template_can_be_sent_as_it_is() -> None:
    """CloudFormation takes 51,200 bytes; beyond, a template would have to go through a bucket."""
    everything = {k: v for switch in (*SWITCHES, HUBS[1]) for k, v in switch.items()}
    everything["images"] = [
        f"123456789012.dkr.ecr.eu-west-1.amazonaws.com/image-{n}:latest" for n in range(30)
    ]
    assert len(body(settings(**everything)).encode()) < 45_000
