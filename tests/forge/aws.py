"""AWS for tests: moto's server in this process, with what it lacks put right.

- A compute environment without a service role uses Batch's service-linked role; moto demands one.
- A change set of a new stack leaves moto's stack without outputs and without its tags.
- Templates are read as YAML by a slow parser, several times for each request; ours are JSON.

What it cannot do at all: update managed policies, remove queues and compute environments with their stack, make
budgets, tell events of single resources, fail.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import httpx
import pytest
from moto.batch.models import ComputeEnvironment
from moto.cloudformation.models import ChangeSet, Stack
from moto.server import ThreadedMotoServer

REGION = "eu-west-1"
# As moto spells it.
LINKED_ROLE = "arn:aws:iam::123456789012:role/aws-service-role/batch.amazonaws.com/AWSServiceRoleForbatch"
KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": REGION}


@dataclass
class Aws:
    url: str

    def client(self, service: str, region: str = REGION) -> Any:
        return boto3.client(service, endpoint_url=self.url, region_name=region)

    def vpc(
        self, public: int = 1, private: int = 2, region: str = REGION
    ) -> tuple[str, list[str], list[str]]:
        """A new VPC with subnets: its id, the public ones, the private ones."""
        ec2 = self.client("ec2", region)
        vpc = ec2.create_vpc(CidrBlock="10.20.0.0/16")["Vpc"]["VpcId"]
        subnets = [
            ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.20.{n}.0/24")["Subnet"]["SubnetId"]
            for n in range(public + private)
        ]
        for subnet in subnets[:public]:
            ec2.modify_subnet_attribute(SubnetId=subnet, MapPublicIpOnLaunch={"Value": True})
        return vpc, subnets[:public], subnets[public:]

    def reset(self) -> None:
        httpx.post(f"{self.url}/moto-api/reset").raise_for_status()


@contextlib.contextmanager
def running() -> Iterator[Aws]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    with _mended():
        server.start()
        host, port = server.get_host_and_port()
        try:
            yield Aws(f"http://{host}:{port}")
        finally:
            server.stop()


@contextlib.contextmanager
def _mended() -> Iterator[None]:
    create = ComputeEnvironment.create_from_cloudformation_json.__func__
    apply = ChangeSet.apply

    def with_linked_role(
        cls: Any, resource_name: str, cloudformation_json: Any, *args: Any, **more: Any
    ) -> Any:
        given = {"ServiceRole": LINKED_ROLE, **cloudformation_json["Properties"]}
        return create(cls, resource_name, {**cloudformation_json, "Properties": given}, *args, **more)

    def with_outputs(self: Any) -> None:
        apply(self)
        self.stack.template_dict = self.template_dict
        self.stack.output_map = self.stack._create_output_map()
        self.stack.tags = self.tags or self.stack.tags

    def parse(self: Any) -> None:
        self.template_dict = json.loads(self.template)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stack, "parse_template", staticmethod(json.loads))
        patch.setattr(ChangeSet, "_parse_template", parse)
        patch.setattr(ComputeEnvironment, "create_from_cloudformation_json", classmethod(with_linked_role))
        patch.setattr(ChangeSet, "apply", with_outputs)
        yield
