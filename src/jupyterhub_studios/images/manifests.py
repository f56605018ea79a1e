"""Manifests and configs of images as documents. Pure: no I/O."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ..models import ImageConfig, StudiosError
from .bundle import COMMAND, ENVIRONMENT
from .layer import Layer
from .reference import Reference

Json = dict[str, Any]

OCI_INDEX, OCI_MANIFEST = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
)
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
INDEXES, MANIFESTS = (OCI_INDEX, DOCKER_LIST), (OCI_MANIFEST, DOCKER_MANIFEST)
ACCEPTED = (*INDEXES, *MANIFESTS)
LAYER_TYPES = {
    OCI_MANIFEST: "application/vnd.oci.image.layer.v1.tar+gzip",
    DOCKER_MANIFEST: "application/vnd.docker.image.rootfs.diff.tar.gzip",
}
CREATED_BY = "studios image adapt"
BASE_NAME, BASE_DIGEST = "org.opencontainers.image.base.name", "org.opencontainers.image.base.digest"


def choose(index: Json, architecture: str, image: Reference) -> str:
    """The digest of the manifest that is for Linux on ``architecture``."""
    offered = []
    for entry in index.get("manifests", []):
        platform = entry.get("platform") or {}
        if (platform.get("os"), platform.get("architecture")) == ("linux", architecture):
            return str(entry["digest"])
        offered.append(f"{platform.get('os', '?')}/{platform.get('architecture', '?')}")
    raise _other_platform(image, architecture, sorted({name for name in offered if "unknown" not in name}))


def check_platform(config: Json, architecture: str, image: Reference) -> None:
    found = (config.get("os", "linux"), config.get("architecture", architecture))
    if found != ("linux", architecture):
        raise _other_platform(image, architecture, ["/".join(found)])


def _other_platform(image: Reference, architecture: str, offered: Sequence[str]) -> StudiosError:
    return StudiosError(
        f"The image {image} is not made for linux/{architecture}",
        f"it is made for {', '.join(offered) or 'no platform that it names'}",
        "Choose another image, or an agent bundle made on such a machine", status=422,
    )  # fmt: skip


def unknown(media_type: str, image: Reference) -> StudiosError:
    return StudiosError(
        f"{image} is no image that can run",
        f"the registry calls it {media_type or 'nothing at all'}",
        "Choose an image in Docker's or OCI's format", status=422,
    )  # fmt: skip


def described(config: Json, image: Reference, digest: str) -> ImageConfig:
    """The image as the agent needs to know it."""
    own = config.get("config") or {}
    pairs = (pair.partition("=") for pair in own.get("Env") or [])
    return ImageConfig(
        image=str(image),
        digest=digest,
        entrypoint=own.get("Entrypoint") or [],
        command=own.get("Cmd") or [],
        user=own.get("User") or "",
        environment={name: value for name, _, value in pairs},
        workdir=own.get("WorkingDir") or "",
    )


def adapted_config(config: Json, known: ImageConfig, layers: Sequence[Layer]) -> bytes:
    """``config`` with ``layers`` on top, and the agent as what runs."""
    new = dict(config)
    own = dict(config.get("config") or {})
    # These are about the image's own program. It is the agent that starts and ends now, as root, because it mounts.
    for name in ("Cmd", "ArgsEscaped", "Healthcheck", "StopSignal", "OnBuild"):
        own.pop(name, None)
    own |= {
        "Entrypoint": list(COMMAND),
        "User": "0:0",
        "WorkingDir": "/",
        "Env": [f"{name}={value}" for name, value in ENVIRONMENT.items()],
        "Labels": {**(own.get("Labels") or {}), BASE_NAME: known.image, BASE_DIGEST: known.digest},
    }
    new["config"] = own
    root = config["rootfs"]
    new["rootfs"] = {**root, "diff_ids": [*root["diff_ids"], *(layer.diff_id for layer in layers)]}
    step = {"created": config.get("created", "1970-01-01T00:00:00Z"), "created_by": CREATED_BY}
    new["history"] = [*(config.get("history") or []), *(step for _ in layers)]
    return _dump(new)


def adapted_manifest(
    manifest: Json, media_type: str, config: bytes, digest: str, layers: Sequence[Layer]
) -> bytes:
    kind = LAYER_TYPES[media_type]
    added = [{"mediaType": kind, "size": layer.size, "digest": layer.digest} for layer in layers]
    return _dump(
        {
            **manifest,
            "config": {**manifest["config"], "size": len(config), "digest": digest},
            "layers": [*manifest["layers"], *added],
        }
    )


def _dump(document: Json) -> bytes:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
