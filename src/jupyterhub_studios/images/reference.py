"""The names of images."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, replace

from ..models import StudiosError

HUB = "docker.io"  # what a name without a registry means
_HUB_HOST = "registry-1.docker.io"
_REPOSITORY = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_REGISTRY = re.compile(r"[A-Za-z0-9.-]+(?::\d+)?|\[[0-9a-fA-F:]+\](?::\d+)?")


@dataclass(frozen=True)
class Reference:
    registry: str  # host, or host:port
    repository: str
    tag: str = ""
    digest: str = ""

    @classmethod
    def parse(cls, text: str) -> Reference:
        """As ``docker pull`` understands it."""
        name, at, digest = text.partition("@")
        first, slash, rest = name.partition("/")
        if slash and ("." in first or ":" in first or first == "localhost"):
            registry, name = first, rest
        else:
            registry, name = HUB, name if slash else f"library/{name}"
        name, colon, tag = name.partition(":")
        if (
            not _REGISTRY.fullmatch(registry)
            or not _REPOSITORY.fullmatch(name)
            or (colon and not _TAG.fullmatch(tag))
            or (at and not _DIGEST.fullmatch(digest))
        ):
            raise StudiosError(
                f"“{text}” is not the name of an image",
                "names look like registry.example.org/team/image:tag, in lower case",
                "Correct the name",
            )
        return cls(registry, name, tag or ("" if digest else "latest"), digest)

    @property
    def wanted(self) -> str:
        """What to ask the registry for: the bytes where they are named, else what the tag names now."""
        return self.digest or self.tag

    @property
    def address(self) -> str:
        """Of the registry's API. Plain HTTP only to this machine, as Docker does it."""
        host = _HUB_HOST if self.registry == HUB else self.registry
        return f"{'http' if is_loopback(host) else 'https'}://{host}"

    @property
    def name(self) -> str:
        return f"{self.registry}/{self.repository}"

    def at(self, digest: str) -> Reference:
        return replace(self, digest=digest)

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        return f"{self.name}{tag}" + (f"@{self.digest}" if self.digest else "")


def is_loopback(host: str) -> bool:
    name = host.rpartition(":")[0] if re.search(r":\d+$", host) and not host.endswith("]") else host
    name = name.strip("[]")
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
