"""What an administrator offers."""

from __future__ import annotations

from enum import StrEnum
from ipaddress import ip_address, ip_network
from typing import Literal

from pydantic import Field, field_validator, model_validator

from .base import Model
from .lifetime import LifetimePolicy
from .mounts import Mounter


class Template(Model):
    """What runs in a studio: an app that serves HTTP on a unix socket or a loopback port.

    In ``command`` and ``environment`` the words ``{socket}`` ``{port}`` ``{prefix}`` ``{workdir}`` ``{python}``
    are replaced by the agent. An app given ``{port}`` listens on 127.0.0.1; one given ``{socket}`` on a 0600 socket.
    One that always listens on the same ``port`` gets a network of its own, where nobody but the gate reaches it.
    """

    id: str
    title: str
    description: str = ""
    icon: str = ""
    image: str | None = None
    command: list[str]  # empty: the image's own entrypoint and command, as the image says to run them
    port: int | None = Field(default=None, gt=0, lt=65536)  # where an app listens that takes no {port}
    environment: dict[str, str] = {}
    strip_prefix: bool = False  # True: the app is served from "/", the gate removes the studio's prefix
    ready_seconds: float = Field(default=120, gt=0)  # the app must answer within these
    ready_path: str = "/"  # below the prefix; any answer under 500 means ready
    default_path: str = "/"  # where "Open" leads, below the prefix
    skeleton: str | None = None  # folder copied into an empty /workspace at a studio's very first start
    lifetime: LifetimePolicy | None = None  # fields that replace those of c.Studios.lifetime


class Kind(StrEnum):
    AWS_BATCH = "aws-batch"
    DOCKER = "docker"
    LOCAL = "local"


class ContainerSettings(Model):
    """Of jobs that are containers."""

    bundle: str | None = (
        None  # folder of the machines that run jobs, with the agent bundle; None: images bring it
    )
    shared_memory_mib: int | None = Field(default=None, gt=0)  # size of /dev/shm; None: the engine's own (64)
    ulimits: dict[str, int] = {}  # such as {"nofile": 1048576}
    tags: dict[str, str] = {}  # of every job, beside our own (studio, session, owner, server, hub)


class AdaptSettings(Model):
    """Adding the agent to images in their registry, before their first use."""

    bundle: str  # folder of the Hub's machine, made by `studios image bundle`
    repository: str | None = None  # where the images with the agent go; None: beside those without


class DockerSettings(ContainerSettings):
    """A Docker engine."""

    engine: str = "unix:///var/run/docker.sock"  # or tcp://host:port
    network: str = "bridge"  # must be one that the Hub can dial: bridge on its own machine, else host
    privileged: bool = False  # also give the agent loop devices, with which restored files are read faster
    adapt: AdaptSettings | None = None  # None: images bring the agent, or `bundle` does


class BatchSettings(ContainerSettings):
    """A job queue of AWS Batch, whose compute environments are EC2 instances."""

    queue: str  # name or ARN
    job_role: str | None = None  # ARN of the role whose rights the job's processes have
    execution_role: str | None = None  # ARN of the role that pulls images and writes logs
    log_group: str = "/aws/batch/job"
    adapt: AdaptSettings | None = None  # None: images bring the agent, or `bundle` does
    attempts: int = Field(
        default=3, ge=1, le=10
    )  # how often a job is begun whose host is lost before it is up


class ComputeEnvironment(Model):
    """Where a studio runs, and where its checkpoints lie."""

    id: str
    title: str
    kind: Kind
    description: str = ""
    work_dir: str  # a bucket URL, s3://bucket/prefix, or file:///path
    store_options: dict[str, str] = Field(
        default={}, repr=False
    )  # obstore's options; never shown, never logged
    region: str | None = None
    writable_buckets: list[str] = []  # bucket URLs; what lies below may be mounted for writing
    mounter: Mounter = "rclone"  # of read-only mounts of S3; everything else is mounted by rclone
    templates: list[str] | None = None  # None: all
    allowed_users: list[str] | None = None  # None: all
    allowed_groups: list[str] | None = None
    max_cpus: float | None = None
    max_memory_mib: int | None = None
    price_per_hour: float | None = None
    hide: list[str] = []  # kind local: host paths that sessions must not see
    scratch: str | None = None  # folder for sessions' deltas, of the machines that run jobs
    gate_ports: tuple[int, int] = (0, 0)  # first and last port that gates listen on; (0, 0): any free one
    gate_networks: list[str] | None = (
        None  # where gates may be, as CIDRs; None: loopback (local), private networks
    )
    connect: Literal["direct", "tunnel"] = (
        "direct"  # tunnel: jobs cannot be dialled, they dial c.Studios.tunnel_bind
    )
    docker: DockerSettings | None = None  # kind docker
    batch: BatchSettings | None = None  # kind aws-batch
    lifetime: LifetimePolicy | None = None  # fields that replace those of c.Studios.lifetime and the template

    @field_validator("writable_buckets")
    @classmethod
    def _check_buckets(cls, value: list[str]) -> list[str]:
        for url in value:
            if "://" not in url.strip("/"):
                raise ValueError(f"{url!r} is not the URL of a bucket, such as s3://bucket/prefix/")
        return value

    @field_validator("work_dir")
    @classmethod
    def _check_work_dir(cls, value: str) -> str:
        scheme, found, place = value.partition("://")
        if not (scheme and found and place):
            raise ValueError(f"“{value}” is no URL; give s3://bucket/prefix, gs://…, az://… or file:///path")
        return value

    @field_validator("gate_networks")
    @classmethod
    def _check_networks(cls, value: list[str] | None) -> list[str] | None:
        for word in value or []:
            ip_network(word)
        return value

    @model_validator(mode="after")
    def _check_kind(self) -> ComputeEnvironment:
        if self.kind == Kind.DOCKER and self.docker is None:
            self.docker = DockerSettings()
        if self.kind == Kind.AWS_BATCH and (self.batch is None or self.region is None):
            raise ValueError("kind aws-batch needs region and batch with its queue")
        return self

    def admits(self, host: str, port: int) -> bool:
        """Whether a gate may be at this address. The Hub's proxy sends people there, so a job must not be
        able to name any address it likes."""
        address = ip_address(host)
        first, last = self.gate_ports
        if address.is_link_local or address.is_multicast or address.is_unspecified:
            return False  # cloud machines tell their secrets on link-local addresses
        if last and not first <= port <= last:
            return False
        networks = self.gate_networks
        if networks is None:
            networks = LOOPBACK if self.kind == Kind.LOCAL else PRIVATE
        return any(address in ip_network(word) for word in networks)


LOOPBACK = ["127.0.0.0/8", "::1/128"]
PRIVATE = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"]
