"""Sessions without an agent: real overlay mounts of real layers, and what a tree looks like from inside."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jupyterhub_studios.checkpoints import Saver, Store, claim, current, fetch_layers
from jupyterhub_studios.models import Base, Checkpoint

OVERLAY = "userxattr,redirect_dir=nofollow,metacopy=off,index=off"
BASE = Base(image="host: test", digest="sha256:0")
Tree = dict[bytes, tuple[Any, ...]]


def look(root: Path, links_too: bool = True) -> Tree:
    """Everything that can be seen below ``root`` but sockets; hard links as the set of names they share (which a
    live overlay tells only for files that were not looked at before they were linked)."""
    tree: Tree = {}
    links: dict[tuple[int, int], list[bytes]] = {}
    top = bytes(root)
    for directory, folders, files in os.walk(top):
        for name in folders + files:
            place = directory + b"/" + name
            status = os.lstat(place)
            if not stat.S_ISSOCK(status.st_mode):
                path = place[len(top) + 1 :]
                tree[path] = _entry(place, status)
                if links_too and stat.S_ISREG(status.st_mode) and status.st_nlink > 1:
                    links.setdefault((status.st_dev, status.st_ino), []).append(path)
    for names in links.values():
        for path in names:
            tree[path] = (*tree[path], tuple(sorted(names)))
    return tree


def _entry(place: bytes, status: os.stat_result) -> tuple[Any, ...]:
    content: Any = None
    if stat.S_ISREG(status.st_mode):
        with open(place, "rb") as file:  # noqa: PTH123 (bytes)
            content = status.st_size, hashlib.file_digest(file, "sha256").hexdigest()
    elif stat.S_ISLNK(status.st_mode):
        content = os.readlink(place)  # noqa: PTH115 (bytes)
    try:
        names = os.listxattr(place, follow_symlinks=False)
    except OSError:  # squashfs without any
        names = []
    attributes = {name: os.getxattr(place, name, follow_symlinks=False) for name in names}
    return (
        status.st_mode,
        status.st_uid,
        status.st_gid,
        status.st_rdev,
        int(status.st_mtime),
        content,
        tuple(sorted(attributes.items())),
    )


def differences(a: Tree, b: Tree) -> dict[bytes, tuple[Any, Any]]:
    return {path: (a.get(path), b.get(path)) for path in a.keys() | b.keys() if a.get(path) != b.get(path)}


def mount(*arguments: str | Path, cwd: Path | None = None) -> None:
    subprocess.run(["mount", *arguments], check=True, cwd=cwd, capture_output=True)


def unmount(place: Path) -> None:
    subprocess.run(["umount", place], check=True, capture_output=True)


class Session:
    """One run of a studio over ``base``: its root is at ``self.root`` while it is open."""

    def __init__(self, store: Store, studio_id: str, base: Path, folder: Path, epoch: int) -> None:
        self.store, self.studio_id, self.base, self.folder, self.epoch = store, studio_id, base, folder, epoch
        self.root, self.upper = folder / "root", folder / "upper"
        self.points: list[Path] = []
        self.open_ = False

    async def open(self, merges: bool = True) -> Session:
        parent = await current(self.store, self.studio_id)
        self.line = await claim(
            self.store, self.studio_id, f"se-{self.epoch}", self.epoch, author="ada", base=BASE, parent=parent
        )
        files = await fetch_layers(self.store, self.line.checkpoint.layers, self.folder / "layers")
        self.mount(files)
        self.saver = Saver(
            self.line, self.upper, self.folder / "scratch", [self.base, *self.points] if merges else ()
        )
        return self

    def mount(self, files: Sequence[Path]) -> None:
        for number, file in enumerate(files):
            point = self.folder / "points" / str(number)
            point.mkdir(parents=True)
            mount("-t", "squashfs", "-o", "loop,ro,nodev", file, point)
            self.points.append(point)
        for place in (self.root, self.upper, self.folder / "work"):
            place.mkdir(parents=True)
        lowers = [*(str(p.relative_to(self.folder)) for p in reversed(self.points)), str(self.base)]
        options = f"lowerdir={':'.join(lowers)},upperdir=upper,workdir=work,{OVERLAY}"
        mount("-t", "overlay", "overlay", "-o", options, self.root, cwd=self.folder)
        self.open_ = True

    def close(self) -> None:
        if self.open_:
            unmount(self.root)
            self.open_ = False
        while self.points:
            unmount(self.points.pop())

    def look(self, links_too: bool = True) -> Tree:
        return look(self.root, links_too)


async def restored(
    store: Store, checkpoint: Checkpoint, base: Path, folder: Path, links_too: bool = True
) -> Tree:
    """What a session that continues from ``checkpoint`` sees."""
    files = await fetch_layers(store, checkpoint.layers, folder / "layers")
    session = Session(store, checkpoint.studio_id, base, folder, 0)
    try:
        session.mount(files)
        return session.look(links_too)
    finally:
        session.close()
