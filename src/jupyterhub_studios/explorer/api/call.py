"""What the routes get: a request, checked, and the explorer that it is for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from ... import web
from ..catalogue import Caller, Catalogue

if TYPE_CHECKING:
    from ..engine import Engine


class Explorer(Protocol):
    """What a host brings."""

    @property
    def engine(self) -> Engine: ...
    @property
    def catalogue(self) -> Catalogue: ...


Call: TypeAlias = web.Call[Explorer, Caller]
Run: TypeAlias = Callable[[Any], Any]
