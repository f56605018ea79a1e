"""Whatever was in a session's files is there in the next one."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from jupyterhub_studios.checkpoints import Store, fetch_layers
from jupyterhub_studios.models import CheckpointStatus, LayerRef

from .conftest import Opens
from .trees import Session, Tree, differences

pytestmark = pytest.mark.root


async def run(*command: str | Path) -> None:
    await asyncio.to_thread(subprocess.run, command, check=True)


async def stop_and_start(opens: Opens, session: Session) -> tuple[Tree, Session]:
    """End ``session`` with a final save; its last view, and the next session."""
    seen = session.look()
    checkpoint = await session.saver.save(final=True)
    assert checkpoint.status is CheckpointStatus.FINALISED
    session.close()
    return seen, await opens(session.studio_id)


async def test_every_kind_of_entry(opens: Opens) -> None:
    session = await opens()
    root = session.root
    (root / "plain").write_text("plain")
    (root / "empty-file").touch()
    (root / "empty dir").mkdir()
    (root / "setuid").write_text("#!")
    (root / "setuid").chmod(0o4755)
    (root / "sticky").mkdir(mode=0o700)
    (root / "sticky").chmod(0o1777)
    (root / "owned").write_text("of others")
    os.chown(root / "owned", 3_000_000, 12345)
    os.mkfifo(root / "fifo", 0o640)
    (root / "first-name").write_text("linked")
    (root / "sticky" / "second-name").hardlink_to(root / "first-name")
    (root / "link").symlink_to("no/such/target")
    (root / "long-link").symlink_to("x" * 300)
    with (root / "sparse").open("wb") as sparse:
        sparse.truncate(300 << 20)
        sparse.seek(100 << 20)
        sparse.write(b"in the middle")
    (root / "only-hole").touch()
    os.truncate(root / "only-hole", 50 << 20)
    os.setxattr(root / "plain", "user.note", b"with\nnewline\0and zero")
    os.setxattr(root / "sticky", "user.mark", b"dir")
    await run("setcap", "cap_net_raw+ep", root / "setuid")
    os.utime(root / "plain", (1_000_000_000, 1_000_000_000))
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(root / "socket"))
    listener.close()
    seen, after = await stop_and_start(opens, session)
    assert differences(seen, after.look()) == {}
    assert b"socket" not in after.look()
    assert (after.root / "sparse").stat().st_blocks * 512 < 10 << 20


NAMES = [
    b"\xff\xfe not utf-8", b"new\nline", b"tab\t", b" leading", b"trailing ", b"back\\slash", b'"quoted"',
    b"#hash", b"-dash", b"*star?[x]", b"a" * 255, "ünïcödé".encode(), b"...", b"..x", b"=equal", b"\x01\x7f",
]  # fmt: skip


@pytest.mark.parametrize("saves", [1, 2])
async def test_any_name(opens: Opens, saves: int) -> None:
    """Also when the file is removed again, so that the name must become a whiteout's."""
    session = await opens()
    top = bytes(session.root) + b"/names"
    os.mkdir(top)  # noqa: PTH102 (bytes)
    for name in NAMES:
        for place in (top + b"/" + name, top + b"/" + name[:250] + b".dir"):
            if place.endswith(b".dir"):
                os.mkdir(place)  # noqa: PTH102 (bytes)
                place += b"/" + name
            with open(place, "wb") as file:  # noqa: PTH123 (bytes)
                file.write(name)
    if saves == 2:
        await session.saver.save()
        for name in NAMES[::2]:
            os.unlink(top + b"/" + name)  # noqa: PTH108 (bytes)
            shutil.rmtree(top + b"/" + name[:250] + b".dir")
    seen, after = await stop_and_start(opens, session)
    assert differences(seen, after.look()) == {}
    assert len(seen) > len(NAMES)


async def test_changes_of_the_base(opens: Opens, base: Path) -> None:
    session = await opens()
    root = session.root
    (root / "usr" / "bin" / "tool").unlink()
    shutil.rmtree(root / "etc" / "deep")
    (root / "etc" / "deep").mkdir()
    (root / "etc" / "deep" / "new").write_text("alone here")
    (root / "etc" / "conf").write_text("changed")
    seen, after = await stop_and_start(opens, session)
    assert differences(seen, after.look()) == {}
    assert sorted(p.name for p in (after.root / "etc" / "deep").iterdir()) == ["new"]
    assert (base / "etc" / "deep" / "er" / "two").read_text() == "two"


def _remove_and_make_again(root: Path, step: int) -> None:
    shutil.rmtree(root / "etc" / "deep", ignore_errors=True)
    (root / "etc" / "deep" / "er").mkdir(parents=True)
    (root / "etc" / "deep" / "er" / f"step-{step}").write_text(str(step))


def _remove_only(root: Path, step: int) -> None:
    own = root / "own"
    if step % 2 == 0:
        (own / "below" / "more").mkdir(parents=True)
        (own / "below" / "more" / "file").write_text(str(step))
    else:
        shutil.rmtree(own)


def _file_and_directory(root: Path, step: int) -> None:
    for place in (root / "turns", root / "etc" / "deep"):
        if place.is_dir():
            shutil.rmtree(place)
            place.write_text(f"file in step {step}")
        else:
            place.unlink(missing_ok=True)
            place.mkdir()
            (place / f"inner-{step}").write_text("x")


def _rename_over(root: Path, step: int) -> None:
    (root / "new").write_text(f"step {step}")
    (root / "new").rename(root / "etc" / "conf")


def _move_out_and_back(root: Path, step: int) -> None:
    """A directory that is moved out of another, which is made anew, and back: its files look unchanged."""
    outer = root / "outer"
    if step == 0:
        (outer / "inner").mkdir(parents=True)
        (outer / "inner" / "kept").write_text("kept")
        (root / "etc" / "deep" / "mine").mkdir()
        (root / "etc" / "deep" / "mine" / "file").write_text("mine")
        return
    for place, name in ((outer, "inner"), (root / "etc" / "deep", "mine")):
        (place / name).rename(root / "aside")
        shutil.rmtree(place)
        place.mkdir()
        (root / "aside").rename(place / name)


def _links_come_and_go(root: Path, step: int) -> None:
    first = root / "link-0"
    if step == 0:
        first.write_text("shared")
    elif step < 3:
        (root / f"link-{step}").hardlink_to(first)
    else:
        (root / f"link-{step - 2}").unlink()


def _append(root: Path, step: int) -> None:
    with (root / "log").open("a") as log:
        log.write(f"line {step}\n")
    (root / "etc" / f"file-{step}").write_text("x" * 1000)


def _swap(root: Path, step: int) -> None:
    if step == 0:
        for name in "ab":
            (root / name).mkdir()
            (root / name / "same").write_text(name)
        return
    (root / "a").rename(root / "c")
    (root / "b").rename(root / "a")
    (root / "c").rename(root / "b")


@pytest.mark.parametrize(
    "act",
    [
        _remove_and_make_again,
        _remove_only,
        _file_and_directory,
        _rename_over,
        _move_out_and_back,
        _links_come_and_go,
        _append,
        _swap,
    ],
)
@pytest.mark.parametrize("settle", [False, True], ids=["at-once", "settled"])
async def test_across_interim_saves(
    opens: Opens, act: Callable[[Path, int], None], settle: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each interim checkpoint is the session as it was then, and so is the last."""
    if settle:  # as if each file were older than the time in which a change may go unseen
        monkeypatch.setattr("jupyterhub_studios.checkpoints.scan.RACY_NS", 0)
    monkeypatch.setattr("jupyterhub_studios.checkpoints.capture.SMALL", 0)
    session = await opens()
    (session.root / "ballast").write_bytes(os.urandom(5 << 20))
    for step in range(4):
        act(session.root, step)
        checkpoint = await session.saver.save()
        seen = session.look()
        other = Session(session.store, "st-1", session.base, session.folder / f"check-{step}", 0)
        await _assert_restores(session.store, other, checkpoint.layers, seen)
    act(session.root, 4)
    seen, after = await stop_and_start(opens, session)
    assert differences(seen, after.look()) == {}


async def _assert_restores(store: Store, other: Session, layers: list[LayerRef], seen: Tree) -> None:
    files = await fetch_layers(store, layers, other.folder / "layers")
    try:
        other.mount(files)
        assert differences(seen, other.look()) == {}
    finally:
        other.close()


async def test_many_sessions_make_a_short_chain(opens: Opens) -> None:
    """Merging keeps what earlier sessions removed removed."""
    session = await opens()
    for number in range(16):
        root = session.root
        (root / f"of-{number}").write_text(str(number))
        (root / f"of-{number - 3}").unlink(missing_ok=True)
        shutil.rmtree(root / "etc" / "deep", ignore_errors=True)
        (root / "etc" / "deep").mkdir()
        (root / "etc" / "deep" / str(number)).touch()
        seen, session = await stop_and_start(opens, session)
        assert differences(seen, session.look()) == {}
        assert len(session.points) <= 12
    assert not (session.root / "etc" / "deep" / "er").exists()


async def test_a_large_delta(opens: Opens) -> None:
    """Read by mksquashfs itself; the next save writes only what changed."""
    session = await opens()
    for number in range(3000):
        folder = session.root / f"d{number % 50}"
        folder.mkdir(exist_ok=True)
        (folder / f"f{number}").write_text(f"content {number}")
    shutil.rmtree(session.root / "etc" / "deep")
    (session.root / "etc" / "deep").mkdir()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(session.root / "d1" / "socket"))
    listener.close()
    await asyncio.sleep(0.2)  # what changed a moment ago is written twice
    first = await session.saver.save()
    assert first.layers[-1].files >= 3000 and len(first.layers) == 1
    shutil.rmtree(session.root / "d7")
    (session.root / "d8" / "f8").write_text("changed")
    seen, after = await stop_and_start(opens, session)
    assert differences(seen, after.look()) == {}


async def test_acl_is_told_and_never_widens(opens: Opens) -> None:
    session = await opens()
    (session.root / "guarded").write_text("secret")
    (session.root / "guarded").chmod(0o600)
    await run("setfacl", "-m", "u:1000:rw,g::---", session.root / "guarded")
    checkpoint = await session.saver.save(final=True)
    assert "guarded has an access control list" in checkpoint.message
    session.close()
    after = await opens()
    assert (after.root / "guarded").stat().st_mode & 0o777 == 0o600
