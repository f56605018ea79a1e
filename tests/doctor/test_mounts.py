"""The doctor looks at what a machine has for mounting buckets."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from jupyterhub_studios.doctor.findings import Result
from jupyterhub_studios.doctor.mounts import mounts
from jupyterhub_studios.models import Mounter


@dataclass
class Machine:
    """A folder with programs and a device, in place of a machine's."""

    folder: Path

    def program(self, name: str, script: str = "echo rclone v1.75.2") -> None:
        (self.folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (self.folder / name).chmod(0o755)

    async def look(self, mounter: Mounter = "rclone", *, is_root: bool = True) -> Result:
        device = self.folder / "fuse"
        return await mounts(mounter, str(self.folder), is_root=is_root, device=str(device))


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    (tmp_path / "fuse").touch()
    return Machine(tmp_path)


async def test_what_mounts_need_is_told_one_after_the_other(machine: Machine) -> None:
    assert (await machine.look(is_root=False)).finding == "mounts-helper"
    machine.program("fusermount3")
    missing = await machine.look(is_root=False)
    assert missing.finding == "mounts-missing" and str(machine.folder) in missing.why
    machine.program("rclone")
    assert (await machine.look(is_root=False)).finding == "mounts-ok"
    assert (await machine.look("mount-s3")).finding == "mounts-mountpoint"
    machine.program("mount-s3")
    assert (await machine.look("mount-s3")).finding == "mounts-ok"


async def test_a_machine_without_fuse(machine: Machine) -> None:
    """Not there, or there and closed, as a container sees it."""
    (machine.folder / "fuse").unlink()
    assert "is not there" in (await machine.look()).why
    (machine.folder / "fuse").mkdir()
    result = await machine.look()
    assert result.finding == "mounts-device" and "cannot be opened" in result.why


@pytest.mark.parametrize(
    ("script", "finding", "why"),
    [
        ("echo broken >&2; exit 3", "mounts-broken", "rclone does not run (broken)"),
        ("exit 3", "mounts-broken", "exit code 3"),
        ("echo something else", "mounts-broken", "something else"),
        ("echo rclone v1.60.1-DEV", "mounts-old", "1.68 is the first"),
    ],
)
async def test_an_rclone_that_will_not_do(machine: Machine, script: str, finding: str, why: str) -> None:
    machine.program("rclone", script)
    result = await machine.look()
    assert result.finding == finding and why in result.why
