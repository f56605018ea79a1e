"""Errors as people and programs read them: RFC 9457 problem documents."""

from __future__ import annotations

from pydantic import ValidationError

from ..models import Problem, StudiosError

_WORDS = {
    "missing": "is missing",
    "extra_forbidden": "is not known here",
    "string_too_long": "is too long: {max_length} characters at most",
    "string_too_short": "must not be empty",
    "json_invalid": "is not JSON: {error}",
}


def from_validation(error: ValidationError, what: str) -> StudiosError:
    """pydantic's findings as one readable problem; values are left out, they may be secret."""
    faults = []
    for fault in error.errors():
        place = ".".join(str(part) for part in fault["loc"])
        words = _WORDS.get(fault["type"])
        reason = words.format(**fault.get("ctx", {})) if words else _plain(fault["msg"])
        faults.append((place, f"“{place}” {reason}" if place else f"it {reason}"))
    field = next((place for place, _ in faults if place), None)
    return StudiosError(
        f"{what} is not valid",
        "; ".join(text for _, text in faults),
        "Correct it and send it again",
        status=422,
        field=field,
    )


def _plain(message: str) -> str:
    message = message.removeprefix("Value error, ")
    return message.replace("Input should be", "should be", 1)


def unexpected() -> Problem:
    return Problem(
        title="The server failed",
        status=500,
        detail="this is a fault of the server; its log names the reason",
        action="Try again, and tell an administrator if it stays so",
    )


def not_found() -> StudiosError:
    return StudiosError(
        "There is nothing at this address",
        "it does not exist, or it is not yours",
        "Check the address",
        status=404,
    )


def no_such(what: str, field: str | None = None) -> StudiosError:
    return StudiosError(
        f"There is no such {what}",
        "it does not exist, it was deleted, or it is not yours",
        "Check the id",
        status=404,
        field=field,
    )


def too_long(most: int) -> StudiosError:
    return StudiosError(
        "The body is too long",
        f"at most {most} bytes are taken in one request",
        "Send it in parts",
        status=413,
    )
