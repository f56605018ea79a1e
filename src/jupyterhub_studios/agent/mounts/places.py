"""Where mounts appear in a session, and making folders there without following anybody's links.

A FUSE file system is mounted outside, and shown inside by binding it: the folder ``data`` is a mount of its own that
passes on to the session what is mounted below it, so one that ended can be mounted again while the session runs.
Whoever is inside may have put a link in any place of a path. So no path is used, only open folders: what a link leads
to is the agent's own machine.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from ...models import MOUNTS, RootMode
from ..root import Root
from ..root.mounts import MountFault

MS_BIND, MS_REC, MS_SHARED, MNT_DETACH = 4096, 16384, 1 << 20, 2
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_ANY = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
_libc = ctypes.CDLL(None, use_errno=True)


def home_of(root: Root) -> tuple[Path, Sequence[str]]:
    """A folder that is the agent's, and the names that lead from it to the session's home directory."""
    if root.mode is RootMode.OVERLAY:
        return root.place("/"), root.workdir.strip("/").split("/")
    return root.upper, ("workspace",)


@contextlib.contextmanager
def opened(top: Path, names: Sequence[str]) -> Iterator[int]:
    """The folder ``names`` below ``top``, made where it is not there. :class:`MountFault` where something else is."""
    fd = os.open(top, _FOLDER)
    try:
        for name in names:
            inner = _enter(fd, name)
            os.close(fd)
            fd = inner
        yield fd
    except OSError as error:
        raise MountFault(f"{'/'.join(names)}: {error.strerror}") from None
    finally:
        os.close(fd)


def _enter(fd: int, name: str) -> int:
    try:
        return os.open(name, _FOLDER, dir_fd=fd)
    except FileNotFoundError:
        os.mkdir(name, 0o755, dir_fd=fd)
        inner = os.open(name, _FOLDER, dir_fd=fd)
        os.fchmod(inner, 0o755)
        return inner
    except OSError as error:
        raise MountFault(f"“{name}” in the studio's files is no folder ({error.strerror})") from None


class Places:
    """The folder ``data`` of a session. ``private``: the agent has a mount namespace in which it may mount."""

    def __init__(self, root: Root, *, private: bool) -> None:
        self._root, self.private = root, private
        self._fd = -1

    def open(self) -> None:
        top, names = home_of(self._root)
        with opened(top, [*names, MOUNTS]) as fd:
            if not self.private:
                self._fd = os.dup(fd)
                return
            place = _magic(fd)
            _mount(place, place, MS_BIND)
            # Opened anew from above: the old one is what lies below the mount.
            with opened(top, names) as above:
                self._fd = os.open(MOUNTS, _FOLDER, dir_fd=above)
            _mount(None, _magic(self._fd), MS_SHARED)

    def point(self, name: str) -> Path:
        """Where a file system is mounted that is not bound: the folder itself."""
        os.close(_enter(self._fd, name))
        top, names = home_of(self._root)
        return top.joinpath(*names, MOUNTS, name)

    def hides(self, name: str) -> bool:
        """Whether the studio has files of its own where mount ``name`` will be."""
        inner = _enter(self._fd, name)
        try:
            with os.scandir(inner) as entries:
                return next(entries, None) is not None
        finally:
            os.close(inner)

    def show(self, name: str, source: Path) -> None:
        """Binds the file system at ``source`` into the session."""
        inner = _enter(self._fd, name)
        try:
            _mount(str(source), _magic(inner), MS_BIND)
        finally:
            os.close(inner)

    def take_away(self, name: str) -> None:
        """Its files stay open where they are; new ones are not found any more."""
        with contextlib.suppress(OSError, MountFault):
            inner = os.open(name, _ANY, dir_fd=self._fd)
            try:
                _unmount(_magic(inner))  # refused where nothing is mounted
            finally:
                os.close(inner)

    def keep(self, names: Sequence[str], source: Path) -> None:
        """Copies the file ``source`` to ``names`` below the home directory; what is there already stays, too."""
        top, home = home_of(self._root)
        with opened(top, [*home, *names[:-1]]) as fd:
            name, number = names[-1], 1
            while True:
                try:
                    made = os.open(name, _NEW, 0o644, dir_fd=fd)
                    break
                except FileExistsError:
                    name, number = f"{names[-1]}.{number}", number + 1
            with source.open("rb") as read, os.fdopen(made, "wb") as write:
                os.fchmod(write.fileno(), 0o644)
                shutil.copyfileobj(read, write, 1 << 20)

    def close(self) -> None:
        if self._fd < 0:
            return
        if self.private:
            with contextlib.suppress(MountFault):
                _unmount(_magic(self._fd))
        os.close(self._fd)
        self._fd = -1


def _magic(fd: int) -> str:
    """A path that means this very folder, whatever its name is by now."""
    return f"/proc/self/fd/{fd}"


def _mount(source: str | None, target: str, flags: int) -> None:
    given = None if source is None else os.fsencode(source)
    if _libc.mount(given, os.fsencode(target), None, ctypes.c_ulong(flags), None) != 0:
        raise MountFault(f"mount: {os.strerror(ctypes.get_errno())}")


def _unmount(target: str) -> None:
    if _libc.umount2(os.fsencode(target), MNT_DETACH) != 0:
        raise MountFault(f"umount: {os.strerror(ctypes.get_errno())}")
