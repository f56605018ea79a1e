"""Every sentence of the doctor, by subject; and a sentence with its words, as the result of a check."""

from __future__ import annotations

from ...models import Model, Problem
from .aws import AWS
from .finding import Finding, Status
from .hub import GENERAL, HUB
from .jobs import DOCKER, LOCAL, MOUNTS, OFFERS

FINDINGS: dict[str, Finding] = {**GENERAL, **HUB, **OFFERS, **LOCAL, **MOUNTS, **DOCKER, **AWS}


class Result(Model):
    """What one check found."""

    subject: str = ""  # Hub, or a compute environment's id
    check: str = ""
    finding: str  # key of FINDINGS, or "problem": told by what was tried
    status: Status
    what: str
    why: str = ""
    action: str = ""


def found(finding: str, **words: object) -> Result:
    known = FINDINGS[finding]
    return Result(
        finding=finding,
        status=known.status,
        what=known.what.format(**words),
        why=known.why.format(**words),
        action=known.action.format(**words),
    )


def problem(given: Problem) -> Result:
    """What was tried went wrong, and has said so itself."""
    return Result(finding="problem", status="fail", what=given.title, why=given.detail, action=given.action)
