"""What an administrator asks of the forge."""

from __future__ import annotations

import re
from typing import Annotated, Any, Self

from pydantic import Field, StringConstraints, ValidationError, field_validator, model_validator

from ..models import Model, StudiosError

TAG = "studios:forge"
"""On everything the forge makes and on every job it runs; the value is the forge's name."""

AGENT_FOLDER = "/opt/studios/agent"
SCRATCH_FOLDER = "/var/lib/studios/scratch"
BUNDLES = ".studios-agent"  # below the work dir: the agent bundles that machines fetch


def _id(kind: str) -> str:
    """The form of AWS' ids: eight hex digits, or seventeen of newer ones."""
    return rf"^{kind}-([0-9a-f]{{8}}|[0-9a-f]{{17}})$"


InstanceType = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)?$")]
ImageName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][A-Za-z0-9._:/@-]*$", max_length=512)]


class Bundle(Model):
    """An agent bundle in the bucket."""

    key: str
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class Settings(Model):
    """One forge. Field names are those of the command's options, so that faults name what was typed."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{1,22}[a-z0-9]$")
    region: str
    vpc: str = Field(pattern=_id("vpc"))
    subnets: list[Annotated[str, StringConstraints(pattern=_id("subnet"))]] = Field(min_length=1)
    networks: list[str] = Field(min_length=1)  # of the VPC, as CIDRs: where gates can be
    bucket: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")
    prefix: str = Field(default="", pattern=r"^([A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*)?$")
    bundle: Bundle

    hub_security_group: str | None = Field(default=None, pattern=_id("sg"))
    hub_cidr: str | None = Field(default=None, pattern=r"^\d{1,3}(\.\d{1,3}){3}/\d{1,2}$")
    hub_role: str | None = Field(default=None, pattern=r"^[\w+=,.@-]{1,64}$")
    gate_ports: tuple[int, int] = (8500, 8999)

    spot: bool = False
    gpu: bool = False
    instance_types: list[InstanceType] = Field(
        default=["m7i", "m6i", "c7i", "c6i", "r7i", "r6i"], min_length=1
    )
    gpu_instance_types: list[InstanceType] = Field(default=["g6", "g5", "g4dn"], min_length=1)
    max_vcpus: int = Field(default=256, ge=1, le=100_000)
    warm_minutes: int = 0
    scratch_gib: int = Field(default=200, ge=20, le=16_384)
    image_gib: int = Field(default=100, ge=30, le=16_384)
    images: list[ImageName] = Field(default=[])  # pulled when a machine starts, before a studio asks for them

    log_days: int = 30
    budget: int | None = Field(default=None, ge=1)  # US dollars a month
    budget_email: str | None = Field(default=None, pattern=r"^[^@\s]+@[^@\s]+$", max_length=50)

    @field_validator("warm_minutes")
    @classmethod
    def _warm(cls, value: int) -> int:
        if value and not 20 <= value <= 10_080:
            raise ValueError("0, or 20 to 10080: AWS Batch keeps machines no shorter and no longer")
        return value

    @field_validator("log_days")
    @classmethod
    def _days(cls, value: int) -> int:
        if value not in LOG_DAYS:
            raise ValueError(f"CloudWatch knows {', '.join(map(str, LOG_DAYS))}")
        return value

    @field_validator("gate_ports")
    @classmethod
    def _ports(cls, value: tuple[int, int]) -> tuple[int, int]:
        if not 1024 <= value[0] <= value[1] <= 32_767:
            raise ValueError("FIRST-LAST between 1024 and 32767, below the ports of outgoing connections")
        return value

    @model_validator(mode="after")
    def _together(self) -> Self:
        if self.hub_security_group is None and self.hub_cidr is None:
            raise ValueError(
                "give --hub-security-group or --hub-cidr: nobody else may reach a session's gate"
            )
        if (self.budget is None) != (self.budget_email is None):
            raise ValueError("--budget and --budget-email belong together")
        return self

    @property
    def stack(self) -> str:
        return f"studios-{self.name}"

    @property
    def work_dir(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/") + "/"

    def key(self, name: str) -> str:
        """The object key of ``name`` below the work dir."""
        return f"{self.prefix}/{name}" if self.prefix else name


LOG_DAYS = (
    1,
    3,
    5,
    7,
    14,
    30,
    60,
    90,
    120,
    150,
    180,
    365,
    400,
    545,
    731,
    1096,
    1827,
    2192,
    2557,
    2922,
    3288,
    3653,
)


FORMS = {
    "name": "a name: 3 to 24 lower-case letters, digits and hyphens, a letter first",
    "vpc": "the id of a VPC, such as vpc-0123456789abcdef0",
    "subnets": "the id of a subnet, such as subnet-0123456789abcdef0",
    "bucket": "the name of a bucket, maybe with a prefix: NAME/PREFIX",
    "prefix": "a prefix of letters, digits, dots, hyphens and slashes",
    "hub_security_group": "the id of a security group, such as sg-0123456789abcdef0",
    "hub_cidr": "a network, such as 10.20.0.0/24",
    "hub_role": "the name of an IAM role (not its ARN)",
    "instance_types": "an instance type or family, such as m7i or m7i.xlarge",
    "gpu_instance_types": "an instance type or family, such as g6 or g6.xlarge",
    "images": "the name of an image",
    "budget_email": "a mail address",
}


def parse(**given: object) -> Settings:
    """The settings, or a :class:`StudiosError` that names the options at fault."""
    try:
        return Settings.model_validate({name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        faults = "; ".join(_fault(dict(fault)) for fault in error.errors())
        raise StudiosError(
            "The forge cannot be made like this", faults, "Correct the options", status=422
        ) from None


def _fault(fault: dict[str, Any]) -> str:
    if not fault["loc"]:
        return str(fault["msg"]).removeprefix("Value error, ")
    name = str(fault["loc"][0])
    option = OPTIONS.get(name, "--" + name.replace("_", "-"))
    if fault["type"] == "string_pattern_mismatch":
        return f"{option}: “{fault['input']}” is not {FORMS[name]}"
    return f"{option}: {str(fault['msg']).removeprefix('Value error, ')}"


OPTIONS = {"images": "--image", "prefix": "--bucket"}  # of fields that have another name there


def split_bucket(word: str) -> tuple[str, str]:
    """``NAME``, ``NAME/prefix`` or ``s3://NAME/prefix`` as bucket and prefix."""
    name, _, prefix = re.sub(r"^s3://", "", word).partition("/")
    return name, prefix.strip("/")
