"""Manifests and their differences."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from jupyterhub_studios.checkpoints.scan import clock_ns, diff, racy, scan, topmost


def test_scan(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "f").write_text("x")
    (tmp_path / "link").symlink_to("d")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "socket"))
    listener.close()
    os.setxattr(tmp_path / "d", "user.overlay.opaque", b"y")
    manifest, unreadable = scan(tmp_path)
    assert set(manifest) == {b"d", b"d/f", b"link"} and unreadable == []
    assert manifest[b"d"].opaque and not manifest[b"d/f"].opaque


def test_an_upperdir_that_is_gone_is_not_empty(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        scan(tmp_path / "gone")


def test_diff(tmp_path: Path) -> None:
    for name in ("a/b/c", "a/d", "e", "same"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    before, _ = scan(tmp_path)
    assert diff(before, before) == (set(), set(), set())
    (tmp_path / "a" / "b" / "c").unlink()
    (tmp_path / "a" / "b").rmdir()
    os.utime(tmp_path / "e", (1, 1))
    (tmp_path / "new").touch()
    after, _ = scan(tmp_path)
    changes = diff(before, after)
    assert changes.changed == {b"a", b"e", b"new"}
    assert changes.removed == {b"a/b", b"a/b/c"}
    assert topmost(changes.removed, after) == {b"a/b"}
    assert diff(after, after, {b"same", b"not-there"}).changed == {b"same"}


def test_new_opaque_directory_brings_all_it_holds(tmp_path: Path) -> None:
    (tmp_path / "d" / "e").mkdir(parents=True)
    (tmp_path / "d" / "e" / "f").touch()
    before, _ = scan(tmp_path)
    os.setxattr(tmp_path / "d", "user.overlay.opaque", b"y")
    after, _ = scan(tmp_path)
    changes = diff(before, after)
    assert changes.opened == {b"d"} and changes.changed == {b"d", b"d/e", b"d/e/f"}
    assert diff(after, after, {b"d"}).opened == set()


def test_racy(tmp_path: Path) -> None:
    (tmp_path / "f").touch()
    manifest, _ = scan(tmp_path)
    assert racy(manifest, clock_ns()) == {b"f"}
    assert racy(manifest, clock_ns() + 2_000_000_000) == set()
    os.utime(tmp_path / "f", (1, 1))  # its change time still tells
    assert racy(scan(tmp_path)[0], clock_ns()) == {b"f"}
