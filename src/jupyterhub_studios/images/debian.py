"""Debian's packages, fetched and unpacked without being installed, and without root.

apt does the choosing and the checking of signatures, with lists of its own beside the machine's.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from ..models import StudiosError

_CONFIG = """
Dir::State::Lists "{folder}/lists";
Dir::Cache "{folder}/cache";
APT::Sandbox::User "";
Acquire::Languages "none";
Acquire::Retries "3";
"""
_SOURCES = 'Dir::Etc::SourceList "{file}";\nDir::Etc::SourceParts "-";\n'


class Debian:
    """``sources``: a file of apt sources to use instead of the machine's own."""

    def __init__(self, folder: Path, sources: Path | None = None) -> None:
        self._folder = folder
        for program in ("apt-get", "dpkg-deb"):
            if shutil.which(program) is None:
                raise StudiosError(
                    "The agent bundle cannot be made here",
                    f"{program} is not there: the bundle is made of Debian's packages",
                    "Make it on Debian 12, for example in a container of debian:bookworm",
                )
        for name in ("lists/partial", "cache/archives/partial"):
            (folder / name).mkdir(parents=True)
        config = _CONFIG.format(folder=folder)
        if sources is not None:
            config += _SOURCES.format(file=sources.resolve())
        (folder / "apt.conf").write_text(config)

    def update(self) -> None:
        self._run("apt-get", "-qq", "update")

    def fetch(self, packages: Sequence[str], target: Path) -> dict[str, str]:
        """Unpacks ``packages`` into ``target``; answers their versions."""
        archives = self._folder / "debs"
        archives.mkdir(exist_ok=True)
        self._run("apt-get", "-qq", "download", *packages, cwd=archives)
        for archive in sorted(archives.glob("*.deb")):
            self._run("dpkg-deb", "--extract", str(archive), str(target))
        # Names are package_version_architecture.deb, with what a file's name may not hold quoted.
        named = (archive.stem.split("_") for archive in archives.glob("*.deb"))
        return dict(sorted((name, version.replace("%3a", ":")) for name, version, _ in named))

    def _run(self, *command: str, cwd: Path | None = None) -> None:
        environment = os.environ | {"APT_CONFIG": str(self._folder / "apt.conf"), "LC_ALL": "C"}
        done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)
        if done.returncode != 0:
            raise _trouble(" ".join(command[:3]), done.stderr)


def _trouble(command: str, said: str) -> StudiosError:
    lines = [line for line in said.splitlines() if line.startswith(("E:", "dpkg"))] or said.splitlines()[-3:]
    detail = f"{command}: {'; '.join(lines)}"
    if "Unable to locate package" in said or "no installation candidate" in said:
        return StudiosError(
            "The agent bundle cannot be made of this machine's packages",
            detail,
            "Make it on Debian 12 (bookworm), or give a file of its apt sources with --sources",
        )
    return StudiosError(
        "Debian's packages cannot be had", detail, "Check this machine's apt sources", status=503
    )
