"""The ways to make a root, and that layers mean the same in all of them."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyterhub_studios.agent.root import mounts
from jupyterhub_studios.agent.root.unpack import whiteouts
from jupyterhub_studios.models import RootMode

from .conftest import USER
from .harness import Studio, left_overs

MANY = """
set -e
echo one > /workspace/one; mkdir -p /opt/a/b; echo x > /opt/a/b/c
rm /etc/issue; rm -r /usr/share/doc/bash; mkdir /usr/share/doc/bash; echo mine > /usr/share/doc/bash/mine
mkdir /srv/new; chown 33:33 /srv/new; echo add >> /etc/profile
"""
CHECK = """
cat /workspace/one /opt/a/b/c; test -e /etc/issue || echo gone; ls -A /usr/share/doc/bash; tail -1 /etc/profile
stat -c '%u:%g %a %n' /srv/new /etc /etc/profile /opt/a; find /usr/share/doc /opt /workspace -name '.wh.*'
"""
SEEN = "one\nx\ngone\nmine\nadd\n33:33 755 /srv/new\n0:0 755 /etc\n0:0 644 /etc/profile\n0:0 755 /opt/a\n"


def change_owner(folder: Path, user: str | None) -> None:
    subprocess.run(
        ["chown", "-R", user or "root", str(folder / "bucket"), str(folder / "scratch")], check=True
    )


@pytest.mark.root
@pytest.mark.parametrize("order", ["root then user", "user then root", "user then root then user"])
async def test_layers_of_root_and_user_mean_the_same(order: str, root_studio: Studio, test_user: str) -> None:
    studio = root_studio
    checkpoint = None
    for number, who in enumerate(order.split(" then ")):
        user = None if who == "root" else test_user
        studio.user = user
        change_owner(studio.home, user)
        session = await studio.start(checkpoint)
        assert (await session.ready()).root_mode == RootMode.OVERLAY
        if number == 0:
            await session.sh(MANY)
        assert await session.sh(CHECK) == SEEN
        await session.sh(f"touch /opt/a/b/{number}")
        checkpoint = await session.stop()


@pytest.mark.root
async def test_a_user_without_subordinate_uids(root_studio: Studio, test_user: str) -> None:
    kept = {name: Path(f"/etc/{name}").read_text() for name in ("subuid", "subgid")}
    try:
        for name, text in kept.items():
            lines = [line for line in text.splitlines(keepends=True) if not line.startswith(f"{USER}:")]
            Path(f"/etc/{name}").write_text("".join(lines))
        root_studio.user = test_user
        change_owner(root_studio.home, test_user)
        session = await root_studio.start()
        assert (await session.ready()).root_mode == RootMode.OVERLAY
        assert "subordinate uids" in str([m.event.message for m in session.service.of("event") if m.event])
        await session.sh("echo one > /workspace/one; rm /etc/issue; echo add >> /etc/profile; mkdir /newtop")
        saved = await session.stop()
        again = await root_studio.start(saved)
        await again.ready()
        assert await again.sh(
            "cat one; test -e /etc/issue || echo gone; tail -1 /etc/profile; ls -d /newtop"
        ) == ("one\ngone\nadd\n/newtop\n")
        await again.stop()
    finally:
        for name, text in kept.items():
            Path(f"/etc/{name}").write_text(text)
    assert left_overs(root_studio.home) == ""


@pytest.mark.root
async def test_home_only(home_studio: Studio) -> None:
    studio = home_studio
    first = await studio.start()
    ready = await first.ready()
    assert ready.root_mode == RootMode.HOME
    events = [m.event.message for m in first.service.of("event") if m.event]
    assert "Only the home directory is kept: STUDIOS_ROOT_MODE=home is set" in events
    await first.sh(
        "mkdir -p d/e; echo one > d/one; echo two > d/e/two; ln -s one d/link; echo x > x; chmod 600 x"
    )
    assert "HOME=/workspace" in await first.sh("env")
    assert await first.sh("touch /usr/x /newtop 2>/dev/null || echo refused") == "refused\n"
    await first.save("one")
    await first.sh("rm -r d/e; rm x; echo three > d/three")
    saved = await first.stop()
    assert saved.root_mode == RootMode.HOME

    second = await studio.start(saved)
    await second.ready()
    assert await second.sh("cat d/one d/three; readlink d/link; ls -A . d") == (
        "one\nthree\none\n.:\nd\n\nd:\nlink\none\nthree\n"
    )
    await second.sh("rm d/one; echo four > d/four")
    saved = await second.stop()
    third = await studio.start(saved)
    await third.ready()
    assert await third.sh("ls -A d") == "four\nlink\nthree\n"
    assert await third.sh(f"ls -A {studio.home}/scratch {studio.home}/bucket") != ""
    await third.kill()
    assert left_overs(studio.home) == ""


@pytest.mark.root
async def test_home_only_without_bubblewrap(home_studio: Studio, tmp_path: Path) -> None:
    """As on a system that has none: only what PATH names is found there."""
    programs = home_studio.home / "programs"
    programs.mkdir()
    for folder in ("/usr/bin", "/bin", "/usr/sbin"):
        for program in Path(folder).iterdir():
            if program.name != "bwrap" and not (programs / program.name).exists():
                (programs / program.name).symlink_to(program.resolve())
    home_studio.environment["PATH"] = str(programs)
    first = await home_studio.start()
    await first.ready()
    assert "not separated" in str([m.event.message for m in first.service.of("event") if m.event])
    await first.sh("echo one > file")
    where = await first.sh("pwd -L; echo $HOME")
    saved = await first.stop()
    second = await home_studio.start(saved)
    await second.ready()
    assert await second.sh("cat file") == "one\n"
    assert (await second.sh("pwd -L; echo $HOME")).splitlines()[1] == where.splitlines()[1]
    await second.kill()


@pytest.mark.root
async def test_an_overlays_home_is_restored_where_only_home_is_kept_and_nothing_else_is_lost(
    root_studio: Studio,
) -> None:
    studio = root_studio
    first = await studio.start()
    await first.ready()
    await first.sh("echo one > one; echo two > two; echo tool > /opt/tool; rm /etc/issue")
    saved = await first.stop()
    studio.environment["STUDIOS_ROOT_MODE"] = "home"
    second = await studio.start(saved)
    assert (await second.ready()).root_mode == RootMode.HOME
    assert await second.sh("cat one two") == "one\ntwo\n"
    await second.sh("rm one; echo three > three")
    saved = await second.stop()
    del studio.environment["STUDIOS_ROOT_MODE"]
    third = await studio.start(saved)
    await third.ready()
    assert await third.sh("ls; cat /opt/tool; test -e /etc/issue || echo gone") == "three\ntwo\ntool\ngone\n"
    await third.stop()


@pytest.fixture
def other_disk() -> Iterator[Path]:
    """A file system of its own in a folder of the machine, as /home often is."""
    place = Path("/srv/studios-test-disk")
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "none", str(place)], check=True)
    (place / "folder").mkdir()
    (place / "folder" / "file").write_text("on the other disk\n")
    (place / "delete").write_text("me")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)
    place.rmdir()


@pytest.mark.root
async def test_other_file_systems_of_the_machine_belong_to_the_root(studio: Studio, other_disk: Path) -> None:
    first = await studio.start()
    await first.ready()
    assert await first.sh(f"cat {other_disk}/folder/file") == "on the other disk\n"
    await first.sh(
        f"echo more >> {other_disk}/folder/file; echo new > {other_disk}/new; rm {other_disk}/delete"
    )
    saved = await first.stop()
    second = await studio.start(saved)
    await second.ready()
    assert await second.sh(f"cat {other_disk}/folder/file; ls {other_disk}") == (
        "on the other disk\nmore\nfolder\nnew\n"
    )
    await second.stop()
    assert (other_disk / "folder" / "file").read_text() == "on the other disk\n"
    assert (other_disk / "delete").exists()
    shutil.rmtree(other_disk / "folder")


@pytest.mark.root
async def test_the_skeleton_comes_once(root_studio: Studio) -> None:
    skeleton = root_studio.home / "skeleton"
    (skeleton / "examples").mkdir(parents=True)
    (skeleton / "examples" / "first.txt").write_text("welcome\n")
    (skeleton / "readme").write_text("hello\n")
    template = root_studio._spec(None, {}).template.model_copy(update={"skeleton": str(skeleton)})
    first = await root_studio.start(template=template)
    await first.ready()
    assert await first.sh("cat examples/first.txt readme") == "welcome\nhello\n"
    await first.sh("rm readme")
    second = await root_studio.start(await first.stop(), template=template)
    await second.ready()
    assert await second.sh("ls") == "examples\n"
    await second.stop()


def test_mount_tables_are_read() -> None:
    table = "\n".join(
        [
            "27 1 254:0 / / rw - ext4 /dev/vda rw",
            "22 27 0:21 / /proc rw - proc proc rw",
            "28 27 0:25 / /home rw master:1 - xfs /dev/vdb rw",
            "29 28 0:26 / /home/a\\040b rw - ext4 /dev/vdc rw",
            "30 27 0:27 / /hidden/x rw - ext4 /dev/vdd rw",
            "31 27 0:28 / /tmp rw - tmpfs tmpfs rw",
            "32 28 0:29 / /home rw - nfs4 srv:/ rw",
        ]
    )
    found = mounts.submounts([Path("/hidden")], table)
    assert [(str(mount.point), mount.kind) for mount in found] == [("/home", "nfs4"), ("/home/a b", "ext4")]


def test_deletions_are_found_in_a_listing() -> None:
    listing = (
        b"drwxr-xr-x 0/0                30 2026-11-22 21:55 squashfs-root\n"
        b"c--------- 0/0             0,  0 2026-11-22 21:55 squashfs-root/workspace/gone\n"
        b"-rw-r--r-- 0/0                 5 2026-11-22 21:55 squashfs-root/workspace/line\nbreak\n"
        b"crw-rw-rw- 0/0             1,  3 2026-11-22 21:55 squashfs-root/workspace/null\n"
        b"c--------- 0/0             0,  0 2026-11-22 21:55 squashfs-root/workspace/two\nlines \xff\n"
    )
    assert whiteouts(listing) == [b"workspace/gone", b"workspace/two\nlines \xff"]
