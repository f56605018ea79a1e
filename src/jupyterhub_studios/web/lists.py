"""How lists are answered."""

from __future__ import annotations

from typing import Generic, TypeVar

from ..models import Model

T = TypeVar("T")


class Page(Model, Generic[T]):
    """One page of a list. ``next`` goes into the query of the following one; None: this is the last."""

    items: list[T]
    next: str | None = None
