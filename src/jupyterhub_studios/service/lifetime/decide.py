"""Whether a session is kept, asked about or stopped. Pure: policy, evidence and time in, decision out.

In words: a session whose lifespan is over is stopped, whatever it does. Otherwise it is stopped only when nobody was
there and nothing computed for the idle time, a question was asked, and nobody answered it for the grace. What is not
known is never taken for idle; an open tab is nobody; computation that prints nothing is computation, and the idle time
begins when it ends. Computation without anybody there keeps a session for so long only, and then it is asked about too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ...models.lifetime import LifetimePolicy, Verdict

STALE = timedelta(minutes=5)  # after so long without a report nothing is known


@dataclass(frozen=True)
class Evidence:
    """What is known of a session. Times that are None: it never happened, or nobody knows."""

    ready_at: datetime
    ends_at: datetime | None = None  # of its lifespan, extended or not
    seen_at: datetime | None = None  # when its agent reported last
    present_at: datetime | None = None  # last input of a person, or use of the app
    worked_at: datetime | None = None  # last time that something computed
    work: Sequence[str] = ()  # what computes now, in words
    unknown: Sequence[str] = ()  # what the agent could not find out
    kept_until: datetime | None = None  # somebody asked for it
    kept_by: str = ""
    asked_at: datetime | None = None  # since when "still there?" is asked
    extended: bool = False


@dataclass(frozen=True)
class Decision:
    verdict: Verdict
    reasons: tuple[str, ...]
    ends_by_idling: datetime | None = None  # when it is stopped if nothing happens
    held: bool = False  # computation alone keeps it: the idle time would be over
    cause: str = ""  # of a stop: "lifespan" or "idle"


def decide(policy: LifetimePolicy, evidence: Evidence, now: datetime) -> Decision:
    if evidence.ends_at is not None and now >= evidence.ends_at:
        whole = span(evidence.ends_at - evidence.ready_at)
        words = f"Its lifespan, extended to {whole}," if evidence.extended else f"Its lifespan of {whole}"
        return Decision("stop", (f"{words} was over. Everything is saved.",), cause="lifespan")
    if policy.idle is None:
        return Decision("keep", ("Studios are not stopped for being idle here.",))
    if evidence.kept_until is not None and now < evidence.kept_until:
        return Decision("keep", (f"{evidence.kept_by or 'Somebody'} asked to keep it.",))
    if unknown := _unknown(evidence, now):
        return Decision("keep", unknown)
    return _by_idling(policy, policy.idle, evidence, now)


def _unknown(evidence: Evidence, now: datetime) -> tuple[str, ...]:
    if evidence.seen_at is None:
        return ("What it does is not known yet.",)
    if now - evidence.seen_at > STALE:
        return ("What it does is not known: the session does not report.",)
    return tuple(f"Whether it computes is not known: {what}." for what in evidence.unknown)


def _by_idling(policy: LifetimePolicy, idle: timedelta, evidence: Evidence, now: datetime) -> Decision:
    people = _latest(evidence.ready_at, evidence.present_at)
    quiet = _latest(people, evidence.worked_at)
    longest = people + max(policy.work, idle) if policy.work is not None else None
    due = longest if evidence.work else quiet + idle
    if due is None or now < due:
        if evidence.work:
            return Decision("keep", tuple(evidence.work), held=now >= people + idle)
        ends = due + policy.grace if due is not None else None
        return Decision("keep", (_recent(evidence, people, quiet),), ends)
    why = _why_idle(policy, evidence, idle)
    ends = (evidence.asked_at or now) + policy.grace
    if now < ends:
        return Decision("prompt", (why,), ends)
    answer = f"nobody answered for {span(policy.grace)}"
    return Decision("stop", (f"{why.rstrip('.')}, and {answer}. Everything is saved.",), cause="idle")


def _recent(evidence: Evidence, people: datetime, quiet: datetime) -> str:
    if quiet > people:
        return "It computed a while ago."
    if people == evidence.ready_at:
        return "It was started a while ago."
    return "Somebody was there a while ago."


def _why_idle(policy: LifetimePolicy, evidence: Evidence, idle: timedelta) -> str:
    if evidence.work and policy.work is not None:
        longest = span(max(policy.work, idle))
        return f"Nobody was there for {longest}, the longest that computation alone keeps a studio."
    return f"Nobody was there and nothing computed for {span(idle)}."


def warning(policy: LifetimePolicy, evidence: Evidence, now: datetime) -> float | None:
    """The warning that is due before the lifespan ends, in minutes before it; None: none.
    One that is not shorter than the whole lifespan would come at the start, and says nothing."""
    if evidence.ends_at is None or now >= evidence.ends_at:
        return None
    whole, left = evidence.ends_at - evidence.ready_at, evidence.ends_at - now
    due = [m for m in policy.warn_minutes if left <= timedelta(minutes=m) < whole]
    return min(due, default=None)


def _latest(first: datetime, *others: datetime | None) -> datetime:
    return max([first, *(one for one in others if one is not None)])


def span(length: timedelta) -> str:
    """A length of time in words: "8 h", "1 h 30 min", "45 s"."""
    seconds = round(length.total_seconds())
    hours, minutes = seconds // 3600, seconds % 3600 // 60
    if seconds < 60:
        return f"{seconds} s"
    words = [f"{hours} h"] if hours else []
    return " ".join([*words, f"{minutes} min"] if minutes else words)
