"""One route table for everything that speaks JSON: the application, the OpenAPI document and the
authorisation tests all read it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from pydantic import BaseModel

from .permissions import Person

if TYPE_CHECKING:
    from .core import Service

Access = Literal["public", "person", "admin", "internal"]
M = TypeVar("M", bound=BaseModel)


@dataclass
class Call:
    """One request, checked: who, where, with what."""

    service: Service
    caller: Person | None
    path: dict[str, str] = field(default_factory=dict)
    body: Any = None
    query: Any = None

    @property
    def person(self) -> Person:
        assert self.caller is not None, "the route's access lets nobody unknown in"
        return self.caller


@dataclass(frozen=True)
class Route:
    """``path`` lies below the service's prefix; ``{words}`` in it are handed to ``run`` in ``call.path``."""

    method: str
    path: str
    access: Access
    run: Callable[[Call], Awaitable[BaseModel | None]]
    answer: type[BaseModel] | None
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    status: int = 200

    @property
    def summary(self) -> str:
        return (self.run.__doc__ or "").strip().splitlines()[0]


class Routes:
    """A part's own share of the table, filled by decorators."""

    def __init__(self, base: str, access: Access) -> None:
        self.base, self.access = base, access
        self.table: list[Route] = []

    def route(
        self,
        method: str,
        path: str,
        answer: type[BaseModel] | None,
        *,
        body: type[BaseModel] | None = None,
        query: type[BaseModel] | None = None,
        status: int = 200,
        access: Access | None = None,
    ) -> Callable[[Callable[[Call], Awaitable[Any]]], Callable[[Call], Awaitable[Any]]]:
        def add(run: Callable[[Call], Awaitable[Any]]) -> Callable[[Call], Awaitable[Any]]:
            self.table.append(
                Route(method, self.base + path, access or self.access, run, answer, body, query, status)
            )
            return run

        return add
