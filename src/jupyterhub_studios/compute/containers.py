"""What a job looks like to a Docker engine, and what the engine's answers mean. Pure: no I/O."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ..images.bundle import COMMAND, ENVIRONMENT
from ..images.bundle import PLACE as BUNDLE
from ..images.credentials import Login
from ..models import (
    SCRATCH,
    ComputeEnvironment,
    ContainerSettings,
    DockerSettings,
    ImageConfig,
    Job,
    JobStatus,
    RunningJob,
)

IMAGE_VARIABLE = "STUDIOS_IMAGE"
LABEL = "io.jupyterhub.studios."  # before the name of each tag
STOP_SECONDS = 120  # how long the engine waits for a save when it is shut down itself
LOG_OPTIONS = {"max-size": "10m", "max-file": "2"}


@dataclass(frozen=True)
class Start:
    """How the agent is started: from the bundle that the machine has; without one, by the image itself."""

    command: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


def start(settings: ContainerSettings) -> Start:
    return Start(COMMAND, ENVIRONMENT) if settings.bundle else Start()


def container(env: ComputeEnvironment, settings: DockerSettings, job: Job, image: Image) -> dict[str, Any]:
    """The body of POST /containers/create."""
    memory = job.memory_mib << 20
    host: dict[str, Any] = {
        "NanoCpus": round(job.cpus * 1e9),
        "Memory": memory,
        "MemorySwap": memory,  # none: a studio that swaps is slower than one that is told so
        "NetworkMode": settings.network,
        **_mounts(env, settings, job),
        # The agent mounts, and gives none of this on to the session.
        "CapAdd": ["SYS_ADMIN"],
        "SecurityOpt": ["seccomp=unconfined", "apparmor=unconfined"],
        "Devices": [{"PathOnHost": "/dev/fuse", "PathInContainer": "/dev/fuse", "CgroupPermissions": "rwm"}],
        "Privileged": settings.privileged,
        "LogConfig": {"Type": "json-file", "Config": LOG_OPTIONS},
        "RestartPolicy": {"Name": "no"},
        "Ulimits": [{"Name": name, "Soft": n, "Hard": n} for name, n in sorted(settings.ulimits.items())],
    }
    if settings.shared_memory_mib is not None:
        host["ShmSize"] = settings.shared_memory_mib << 20
    if job.gpus:
        host["DeviceRequests"] = [{"Driver": "nvidia", "Count": job.gpus, "Capabilities": [["gpu"]]}]
    begin = start(settings)
    variables = {
        **begin.environment,
        **job.environment,
        IMAGE_VARIABLE: image.config.model_dump_json(exclude_defaults=True),
    }
    body: dict[str, Any] = {
        "Image": image.id,
        "User": "0:0",  # the image's own user is for its own program
        "Env": [f"{name}={value}" for name, value in variables.items()],
        "Labels": labels({**settings.tags, **job.tags}),
        "StopTimeout": STOP_SECONDS,
        "HostConfig": host,
    }
    if begin.command:
        body |= {"Entrypoint": list(begin.command), "Cmd": []}
    return body


def _mounts(env: ComputeEnvironment, settings: DockerSettings, job: Job) -> dict[str, Any]:
    mounts: list[dict[str, Any]] = []
    if not env.scratch:
        options = {"Labels": labels(job.tags)}
        mounts.append({"Type": "volume", "Source": job.name, "Target": SCRATCH, "VolumeOptions": options})
    if settings.bundle:
        mounts.append({"Type": "bind", "Source": settings.bundle, "Target": BUNDLE, "ReadOnly": True})
    # In this form the engine makes the folder when it is not there.
    return {"Mounts": mounts, "Binds": [f"{env.scratch}:{SCRATCH}"] if env.scratch else []}


def labels(tags: dict[str, str]) -> dict[str, str]:
    return {f"{LABEL}{name}": value for name, value in tags.items()}


# --- images ---


@dataclass(frozen=True)
class Image:
    id: str  # the engine's own, by which containers are made
    config: ImageConfig


def image(reference: str, found: dict[str, Any]) -> Image:
    """From GET /images/{name}/json."""
    config = found.get("Config") or {}
    pairs = (pair.partition("=") for pair in config.get("Env") or [])
    return Image(
        found["Id"],
        ImageConfig(
            image=reference,
            digest=_digest(reference, found),
            entrypoint=config.get("Entrypoint") or [],
            command=config.get("Cmd") or [],
            user=config.get("User") or "",
            environment={name: value for name, _, value in pairs},
            workdir=config.get("WorkingDir") or "",
        ),
    )


def _digest(reference: str, found: dict[str, Any]) -> str:
    """What the image's registry calls these bytes; of an image that came from none, the engine's own id."""
    for known in found.get("RepoDigests") or []:
        repository, _, digest = known.partition("@")
        if repository == repository_of(reference):
            return str(digest)
    return str(found["Id"])


def repository_of(reference: str) -> str:
    """``reference`` without tag and digest."""
    name = reference.partition("@")[0]
    head, slash, last = name.rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}"


def registry_auth(login: Login, registry: str) -> str:
    """The header X-Registry-Auth, by which an engine signs in for one pull."""
    if login.user == "<token>":  # as credential helpers say of a token
        document = {"identitytoken": login.password, "serveraddress": registry}
    else:
        document = {"username": login.user, "password": login.password, "serveraddress": registry}
    return base64.urlsafe_b64encode(json.dumps(document).encode()).decode()


class Pull:
    """The engine answers 200 to a pull, and tells in the stream how it goes."""

    def __init__(self) -> None:
        self.fault: str | None = None
        self._layers: dict[str, tuple[int, int]] = {}  # by id: bytes that are here, bytes of all

    def read(self, line: bytes) -> None:
        try:
            told = json.loads(line)
        except ValueError:
            return
        if "error" in told:
            self.fault = str(told["error"])
        layer, detail = str(told.get("id", "")), told.get("progressDetail") or {}
        if told.get("status") == "Downloading" and detail.get("total"):
            self._layers[layer] = (int(detail["current"]), int(detail["total"]))
        elif told.get("status") in ("Download complete", "Pull complete") and layer in self._layers:
            total = self._layers[layer][1]
            self._layers[layer] = (total, total)

    @property
    def words(self) -> str:
        if not self._layers:
            return "Fetching the image"
        here, size = (sum(pair[n] for pair in self._layers.values()) / 1e6 for n in (0, 1))
        return f"Fetching the image: {here:.0f} of {size:.0f} MB"


# --- what the engine says ---


def moment(text: str) -> datetime:
    """The engine's times have nanoseconds."""
    return datetime.fromisoformat(re.sub(r"(\.\d{6})\d*", r"\1", text))


def seconds(text: str | None) -> str | None:
    """The time of a log line as the engine takes it back."""
    return None if text is None else str(int(moment(text).timestamp()))


def status(listed: dict[str, Any]) -> JobStatus | None:
    """Of an entry of GET /containers/json; None: it has ended, and must be looked at closer."""
    match listed["State"]:
        case "created":
            return JobStatus(state="starting", reason="its container is being started")
        case "running" | "paused" | "restarting":
            return JobStatus(state="running")
    return None


def ended(found: dict[str, Any], memory_mib: int, last_words: str) -> JobStatus:
    """Of GET /containers/{id}/json, when it has ended."""
    state = found["State"]
    code = int(state["ExitCode"])
    if code == 0:
        return JobStatus(state="succeeded", exit_code=0)
    if state.get("OOMKilled"):
        reason = f"it was killed because it needed more than its {memory_mib} MiB of memory"
    elif state.get("Error"):
        reason = f"the engine says: {state['Error']}"
    else:
        how = f"killed by signal {code - 128}" if code > 128 else f"exit code {code}"
        reason = f"the agent ended ({how})" + (f": {last_words}" if last_words else "")
    return JobStatus(state="failed", exit_code=code, reason=reason)


def running_job(listed: dict[str, Any]) -> RunningJob:
    return RunningJob(
        job_id=listed["Id"],
        session_id=listed["Labels"].get(f"{LABEL}session", ""),
        created_at=datetime.fromtimestamp(listed["Created"], UTC),
    )
