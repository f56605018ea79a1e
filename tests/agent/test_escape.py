"""What a session must not reach: other state of this machine, the agent, the machine itself."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from .harness import Session, Studio

pytestmark = pytest.mark.root


async def denied(session: Session, script: str) -> str:
    """What ``script`` said; it must have failed."""
    said = await session.sh(f"if ({script}) 2>&1; then echo IT-WORKED; fi", check=False)
    assert "IT-WORKED" not in said, said
    return said


async def test_hidden_places_are_empty_and_stay_so(studio: Studio) -> None:
    secret, file = studio.home / "state" / "secret", studio.home / "token"
    secret.parent.mkdir()
    secret.write_text("top secret")
    file.write_text("top secret")
    studio.hide += [str(secret.parent), str(file), str(studio.home / "not-there")]
    session = await studio.start()
    await session.ready()
    await denied(session, f"cat {secret}")
    await denied(session, f"grep -r secret {file} {secret.parent}")
    assert await session.sh(f"find {secret.parent} {session.spec.scratch} -mindepth 1") == ""
    await denied(session, f"umount {secret.parent}")
    await denied(session, f"mount --bind / /mnt && cat /mnt{secret}")
    await denied(
        session, f"unshare --user --map-root-user --mount sh -c 'umount {secret.parent} && cat {secret}'"
    )
    await denied(session, f"unshare --mount umount {secret.parent}")
    await denied(session, f"rmdir {secret.parent}")
    await denied(session, f"touch {secret.parent}/mine")
    saved = await session.stop()
    assert secret.read_text() == file.read_text() == "top secret"
    for layer in (studio.home / "bucket").rglob("*.sqsh"):
        listing = subprocess.run(["unsquashfs", "-l", str(layer)], capture_output=True, text=True).stdout
        assert "secret" not in listing
        assert "token" not in listing
        assert "run/studio" not in listing
    assert saved.layers


async def test_the_agent_is_out_of_reach(studio: Studio) -> None:
    session = await studio.start()
    await session.ready()
    agent = session.process.pid
    seen = await session.sh("for p in /proc/[0-9]*; do tr '\\0' ' ' < $p/cmdline; echo; done")
    assert "jupyterhub_studios.agent" not in seen
    assert str(agent) not in (await session.sh("ls /proc")).split()
    await denied(session, f"kill -0 {agent}")
    await denied(session, f"cat /proc/{agent}/environ")
    everything = await session.sh("cat /proc/[0-9]*/environ | tr '\\0' '\\n'")
    spec = session.spec
    for secret in (spec.control_token, spec.ticket_key, "STUDIOS_BOOTSTRAP"):
        assert secret not in everything


async def test_the_machine_is_out_of_reach(studio: Studio) -> None:
    session = await studio.start()
    await session.ready()
    devices = {path.name for path in Path("/sys/class/block").iterdir()}
    assert not devices & set((await session.sh("find /dev -printf '%f\\n'")).split())
    await denied(session, "mknod /tmp/disk b 254 0 && head -c 1 /tmp/disk")
    await denied(session, "mount -t tmpfs none /mnt")
    # Only asked, not tried: a setting of the kernel would be this machine's.
    settings = (
        "find /proc -mindepth 1 \\( -path '/proc/[0-9]*' -o -path '/proc/*self' -o -path /proc/pressure \\) -prune "
        "-o -type f -writable -perm -200 -exec sh -c 'test -c $0 || echo $0' {} \\; 2>/dev/null || true"
    )
    assert await session.sh(settings) == ""
    await denied(session, "test -w /proc/sys/kernel/core_pattern || test -w /proc/sysrq-trigger")
    await denied(session, "test -s /proc/kcore || test -s /proc/keys")
    await denied(session, "chroot /proc/1/root true && test -e /proc/1/root/../etc/shadow-of-the-host")
    await denied(session, "test -e /sys/kernel")
    capabilities = int((await session.sh("awk '/CapEff/ {print $2}' /proc/self/status")).strip(), 16)
    for number, name in {
        21: "SYS_ADMIN",
        19: "SYS_PTRACE",
        16: "SYS_MODULE",
        27: "MKNOD",
        17: "SYS_RAWIO",
    }.items():
        assert not capabilities & 1 << number, name
    assert int((await session.sh("awk '/NoNewPrivs/ {print $2}' /proc/self/status")).strip()) == 1


async def test_the_machine_is_not_changed(studio: Studio) -> None:
    before = {
        path: path.stat().st_mtime_ns for path in map(Path, ("/etc", "/usr/bin", "/opt", "/var/lib/dpkg"))
    }
    session = await studio.start()
    await session.ready()
    await session.sh("touch /etc/x /usr/bin/x /opt/x /var/lib/dpkg/x; rm -rf /usr/share/man/man7 /srv")
    await session.stop()
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert Path("/srv").exists()


async def test_a_person_s_variables_reach_the_app_alone(studio: Studio) -> None:
    """What enters the root runs outside: LD_PRELOAD there would be code of the session with the agent's rights."""
    session = await studio.start(environment={"LD_PRELOAD": "/nowhere/mine.so", "MINE": "a b"})
    await session.ready()
    assert (await session.sh("echo $LD_PRELOAD $MINE")).endswith("/nowhere/mine.so a b\n")
    assert (await session.sh("echo; wc -c < /proc/1/environ")).endswith("\n0\n")  # bubblewrap's own
    await session.stop()
