"""Turning what fuse-overlayfs leaves in its upper folder into what the kernel's overlay would have left.

fuse-overlayfs marks opaque folders by an attribute and two files of its own, and keeps the strange owner of the
machine's files in copies of them ("nobody", as which a user namespace shows owners that it does not have). It
understands the kernel's marks as well, so the running daemon is not disturbed.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from pathlib import Path

NOBODY = 65534
OPAQUE = "user.overlay.opaque"
_MARKS = (".wh..wh..opq", ".wh..opq")
_ATTRIBUTE = "user.fuseoverlayfs.opaque"


def settle(upper: Path) -> None:
    """Converts all below ``upper``, which may change meanwhile: what has gone is skipped."""
    _settle_owner(upper)
    folders = [upper]
    while folders:
        folder = folders.pop()
        with contextlib.suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as entries:
            for entry in entries:
                path = Path(entry.path)
                if entry.name in _MARKS:
                    os.setxattr(folder, OPAQUE, b"y")
                    _remove_attribute(folder)
                    path.unlink()
                    continue
                _settle_owner(path)
                if entry.is_dir(follow_symlinks=False):
                    folders.append(path)


def _remove_attribute(folder: Path) -> None:
    """Else it would hide what lower layers hold from every later session too: a layer repeats a folder in which
    something changed, and says by the kernel's mark whether it hides."""
    try:
        os.removexattr(folder, _ATTRIBUTE)
    except OSError as error:
        if error.errno != errno.ENODATA:
            raise


def _settle_owner(path: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        found = path.lstat()
        if NOBODY in (found.st_uid, found.st_gid):
            uid, gid = (0 if one == NOBODY else one for one in (found.st_uid, found.st_gid))
            os.chown(path, uid, gid, follow_symlinks=False)
            if found.st_mode & 0o6000 and not stat.S_ISLNK(found.st_mode):
                path.chmod(stat.S_IMODE(found.st_mode))  # chown has taken setuid away
