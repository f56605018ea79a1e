"""When a session is kept, asked about and stopped. Each situation is named after the complaint that it answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from jupyterhub_studios.models.lifetime import LifetimePolicy
from jupyterhub_studios.service.lifetime.decide import STALE, Evidence, decide, span, warning

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
POLICY = LifetimePolicy()  # idle 60 min, grace 10 min, work 24 h, lifespan 8 h


def ago(**length: float) -> datetime:
    return NOW - timedelta(**length)


@dataclass(frozen=True)
class Situation:
    complaint: str
    evidence: dict[str, Any]
    verdict: str
    says: str  # part of the reasons
    policy: LifetimePolicy


BUSY = ("A kernel is busy.",)


def case(
    complaint: str, verdict: str, says: str, policy: dict[str, Any] | None = None, **evidence: Any
) -> Situation:
    seen = {"ready_at": ago(hours=6), "ends_at": None, "seen_at": ago(seconds=20), **evidence}
    return Situation(complaint, seen, verdict, says, LifetimePolicy.model_validate(policy or {}))


SITUATIONS = [
    # Money burns.
    case("an idle server runs until its clock is over (Seqera: no idle stop)", "prompt", "Nobody was there",
         present_at=ago(minutes=61)),
    case("an open tab is never idle (jupyterhub-idle-culler#43)", "prompt", "nothing computed for 1 h",
         present_at=ago(hours=3)),
    case("nobody ever came after it was started by a script", "prompt", "Nobody was there", present_at=None),
    case("forgotten over the weekend with a prompt nobody saw", "stop", "nobody answered for 10 min",
         present_at=ago(hours=5), asked_at=ago(minutes=10)),
    case("an endless studio is forgotten for ever", "prompt", "Nobody was there", ready_at=ago(days=40),
         present_at=ago(days=30)),
    case("a loop that never ends burns money while nobody looks (Terra: 24 h at most)", "prompt", "24 h, the longest",
         ready_at=ago(hours=30), present_at=ago(hours=24), work=BUSY, worked_at=NOW),
    case("the same, and nobody answers", "stop", "the longest that computation alone keeps",
         ready_at=ago(hours=30), present_at=ago(hours=25), work=BUSY, worked_at=NOW, asked_at=ago(minutes=11)),
    case("a cell that waits for input() keeps it busy for ever", "prompt", "24 h, the longest",
         ready_at=ago(hours=50), present_at=ago(hours=40), work=BUSY, worked_at=NOW),
    # Work lost.
    case("the culler kills a silent computation (jupyterhub#1498, idle-culler#10)", "keep", "A kernel is busy",
         present_at=ago(hours=5), work=BUSY, worked_at=NOW),
    case("the culler kills a busy kernel without output (idle-culler#55)", "keep", "kernel is busy",
         ready_at=ago(hours=23), present_at=ago(hours=22), work=BUSY, worked_at=NOW),
    case("idle by network alone misses local computation (Latch Pods)", "keep", "processes compute",
         present_at=ago(hours=4), work=("Its processes compute.",), worked_at=NOW),
    case("terminals do not count (Deepnote, Posit Workbench)", "keep", "nextflow runs in a terminal",
         present_at=ago(hours=4), work=("nextflow runs in a terminal.",), worked_at=NOW),
    case("a training on the GPU uses little of the processor", "keep", "The GPU computes", present_at=ago(hours=4),
         work=("The GPU computes.",), worked_at=NOW),
    case("stopped the minute a long computation ended", "keep", "It computed", present_at=ago(hours=6),
         worked_at=ago(seconds=30)),
    case("stopped before anybody could look at the result", "keep", "It computed", present_at=ago(hours=6),
         worked_at=ago(minutes=59)),
    case("idle time begins when computation ends, and does end", "prompt", "nothing computed", present_at=ago(hours=6),
         worked_at=ago(minutes=60)),
    case("a result that came after the longest computation is still there to be looked at", "keep", "It computed",
         ready_at=ago(hours=40), present_at=ago(hours=30), worked_at=ago(minutes=5)),
    case("a break of half an hour ends the day's work", "keep", "Somebody was there", present_at=ago(minutes=30)),
    case("stopped while I was typing in RStudio", "keep", "Somebody was there", present_at=ago(seconds=5)),
    case("stopped without warning (idle-culler#79)", "prompt", "Nobody was there", present_at=ago(hours=4),
         asked_at=ago(minutes=9)),
    case("I came back during the question and it stopped all the same", "keep", "Somebody was there",
         present_at=ago(minutes=1), asked_at=ago(minutes=11)),
    case("a job began during the question and was killed", "keep", "A kernel is busy", present_at=ago(hours=4),
         asked_at=ago(minutes=11), work=BUSY, worked_at=NOW),
    case("I said keep it, and it asked again at once", "keep", "ada asked to keep it", present_at=ago(minutes=70),
         kept_until=NOW + timedelta(minutes=5), kept_by="ada"),
    case("keeping it once keeps it for ever", "prompt", "Nobody was there", present_at=ago(minutes=125),
         kept_until=ago(minutes=65), kept_by="ada"),
    case("kept for an hour, and it runs on for two", "prompt", "Nobody was there", present_at=ago(minutes=61),
         kept_until=ago(minutes=1), kept_by="ada"),
    # What is not known is never idle.
    case("a studio that just came up is taken for idle", "keep", "not known yet", ready_at=ago(hours=2), seen_at=None),
    case("the network was down for an hour and all studios were stopped", "keep", "does not report",
         present_at=ago(hours=3), seen_at=ago(seconds=STALE.total_seconds() + 1)),
    case("the service restarted, and nobody could answer meanwhile", "keep", "does not report",
         present_at=ago(hours=3), seen_at=ago(minutes=30), asked_at=ago(minutes=30)),
    case("an app whose kernels cannot be asked is stopped in mid-run", "keep", "does not tell about its kernels",
         present_at=ago(hours=3), unknown=("the app does not tell about its kernels",)),
    case("a machine without /proc loses computations", "keep", "cannot be looked at", present_at=ago(hours=3),
         unknown=("its processes cannot be looked at",)),
    # Lifespans.
    case("a lifespan that a busy kernel can outlive costs for ever", "stop", "lifespan of 8 h", ready_at=ago(hours=8),
         ends_at=NOW, present_at=NOW, work=BUSY, worked_at=NOW),
    case("keeping it outlives the lifespan", "stop", "lifespan of 8 h", ready_at=ago(hours=8), ends_at=NOW,
         kept_until=NOW + timedelta(hours=1), kept_by="ada"),
    case("ended a second too early", "keep", "Somebody was there", ready_at=ago(hours=7),
         ends_at=NOW + timedelta(seconds=1), present_at=ago(minutes=2)),
    case("extended, and ended at the old time", "keep", "A kernel is busy", ready_at=ago(hours=9),
         ends_at=NOW + timedelta(hours=1), extended=True, work=BUSY, worked_at=NOW, present_at=ago(minutes=2)),
    case("extended, and the reason names the wrong length", "stop", "extended to 10 h", ready_at=ago(hours=10),
         ends_at=NOW, extended=True),
    case("the lifespan is over while nothing is known", "stop", "lifespan of 8 h", ready_at=ago(hours=8), ends_at=NOW,
         seen_at=None),
    # Policies.
    case("our site wants no idle stop", "keep", "not stopped for being idle", {"idle_minutes": 0},
         present_at=ago(days=3)),
    case("our site lets computations run on", "keep", "A kernel is busy", {"work_hours": 0}, ready_at=ago(days=20),
         present_at=ago(days=10), work=BUSY, worked_at=NOW),
    case("a cap shorter than the idle time stops work before idleness", "keep", "A kernel is busy",
         {"work_hours": 0.1}, present_at=ago(minutes=50), work=BUSY, worked_at=NOW),
    case("a short grace of the GPU machines", "stop", "nobody answered for 2 min",
         {"idle_minutes": 15, "grace_minutes": 2}, present_at=ago(minutes=20), asked_at=ago(minutes=2)),
]  # fmt: skip


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda s: s.complaint)
def test_situation(situation: Situation) -> None:
    decision = decide(situation.policy, Evidence(**situation.evidence), NOW)
    assert decision.verdict == situation.verdict, decision
    assert situation.says in " ".join(decision.reasons)
    assert all(reason.endswith(".") for reason in decision.reasons)


def test_there_are_enough_of_them() -> None:
    assert len({situation.complaint for situation in SITUATIONS}) == len(SITUATIONS) >= 25


def test_it_says_when_it_would_end() -> None:
    """What the page shows: the end if nothing happens, and none where that cannot be said."""
    quiet = Evidence(ready_at=ago(hours=6), seen_at=NOW, present_at=ago(minutes=20))
    assert decide(POLICY, quiet, NOW).ends_by_idling == NOW + timedelta(minutes=50)
    asked = Evidence(ready_at=ago(hours=6), seen_at=NOW, present_at=ago(minutes=65), asked_at=ago(minutes=4))
    assert decide(POLICY, asked, NOW).ends_by_idling == NOW + timedelta(minutes=6)
    busy = Evidence(ready_at=ago(hours=6), seen_at=NOW, present_at=ago(minutes=65), work=BUSY, worked_at=NOW)
    assert decide(POLICY, busy, NOW).ends_by_idling is None


def test_it_says_when_computation_alone_keeps_it() -> None:
    def held(**minutes: float) -> bool:
        evidence = Evidence(
            ready_at=ago(hours=6), seen_at=NOW, present_at=ago(**minutes), work=BUSY, worked_at=NOW
        )
        return decide(POLICY, evidence, NOW).held

    assert not held(minutes=59)
    assert held(minutes=60)


@pytest.mark.parametrize(
    ("left", "expected"), [(61, None), (60, 60), (16, 60), (15, 15), (5, 5), (0.5, 5), (0, None)]
)
def test_warnings_come_before_the_end(left: float, expected: float | None) -> None:
    evidence = Evidence(ready_at=ago(hours=7), ends_at=NOW + timedelta(minutes=left))
    assert warning(POLICY, evidence, NOW) == expected


def test_a_warning_as_long_as_the_lifespan_is_none() -> None:
    evidence = Evidence(ready_at=NOW, ends_at=NOW + timedelta(hours=1))
    assert warning(POLICY, evidence, NOW) is None
    assert warning(POLICY, evidence, NOW + timedelta(minutes=45)) == 15


@pytest.mark.parametrize(
    ("seconds", "words"), [(45, "45 s"), (60, "1 min"), (3600, "1 h"), (5400, "1 h 30 min"), (86400, "24 h")]
)
def test_lengths_in_words(seconds: float, words: str) -> None:
    assert span(timedelta(seconds=seconds)) == words
