"""One sentence of the doctor: what is so, why it matters or how it is known, and how to mend it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "warn", "fail"]


@dataclass(frozen=True)
class Finding:
    status: Status
    what: str
    why: str = ""
    action: str = ""


def ok(what: str) -> Finding:
    return Finding("ok", what)


def warn(what: str, why: str, action: str) -> Finding:
    return Finding("warn", what, why, action)


def fail(what: str, why: str, action: str) -> Finding:
    return Finding("fail", what, why, action)
