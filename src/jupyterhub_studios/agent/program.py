"""What a session runs, and as whom: a template's command as the session's root, or, where the template has none, the
image's own program, as the image says that it is to be run."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..models import ImageConfig, RootMode, StudiosError
from .account import Account, account, text_of
from .image import BUNDLE
from .root import Root
from .root.enter import Way

HELPER = "/run/studio-agent"  # where the session sees what becomes another account
_LIBRARIES = ("ld.so", "libc.so.6", "libcap-ng.so.0")  # of setpriv


@dataclass(frozen=True)
class Program:
    argv: Sequence[str]
    account: Account = field(default_factory=Account)
    workdir: str | None = None  # None: the session's
    home: str | None = None  # None: the session's

    @property
    def is_root(self) -> bool:
        return self.account.uid == 0


def own_program(known: ImageConfig | None, root: Root) -> Program:
    """The image's own. Blocks on a disk: its account stands in files of the session."""
    argv = [*known.entrypoint, *known.command] if known else []
    if known is None or not argv:
        raise StudiosError(
            "There is nothing to run",
            "the template has no command, and the image has none of its own",
            "An administrator should give the template a command",
        )
    files = (text_of(root.place(f"/etc/{name}")) for name in ("passwd", "group"))
    found = account(known.user, *files)
    if root.mode == RootMode.HOME:
        return Program(argv, found)  # nothing else can be written, or is kept
    home = known.environment.get("HOME") or (found.home or "/" if found.uid else None)
    return Program(argv, found, known.workdir or None, home)


def settle(program: Program, root: Root) -> None:
    """Makes what the program expects: its working directory, as Docker does it, and a home and a folder for
    sockets that its account can write to. Blocks on a disk."""
    if program.workdir is not None:
        root.place(program.workdir).mkdir(parents=True, exist_ok=True)
    if program.is_root:
        return
    owner = (program.account.uid, program.account.gid)
    workspace = root.place(root.workdir)
    if workspace.lstat().st_uid == 0:  # else it is somebody's already
        os.chown(workspace, *owner, follow_symlinks=False)
    for place in (root.run, *root.run.iterdir()):
        os.chown(place, *owner, follow_symlinks=False)


def command(program: Program, wrapped: bool) -> tuple[list[str], Way]:
    """What to run inside the root, and what it needs to see there."""
    way = Way(program.workdir)
    if program.is_root:
        return list(program.argv), way
    who = program.account
    groups = ["--groups", ",".join(map(str, who.groups))] if who.groups else ["--clear-groups"]
    becoming = [f"--reuid={who.uid}", f"--regid={who.gid}", *groups, "--inh-caps=-all", "--", *program.argv]
    if not wrapped or not Path(sys.executable).is_relative_to(BUNDLE):
        return [shutil.which("setpriv") or "setpriv", *becoming], way
    # The bundle is hidden from sessions, and an image may have no program that can do this.
    shown = {f"{HELPER}/{name}": BUNDLE / "lib" / name for name in _LIBRARIES}
    shown[f"{HELPER}/setpriv"] = BUNDLE / "bin" / "setpriv"
    start = [f"{HELPER}/ld.so", "--library-path", HELPER, f"{HELPER}/setpriv"]
    return [*start, *becoming], Way(program.workdir, shown)
