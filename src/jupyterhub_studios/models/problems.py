"""Errors that people can act on, and how they travel."""

from __future__ import annotations

from .base import Model


class Problem(Model):
    """RFC 9457 problem document: ``title`` is what, ``detail`` is why, ``action`` is what to do."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str = ""
    action: str = ""
    field: str | None = None


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:].rstrip(".") + "."


class StudiosError(Exception):
    """An error that people can act on. ``status`` is the HTTP status it becomes in an answer."""

    def __init__(
        self, title: str, detail: str = "", action: str = "", *, status: int = 400, field: str | None = None
    ):
        super().__init__(" ".join(_sentence(part) for part in (title, detail, action) if part))
        self.problem = Problem(title=title, detail=detail, action=action, status=status, field=field)
