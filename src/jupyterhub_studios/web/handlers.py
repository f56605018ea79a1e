"""From HTTP to the route table and back: validation, JSON, streams, problem documents.

A host mounts routes with :func:`rules` and gives a handler class of its own with one method, ``authorise``, which
finds out who asks and refuses whom the route's access does not let in.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from pydantic import BaseModel, ValidationError
from tornado.web import HTTPError, RequestHandler, stream_request_body

from ..models import Problem, StudiosError
from . import problems
from .allowance import Allowance
from .routing import Call, Route
from .sending import ClientGone, send_bytes, send_lines

T = TypeVar("T")

# Not of the route: what hosts read from queries (XSRF, Jupyter's token), and what JupyterLab's client adds to
# keep answers out of caches, a bare number.
_HOSTS_OWN = re.compile(r"_xsrf|token|\d{10,}")


class ProblemAnswers(RequestHandler):
    """Whatever goes wrong is told as a problem document, never as a traceback."""

    def compute_etag(self) -> None:
        return None

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        error = (kwargs.get("exc_info") or (None, None))[1]
        if isinstance(error, StudiosError):
            self.finish_problem(error.problem)
        elif isinstance(error, HTTPError) and status_code < 500:
            # Tornado's and the host's own refusals: their reason phrases are fit for people.
            self.finish_problem(Problem(title=error.reason or self._reason, status=status_code))
        else:
            self.finish_problem(problems.unexpected())

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        if not isinstance(value, StudiosError | HTTPError):
            super().log_exception(typ, value, tb)

    def finish_problem(self, problem: Problem) -> None:
        self.set_status(problem.status)
        self.set_header("Content-Type", "application/problem+json")
        self.set_header("Cache-Control", "no-store")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.finish(problem.model_dump_json(exclude_none=True))


class RouteHandler(ProblemAnswers):
    """All methods of one path of the route table, on top of the host's own class."""

    authorise: Callable[[str], Awaitable[Any]]

    def initialize(self, routes: dict[str, Route], service: Any, allowance: Allowance) -> None:
        self.routes, self.work_for, self.allowance = routes, service, allowance
        self._work: asyncio.Future[Any] | None = None
        self._gone = False

    async def serve(self, **path: str) -> None:
        route = self.routes.get(self.request.method or "")
        if route is None:
            self.refuse_method()
            return
        caller = await self.authorise(route.access)
        call = Call(
            self.work_for, caller, path, self.parse_body(route), self.parse_query(route), self.request.headers
        )
        try:
            await self.answer(route, call)
        except ClientGone:
            self.set_status(499, "Client Closed Request")  # for the log alone

    get = post = patch = delete = put = head = options = serve

    async def answer(self, route: Route, call: Call[Any, Any]) -> None:
        self.set_header("Cache-Control", "no-store")
        self.set_header("X-Content-Type-Options", "nosniff")
        if route.kind == "json":
            # What changes something is carried through, also when nobody waits for the answer any more.
            reading = self.request.method in ("GET", "HEAD")
            answer = await (self.while_connected(route.run(call)) if reading else route.run(call))
            self.finish_json(route, answer)
        elif route.kind == "lines":
            self.set_header("Content-Type", route.media)
            await self.while_connected(send_lines(self, route.run(call)))
        else:
            await self.while_connected(send_bytes(self, await self.while_connected(route.run(call))))

    def finish_json(self, route: Route, answer: BaseModel | None) -> None:
        self.set_status(204 if answer is None else route.status)
        if answer is None:
            self.finish()
        else:
            self.set_header("Content-Type", "application/json")
            self.finish(answer.model_dump_json())

    async def while_connected(self, work: Coroutine[Any, Any, T]) -> T:
        """Do the work, but leave it when the client goes away."""
        self._work = asyncio.ensure_future(work)
        try:
            return await self._work
        except asyncio.CancelledError:
            if self._gone:
                raise ClientGone from None
            self._work.cancel()
            raise

    def on_connection_close(self) -> None:
        super().on_connection_close()
        self._gone = True
        if self._work is not None:
            self._work.cancel()

    def refuse_method(self) -> None:
        possible = ", ".join(sorted(self.routes))
        self.set_header("Allow", possible)
        title = f"{self.request.method} is not possible here"
        self.finish_problem(Problem(title=title, status=405, detail=f"possible: {possible}"))

    def parse_body(self, route: Route) -> Any:
        if route.body is None:
            return None
        try:
            return route.body.model_validate_json(self.request.body or b"{}")
        except ValidationError as error:
            raise problems.from_validation(error, "The request") from None

    def parse_query(self, route: Route) -> BaseModel | None:
        if route.query is None:
            return None
        try:
            return route.query.model_validate(_query(self.request.query, route.query))
        except ValidationError as error:
            raise problems.from_validation(error, "The query") from None


@stream_request_body
class RawBodyHandler(RouteHandler):
    """The one route of a path that takes raw bytes. Who asks is known before the first of them is read, and all
    bodies that are being received share one allowance of memory."""

    def initialize(self, *given: Any, **named: Any) -> None:
        super().initialize(*given, **named)
        self._body, self._held, self._whole = bytearray(), 0, False
        self._refusal: StudiosError | HTTPError | None = None

    async def prepare(self) -> None:
        ready = super().prepare()
        if ready is not None:
            await ready
        route = self.routes.get(self.request.method or "")
        if self._finished or route is None:
            return
        assert route.takes is not None, "beside a route with a raw body there is no other"
        # What is refused is read to its end and thrown away, unless it is much too long: a connection that is closed
        # while the client still sends loses the answer on its way.
        self.request.connection.set_max_body_size(2 * route.takes)  # type: ignore[union-attr]
        try:
            await self._admit(route)
        except (StudiosError, HTTPError) as error:
            if "Expect" in self.request.headers:  # the client waits for a word before it sends
                raise
            self._refusal = error

    async def _admit(self, route: Route) -> None:
        await self.authorise(route.access)
        size = _length(self.request.headers.get("Content-Length"))
        if size > (route.takes or 0):
            raise problems.too_long(route.takes or 0)
        await self.allowance.take(size)
        self._held = size

    def data_received(self, chunk: bytes) -> None:
        if self._held:
            self._body += chunk

    async def serve(self, **path: str) -> None:
        self._whole = True
        if self._refusal is not None:
            raise self._refusal
        await super().serve(**path)

    get = post = patch = delete = put = head = options = serve

    def parse_body(self, route: Route) -> bytes:
        body = bytes(self._body)
        self._body.clear()
        return body

    def on_finish(self) -> None:
        self._give_back()
        super().on_finish()

    def on_connection_close(self) -> None:
        super().on_connection_close()
        if not self._whole:  # else it is given back when the work is done
            self._give_back()

    def _give_back(self) -> None:
        self.allowance.give_back(self._held)
        self._held = 0


def rules(
    prefix: str, table: Iterable[Route], base: type[RequestHandler], service: Any
) -> list[tuple[str, type[RequestHandler], dict[str, Any]]]:
    """Tornado's handler list of a route table.

    ``base`` is the host's: a handler class with ``async authorise(access) -> caller or None``; ``service`` is what
    the routes find in ``call.service``.
    """
    by_path: dict[str, dict[str, Route]] = {}
    for route in table:
        by_path.setdefault(route.path, {})[route.method] = route
    json = type("RouteHandler", (RouteHandler, base), {})
    raw = type("RawBodyHandler", (RawBodyHandler, base), {})
    allowance = Allowance()
    return [
        (
            _pattern(prefix + path),
            raw if any(route.takes for route in methods.values()) else json,
            {"routes": methods, "service": service, "allowance": allowance},
        )
        for path, methods in by_path.items()
    ]


def _pattern(path: str) -> str:
    return re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(path))


def _query(text: str, model: type[BaseModel]) -> dict[str, Any]:
    """The query's parameters exactly as they were sent: Tornado's own reading strips spaces and replaces control
    characters, which keys of objects may hold."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        raise StudiosError(
            "The query cannot be read", "it is not percent-encoded UTF-8", "Encode it anew"
        ) from None
    given: dict[str, Any] = {}
    for name, value in pairs:
        if name in model.model_fields and _is_list(model, name):
            given.setdefault(name, []).append(value)
        elif not _HOSTS_OWN.fullmatch(name):
            given[name] = value
    return given


def _is_list(model: type[BaseModel], name: str) -> bool:
    return getattr(model.model_fields[name].annotation, "__origin__", None) is list


def _length(header: str | None) -> int:
    if header is None or not header.isdecimal():
        raise StudiosError(
            "The length of the body has to be told first",
            "there is no header Content-Length",
            "Send the whole part at once",
            status=411,
        )
    return int(header)
