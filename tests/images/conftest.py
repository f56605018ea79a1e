"""The agent bundle, made once for all who need it, and a small stand-in for those who only move it."""

from __future__ import annotations

import fcntl
import hashlib
import sys
import uuid
from pathlib import Path

import pytest

from jupyterhub_studios.images import building
from jupyterhub_studios.images.bundle import ABOUT, About, Bundle, digest
from tests.images.making import Maker
from tests.registries import Registry, open_registry

__all__ = ["open_registry"]

FOLDER = Path(sys.prefix) / "share" / "studios-bundle"
SOURCES = Path(building.__file__).parent.parent


def _state() -> str:
    """Of what goes into a bundle from here."""
    found = hashlib.sha256()
    for part in (*building.PARTS, "images"):
        files = sorted((SOURCES / part).rglob("*.py")) if (SOURCES / part).is_dir() else [SOURCES / part]
        for file in files:
            found.update(str(file.relative_to(SOURCES)).encode() + file.read_bytes())
    return found.hexdigest()


@pytest.fixture(scope="session")
def bundle() -> Bundle:
    """The real one, of the sources as they are now."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        state = FOLDER / "state"
        if not state.exists() or state.read_text() != _state():
            state.unlink(missing_ok=True)
            building.build(FOLDER / "bundle", print)
            state.write_text(_state())
        return Bundle.open(FOLDER / "bundle")


def make_tiny(folder: Path, content: bytes = b"#!") -> Bundle:
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python3").write_bytes(content)
    (folder / "bin" / "python3").chmod(0o700)
    about = About(
        digest=digest(folder), architecture="amd64", version="0", python="3", packages={}, libraries={}
    )
    (folder / ABOUT).write_text(about.model_dump_json())
    return Bundle.open(folder)


@pytest.fixture
def tiny(tmp_path: Path) -> Bundle:
    """Of the form of a bundle."""
    return make_tiny(tmp_path / "tiny")


@pytest.fixture
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.getbasetemp() / "layers"


@pytest.fixture
def maker(open_registry: Registry) -> Maker:
    return Maker(open_registry, f"tests/{uuid.uuid4().hex}")
