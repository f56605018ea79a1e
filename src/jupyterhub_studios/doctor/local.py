"""Looking at this machine, for the kind ``local``."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ..compute.local import SYSTEM_PATH
from ..models import ComputeEnvironment, Template
from . import verdicts
from .checks import Check
from .findings import Result, found
from .mounts import mounts
from .programs import Failed, output

# Program → Debian package. Without root the same is done with FUSE.
TOOLS = {
    "mksquashfs": "squashfs-tools",
    "unsquashfs": "squashfs-tools",
    "bwrap": "bubblewrap",
    "unshare": "util-linux",
}
FUSE_TOOLS = {
    "squashfuse": "squashfuse",
    "fuse-overlayfs": "fuse-overlayfs",
    "fusermount3": "fuse3",
    "newuidmap": "uidmap",
}
PATH = os.pathsep.join([str(Path(sys.executable).parent), *SYSTEM_PATH])
"""Where a session's agent finds programs."""


def checks(env: ComputeEnvironment, templates: Sequence[Template]) -> list[Check]:
    folder = Path(env.scratch or Path(tempfile.gettempdir()) / "jupyterhub-studios")

    async def scratch() -> Result:
        return await asyncio.to_thread(_scratch, folder, env.scratch is not None)

    async def installed() -> Result:
        return tools(os.geteuid() == 0, PATH)

    async def mounting() -> Result:
        return await mounts(env.mounter, PATH, is_root=os.geteuid() == 0)

    async def template_programs() -> Result:
        return programs(templates, PATH)

    return [
        Check(env.id, "tools", installed),
        Check(env.id, "scratch", scratch),
        Check(env.id, "root", lambda: root(folder, env.hide), seconds=60),
        Check(env.id, "mounts", mounting),
        Check(env.id, "templates", template_programs),
    ]


def tools(is_root: bool, path: str) -> Result:
    wanted = TOOLS if is_root else TOOLS | FUSE_TOOLS
    missing = [name for name in wanted if shutil.which(name, path=path) is None]
    if not missing:
        return found("tools-ok")
    packages = " ".join(sorted({wanted[name] for name in missing}))
    return found("tools-missing", programs=", ".join(missing), packages=packages)


def _scratch(folder: Path, configured: bool) -> Result:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.stat().st_uid != os.geteuid():
            raise PermissionError("it belongs to another account")
        with tempfile.TemporaryFile(dir=folder) as trial:
            trial.write(b"x")
            trial.flush()
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return found("scratch-closed", folder=folder, reason=error.strerror or str(error))
    return verdicts.scratch(str(folder), free, configured)


async def root(folder: Path, hide: Sequence[str]) -> Result:
    """Has the agent's own code find out what it can do, in a process like a session's."""
    command = [sys.executable, "-P", "-m", "jupyterhub_studios.doctor.root_trial"]
    kept = {
        "PATH": PATH,
        "LANG": "C.UTF-8",
        "DOCTOR_SCRATCH": str(folder),
        "DOCTOR_HIDE": json.dumps(list(hide)),
    }
    if mode := os.environ.get("STUDIOS_ROOT_MODE"):
        kept["STUDIOS_ROOT_MODE"] = mode
    try:
        answer = json.loads(await output(*command, env=kept))
    except Failed as error:
        return verdicts.root("failed", str(error))
    return verdicts.root(answer["mode"], answer["reason"])


def programs(templates: Sequence[Template], path: str) -> Result:
    for template in templates:
        program = template.command[0] if template.command else ""
        if program == "{python}":
            continue
        if not program or shutil.which(program, path=path) is None:
            return found("program-missing", template=template.id, program=program or "its command", path=path)
    return found("program-ok", count=_count(len(templates), "template"))


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
