"""A layer between the machine's files and the session's, where the agent is an ordinary user.

The session is root, yet it cannot read what its account cannot: the lock files of apt, /etc/shadow. For programs that
is worse than their absence, as they make such files themselves. So what cannot be read in /etc and /var is deleted in
this layer, which is in no checkpoint.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path

from .marks import OPAQUE

PLACES = ("/etc", "/var")
MOST = 200_000  # entries looked at: what lies deeper in a huge /var matters to no package


def make_mask(mask: Path, hidden: Sequence[Path], single: bool) -> None:
    mask.mkdir()
    budget = MOST
    folders = [Path(place) for place in PLACES if Path(place).is_dir()]
    while folders and budget > 0:
        folder = folders.pop()
        if any(folder.is_relative_to(place) for place in hidden):
            continue
        if not os.access(folder, os.R_OK | os.X_OK):
            _empty(mask, folder)
            continue
        with os.scandir(folder) as entries:
            for entry in entries:
                budget -= 1
                if entry.is_dir(follow_symlinks=False):
                    folders.append(Path(entry.path))
                elif entry.is_file(follow_symlinks=False) and not os.access(entry.path, os.R_OK):
                    _absent(mask, Path(entry.path))
    _accounts(mask)
    if single:
        _write(mask, Path("/etc/apt/apt.conf.d/99studio"), 'APT::Sandbox::User "root";\n')


def _accounts(mask: Path) -> None:
    """Password files without passwords, for ``adduser`` and the like."""
    for shadow, names, rest in (
        ("/etc/shadow", "/etc/passwd", "19000:0:99999:7:::"),
        ("/etc/gshadow", "/etc/group", ":"),
    ):
        if os.access(shadow, os.R_OK) or not os.access(names, os.R_OK):
            continue
        lines = [line.split(":")[0] for line in Path(names).read_text().splitlines() if ":" in line]
        _write(mask, Path(shadow), "".join(f"{name}:*:{rest}\n" for name in lines))


def _write(mask: Path, place: Path, text: str) -> None:
    target = _parents(mask, place)
    target.unlink(missing_ok=True)
    target.write_text(text)
    target.chmod(0o640 if "shadow" in place.name else 0o644)


def _absent(mask: Path, place: Path) -> None:
    os.mknod(_parents(mask, place), stat.S_IFCHR, os.makedev(0, 0))


def _empty(mask: Path, place: Path) -> None:
    target = _parents(mask, place)
    target.mkdir()
    target.chmod(0o755)
    os.setxattr(target, OPAQUE, b"y")


def _parents(mask: Path, place: Path) -> Path:
    """Where ``place`` lies in the mask, with its folders made and looking as the machine's do."""
    folder = mask
    for name in place.parts[1:-1]:
        folder = folder / name
        if not folder.exists():
            folder.mkdir()
            folder.chmod(stat.S_IMODE((Path("/") / folder.relative_to(mask)).stat().st_mode))
    return folder / place.name
