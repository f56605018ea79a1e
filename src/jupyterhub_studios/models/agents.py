"""Agent ⇄ service: the bootstrap exchange and the control channel."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from .base import Model
from .checkpoints import Checkpoint
from .lifetime import Observation
from .mounts import MountAccess, MountStatus
from .offers import Kind, Template
from .studios import Event, Phase, RootMode
from .tunnels import TunnelAccess


class StoreAccess(Model):
    url: str
    options: dict[str, str] = Field(default={}, repr=False)


class NextflowAccess(Model):
    """What a pipeline needs to run its tasks as jobs of the compute environment that the studio itself runs on."""

    queue: str  # name or ARN
    region: str
    work_dir: str  # bucket URL
    job_role: str | None = None  # ARN


class LaunchSpec(Model):
    """Answer of POST /agent/bootstrap {"code"}: everything the agent needs, secrets included. Told once."""

    session_id: str
    studio_id: str
    studio_name: str
    owner: str
    server_name: str
    prefix: str
    hub_prefix: str = "/hub/"
    kind: Kind
    template: Template
    environment: dict[str, str] = {}
    control_url: str  # ws(s)://…/services/studios/agent/control
    control_token: str = Field(repr=False)
    ticket_key: str = Field(repr=False)  # base64 of 32 bytes; verifies tickets and signs the gate's cookies
    enter_url: str  # path (or URL) of the service that gives out tickets
    public_url: str = ""  # of the Hub, empty when it is the visitor's own origin
    epoch: int  # grows with every session of the studio: fences zombies
    checkpoint: Checkpoint | None = None  # to restore; None at the first start
    store: StoreAccess
    mounts: list[MountAccess] = []
    nextflow: NextflowAccess | None = None  # kind aws-batch
    hide: list[str] = []
    scratch: str  # folder for this job's files
    save_interval: float = 300.0  # seconds
    report_seconds: float = 60.0  # between two observations of the session's use
    gate_host: str | None = "127.0.0.1"  # None: the address by which this machine reaches the service
    gate_ports: tuple[int, int] = (0, 0)  # (0, 0): any free port
    tunnel: TunnelAccess | None = None  # None: the Hub's proxy dials the gate itself


class AgentMessage(Model):
    """Agent → service, over the control channel. ``seq`` grows by one with each message of a session and is
    acknowledged, so that none is lost or counted twice when either side restarts. Fields that a kind
    does not use stay empty."""

    seq: int
    kind: Literal[
        "phase", "address", "event", "saved", "log", "activity", "wish", "mounts", "stopping", "stopped",
        "failed",
    ]  # fmt: skip
    phase: Phase | None = None  # phase
    address: str | None = None  # address: http://ip:port
    event: Event | None = None  # event
    checkpoint: Checkpoint | None = None  # saved, stopped
    log: str | None = None  # log: text, possibly many lines
    people: list[str] = []  # activity: who is connected now
    active_at: datetime | None = None  # activity: last request or input that was not polling
    observation: Observation | None = None  # activity: what the session does
    wish: Literal["keep", "extend"] | None = None  # wish: of somebody inside
    user: str | None = None  # wish: whose
    mounts: list[MountStatus] = []  # mounts: all of them, as they are now
    message: str = ""  # stopping, stopped, failed: what people read
    root_mode: RootMode | None = None  # address: how much is kept
    request: str | None = None  # saved, mounts, failed: the id of the Command it answers


class Hello(Model):
    """First frame of the service on a control connection: where to go on from."""

    acked: int  # highest AgentMessage.seq that is stored


class Ack(Model):
    """Service → agent after every stored AgentMessage."""

    acked: int


class Command(Model):
    """Service → agent. Commands are repeated after a reconnect until answered; ``id`` makes them idempotent."""

    id: str
    kind: Literal["stop", "save", "revoke", "refresh"]
    reason: str = ""  # stop: shown to people
    notice: float = 0.0  # stop: seconds that people inside are given after they were told
    name: str | None = None  # save: name of the checkpoint
    author: str | None = None  # save
    mount: str | None = None  # refresh: which is listed anew
    user: str | None = (
        None  # revoke: whose tickets, cookies and sockets end; None: everybody's but the owner's
    )
