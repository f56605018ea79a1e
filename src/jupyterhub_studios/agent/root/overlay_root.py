"""What both kinds of overlay root share: the view into them, and the trial whether they work."""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ...models import LaunchSpec, RootMode
from ..image import BUNDLE
from . import Folders, enter
from .mounts import MountFault, remove, run

# An image may have no shell, so the agent's own Python tries what a session does.
_TRIAL = """
import os
print(open("/workspace/layer").read(), end="")
open("/workspace/new", "w").close()
os.unlink("/workspace/layer")
"""


class OverlayRoot:
    mode = RootMode.OVERLAY
    wrapped = True
    run_inside = enter.RUN
    workdir = enter.WORKSPACE

    def __init__(self, spec: LaunchSpec, folders: Folders) -> None:
        self._spec = spec
        self._folders = folders
        self.upper, self.run = folders.upper, folders.run
        self.layers: list[Path] = []
        self.notices: list[str] = []
        self._read_only: list[Path] = []
        # The folder of all jobs: the sessions of others lie there.
        self.hidden = enter.unseen([*map(Path, spec.hide), Path(spec.scratch), BUNDLE])

    async def probe(self) -> None:
        """One layer, one overlay, one program inside."""
        mksquashfs = shutil.which("mksquashfs")
        if mksquashfs is None:
            raise MountFault("squashfs-tools is not installed")
        place = Path(tempfile.mkdtemp(dir=self._folders.all, prefix="trial-"))
        hide = [*self._spec.hide, self._spec.scratch]
        spec = self._spec.model_copy(update={"scratch": str(place), "session_id": "trial", "hide": hide})
        folders = Folders(spec)
        trial = self._trial(spec, folders)
        trial.hidden = [place for place in trial.hidden if place != BUNDLE]  # there is the Python
        try:
            await asyncio.to_thread(folders.make)
            content, layer = place / "content", place / "layer.sqsh"
            await asyncio.to_thread(_write_trial, content)
            await run(
                mksquashfs, content, layer, "-quiet", "-no-progress", "-comp", "zstd", "-processors", "1"
            )
            await trial.open([layer])
            said = await run(*trial.command([sys.executable, "-I", "-S", "-c", _TRIAL]))
            if said != "layer" or not (folders.upper / "workspace" / "new").exists():
                raise MountFault("a trial root did not keep what was written")
        except OSError as error:
            raise MountFault(str(error)) from error
        finally:
            await trial.close()
            await asyncio.to_thread(remove, place)

    def _trial(self, spec: LaunchSpec, folders: Folders) -> OverlayRoot:
        return type(self)(spec, folders)

    async def open(self, layers: Sequence[Path]) -> None:
        raise NotImplementedError

    async def close(self) -> None:
        raise NotImplementedError

    async def settle(self) -> None:
        """The kernel's overlays write what layers hold."""

    def place(self, inside: str) -> Path:
        return self._folders.root / inside.lstrip("/")

    def command(
        self, argv: Sequence[str], info_fd: int | None = None, way: enter.Way = enter.PLAIN
    ) -> list[str]:
        view = enter.View(
            base=["--bind", str(self._folders.root), "/"],
            root=self._folders.root,
            run=self._folders.run,
            tmp=self._folders.tmp,
            hide=self.hidden,
            read_only=self._read_only,
            workdir=way.workdir or self.workdir,
            shown=way.shown,
        )
        return enter.command(view, argv, info_fd)

    def _layer_points(self, count: int) -> list[Path]:
        points = [self._folders.mounted / str(number) for number in range(count)]
        for point in points:
            point.mkdir(exist_ok=True)
        return points

    def _make_workspace(self) -> None:
        workspace = self.place(self.workdir)
        if not workspace.exists():
            workspace.mkdir()
            workspace.chmod(0o755)


def _write_trial(content: Path) -> None:
    (content / "workspace").mkdir(parents=True)
    (content / "workspace" / "layer").write_text("layer")
