"""The root of a session: what its app sees as ``/``, and the folder that holds what it changed.

Three ways, the best that works here (see :func:`open_root`):

- :mod:`kernel_root`: root of the machine. Overlay file systems of the kernel, layers on loop devices.
- :mod:`fuse_root`: an ordinary user. fuse-overlayfs and squashfuse in a user namespace.
- :mod:`home_root`: neither. The home directory alone is kept.

Layers are the same in all of them: whiteouts are character devices 0:0, opaque folders carry
``user.overlay.opaque``, owners are the session's (its root is 0).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from ...models import LaunchSpec, RootMode
from .enter import PLAIN, Way
from .mounts import MountFault
from .namespaces import Namespace

log = logging.getLogger(__name__)


class Root(Protocol):
    mode: RootMode
    upper: Path  # what the session has changed, ready to be captured after settle()
    layers: list[Path]  # the restored layers as folders, lowest first; empty where they are not mounted
    run: Path  # folder outside that the session sees as run_inside
    run_inside: str
    wrapped: bool  # bubblewrap is around the app
    workdir: str  # as the session sees it
    notices: list[str]  # what people should know about this root

    async def probe(self) -> None:
        """Tries what :meth:`open` will do, in small. :class:`MountFault` says why it cannot work."""

    async def open(self, layers: Sequence[Path]) -> None:
        """Puts the session's root together from ``layers``, squashfs files from the lowest to the uppermost."""

    def place(self, inside: str) -> Path:
        """Where the agent finds the session's file ``inside``."""

    def command(self, argv: Sequence[str], info_fd: int, way: Way = PLAIN) -> list[str]:
        """The command that runs ``argv`` in the root."""

    async def settle(self) -> None:
        """Brings :attr:`upper` into the form that layers have. Called before every capture."""

    async def close(self) -> None:
        """Unmounts all. :attr:`upper` stays."""


class Folders:
    """A session's own folder, and what lies where in it."""

    def __init__(self, spec: LaunchSpec) -> None:
        self.all = Path(spec.scratch).resolve() / spec.session_id  # as the mount table names it
        self.upper, self.work, self.root = self.all / "upper", self.all / "work", self.all / "root"
        self.mounted, self.fetched = self.all / "layers", self.all / "fetched"
        self.run, self.tmp, self.capture = self.all / "run", self.all / "tmp", self.all / "capture"

    def make(self) -> None:
        self.all.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in (
            self.upper,
            self.work,
            self.root,
            self.mounted,
            self.fetched,
            self.run,
            self.tmp,
            self.capture,
        ):
            folder.mkdir(mode=0o700, exist_ok=True)
        self.upper.chmod(0o755)  # becomes the mode of the session's "/"
        self.tmp.chmod(0o1777)


async def open_root(spec: LaunchSpec, folders: Folders, namespace: Namespace, why: str) -> Root:
    """The best root that works here, found out by trying, not yet opened."""
    from .fuse_root import FuseRoot
    from .home_root import HomeRoot
    from .kernel_root import KernelRoot

    if namespace is not Namespace.NONE:
        root: Root = (
            KernelRoot(spec, folders)
            if namespace is Namespace.ROOT
            else FuseRoot(spec, folders, single=namespace is Namespace.USER_SINGLE)
        )
        try:
            await root.probe()
            return root
        except MountFault as fault:
            why = str(fault)
            log.warning("Only the home directory can be kept: %s", why)
    home = HomeRoot(spec, folders, why)
    await home.probe()
    return home
