"""Trouble is told when it begins and when it is over, not at every try."""

from __future__ import annotations

import pytest

from jupyterhub_studios.agent import saving
from jupyterhub_studios.models import Event


def test_a_lasting_fault_is_told_once_and_when_it_is_over() -> None:
    told: list[Event] = []
    trouble = saving.Trouble(told.append)
    trouble.over()
    assert told == []
    for _ in range(50):
        trouble.failed("Saving", OSError("bucket is away"), "warning")
    assert [(event.kind, event.level) for event in told] == [("save-failed", "warning")]
    assert "bucket is away" in told[0].message
    trouble.over()
    assert "after 50 failures since" in told[-1].message
    trouble.failed("Saving", OSError("again"), "warning")
    assert len(told) == 3


def test_a_long_fault_is_told_again_with_how_often_and_since_when(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = 1000.0
    monkeypatch.setattr(saving.time, "monotonic", lambda: clock)
    told: list[Event] = []
    trouble = saving.Trouble(told.append)
    for _ in range(600):
        trouble.failed("The last save", OSError("bucket is away"), "error")
        clock += 10  # a try every ten seconds, for 100 minutes
    assert 4 <= len(told) <= 8
    assert "has failed" in told[-1].message
    assert "UTC" in told[-1].message
