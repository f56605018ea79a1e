"""Who runs the agent: root of the machine, an ordinary user, or one who may make no overlay."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from jupyterhub_studios.models import StoreAccess

from .harness import Studio

# Each worker of a parallel run has one of its own.
USER = f"studios-test{os.environ.get('PYTEST_XDIST_WORKER', '')}"


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder that another user may enter; pytest's own are closed to them."""
    folder = Path(tempfile.mkdtemp(prefix="studios-agent-", dir="/var/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def test_user() -> Iterator[str]:
    """An ordinary user with subordinate uids."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to become another user")
    try:
        pwd.getpwnam(USER)
    except KeyError:
        subprocess.run(["useradd", "--create-home", USER], check=True)
    become = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--init-groups", "--"]
    may_read = [*become, sys.executable, "-c", "import jupyterhub_studios.models"]
    if subprocess.run(may_read, cwd="/", capture_output=True).returncode != 0:
        pytest.skip("other users cannot read this Python environment")
    yield USER
    subprocess.run(["userdel", "--remove", USER], check=True, capture_output=True)


@pytest.fixture
async def studios(home: Path) -> AsyncIterator[list[Studio]]:
    made: list[Studio] = []
    yield made
    for studio in made:
        await studio.close()


@pytest.fixture(params=["root", "user"])
def studio(request: pytest.FixtureRequest, home: Path, studios: list[Studio]) -> Studio:
    """A studio whose whole filesystem is kept, run by root and by an ordinary user."""
    return _studio(request, home, studios, request.param)


@pytest.fixture
def root_studio(request: pytest.FixtureRequest, home: Path, studios: list[Studio]) -> Studio:
    """For what does not depend on who runs the agent."""
    return _studio(request, home, studios, "root" if os.geteuid() == 0 else "user")


@pytest.fixture(params=["home-root", "home-user"])
def home_studio(request: pytest.FixtureRequest, home: Path, studios: list[Studio]) -> Studio:
    """A studio of which only the home directory is kept."""
    return _studio(request, home, studios, request.param)


def _studio(request: pytest.FixtureRequest, home: Path, studios: list[Studio], who: str) -> Studio:
    user = request.getfixturevalue("test_user") if who.endswith("user") else None
    if user is None and os.geteuid() != 0:
        pytest.skip("needs root")
    for name in ("scratch", "bucket"):
        (home / name).mkdir()
        if user:
            shutil.chown(home / name, user)
    studio = Studio(home=home, store=StoreAccess(url=f"file://{home}/bucket"), user=user)
    if who.startswith("home"):
        studio.environment["STUDIOS_ROOT_MODE"] = "home"
    studio.hide = [str(home / "bucket")]
    studios.append(studio)
    return studio
