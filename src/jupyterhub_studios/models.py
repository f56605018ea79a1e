"""The words of the project as data: what the Hub, the service, the agent and the pages tell each other.

No I/O here, and nothing of ours is imported. Times are aware UTC datetimes, sizes are bytes unless the
name says otherwise, ids are opaque strings.
"""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

NAME_MAX = 80
SERVER_NAME_MAX = 30  # JupyterHub 6's own limit for named servers


def now() -> datetime:
    return datetime.now(UTC)


def new_id(prefix: str) -> str:
    """An opaque id such as ``st-k3v9x2m4q8wz``: 60 random bits, safe in URLs, file and job names."""
    alphabet = "abcdefghijkmnpqrstuvwxyz23456789"
    return f"{prefix}-" + "".join(secrets.choice(alphabet) for _ in range(12))


def server_name_for(name: str, taken: set[str]) -> str:
    """The URL name of a studio called ``name``: lowercase, digits, single hyphens, unique among ``taken``."""
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    if not slug or not slug[0].isalpha():
        slug = f"s-{slug}".rstrip("-")
    slug = slug[:SERVER_NAME_MAX].rstrip("-")
    candidate, n = slug, 2
    while candidate in taken:
        suffix = f"-{n}"
        candidate, n = slug[: SERVER_NAME_MAX - len(suffix)].rstrip("-") + suffix, n + 1
    return candidate


def _clean_name(value: str) -> str:
    if any(ord(c) < 32 or ord(c) == 127 for c in value):
        raise ValueError("a name must not hold control characters")
    return value


Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=NAME_MAX),
    AfterValidator(_clean_name),
]


class Model(BaseModel):
    """Base of everything sent or stored: unknown fields are an error, so that a typo is told."""

    model_config = ConfigDict(extra="forbid")


# --- what an administrator offers -------------------------------------------------------------------


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


# --- studios ---------------------------------------------------------------------------------------


class StudioSpec(Model):
    """What a person asks for: the body of POST /studios, and the Hub's user_options of a named server."""

    name: Name
    template: str
    compute_environment: str | None = None  # None: the first that is allowed
    description: str = Field(default="", max_length=2048)
    cpus: float = Field(default=2, gt=0, le=1024)
    memory_mib: int = Field(default=8192, ge=256, le=24 * 1024 * 1024)
    gpus: int = Field(default=0, ge=0, le=64)
    lifespan_hours: int = Field(default=8, ge=0, le=120)
    image: str | None = Field(default=None, max_length=512)
    environment: dict[str, str] = {}
    from_checkpoint: str | None = None


class StudioState(StrEnum):
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"
    ERRORED = "errored"


class SessionState(StrEnum):
    """One run: ``starting`` → ``running`` → ``stopping`` → ``stopped``, or ``errored`` from anywhere."""

    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"
    ERRORED = "errored"

    @property
    def ended(self) -> bool:
        return self in (SessionState.STOPPED, SessionState.ERRORED)


PHASES = ("queued", "host", "image", "restore", "data", "app", "ready")
"""A start's phases in order: waiting for compute · the agent is up · root prepared · checkpoint
fetched and mounted · data mounted · the app answers · the gate is open."""

PhaseName = Literal["queued", "host", "image", "restore", "data", "app", "ready"]


class Phase(Model):
    name: PhaseName
    status: Literal["pending", "running", "done", "failed"] = "pending"
    started_at: datetime | None = None
    ended_at: datetime | None = None
    message: str = ""


class Event(Model):
    """One line of a session's history, shown to people and kept after the end."""

    at: datetime
    kind: str  # phase, saved, save-failed, stop, app, lost, ...
    message: str
    level: Literal["info", "warning", "error"] = "info"


class RootMode(StrEnum):
    """How much of the filesystem a studio keeps: everything, or its home directory alone."""

    OVERLAY = "overlay"
    HOME = "home"


# --- checkpoints -----------------------------------------------------------------------------------


class CheckpointStatus(StrEnum):
    INTERIM = "interim"  # its session still runs, or was lost: restorable, as of saved_at
    FINALISED = "finalised"
    INVALID = "invalid"  # a layer is missing or damaged


class LayerRef(Model):
    digest: str = Field(pattern=r"^[0-9a-f]{64}$")  # SHA-256 of the squashfs file
    size: int  # bytes of the squashfs file
    files: int  # entries in it
    created_at: datetime


class Base(Model):
    """The bytes below the layers: an image and its digest, or the host itself."""

    image: str
    digest: str


class Package(Model):
    manager: Literal["dpkg", "pip", "r", "conda"]
    name: str
    version: str
    change: Literal["added", "changed", "removed"] = "added"


class Checkpoint(Model):
    """A restorable state of a studio's filesystem: ``layers`` from the lowest to the uppermost."""

    id: str
    studio_id: str
    session_id: str | None = None  # None: a fork's first checkpoint
    name: str
    status: CheckpointStatus
    created_at: datetime
    saved_at: datetime
    author: str
    epoch: int
    layers: list[LayerRef] = []
    base: Base
    root_mode: RootMode = RootMode.OVERLAY
    installed: list[Package] = []
    parent: str | None = None  # the checkpoint it continues, or was forked from
    message: str = ""  # why it is invalid, or what could not be captured

    @property
    def size(self) -> int:
        return sum(layer.size for layer in self.layers)


# --- jobs ------------------------------------------------------------------------------------------


class Job(Model):
    """What the spawner hands to a compute environment. Anybody may read a job, so nothing here is secret
    but ``environment["STUDIOS_BOOTSTRAP_CODE"]``, which works once."""

    session_id: str
    name: str
    image: str | None = None
    cpus: float
    memory_mib: int
    gpus: int = 0
    environment: dict[str, str] = {}
    tags: dict[str, str] = {}


class JobStatus(Model):
    """What a compute environment says of a job. ``unknown`` means it could not be asked, or does not know
    the job yet: never a reason to think that the job has ended."""

    state: Literal["queued", "starting", "running", "succeeded", "failed", "lost", "unknown"]
    exit_code: int | None = None
    reason: str = ""

    @property
    def ended(self) -> bool:
        return self.state in ("succeeded", "failed", "lost")


# --- service ⇄ spawner (HTTP, below /internal, authenticated by the service's token) -----------------


class LaunchRequest(Model):
    """POST /internal/launches: the Hub starts a named server."""

    owner: str
    owner_groups: list[str] = []
    server_name: str
    display_name: str = ""
    prefix: str  # /user/<owner>/<server>/ below the Hub's base URL, quoted, with the base URL
    user_options: dict[str, object] = {}


class Launch(Model):
    """Its answer. ``bootstrap_url`` and the one-time code are already in ``job.environment``."""

    session_id: str
    studio_id: str
    compute_environment: str
    job: Job


class SessionProgress(Model):
    """GET /internal/sessions/{id}?after=<version>&wait=<s>: answers when ``version`` has passed ``after``."""

    version: int
    state: SessionState
    message: str = ""
    phases: list[Phase] = []
    address: str | None = None  # http://ip:port of the gate, once ready
    agent_seen: bool = False  # the bootstrap code was redeemed
    connected: bool = False  # the agent's control channel is up
    durable: bool = False  # stopped, and the last checkpoint is in the bucket
    force: bool = False  # a person gave up waiting: the job may be ended without a save


class SessionStop(Model):
    """POST /internal/sessions/{id}/stop"""

    reason: str = "stopped by the Hub"


class SessionEnded(Model):
    """POST /internal/sessions/{id}/ended: the job is definitely over, however it ended."""

    state: Literal["succeeded", "failed", "lost"]
    exit_code: int | None = None
    reason: str = ""


# --- agent ⇄ service -------------------------------------------------------------------------------


class StoreAccess(Model):
    url: str
    options: dict[str, str] = Field(default={}, repr=False)


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
    hide: list[str] = []
    scratch: str  # folder for this job's files
    save_interval: float = 300.0  # seconds
    gate_host: str = "127.0.0.1"
    gate_ports: tuple[int, int] = (0, 0)  # (0, 0): any free port


class AgentMessage(Model):
    """Agent → service, over the control channel. ``seq`` grows by one with each message of a session and is
    acknowledged, so that none is lost or counted twice when either side restarts. Fields that a kind
    does not use stay empty."""

    seq: int
    kind: Literal["phase", "address", "event", "saved", "log", "activity", "stopping", "stopped", "failed"]
    phase: Phase | None = None  # phase
    address: str | None = None  # address: http://ip:port
    event: Event | None = None  # event
    checkpoint: Checkpoint | None = None  # saved, stopped
    log: str | None = None  # log: text, possibly many lines
    people: list[str] = []  # activity: who is connected now
    active_at: datetime | None = None  # activity: last request or input that was not polling
    message: str = ""  # stopping, stopped, failed: what people read
    root_mode: RootMode | None = None  # address: how much is kept
    request: str | None = None  # saved, failed: the id of the Command it answers


class Hello(Model):
    """First frame of the service on a control connection: where to go on from."""

    acked: int  # highest AgentMessage.seq that is stored


class Ack(Model):
    """Service → agent after every stored AgentMessage."""

    acked: int


class Command(Model):
    """Service → agent. Commands are repeated after a reconnect until answered; ``id`` makes them idempotent."""

    id: str
    kind: Literal["stop", "save", "revoke"]
    reason: str = ""  # stop: shown to people
    name: str | None = None  # save: name of the checkpoint
    author: str | None = None  # save
    user: str | None = (
        None  # revoke: whose tickets, cookies and sockets end; None: everybody's but the owner's
    )


# --- problems --------------------------------------------------------------------------------------


class Problem(Model):
    """RFC 9457 problem document: ``title`` is what, ``detail`` is why, ``action`` is what to do."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str = ""
    action: str = ""
    field: str | None = None


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:].rstrip(".") + "."


class StudiosError(Exception):
    """An error that people can act on. ``status`` is the HTTP status it becomes in an answer."""

    def __init__(
        self, title: str, detail: str = "", action: str = "", *, status: int = 400, field: str | None = None
    ):
        super().__init__(" ".join(_sentence(part) for part in (title, detail, action) if part))
        self.problem = Problem(title=title, detail=detail, action=action, status=status, field=field)


# --- REST API v1: what lists and pages show ----------------------------------------------------------


class SessionView(Model):
    id: str
    studio_id: str
    state: SessionState
    message: str = ""
    started_at: datetime
    ready_at: datetime | None = None
    ended_at: datetime | None = None
    phases: list[Phase] = []
    connected: bool = False
    people: list[str] = []


class CheckpointView(Model):
    id: str
    studio_id: str
    session_id: str | None
    name: str
    status: CheckpointStatus
    created_at: datetime
    saved_at: datetime
    author: str
    size: int
    layers: list[LayerRef]
    installed: list[Package]
    base: Base
    root_mode: RootMode
    parent: str | None
    message: str
    current: bool  # what the studio's next start restores


class StudioView(Model):
    id: str
    name: str
    description: str
    owner: str
    server_name: str
    template: str
    compute_environment: str
    state: StudioState
    message: str = ""
    url: str  # where "Open" leads (path on the Hub's origin)
    created_at: datetime
    cpus: float
    memory_mib: int
    gpus: int
    lifespan_hours: int
    image: str | None
    environment: dict[str, str]
    session: SessionView | None = None  # the latest
    saved: CheckpointView | None = None  # the current checkpoint
    forked_from: str | None = None
    root_mode: RootMode | None = None  # None: not known before the first start
    may: list[Literal["open", "start", "stop", "force", "save", "edit", "delete", "fork"]] = []
