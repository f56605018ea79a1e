"""The agent bundle itself."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from jupyterhub_studios.agent.image import BUNDLE
from jupyterhub_studios.agent.tools import CERTIFICATES
from jupyterhub_studios.images.building import ALONE, PARTS, PROGRAMS, archive_of
from jupyterhub_studios.images.bundle import ABOUT, COMMAND, PLACE, Bundle, digest, members
from jupyterhub_studios.images.layer import bundle_layer
from jupyterhub_studios.models import StudiosError
from tests.images.conftest import make_tiny
from tests.test_layout import MAY_IMPORT


def test_it_holds_what_the_agent_may_import() -> None:
    assert {part.removesuffix(".py") for part in PARTS} == {"__init__", "agent"} | MAY_IMPORT["agent"]


def test_both_sides_name_the_same_place() -> None:
    assert str(BUNDLE) == PLACE and Path(COMMAND[0]).is_relative_to(BUNDLE)


@pytest.mark.slow
def test_it_depends_on_nothing_outside(bundle: Bundle) -> None:
    folder = bundle.folder
    names = {member.name for member in members(folder)}
    assert {f"bin/{name}" for name in PROGRAMS.values()} <= names
    assert str(CERTIFICATES.relative_to(BUNDLE)) in names
    assert not [path for path in folder.rglob("*") if path.is_symlink()]
    assert {f"bin/{name}" for name in ALONE} <= names
    for program in (folder / "bin").iterdir():
        if program.name in ALONE:
            continue
        content = program.read_bytes()
        assert f"{PLACE}/lib/ld.so\0".encode() in content and f"\0{PLACE}/lib\0".encode() in content, program


@pytest.mark.slow
def test_its_digest_is_that_of_its_files(bundle: Bundle) -> None:
    assert digest(bundle.folder) == bundle.about.digest
    assert bundle.about.packages["bubblewrap"] and bundle.about.libraries["obstore"]


@pytest.mark.slow
def test_the_archive_holds_the_same(bundle: Bundle, tmp_path: Path) -> None:
    subprocess.run(["tar", "--zstd", "-xf", str(archive_of(bundle.folder)), "-C", str(tmp_path)], check=True)
    assert digest(tmp_path) == bundle.about.digest and (tmp_path / ABOUT).exists()


@pytest.mark.slow
@pytest.mark.root
def test_it_runs_where_there_is_nothing_else(bundle: Bundle, tmp_path: Path) -> None:
    """A root that holds only the bundle and what a container engine mounts."""
    for name in ("proc", ".studio"):
        (tmp_path / name).mkdir()
    script = (
        'mount --bind "$1" "$2/.studio" && mount -t proc none "$2/proc" && shift && root=$1 && shift && '
        'exec chroot "$root" "$@"'
    )
    command = ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", str(bundle.folder)]
    code = """
import ssl, subprocess
from jupyterhub_studios.agent import main, tools, tunnel
tools.prepare()
print(len(ssl.create_default_context().get_ca_certs()) > 100)
for program in (["mksquashfs", "-version"], ["bwrap", "--version"], ["mount", "--version"]):
    print(subprocess.run(program, capture_output=True, text=True).returncode)
"""
    done = subprocess.run(
        [*command, str(tmp_path), *COMMAND[:2], "-c", code],
        env={"LD_LIBRARY_PATH": "/nowhere", "PYTHONHOME": "/nowhere"}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.stdout.split() == ["True", "0", "0", "0"], done.stderr


def test_a_layer_has_the_same_bytes_wherever_it_is_made(tmp_path: Path) -> None:
    one = make_tiny(tmp_path / "one")
    shutil.copytree(one.folder, tmp_path / "two")
    two = Bundle.open(tmp_path / "two")
    for path in two.folder.rglob("*"):
        os.utime(path, (1, 1))
        path.chmod(0o777 if path.is_dir() or os.access(path, os.X_OK) else 0o600)
    first, second = bundle_layer(one, tmp_path / "a"), bundle_layer(two, tmp_path / "b")
    assert (first.digest, first.diff_id, first.size) == (second.digest, second.diff_id, second.size)


def test_a_layer_is_made_once(tmp_path: Path) -> None:
    tiny = make_tiny(tmp_path / "tiny")
    first = bundle_layer(tiny, tmp_path / "cache")
    shutil.rmtree(tiny.folder)
    assert bundle_layer(tiny, tmp_path / "cache") == first


def test_a_folder_that_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(StudiosError, match=r"is no agent bundle.*studios image bundle"):
        Bundle.open(tmp_path)
    (tmp_path / ABOUT).write_text("{}")
    with pytest.raises(StudiosError, match="is not what this version writes"):
        Bundle.open(tmp_path)
