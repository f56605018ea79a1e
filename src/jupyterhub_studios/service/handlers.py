"""From HTTP to the route table and back: authentication, validation, JSON, problem documents."""

from __future__ import annotations

import logging
import re
from typing import Any

from pydantic import BaseModel, ValidationError
from tornado.web import HTTPError

from ..models import Problem, StudiosError
from . import problems
from .auth import Authenticated
from .permissions import Person
from .routing import Call, Route

log = logging.getLogger("studios.http")


class ProblemHandler(Authenticated):
    """Whatever goes wrong is told as a problem document, never as a traceback."""

    def compute_etag(self) -> None:
        return None

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        error = (kwargs.get("exc_info") or (None, None))[1]
        if isinstance(error, StudiosError):
            self.finish_problem(error.problem)
        elif isinstance(error, HTTPError) and status_code < 500:
            # Tornado's and the Hub's own refusals: their reason phrases are fit for people.
            self.finish_problem(Problem(title=error.reason or self._reason, status=status_code))
        elif isinstance(error, HTTPError):
            self.finish_problem(
                Problem(
                    title="The Hub could not be asked who you are",
                    status=503,
                    detail="it does not answer as it should",
                    action="Try again in a minute",
                )
            )
        else:
            self.finish_problem(problems.unexpected())

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        if not isinstance(value, StudiosError | HTTPError):
            super().log_exception(typ, value, tb)

    def finish_problem(self, problem: Problem) -> None:
        self.set_status(problem.status)
        self.set_header("Content-Type", "application/problem+json")
        self.set_header("Cache-Control", "no-store")
        self.finish(problem.model_dump_json(exclude_none=True))


class NotFoundHandler(ProblemHandler):
    def prepare(self) -> None:
        raise problems.not_found()


class RouteHandler(ProblemHandler):
    """All methods of one path of the route table."""

    def initialize(self, routes: dict[str, Route]) -> None:
        self.routes = routes

    async def serve(self, **path: str) -> None:
        route = self.routes.get(self.request.method or "")
        if route is None:
            self.refuse_method()
            return
        caller = await self.check_access(route)
        call = Call(self.service, caller, path, self.parse_body(route), self.parse_query(route))
        answer = await route.run(call)
        self.set_status(route.status)
        self.set_header("Cache-Control", "no-store")
        if answer is None:
            self.set_status(204)
            self.finish()
        else:
            self.set_header("Content-Type", "application/json")
            self.finish(answer.model_dump_json())

    def refuse_method(self) -> None:
        possible = ", ".join(sorted(self.routes))
        self.set_header("Allow", possible)
        title = f"{self.request.method} is not possible here"
        self.finish_problem(Problem(title=title, status=405, detail=f"possible: {possible}"))

    get = post = patch = delete = put = head = options = serve

    async def check_access(self, route: Route) -> Person | None:
        match route.access:
            case "public":
                return None
            case "internal":
                self.check_internal()
                return None
        person = await self.person()
        if route.access == "admin" and not person.admin:
            raise StudiosError("This is for administrators", "", "Ask an administrator to do it", status=403)
        return person

    def parse_body(self, route: Route) -> BaseModel | None:
        if route.body is None:
            return None
        try:
            return route.body.model_validate_json(self.request.body or b"{}")
        except ValidationError as error:
            raise problems.from_validation(error, "The request") from None

    def parse_query(self, route: Route) -> BaseModel | None:
        if route.query is None:
            return None
        given = {
            name: self.get_query_argument(name) for name in self.request.query_arguments if name != "_xsrf"
        }
        try:
            return route.query.model_validate(given)
        except ValidationError as error:
            raise problems.from_validation(error, "The query") from None


def rules(prefix: str, table: list[Route]) -> list[tuple[str, type, dict[str, Any]]]:
    """Tornado's handler list of the route table."""
    by_path: dict[str, dict[str, Route]] = {}
    for route in table:
        by_path.setdefault(route.path, {})[route.method] = route
    return [(_pattern(prefix + path), RouteHandler, {"routes": methods}) for path, methods in by_path.items()]


def _pattern(path: str) -> str:
    return re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(path))
