"""What sessions leave on a machine that others use after them."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from jupyterhub_studios.agent.scratch import KEEP_UNSAVED, Lease, sweep
from jupyterhub_studios.models import Kind

from .harness import Session, Studio

pytestmark = pytest.mark.root


async def crashed(studio: Studio) -> Session:
    """A session that was killed with work that no save has seen."""
    session = await studio.start(kind=Kind.DOCKER)
    await session.ready()
    await session.sh("echo work > /workspace/unsaved")
    await session.kill()
    return session


async def test_the_next_agent_on_a_machine_removes_what_dead_sessions_left(root_studio: Studio) -> None:
    dead = await crashed(root_studio)
    living = await root_studio.start(dead.service.of("saved")[0].checkpoint, kind=Kind.DOCKER)
    await living.ready()
    await living.sh("echo alive > /workspace/file")
    left = {path.name for path in dead.folder.iterdir()}
    assert left >= {"upper"} and not left & {"fetched", "capture", "work", "tmp"}, (
        "work alone is kept for a while"
    )
    assert (dead.folder / "upper" / "workspace" / "unsaved").exists()

    in_a_day = time.time() + KEEP_UNSAVED + 60
    own = living.folder.parent / "se-another"
    assert sweep(own, in_a_day) == [dead.spec.session_id]
    assert not dead.folder.exists() and not dead.folder.with_name(f"{dead.folder.name}.lock").exists()
    assert await living.sh("cat file") == "alive\n", "never one that lives, however old its files are"
    await living.stop()
    assert sweep(own) == [living.spec.session_id], "it has saved: nothing of it is needed"
    assert [path.name for path in own.parent.iterdir()] == []


async def test_only_folders_of_sessions_are_looked_at(root_studio: Studio, tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "saved").touch()
    (tmp_path / "se-file").touch()
    assert sweep(tmp_path / "se-own", time.time() + 10 * KEEP_UNSAVED) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["images", "se-file"]


async def test_a_session_has_one_agent(root_studio: Studio) -> None:
    session = await root_studio.start(kind=Kind.DOCKER)
    await session.ready()

    class Folders:
        all = session.folder

    with pytest.raises(BlockingIOError):
        Lease(Folders())  # type: ignore[arg-type]
    await session.stop()
