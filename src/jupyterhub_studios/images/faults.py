"""What a registry's refusals mean for people."""

from __future__ import annotations

from typing import Any, Literal

import httpx

from ..models import StudiosError
from .reference import Reference

Doing = Literal["pull", "push"]
_FULL = ("quota", "no space left", "disk full", "storage limit", "insufficient storage")


def refused(doing: Doing, image: Reference, answer: httpx.Response) -> StudiosError:
    """``image`` is what was asked for, or written to."""
    status, said = answer.status_code, words_of(answer)
    why = f"the registry says: {said}" if said else f"the registry answers with HTTP status {status}"
    if status in (413, 507) or any(word in said.lower() for word in _FULL):
        return StudiosError(
            f"The registry {image.registry} has no room for the image", why,
            "Make room there, or have its administrator raise the limit; nothing was published", status=507,
        )  # fmt: skip
    if status == 429:
        return StudiosError(
            f"The registry {image.registry} limits how much may be asked", why,
            f"Try later, or sign in: docker login {image.registry}", status=429,
        )  # fmt: skip
    if status in (401, 403):
        may = "pull" if doing == "pull" else "push to"
        return StudiosError(
            f"The registry {image.registry} does not let you {may} {image.repository}", why,
            "Check the name, and give credentials that may: docker login " + image.registry, status=403,
        )  # fmt: skip
    if status == 404 and doing == "pull":
        return StudiosError(f"There is no image {image}", why, "Check its name and tag", status=404)
    if status == 404:
        return StudiosError(
            f"There is no repository {image.name}", why,
            "Create it there: some registries make none by themselves", status=404,
        )  # fmt: skip
    return StudiosError(
        f"The registry {image.registry} failed",
        why,
        "Try again; if it stays so, tell its administrator",
        status=502,
    )


def unreachable(image: Reference, error: Exception) -> StudiosError:
    return StudiosError(
        f"The registry {image.registry} cannot be reached", str(error) or type(error).__name__,
        "Check the name, and that this machine reaches it", status=503,
    )  # fmt: skip


def words_of(answer: httpx.Response) -> str:
    """The registry's own words, if it has any."""
    try:
        document: Any = answer.json()
        told = [f"{one.get('message', '')} {_detail(one)}".strip() for one in document["errors"]]
    except (ValueError, TypeError, KeyError, AttributeError, httpx.ResponseNotRead):
        return ""
    return "; ".join(one for one in told if one)[:300]


def _detail(one: dict[str, Any]) -> str:
    detail = one.get("detail")
    if isinstance(detail, dict):
        detail = detail.get("Err") or detail.get("message") or detail.get("Enclosed")
    return f"({detail})" if detail and isinstance(detail, str | dict) else ""
