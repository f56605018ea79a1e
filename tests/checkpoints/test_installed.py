"""What was installed, from the files that dpkg and pip leave."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from jupyterhub_studios.checkpoints import installed
from jupyterhub_studios.checkpoints.installed import differences, distribution, dpkg_packages
from jupyterhub_studios.models import Package

STATUS = """Package: bash
Status: install ok installed
Version: 5.2
Description: a shell
 Package: not-this
 .
 Status: install ok installed

Package: gone
Status: deinstall ok config-files
Version: 1.0

Package: half
Version: 2
Status: install ok unpacked
"""


def test_dpkg_status() -> None:
    assert dpkg_packages(STATUS) == {"bash": "5.2"}
    assert dpkg_packages("") == {}


def test_distribution() -> None:
    metadata = b"Metadata-Version: 2.1\nName: Foo.Bar\nVersion: 1.0\n\nName: body\n"
    assert distribution(metadata) == ("Foo.Bar", "1.0")
    assert distribution(b"garbage \xff") is None


def test_differences() -> None:
    found = differences("dpkg", {"a": "1", "b": "1", "c": "1"}, {"b": "2", "c": "1", "d": "1"})
    assert [(p.name, p.version, p.change) for p in found] == [
        ("a", "1", "removed"),
        ("b", "2", "changed"),
        ("d", "1", "added"),
    ]


def _info(site: Path, name: str, version: str) -> None:
    folder = site / f"{name}-{version}.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")


def _status(root: Path, **packages: str) -> None:
    place = root / "var" / "lib" / "dpkg" / "status"
    place.parent.mkdir(parents=True, exist_ok=True)
    stanzas = (f"Package: {n}\nStatus: install ok installed\nVersion: {v}\n" for n, v in packages.items())
    place.write_text("\n".join(stanzas))


def whiteout(place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    os.mknod(place, 0o020000, 0)


def test_across_layers(tmp_path: Path) -> None:
    base, first, upper = (tmp_path / name for name in ("base", "first", "upper"))
    site = Path("usr/lib/python3/dist-packages")
    for name in ("kept", "upgraded", "removed"):
        _info(base / site, name, "1.0")
    _info(base / "venv" / "lib", "in-venv", "3")
    _status(base, bash="5", vim="9")
    whiteout(first / site / "upgraded-1.0.dist-info")
    _info(first / site, "Upgraded", "2.0")
    _info(first / site, "short-lived", "1")
    _status(first, bash="5", vim="9", git="2")
    whiteout(upper / site / "short-lived-1.dist-info")
    whiteout(upper / site / "removed-1.0.dist-info")
    whiteout(upper / "venv")
    _info(upper / "home" / "me" / ".local" / "lib", "own", "0.1")
    _status(upper, bash="5", git="2.1")
    found = {(p.manager, p.name, p.version, p.change) for p in installed(upper, [first], base)}
    assert found == {
        ("dpkg", "git", "2.1", "added"),
        ("dpkg", "vim", "9", "removed"),
        ("pip", "Upgraded", "2.0", "changed"),
        ("pip", "removed", "1.0", "removed"),
        ("pip", "in-venv", "3", "removed"),
        ("pip", "own", "0.1", "added"),
    }


def test_nothing(tmp_path: Path) -> None:
    assert installed(tmp_path, [], Path("/")) == []


def test_directory_made_anew(tmp_path: Path) -> None:
    base, upper = tmp_path / "base", tmp_path / "upper"
    _info(base / "site", "old", "1")
    _info(upper / "site", "new", "1")
    os.setxattr(upper / "site", "user.overlay.opaque", b"y")
    assert installed(upper, [], base) == [
        Package(manager="pip", name="new", version="1"),
        Package(manager="pip", name="old", version="1", change="removed"),
    ]


@pytest.mark.slow
def test_what_pip_really_leaves(tmp_path: Path) -> None:
    """A project with pip's own metadata, installed by pip."""
    project = tmp_path / "project"
    (project / "src" / "tiny").mkdir(parents=True)
    (project / "src" / "tiny" / "__init__.py").touch()
    wheel = tmp_path / "tiny_thing-1.2-py3-none-any.whl"
    files = {
        "tiny/__init__.py": "",
        "tiny_thing-1.2.dist-info/METADATA": "Metadata-Version: 2.1\nName: tiny-thing\nVersion: 1.2\n",
        "tiny_thing-1.2.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "tiny_thing-1.2.dist-info/RECORD": "",
    }
    shutil.rmtree(project)
    for name, text in files.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text)
    shutil.make_archive(str(wheel.with_suffix("")), "zip", project)
    wheel.with_suffix(".zip").rename(wheel)
    target = tmp_path / "upper" / "opt"
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--target", target, wheel],
        check=True,
    )
    assert installed(tmp_path / "upper", [], tmp_path / "base") == [
        Package(manager="pip", name="tiny-thing", version="1.2")
    ]
