"""What an administrator offers."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from .base import Model


class Template(Model):
    """What runs in a studio: an app that serves HTTP on a unix socket or a loopback port.

    In ``command`` and ``environment`` the words ``{socket}`` ``{port}`` ``{prefix}`` ``{workdir}`` ``{python}``
    are replaced by the agent. An app given ``{port}`` listens on 127.0.0.1; one given ``{socket}`` on a 0600 socket.
    """

    id: str
    title: str
    description: str = ""
    icon: str = ""
    image: str | None = None
    command: list[str]
    environment: dict[str, str] = {}
    strip_prefix: bool = False  # True: the app is served from "/", the gate removes the studio's prefix
    ready_seconds: float = Field(default=120, gt=0)  # the app must answer within these
    ready_path: str = "/"  # below the prefix; any answer under 500 means ready
    default_path: str = "/"  # where "Open" leads, below the prefix
    skeleton: str | None = None  # folder copied into an empty /workspace at a studio's very first start


class Kind(StrEnum):
    AWS_BATCH = "aws-batch"
    DOCKER = "docker"
    LOCAL = "local"


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
    templates: list[str] | None = None  # None: all
    allowed_users: list[str] | None = None  # None: all
    allowed_groups: list[str] | None = None
    max_cpus: float | None = None
    max_memory_mib: int | None = None
    price_per_hour: float | None = None
    hide: list[str] = []  # kind local: host paths that sessions must not see
    scratch: str | None = None  # kind local: folder for sessions' deltas
