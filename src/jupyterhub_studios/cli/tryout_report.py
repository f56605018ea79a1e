"""What a tryout found, as a document and as Markdown. Pure: no I/O."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import Field

from ..models import Model, now
from . import text

Json = dict[str, Any]


class Step(Model):
    name: str
    ok: bool
    seconds: float
    detail: str = ""  # what was seen, or why it failed


class Start(Model):
    """One start of a studio, phase by phase."""

    studio: str
    seconds: float
    phases: list[tuple[str, float, str]]  # name, seconds, what it said


class Report(Model):
    hub: str
    compute_environment: str
    kind: str
    template: str
    began_at: datetime = Field(default_factory=now)
    steps: list[Step] = Field(default_factory=list)
    starts: list[Start] = Field(default_factory=list)

    @property
    def ok(self) -> bool:
        return bool(self.steps) and all(step.ok for step in self.steps)


def start_of(studio: Json) -> Start:
    """Of a studio that runs, as the API shows it."""
    session = studio["session"]
    phases = [
        (phase["name"], _between(phase["started_at"], phase["ended_at"]), phase["message"])
        for phase in session["phases"]
        if phase["started_at"] and phase["ended_at"]
    ]
    return Start(
        studio=studio["name"], seconds=_between(session["started_at"], session["ready_at"]), phases=phases
    )


def _between(start: str, end: str | None) -> float:
    return round((text.moment(end) - text.moment(start)).total_seconds(), 2) if end else 0.0


def markdown(report: Report) -> str:
    verdict = "Everything worked." if report.ok else "**Something failed.**"
    lines = [
        f"# Studios on {report.compute_environment}",
        "",
        f"{verdict} {report.hub}, kind {report.kind}, template {report.template}, "
        f"{report.began_at:%Y-%m-%d %H:%M} UTC.",
        "",
        *_table(
            ["step", "", "time", "seen"],
            [[s.name, "✓" if s.ok else "✗", f"{s.seconds:.1f} s", _one_line(s.detail)] for s in report.steps],
        ),
    ]
    for start in report.starts:
        rows = [[name, f"{seconds:.1f} s", _one_line(said)] for name, seconds, said in start.phases]
        lines += [
            "",
            f"## Start of “{start.studio}”: {start.seconds:.1f} s",
            "",
            *_table(["phase", "time", ""], rows),
        ]
    return "\n".join(lines) + "\n"


def _table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(line)} |" for line in (headers, ["---"] * len(headers), *rows)]


def _one_line(words: str) -> str:
    return " ".join(words.split()).replace("|", "\\|")[:300]
