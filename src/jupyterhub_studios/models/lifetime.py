"""How long sessions run: the policy, what an agent sees of a session's use, and what people are shown."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from pydantic import Field, model_validator

from .base import Model

Verdict = Literal["keep", "prompt", "stop"]
Source = Literal["kernels", "processes", "gpu"]
"""What an agent looks at. What it cannot look at where it should is *unknown*, which never counts as idle."""

LONGEST_HOURS = 120


class LifetimePolicy(Model):
    """When sessions end by themselves. A template or a compute environment may replace single fields."""

    lifespan_hours: int = Field(default=8, ge=0, le=LONGEST_HOURS)  # where nothing is chosen; 0: no end
    min_hours: int = Field(default=1, ge=1, le=LONGEST_HOURS)  # the band from which people choose
    max_hours: int = Field(default=LONGEST_HOURS, ge=1, le=LONGEST_HOURS)  # also of extended sessions
    endless: bool = True  # 0, no end, may be chosen
    locked: bool = False  # administrators alone choose another lifespan, and extend
    warn_minutes: list[float] = [60, 15, 5]  # before the lifespan ends
    idle_minutes: float = Field(default=60, ge=0)  # nobody there and nothing computing; 0: no idle stop
    grace_minutes: float = Field(default=10, gt=0)  # in which "still there?" may be answered
    keep_minutes: float = Field(default=60, gt=0)  # what the answer is good for
    work_hours: float = Field(default=24, ge=0)  # the longest that computation alone keeps it; 0: no limit
    busy_cpu: float = Field(default=0.1, gt=0)  # processors in use on average that count as computing
    busy_gpu: float = Field(default=0.05, gt=0, le=1)  # the same of a GPU, as a share

    @model_validator(mode="after")
    def _check_band(self) -> LifetimePolicy:
        if {"min_hours", "max_hours"} <= self.model_fields_set and self.min_hours > self.max_hours:
            raise ValueError("min_hours is more than max_hours")
        return self

    def with_changes(self, changes: LifetimePolicy | None) -> LifetimePolicy:
        """This policy with the fields that ``changes`` was given."""
        return self.model_copy(update=changes.model_dump(exclude_unset=True) if changes else {})

    def in_band(self, hours: int | None) -> int:
        """The lifespan for a wish of ``hours`` (None: none was told), as near to it as the band allows."""
        wished = self.lifespan_hours if hours is None else hours
        if wished == 0:
            return 0 if self.endless or self.lifespan_hours == 0 else self.max_hours
        return max(min(self.min_hours, self.max_hours), min(wished, self.max_hours))

    @property
    def idle(self) -> timedelta | None:
        return timedelta(minutes=self.idle_minutes) if self.idle_minutes else None

    @property
    def grace(self) -> timedelta:
        return timedelta(minutes=self.grace_minutes)

    @property
    def keep(self) -> timedelta:
        return timedelta(minutes=self.keep_minutes)

    @property
    def work(self) -> timedelta | None:
        return timedelta(hours=self.work_hours) if self.work_hours else None

    @property
    def report_seconds(self) -> float:
        """How often an agent tells what it sees: a minute, or a fifth of a shorter idle time."""
        return max(1.0, min(60.0, self.idle_minutes * 12)) if self.idle_minutes else 60.0

    @property
    def ask_seconds(self) -> float:
        """How often JupyterLab asks whether there is a question: half a minute, or a tenth of a shorter grace."""
        return max(1.0, min(30.0, self.grace_minutes * 6))


class Observation(Model):
    """What an agent sees of its session's use. Averages are over the time since about a minute."""

    at: datetime
    kernels: int | None = None  # busy by their execution state; None: the app has no kernels
    programs: list[str] = []  # names of programs at work that were started in terminals
    cpu: float = 0.0  # processors in use by all of the session's processes
    gpu: float | None = None  # share of the busiest; None: there is none
    input_at: datetime | None = None  # last pointer or key of a person, where the app tells; to the minute
    traffic_at: datetime | None = None  # last request or message to the app that was not polling
    unknown: list[Source] = []


class LifetimeView(Model):
    """Why a running session is kept, and when it would end."""

    verdict: Verdict
    reasons: list[str]  # sentences
    ends_at: datetime | None = None  # of the lifespan; None: no end
    idle_ends_at: datetime | None = None  # when it is stopped if nothing happens; None: not foreseen
    asked_at: datetime | None = None  # "still there?"
    answer_by: datetime | None = None
    kept_until: datetime | None = None  # on request
    kept_by: str = ""
    keep_minutes: float
    extend_hours: int = 0  # the most by which its owner may extend it now


class LifetimeNotice(Model):
    """Service → agent, for whoever is inside. ``greeting``: why the session before was ended."""

    view: LifetimeView
    warn_minutes: list[float] = []
    greeting: str = ""
    ask_seconds: float = 30.0
    input_seconds: float = 60.0


class LifetimeOffer(Model):
    """What people may choose, where a studio runs."""

    lifespan_hours: int
    min_hours: int
    max_hours: int
    endless: bool
    locked: bool
    idle_minutes: float
