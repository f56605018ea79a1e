"""What is asked for, and what a format says when it cannot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ...models import ViewName


@dataclass(frozen=True)
class Ask:
    path: str
    size: int
    view: ViewName | None = None
    at: int | Literal["start", "end"] | None = None
    group: int | None = None

    @property
    def name(self) -> str:
        return self.path.removesuffix("/").rpartition("/")[2].lower()


class Unreadable(Exception):
    """The file is not what it seemed to be: a sentence that says why. Another view is tried."""
