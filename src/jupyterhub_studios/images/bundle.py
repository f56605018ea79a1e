"""The agent bundle: one folder, at ``/.studio`` inside a job, with all that the agent needs to run in any image.

Its programs name their loader and their libraries by that fixed path, so they start each other without help of a shell
or of the image's own libraries. :mod:`.building` makes it; this is what those who use it need to know.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from ..models import Model, StudiosError

PLACE = "/.studio"
AGENT = "jupyterhub_studios.agent"
COMMAND = (f"{PLACE}/bin/python3", "-I", "-m", AGENT)
ENVIRONMENT = {"PATH": f"{PLACE}/bin", "LD_PRELOAD": "", "LD_LIBRARY_PATH": ""}
"""What a job sets beside :data:`COMMAND`: an image's own variables must not reach the agent's loader."""

ABOUT = "bundle.json"


def brings_agent(entrypoint: Sequence[str] | None) -> bool:
    """Whether an image that starts so has an agent already: a bundle, or one of its own as our images do."""
    return list(entrypoint or ())[-2:] == ["-m", AGENT]


class About(Model):
    """What is in a bundle: its file ``bundle.json``."""

    digest: str  # of all its files' names, modes and bytes
    architecture: str  # as images name it: amd64, arm64
    version: str  # of this project
    python: str
    packages: dict[str, str]  # of Debian
    libraries: dict[str, str]  # of Python


@dataclass(frozen=True)
class Bundle:
    folder: Path
    about: About

    @classmethod
    def open(cls, folder: Path) -> Bundle:
        try:
            return cls(folder, About.model_validate_json((folder / ABOUT).read_bytes()))
        except (OSError, ValidationError) as error:
            why = error.strerror if isinstance(error, OSError) else f"{ABOUT} is not what this version writes"
            raise StudiosError(
                f"{folder} is no agent bundle",
                why or str(error),
                "Make it with `studios image bundle`",
                status=404,
            ) from None


@dataclass(frozen=True)
class Member:
    """A file or folder of a bundle, named from the bundle on."""

    name: str
    path: Path

    @property
    def is_folder(self) -> bool:
        return self.path.is_dir()

    @property
    def mode(self) -> int:
        """Not the one on this disk, which depends on whose it is."""
        return 0o755 if self.is_folder or os.access(self.path, os.X_OK) else 0o644


def members(folder: Path) -> Iterator[Member]:
    """Folders before what is in them, always in the same order. There are no links in a bundle."""
    for path in sorted(folder.rglob("*")):
        yield Member(path.relative_to(folder).as_posix(), path)


def digest(folder: Path) -> str:
    """The same for the same content, wherever it was made."""
    found = hashlib.sha256()
    for member in members(folder):
        if member.is_folder or member.name == ABOUT:
            continue
        content = hashlib.sha256(member.path.read_bytes()).hexdigest()
        found.update(f"{member.name}\0{member.mode:o}\0{content}\n".encode())
    return f"sha256:{found.hexdigest()}"
