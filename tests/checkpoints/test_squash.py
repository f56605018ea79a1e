"""Merging layers never changes what is seen through them."""

from __future__ import annotations

import os
import shutil
import tempfile
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jupyterhub_studios.checkpoints.layers import Builder
from jupyterhub_studios.checkpoints.squash import CHAIN, first_to_merge, merge

from .trees import OVERLAY, Tree, differences, look, mount, unmount

NAMES = ["a", "b", "c"]
PATHS = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3).map("/".join)
ACTS = st.tuples(st.sampled_from(["write", "mkdir", "remove", "again", "move"]), PATHS, PATHS)
SESSIONS = st.lists(st.lists(ACTS, max_size=8), min_size=3, max_size=4)


def act(root: Path, kind: str, path: str, other: str) -> None:
    """What a person may do; what is impossible just does not happen."""
    place = root / path
    try:
        if kind == "write":
            place.write_text(f"{path} {other}")
        elif kind == "mkdir":
            place.mkdir(parents=True)
        elif kind == "move":
            place.rename(root / other)
        else:
            if place.is_dir():
                shutil.rmtree(place)
            else:
                place.unlink()
            if kind == "again":
                place.mkdir()
    except OSError:
        return


def seen(folder: Path, lowers: list[Path]) -> Tree:
    """The view through ``lowers``, lowest first."""
    root = folder / "view"
    root.mkdir(exist_ok=True)
    stack = ":".join(str(place) for place in reversed([folder / "nothing", *lowers]))
    mount("-t", "overlay", "overlay", "-o", f"lowerdir={stack},{OVERLAY}", root)
    try:
        return look(root)
    finally:
        unmount(root)


def run_session(folder: Path, lowers: list[Path], upper: Path, acts: list[tuple[str, str, str]]) -> None:
    for place in (upper, folder / "root"):
        place.mkdir(exist_ok=True)
    work = folder / f"work-{upper.name}"
    work.mkdir()
    stack = ":".join(str(place) for place in reversed(lowers))
    options = f"lowerdir={stack},upperdir={upper},workdir={work},{OVERLAY}"
    mount("-t", "overlay", "overlay", "-o", options, folder / "root")
    try:
        for kind, path, other in acts:
            act(folder / "root", kind, path, other)
    finally:
        unmount(folder / "root")


@pytest.mark.root
@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(before=st.lists(ACTS, max_size=8), sessions=SESSIONS, data=st.data())
def test_merged_layers_look_the_same(
    before: list[tuple[str, str, str]], sessions: list[list[tuple[str, str, str]]], data: st.DataObject
) -> None:
    """Real overlay sessions on top of each other; any adjacent ones of them are merged."""
    with tempfile.TemporaryDirectory(prefix="studios-squash-") as name:
        folder = Path(name)
        base = folder / "base"
        for place in (base, folder / "nothing", folder / "scratch"):
            place.mkdir()
        for kind, path, other in before:
            act(base, kind, path, other)
        lowers = [base]
        for number, acts in enumerate(sessions):
            upper = folder / f"layer-{number}"
            run_session(folder, lowers, upper, acts)
            lowers.append(upper)
        start = data.draw(st.integers(1, len(sessions) - 1))
        end = data.draw(st.integers(start + 1, len(sessions)))
        items = merge(lowers[start : end + 1], lowers[:start])
        file, report = Builder(folder / "scratch").of(items, lowers[end], frozenset())
        assert report.vanished == report.unreadable == set()
        merged = folder / "merged"
        merged.mkdir()
        mount("-t", "squashfs", "-o", "loop,ro", file, merged)
        try:
            parts = seen(folder, lowers)
            whole = seen(folder, [*lowers[:start], merged, *lowers[end + 1 :]])
        finally:
            unmount(merged)
        assert differences(parts, whole) == {}


@given(st.lists(st.integers(1, 10**12), min_size=CHAIN + 1, max_size=40))
def test_merging_makes_chains_short(sizes: list[int]) -> None:
    start = first_to_merge(sizes)
    assert 0 <= start < 8
    assert start == 0 or sizes[start - 1] > 2 * sum(sizes[start:])


def test_big_old_layers_stay() -> None:
    assert first_to_merge([10**9] + [10**6] * 15) == 1


def test_items_come_after_their_directories(tmp_path: Path) -> None:
    for number, names in enumerate((["x/y/z"], ["x/y!", "x/y/a"])):
        for name in names:
            place = tmp_path / str(number) / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(name)
    items = [item.path for item in merge([tmp_path / "0", tmp_path / "1"], [])]
    assert items == sorted(items) and {b"x", b"x/y", b"x/y!", b"x/y/a", b"x/y/z"} == set(items)
    assert all(os.path.dirname(b) in (b"", *items) for _, b in pairwise(items))  # noqa: PTH120 (bytes)
