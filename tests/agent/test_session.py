"""A session from start to stop and back, by the real agent with a trivial app."""

from __future__ import annotations

import asyncio
import stat
import sys
from pathlib import Path

import pytest

from jupyterhub_studios.models import CheckpointStatus, RootMode

from .harness import Studio, left_overs

pytestmark = pytest.mark.root


async def test_what_was_done_is_back_after_a_stop(studio: Studio) -> None:
    issue = Path("/etc/issue").read_text()
    first = await studio.start()
    ready = await first.ready()
    assert ready.root_mode == RootMode.OVERLAY
    assert ready.address is not None
    await first.sh("echo work > note; mkdir -p /opt/tool/deep; echo new > /opt/tool/deep/file; mkdir /newtop")
    await first.sh("echo changed >> /etc/hosts.allow.test; echo more >> /etc/profile; rm /etc/issue")
    await first.sh("rm -r /usr/share/doc/bash && mkdir /usr/share/doc/bash && touch /usr/share/doc/bash/mine")
    await first.sh("echo x > s; chmod 4755 s; ln s hard; ln -s s soft; chown 33:33 hard; mkfifo pipe")
    saved = await first.stop()
    assert saved.status == CheckpointStatus.FINALISED
    assert saved.root_mode == RootMode.OVERLAY

    second = await studio.start(saved)
    await second.ready()
    assert (
        await second.sh("cat /workspace/note; cat /opt/tool/deep/file; ls -d /newtop")
        == "work\nnew\n/newtop\n"
    )
    assert await second.sh("tail -1 /etc/profile; test -e /etc/issue || echo gone") == "more\ngone\n"
    assert await second.sh("ls -A /usr/share/doc/bash") == "mine\n"
    assert (
        await second.sh("stat -c '%u %g' s hard; readlink soft; test -p pipe && echo fifo")
        == "33 33\n33 33\ns\nfifo\n"
    )
    assert (
        await second.sh("stat -c '%u:%g %a' / /etc /etc/profile /workspace /newtop")
        == "0:0 755\n0:0 755\n0:0 644\n0:0 755\n0:0 755\n"
    )
    again = await second.stop()
    assert again.layers[: len(saved.layers)] == saved.layers or len(again.layers) == 1

    # The machine is as it was, and nothing is left on it.
    assert Path("/etc/issue").read_text() == issue
    assert not Path("/newtop").exists()
    assert Path("/usr/share/doc/bash/copyright").exists()
    assert left_overs(studio.home) == ""


async def test_phases_are_told_in_order(studio: Studio) -> None:
    session = await studio.start()
    await session.ready()
    told = [(m.phase.name, m.phase.status) for m in session.service.of("phase") if m.phase]
    names = ["image", "restore", "data", "app", "ready"]
    assert told == [(name, status) for name in names for status in ("running", "done")]
    assert "the app is up" in session.service.log or await session.sh("true") == ""
    await session.stop()
    assert "the app is up" in session.service.log
    assert session.service.of("stopping")[0].message == "asked by ada"


async def test_a_second_studio_sees_nothing_of_the_first(studio: Studio, studios: list[Studio]) -> None:
    other = Studio(home=studio.home, store=studio.store, user=studio.user, hide=studio.hide)
    studios.append(other)
    first = await studio.start()
    await first.ready()
    await first.sh("echo secret > /workspace/mine; echo secret > /opt/mine; echo secret > /tmp/mine")
    second = await other.start()
    await second.ready()
    assert await second.sh("ls /workspace; cat /tmp/mine /opt/mine || true") == (
        "cat: /tmp/mine: No such file or directory\ncat: /opt/mine: No such file or directory\n"
    )
    assert "app.py" not in await second.sh(f"ls -R {studio.home}/scratch {studio.home}/bucket")
    assert await second.sh(f"find {studio.home}/scratch {studio.home}/bucket -mindepth 1") == ""


async def test_a_killed_agent_comes_back_with_the_last_save(studio: Studio) -> None:
    first = await studio.start(save_interval=0.5)
    await first.ready()
    await first.sh("echo one > /workspace/one; rm /etc/issue")
    count = len(first.service.of("saved"))
    while len(saves := first.service.of("saved")) < count + 2:
        await first.service.wait(lambda m, seen=saves: m.kind == "saved" and m not in seen)
    saved = first.service.of("saved")[-1].checkpoint
    assert saved is not None
    assert saved.status == CheckpointStatus.INTERIM
    await first.kill()
    assert left_overs(studio.home) == ""

    second = await studio.start(saved)
    await second.ready()
    assert await second.sh("cat /workspace/one; test -e /etc/issue || echo gone") == "one\ngone\n"
    await second.stop()


async def test_a_named_save_is_a_checkpoint_beside(studio: Studio) -> None:
    session = await studio.start()
    await session.ready()
    await session.sh("echo before > file")
    named = await session.save("before the change")
    assert (named.name, named.author, named.status) == (
        "before the change",
        "ada",
        CheckpointStatus.FINALISED,
    )
    await session.sh("echo after > file")
    last = await session.stop()
    assert last.id != named.id
    assert last.layers != named.layers


async def test_debian_packages_can_be_installed_and_stay(studio: Studio) -> None:
    session = await studio.start()
    await session.ready()
    await session.sh(
        """set -e; mkdir -p /tmp/p/DEBIAN /tmp/p/usr/bin /tmp/p/etc /tmp/p/var/lib/studio-test; cd /tmp/p
        printf 'Package: studio-test\\nVersion: 1.2\\nArchitecture: all\\n' > DEBIAN/control
        printf 'Maintainer: t <t@t>\\nDescription: t\\n' >> DEBIAN/control
        printf '#!/bin/sh\\nadduser --system --group studiotest\\n' > DEBIAN/postinst
        echo 'chown studiotest /var/lib/studio-test' >> DEBIAN/postinst
        chmod 755 DEBIAN/postinst; echo /etc/studio-test.conf > DEBIAN/conffiles; echo a=1 > etc/studio-test.conf
        printf '#!/bin/sh\\necho installed\\n' > usr/bin/studio-test
        chmod 755 usr/bin/studio-test
        dpkg-deb --root-owner-group --build /tmp/p /tmp/p.deb; apt-get install -y /tmp/p.deb; studio-test"""
    )
    saved = await session.stop()
    assert ("studio-test", "1.2") in [(p.name, p.version) for p in saved.installed if p.manager == "dpkg"]
    again = await studio.start(saved)
    await again.ready()
    assert await again.sh("studio-test; stat -c %U /var/lib/studio-test; dpkg -V studio-test") == (
        "installed\nstudiotest\n"
    )
    await again.stop()


async def test_the_session_knows_only_what_it_should(studio: Studio) -> None:
    session = await studio.start(environment={"MINE": "1", "STUDIO_ID": "forged", "HOME": "/forged"})
    await session.ready()
    environment = dict(line.split("=", 1) for line in (await session.sh("env")).splitlines())
    assert environment["MINE"] == "1"
    assert environment["FROM_TEMPLATE"] == environment["HOME"] == "/workspace"
    assert environment["STUDIO_ID"] == studio.id
    assert len(environment["STUDIO_IDENTITY_KEY"]) == 44
    assert set(environment) <= {
        "PATH", "LANG", "SHELL", "USER", "HOME", "PWD", "MINE", "FROM_TEMPLATE", "STUDIO_ID", "STUDIO_NAME",
        "STUDIO_IDENTITY_KEY", "STUDIO_OWNER", "STUDIO_SERVER_NAME",
        "STUDIO_PREFIX", "STUDIO_HUB_PREFIX", "STUDIO_DATA_SOCKET", "OLDPWD", "SHLVL", "_",
    }  # fmt: skip
    assert await session.sh("pwd; id -u; umask") == "/workspace\n0\n0022\n"
    assert await session.sh("command -v pip") == f"{Path(sys.executable).parent}/pip\n"
    await session.sh("getent hosts localhost && test -s /etc/resolv.conf && touch /dev/null /tmp/x")
    assert stat.S_IMODE((session.folder / "run" / "app.sock").stat().st_mode) & 0o700


async def test_folders_that_a_session_made_show_what_each_of_its_saves_kept(studio: Studio) -> None:
    session = await studio.start()
    await session.ready()
    await session.sh(
        "mkdir made; echo early > made/early; head -c 9M /dev/urandom > made/large; echo 1 > first"
    )
    await asyncio.sleep(1.1)  # what is younger when it is saved is saved once more, and both become one layer
    await session.save("First")
    await session.sh("echo late > made/late; echo 2 > second")
    stopped = await session.stop()
    assert len(stopped.layers) == 2
    again = await studio.start(stopped)
    await again.ready()
    assert await again.sh("ls made; cat first second made/early") == "early\nlarge\nlate\n1\n2\nearly\n"
    await again.stop()


@pytest.mark.slow
async def test_a_chain_does_not_grow_without_end(studio: Studio) -> None:
    saved = None
    for number in range(15):
        session = await studio.start(saved)
        await session.ready()
        await session.sh(f"echo {number} > /workspace/{number}; test ! -e /etc/issue || rm /etc/issue")
        saved = await session.stop()
    assert saved is not None
    assert len(saved.layers) <= 13, "twelve, and the one that was written last"
    last = await studio.start(saved)
    await last.ready()
    assert set((await last.sh("ls")).split()) >= {str(number) for number in range(15)}
    assert await last.sh("test -e /etc/issue || echo gone") == "gone\n"
    await last.stop()
