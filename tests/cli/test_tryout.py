"""The report of a tryout, and where it is played. That it plays, and tidies up, is shown by the story `batch`."""

from __future__ import annotations

import argparse
from typing import Any

import pytest

from jupyterhub_studios.cli.tryout import _environment
from jupyterhub_studios.cli.tryout_report import Report, Start, Step, markdown, start_of
from jupyterhub_studios.models import StudiosError

OFFERED = [{"id": "lab-spot", "kind": "aws-batch"}, {"id": "lab-on-demand", "kind": "aws-batch"}]


class Client:
    """Knows two compute environments."""

    def pages(self, path: str) -> list[dict[str, Any]]:
        assert path == "/compute-environments"
        return OFFERED


@pytest.mark.parametrize(
    ("forge", "environment", "chosen"),
    [(None, None, "lab-spot"), ("lab", None, "lab-on-demand"), (None, "lab-spot", "lab-spot")],
)
def test_where_it_is_played(forge: str | None, environment: str | None, chosen: str) -> None:
    args = argparse.Namespace(forge=forge, compute_environment=environment)
    assert _environment(Client(), args)["id"] == chosen  # type: ignore[arg-type]


def test_a_place_that_is_not_offered_is_told() -> None:
    args = argparse.Namespace(forge="other", compute_environment=None)
    with pytest.raises(StudiosError, match="“other-on-demand” is not offered") as fault:
        _environment(Client(), args)  # type: ignore[arg-type]
    assert "lab-spot" in fault.value.problem.detail


def test_a_start_is_told_by_its_phases() -> None:
    at = "2026-11-23T05:00:{:02d}Z".format
    phases = [
        {"name": "queued", "started_at": at(0), "ended_at": at(42), "message": "waiting"},
        {"name": "host", "started_at": at(42), "ended_at": None, "message": ""},
    ]
    session = {"phases": phases, "started_at": at(0), "ready_at": at(50)}
    assert start_of({"name": "One", "session": session}) == Start(
        studio="One", seconds=50.0, phases=[("queued", 42.0, "waiting")]
    )


def test_a_report_says_what_failed_in_one_table_row() -> None:
    report = Report(hub="https://hub/", compute_environment="lab", kind="aws-batch", template="jupyter")
    assert not report.ok, "nothing was tried"
    report.steps.append(Step(name="first start", ok=True, seconds=96.2))
    assert report.ok and "Everything worked." in markdown(report)
    report.steps.append(Step(name="work in it", ok=False, seconds=1.0, detail="a | b\nfailed"))
    assert not report.ok and "**Something failed.**" in markdown(report)
    assert "| work in it | ✗ | 1.0 s | a \\| b failed |" in markdown(report).splitlines()
