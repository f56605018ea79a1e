"""The route table: what an address takes, what it answers, and the function that does the work."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, Protocol, TypeVar

from pydantic import BaseModel

S = TypeVar("S")  # what does the work: the service, an explorer
C = TypeVar("C")  # who asks

Access = str  # a word that the host understands, see ``authorise`` in handlers.py
Kind = Literal["json", "lines", "bytes"]
Run = Callable[[Any], Any]


class Content(Protocol):
    """An answer that is no JSON. ``chunks`` is closed when the client goes away."""

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def chunks(self) -> AsyncIterator[bytes]: ...


@dataclass
class Call(Generic[S, C]):
    """One request, checked: who, where, with what."""

    service: S
    caller: C | None
    path: dict[str, str] = field(default_factory=dict)
    body: Any = None
    query: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def person(self) -> C:
        assert self.caller is not None, "the route's access lets nobody unknown in"
        return self.caller


@dataclass(frozen=True)
class Route:
    """``path`` lies below the host's prefix; ``{words}`` in it are handed to ``run`` in ``call.path``.

    ``run`` takes the call. A ``json`` route awaits its answer, a model; a ``lines`` route iterates over models of
    type ``answer``, sent as one JSON document in each line; a ``bytes`` route awaits a :class:`Content`.
    ``takes``: the body is raw bytes, at most so many, instead of a model.
    """

    method: str
    path: str
    access: Access
    run: Run
    answer: type[BaseModel] | None
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    status: int = 200
    kind: Kind = "json"
    takes: int | None = None
    media: str = "application/json"  # bytes: their type; "*/*" is that of the file
    ranges: bool = False  # bytes: Range and If-Range are honoured

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
        takes: int | None = None,
    ) -> Callable[[Run], Run]:
        """One JSON document as the answer; None: nothing (204)."""
        return self._add(
            method,
            path,
            access=access or self.access,
            answer=answer,
            body=body,
            query=query,
            status=status,
            takes=takes,
        )

    def lines(
        self,
        method: str,
        path: str,
        line: type[BaseModel],
        *,
        body: type[BaseModel] | None = None,
        query: type[BaseModel] | None = None,
    ) -> Callable[[Run], Run]:
        """Newline-delimited JSON, sent as it is found."""
        media = "application/x-ndjson"
        return self._add(method, path, answer=line, body=body, query=query, kind="lines", media=media)

    def content(
        self,
        method: str,
        path: str,
        media: str,
        *,
        query: type[BaseModel] | None = None,
        ranges: bool = False,
    ) -> Callable[[Run], Run]:
        """Bytes, sent as fast as the client takes them."""
        return self._add(method, path, answer=None, query=query, kind="bytes", media=media, ranges=ranges)

    def _add(self, method: str, path: str, **given: Any) -> Callable[[Run], Run]:
        def add(run: Run) -> Run:
            self.table.append(Route(method, self.base + path, run=run, **{"access": self.access, **given}))
            return run

        return add
