"""Stores of both kinds, and sessions that are unmounted whatever happens."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from jupyterhub_studios.checkpoints import Store

from ..stores import SeaweedFS
from .trees import Session

Opens = Callable[..., Awaitable[Session]]


@pytest.fixture(params=["s3", "file"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "file":
        return Store.open(f"file://{tmp_path}/bucket")
    server: SeaweedFS = request.getfixturevalue("seaweed")
    return server.store()


@pytest.fixture
def folder_store(tmp_path: Path) -> Store:
    return Store.open(f"file://{tmp_path}/bucket")


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A small image."""
    root = tmp_path / "base"
    (root / "etc" / "deep" / "er").mkdir(parents=True)
    (root / "usr" / "bin").mkdir(parents=True)
    (root / "etc" / "conf").write_text("base")
    (root / "etc" / "deep" / "one").write_text("one")
    (root / "etc" / "deep" / "er" / "two").write_text("two")
    (root / "usr" / "bin" / "tool").write_text("tool")
    return root


@pytest.fixture
def opens(store: Store, base: Path, tmp_path: Path) -> Iterator[Opens]:
    """``await opens(studio_id)``: the studio's next session, open."""
    sessions: list[Session] = []
    epochs = count(1)

    async def open_next(studio_id: str = "st-1", **options: bool) -> Session:
        epoch = next(epochs)
        session = Session(store, studio_id, base, tmp_path / f"session-{epoch}", epoch)
        sessions.append(session)
        return await session.open(**options)

    yield open_next
    for session in sessions:
        session.close()
