"""The root of a session where no overlay is possible: the home directory alone is kept.

The home directory is ``workspace`` in the upper folder, marked opaque. So a layer of it looks like any other:
above whatever a checkpoint held before, it replaces ``/workspace`` and nothing else, and an overlay root can
restore it.

With bubblewrap (which may work where overlays do not) the app sees the machine's files read-only and its home
directory at ``/workspace``. Without, it runs as a plain process of the account.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ...models import LaunchSpec, RootMode
from ..image import BUNDLE
from . import Folders, enter, unpack
from .marks import OPAQUE
from .mounts import OWN, MountFault, mounted, run
from .namespaces import NOTHING

SOCKET_PATH_MAX = 90  # of a run folder: a socket's whole path has 107 bytes at most


class HomeRoot:
    mode = RootMode.HOME

    def __init__(self, spec: LaunchSpec, folders: Folders, why: str) -> None:
        self._folders = folders
        self._studio_id = spec.studio_id
        self.upper, self.run = folders.upper, folders.run
        self.layers: list[Path] = []
        self.notices = [f"Only the home directory is kept: {why}"]
        self.workdir, self.run_inside = enter.WORKSPACE, enter.RUN
        self._home = folders.upper / "workspace"
        self.wrapped = False
        self._link: Path | None = None
        self._hidden = enter.unseen([*map(Path, spec.hide), Path(spec.scratch), BUNDLE])

    async def probe(self) -> None:
        self._home.mkdir(exist_ok=True)
        self._home.chmod(0o755)
        os.setxattr(self._home, OPAQUE, b"y")
        try:
            view = self._view()
            view.hide = [place for place in self._hidden if place != BUNDLE]  # there is the Python
            await run(*enter.command(view, NOTHING))
            self.wrapped = True
        except MountFault as fault:
            self.notices.append(f"The app is not separated from this machine's other files: {fault}")
            self._place_plainly()

    async def open(self, layers: Sequence[Path]) -> None:
        for layer in layers:
            await unpack.apply(layer, "workspace", self._home, self._folders.capture)
        os.setxattr(self._home, OPAQUE, b"y")  # a layer's own folder may have replaced its attributes

    def place(self, inside: str) -> Path:
        """Only files below the home directory are the session's own."""
        if inside == self.workdir or inside.startswith(f"{self.workdir}/"):
            return self._home / inside.removeprefix(self.workdir).lstrip("/")
        return Path(inside)

    def command(
        self, argv: Sequence[str], info_fd: int | None = None, way: enter.Way = enter.PLAIN
    ) -> list[str]:
        if self.wrapped:
            view = self._view()
            view.shown, view.workdir = way.shown, way.workdir or view.workdir
            return enter.command(view, argv, info_fd)
        if shutil.which("setpriv") is None:
            return list(argv)
        return ["setpriv", "--pdeathsig", "KILL", "--", *argv]

    async def settle(self) -> None:
        """Plain files are what layers hold."""

    async def close(self) -> None:
        if self._link is not None:
            self._link.unlink(missing_ok=True)
        if self.run != self._folders.run:
            await asyncio.to_thread(shutil.rmtree, self.run, ignore_errors=True)

    def _view(self) -> enter.View:
        base: list[str] = []
        for entry in sorted(Path("/").iterdir()):
            if entry.is_symlink():
                base += ["--symlink", str(entry.readlink()), str(entry)]
            elif str(entry) not in (*OWN, enter.WORKSPACE):
                base += ["--ro-bind", str(entry), str(entry)]
        return enter.View(
            base=base,
            root=None,
            run=self._folders.run,
            tmp=self._folders.tmp,
            hide=self._hidden,
            read_only=enter.name_service_files([mount.point for mount in mounted()]),
            capabilities=enter.CAPABILITIES if os.geteuid() == 0 else (),
            binds={enter.WORKSPACE: self._home},
        )

    def _place_plainly(self) -> None:
        """Without bubblewrap paths are the machine's: the same ones in every session of the studio, because
        notebooks and virtual environments remember them, and a short one for the app's socket."""
        self._link = Path.home() / ".local" / "share" / "jupyterhub-studios" / self._studio_id
        self._link.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            self._link.unlink()
        self._link.symlink_to(self._home)
        self.workdir = str(self._link)
        if len(os.fsencode(self.run)) > SOCKET_PATH_MAX:
            self.run = Path(tempfile.mkdtemp(prefix="studio-"))
        self.run_inside = str(self.run)
