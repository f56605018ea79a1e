"""Saves of a machine that is about to end: the small files first, and nothing old once more."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyterhub_studios.checkpoints import save as module
from jupyterhub_studios.checkpoints.scan import scan, within
from jupyterhub_studios.models import CheckpointStatus

from .conftest import Opens
from .trees import Session, differences, restored

LIMIT = 100_000


@pytest.fixture
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HURRY_BYTES", LIMIT)


def test_the_largest_changes_are_left(tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(b"o" * 50)
    (tmp_path / "same").write_bytes(b"s" * 500)
    before, _ = scan(tmp_path)
    (tmp_path / "old").write_bytes(b"O" * 60)
    for name, size in (("a", 10), ("b", 20), ("c", 70)):
        (tmp_path / name).write_bytes(b"x" * size)
    after, _ = scan(tmp_path)
    kept, late = within(100, before, after, set())
    assert late == {b"c"} and kept == {path: after[path] for path in (b"a", b"b", b"old", b"same")}
    kept, late = within(30, before, after, set())
    assert late == {b"c", b"old"} and kept[b"old"] == before[b"old"]
    assert within(10_000, before, after, set()) == (after, set())
    assert b"same" in within(100, before, after, {b"same"})[1], "it may have changed without looking so"


@pytest.mark.root
@pytest.mark.usefixtures("_small")
@pytest.mark.parametrize("saved_before", [True, False], ids=["saved before", "never saved"])
async def test_small_files_are_safe_first_and_all_in_the_end(
    opens: Opens, base: Path, tmp_path: Path, saved_before: bool
) -> None:
    session = await opens()
    root = session.root
    (root / "grows").write_bytes(b"small")
    (root / "goes").write_bytes(b"x")
    if saved_before:
        await session.saver.save()
    (root / "grows").write_bytes(b"g" * (LIMIT + 1))
    (root / "goes").unlink()
    (root / "usr" / "bin" / "tool").unlink()
    (root / "made").mkdir()
    (root / "made" / "large").write_bytes(b"l" * (2 * LIMIT))
    (root / "made" / "note").write_text("note")
    quick = await session.saver.save(hurry=True)
    assert quick.status is CheckpointStatus.INTERIM
    assert session.saver.late() == ["/grows", "/made/large"]
    assert "/made/large" in f"/{quick.message}" or "made/large" in quick.message
    seen = await restored(session.store, quick, base, tmp_path / "quick")
    assert seen.keys() >= {b"made", b"made/note"} and not seen.keys() & {
        b"made/large",
        b"goes",
        b"usr/bin/tool",
    }
    assert (b"grows" in seen) is saved_before, "as it was at the save before"

    last = await session.saver.save(final=True, hurry=True)
    assert last.status is CheckpointStatus.FINALISED and session.saver.late() == [] and last.message == ""
    assert len(last.layers) == len(quick.layers) + 1, "nothing that was safe was written once more"
    assert differences(session.look(), await restored(session.store, last, base, tmp_path / "last")) == {}
    await _goes_on(opens, session)


async def _goes_on(opens: Opens, session: Session) -> None:
    """The next session saves as ever."""
    session.close()
    after = await opens(session.studio_id)
    (after.root / "made" / "large").unlink()
    saved = await after.saver.save(final=True)
    assert saved.status is CheckpointStatus.FINALISED
    seen = after.look()
    after.close()
    again = await opens(session.studio_id)
    assert differences(seen, again.look()) == {}
