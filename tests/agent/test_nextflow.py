"""Nextflow's configuration in a session: what it says, and that nobody's own is touched."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from jupyterhub_studios.agent.nextflow import config, is_ours, write
from jupyterhub_studios.models import BatchSettings, ComputeEnvironment, DockerSettings, Kind, NextflowAccess
from jupyterhub_studios.service.sessions.lifecycle import nextflow_access

ROLE = "arn:aws:iam::123456789012:role/studios-job"
ACCESS = NextflowAccess(queue="studios", region="eu-west-1", work_dir="s3://lab/team/nextflow", job_role=ROLE)
ELSEWHERE = ACCESS.model_copy(update={"queue": "studios-spot"})


def settings(text: str) -> dict[str, dict[str, str]]:
    """Profile → setting → value."""
    profiles = re.findall(r"^    (\w+) \{\n(.*?)^    \}", text, re.MULTILINE | re.DOTALL)
    return {name: dict(re.findall(r"^ +(\S+) = '(.*)'$", body, re.MULTILINE)) for name, body in profiles}


def test_the_profiles_are_of_this_very_environment() -> None:
    assert settings(config(ACCESS)) == {
        "awsbatch": {
            "process.executor": "awsbatch",
            "process.queue": "studios",
            "aws.region": "eu-west-1",
            "aws.batch.jobRole": ROLE,
            "workDir": "s3://lab/team/nextflow",
        },
        "local": {"process.executor": "local"},
    }


def test_without_a_job_role_none_is_named() -> None:
    assert "jobRole" not in config(ACCESS.model_copy(update={"job_role": None}))


def test_values_stay_strings() -> None:
    hostile = config(ACCESS.model_copy(update={"queue": "a' + 'x'.execute() + '\\\n${evil}"}))
    assert r"process.queue = 'a\' + \'x\'.execute() + \'\\\n${evil}'" in hostile


@pytest.mark.parametrize(
    ("environment", "access"),
    [
        (
            ComputeEnvironment(
                id="e", title="E", kind=Kind.AWS_BATCH, work_dir="s3://lab/team/", region="eu-west-1",
                batch=BatchSettings(queue="studios", job_role=ROLE),
            ),
            ACCESS,
        ),
        (ComputeEnvironment(id="e", title="E", kind=Kind.LOCAL, work_dir="file:///w"), None),
        (
            ComputeEnvironment(
                id="e", title="E", kind=Kind.DOCKER, work_dir="s3://lab", docker=DockerSettings()
            ),
            None,
        ),
    ],
    ids=["aws-batch", "local", "docker"],
)  # fmt: skip
def test_only_studios_on_batch_get_one(
    environment: ComputeEnvironment, access: NextflowAccess | None
) -> None:
    assert nextflow_access(environment) == access


def test_it_is_written_once_more_when_the_studio_starts_elsewhere(tmp_path: Path) -> None:
    assert write(ACCESS, tmp_path) and write(ELSEWHERE, tmp_path)
    file = tmp_path / ".nextflow" / "config"
    assert settings(file.read_text())["awsbatch"]["process.queue"] == "studios-spot"
    assert list(file.parent.iterdir()) == [file]


def test_an_unchanged_file_is_not_written_again(tmp_path: Path) -> None:
    """A write would be a change of the studio's, to be saved with its next checkpoint."""
    write(ACCESS, tmp_path)
    before = (tmp_path / ".nextflow" / "config").stat()
    write(ACCESS, tmp_path)
    assert (tmp_path / ".nextflow" / "config").stat() == before


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text + "process.cpus = 4\n",
        lambda text: text.replace("studios", "mine"),
        lambda text: text.partition("profiles")[0],
        lambda text: "process.cpus = 4\n",
        lambda text: "",
        lambda text: "\udcff" * 3,
    ],
    ids=["added to", "changed", "cut", "another", "empty", "not text"],
)  # fmt: skip
def test_what_a_person_wrote_stays(tmp_path: Path, change: Callable[[str], str]) -> None:
    write(ACCESS, tmp_path)
    file = tmp_path / ".nextflow" / "config"
    theirs = change(file.read_text())
    file.write_text(theirs, errors="surrogateescape")
    assert not is_ours(theirs) and not write(ELSEWHERE, tmp_path)
    assert file.read_text(errors="surrogateescape") == theirs


@pytest.mark.parametrize("place", [".nextflow", ".nextflow/config", ""])
def test_links_are_not_followed(tmp_path: Path, place: str) -> None:
    """The agent is outside: a link in a session leads it to the machine's own files."""
    home, outside = tmp_path / "home", tmp_path / "outside"
    outside.mkdir()
    (outside / "config").write_text(config(ACCESS))
    link = home / place
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(outside / "config" if place.endswith("config") else outside)
    before = {file: file.read_text() for file in outside.rglob("*") if file.is_file()}
    try:
        written = write(ELSEWHERE, home)
    except OSError:
        written = False
    assert not written
    assert {file: file.read_text() for file in outside.rglob("*") if file.is_file()} == before


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir], ids=["pipe", "folder"])
def test_what_is_no_file_is_left_alone(tmp_path: Path, make: Callable[[Path], None]) -> None:
    (tmp_path / ".nextflow").mkdir()
    make(tmp_path / ".nextflow" / "config")
    assert not write(ACCESS, tmp_path)


def test_a_file_in_place_of_the_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / ".nextflow").write_text("theirs")
    assert not write(ACCESS, tmp_path)
    assert (tmp_path / ".nextflow").read_text() == "theirs"
