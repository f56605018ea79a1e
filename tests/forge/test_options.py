"""What is asked for, and what is wrong with it in words."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from jupyterhub_studios.forge.settings import FORMS, Settings
from jupyterhub_studios.models import StudiosError

from .conftest import settings

Run = Callable[..., tuple[int, str, str]]


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"name": "Lab"}, "--name: “Lab” is not a name: 3 to 24 lower-case letters"),
        ({"vpc": "vpc-1"}, "--vpc: “vpc-1” is not the id of a VPC, such as vpc-0123456789abcdef0"),
        ({"subnets": ["subnet-1"]}, "--subnets: “subnet-1” is not the id of a subnet"),
        ({"bucket": "Lab"}, "--bucket: “Lab” is not the name of a bucket"),
        ({"prefix": "a b"}, "--bucket: “a b” is not a prefix of letters"),
        ({"hub_security_group": "hub"}, "--hub-security-group: “hub” is not the id of a security group"),
        ({"hub_cidr": "10.20.0.0"}, "--hub-cidr: “10.20.0.0” is not a network, such as 10.20.0.0/24"),
        ({"hub_role": "arn:aws:iam::1:role/hub"}, "is not the name of an IAM role (not its ARN)"),
        ({"gpu_instance_types": ["G6"]}, "--gpu-instance-types: “G6” is not an instance type or family"),
        ({"budget": 5, "budget_email": "me"}, "--budget-email: “me” is not a mail address"),
        ({"hub_security_group": None}, "give --hub-security-group or --hub-cidr"),
        ({"budget": 5}, "--budget and --budget-email belong together"),
        ({"warm_minutes": 5}, "--warm-minutes: 0, or 20 to 10080"),
        ({"log_days": 2}, "--log-days: CloudWatch knows 1, 3, 5"),
        ({"gate_ports": (80, 90)}, "--gate-ports: FIRST-LAST between 1024 and 32767"),
        ({"gate_ports": (9000, 8000)}, "--gate-ports: FIRST-LAST between 1024 and 32767"),
        ({"images": ["x; reboot"]}, "--image: “x; reboot” is not the name of an image"),
        (
            {"instance_types": ["m6i large"]},
            "--instance-types: “m6i large” is not an instance type or family",
        ),
        ({"max_vcpus": 0}, "--max-vcpus: Input should be greater than or equal to 1"),
    ],
)
def test_options_at_fault_are_named(given: dict[str, Any], text: str) -> None:
    with pytest.raises(StudiosError) as raised:
        settings(**given)
    assert text in raised.value.problem.detail


def test_wrong_words_are_wrong_usage(forge: Run) -> None:
    code, _, err = forge("create", "--vpc", "vpc-1", "--bucket", "x", "--gate-ports", "80")
    assert code == 2
    assert "“80” is not FIRST-LAST, such as 8500-8999" in err


def test_every_form_is_told_in_words() -> None:
    """A pattern's own text would help nobody."""
    schema = Settings.model_json_schema()["properties"]
    patterned = {name for name, field in schema.items() if '"pattern"' in json.dumps(field)}
    assert patterned == set(FORMS)
