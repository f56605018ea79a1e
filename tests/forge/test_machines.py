"""The script of a machine, run for real in a small root where only AWS and the disks are stand-ins."""

import base64
import hashlib
import subprocess
from dataclasses import dataclass
from email import message_from_string
from pathlib import Path

import pytest

from jupyterhub_studios.forge.machines import user_data
from jupyterhub_studios.images.layer import write_tar

from .conftest import settings

STAND_INS = {
    # `aws s3 cp … s3://… TARGET` copies from the folder that stands for the bucket
    "aws": 'echo "aws $*" >>/log/calls; case "$1 $2" in "s3 cp") cp /bucket/agent "${@: -1}";; *) echo secret;; esac',
    "docker": 'echo "docker $*" >>/log/calls; [ "$1" = login ] && cat >>/log/passwords; true',
    "dnf": 'echo "dnf $*" >>/log/calls',
    "lsblk": 'echo "lsblk $*" >>/log/calls; cat "/disks/${@: -1}" 2>/dev/null || true',
    "blkid": '[ "$2" = /dev/used ]',
    "mkfs.xfs": 'echo "mkfs $*" >>/log/calls; [ ! -e /disks/broken ]',
    "mount": 'echo "mount $*" >>/log/calls',
    "systemd-run": 'echo "systemd-run $*" >>/log/calls; "${@: -1}"',
    "sleep": 'echo "sleep $*" >>/log/calls',
}
ALL_DISKS = "SIZE,NAME,TYPE"


@dataclass
class Machine:
    root: Path

    def run(self, text: str) -> subprocess.CompletedProcess[str]:
        script = self.root / "bucket" / "script"
        script.write_text(text)
        folders = ("etc", "opt", "var", "bucket", "log", "disks", "tmp")
        binds = [arg for name in folders for arg in ("--bind", str(self.root / name), f"/{name}")]
        command = [
            "bwrap", "--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin", "--symlink", "usr/lib", "/lib",
            "--symlink", "usr/lib64", "/lib64", "--dev", "/dev", "--proc", "/proc", *binds,
            "--ro-bind", str(self.root / "bin"), "/stand-ins", "--setenv", "PATH", "/stand-ins:/usr/bin:/usr/sbin",
            "bash", "/bucket/script",
        ]  # fmt: skip
        return subprocess.run(command, capture_output=True, text=True, timeout=60)

    @property
    def calls(self) -> list[str]:
        log = self.root / "log" / "calls"
        return log.read_text().splitlines() if log.exists() else []

    def disk(self, name: str, words: str) -> None:
        (self.root / "disks" / name).write_text(words)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    for name in ("etc", "opt", "var", "bucket", "log", "disks", "tmp", "bin"):
        (tmp_path / name).mkdir()
    for name, words in STAND_INS.items():
        program = tmp_path / "bin" / name
        program.write_text(f"#!/bin/bash\n{words}\n")
        program.chmod(0o755)
    return Machine(tmp_path)


def agent(machine: Machine) -> str:
    """An agent bundle in the bucket; its digest."""
    tree = machine.root / "tree"
    (tree / "bin").mkdir(parents=True)
    (tree / "bin" / "hello").write_text("hello")
    file, plain = machine.root / "bucket" / "agent", machine.root / "plain"
    with plain.open("wb") as out:
        write_tar(out, tree, "")  # as `studios image bundle` packs it
    subprocess.run(["zstd", "-q", str(plain), "-o", str(file)], check=True)
    return hashlib.sha256(file.read_bytes()).hexdigest()


def script(**more: object) -> str:
    """The shell script, taken from the user data as AWS takes it."""
    parts = message_from_string(user_data(settings(**more))).get_payload()
    assert isinstance(parts, list) and len(parts) == 1
    assert parts[0].get_content_type() == "text/x-shellscript"
    return str(parts[0].get_payload())


def fetched(digest: str, **more: object) -> str:
    return script(bundle={"key": f"team/one/.studios-agent/{digest}.tar.zst", "sha256": digest}, **more)


def test_the_agent_is_fetched_and_unpacked(machine: Machine) -> None:
    digest = agent(machine)
    done = machine.run(fetched(digest))
    assert done.returncode == 0, done.stderr
    assert (machine.root / "opt/studios/agent/bin/hello").read_text() == "hello"
    place = f"s3://lab-work/team/one/.studios-agent/{digest}.tar.zst"
    assert f"aws s3 cp --only-show-errors --region eu-west-1 {place} /tmp/studios-agent" in machine.calls
    assert not list((machine.root / "tmp").iterdir())


def test_another_agent_than_the_one_asked_for_is_refused(machine: Machine) -> None:
    agent(machine)
    done = machine.run(fetched("00" * 32))
    assert "THE AGENT COULD NOT BE FETCHED" in done.stdout
    assert not list((machine.root / "opt/studios/agent").iterdir())
    assert sum(call.startswith("aws s3 cp") for call in machine.calls) == 6  # it was tried again


def test_the_ecs_agent_is_told(machine: Machine) -> None:
    """AWS Batch writes the cluster's name into the same file: nothing of it is lost."""
    folder = machine.root / "etc" / "ecs"
    folder.mkdir()
    (folder / "ecs.config").write_text("ECS_CLUSTER=batch\n")
    machine.run(fetched(agent(machine)))
    assert (folder / "ecs.config").read_text().splitlines() == [
        "ECS_CLUSTER=batch",
        'ECS_AVAILABLE_LOGGING_DRIVERS=["json-file","awslogs"]',
        "ECS_IMAGE_PULL_BEHAVIOR=prefer-cached",
        "ECS_CONTAINER_STOP_TIMEOUT=2m",
        "ECS_ENABLE_SPOT_INSTANCE_DRAINING=true",
    ]


def test_scratch_is_the_largest_disk_that_holds_nothing(machine: Machine) -> None:
    machine.disk(
        ALL_DISKS,
        "100 /dev/root disk\n900 /dev/used disk\n200 /dev/small disk\n800 /dev/free disk\n999 /dev/cd rom\n",
    )
    for name, lines in {"root": 3, "used": 1, "small": 1, "free": 1}.items():
        (machine.root / "disks" / "dev").mkdir(exist_ok=True)
        machine.disk(f"dev/{name}", f"/dev/{name}\n" * lines)
    done = machine.run(fetched(agent(machine)))
    assert "studios: scratch is on /dev/free" in done.stdout
    assert "mkfs -q /dev/free" in machine.calls
    assert "mount -o noatime /dev/free /var/lib/studios/scratch" in machine.calls


@pytest.mark.parametrize("broken", [False, True])
def test_without_a_disk_scratch_is_on_the_root_volume(machine: Machine, broken: bool) -> None:
    if broken:
        machine.disk(ALL_DISKS, "800 /dev/free disk\n")
        (machine.root / "disks" / "dev").mkdir()
        machine.disk("dev/free", "/dev/free\n")
        machine.disk("broken", "")
    done = machine.run(fetched(agent(machine)))
    assert "scratch is on the root volume" in done.stdout
    assert not [call for call in machine.calls if call.startswith("mount")]
    scratch = machine.root / "var/lib/studios/scratch"
    assert scratch.stat().st_mode & 0o777 == 0o700


def test_images_are_pulled_with_a_password_that_is_not_kept(machine: Machine) -> None:
    private = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/x@sha256:ab"
    done = machine.run(fetched(agent(machine), images=["quay.io/jupyter/base:1", private]))
    assert done.returncode == 0, done.stderr
    docker = [call for call in machine.calls if call.startswith("docker")]
    assert docker == [
        "docker pull -q quay.io/jupyter/base:1",
        "docker login -u AWS --password-stdin 123456789012.dkr.ecr.eu-west-1.amazonaws.com",
        f"docker pull -q {private}",
    ]
    assert (machine.root / "log/passwords").read_text() == "secret\n"
    assert not list((machine.root / "tmp").iterdir())  # docker's folder with it is gone


def test_nothing_is_pulled_unasked(machine: Machine) -> None:
    machine.run(fetched(agent(machine)))
    assert not [call for call in machine.calls if call.startswith(("docker", "systemd-run"))]


def test_it_fits_into_what_aws_takes() -> None:
    images = [f"123456789012.dkr.ecr.eu-west-1.amazonaws.com/image-{n}:latest" for n in range(100)]
    assert len(base64.b64encode(user_data(settings(images=images)).encode())) < 16_384
