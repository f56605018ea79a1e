"""What all of the service's own handlers are: they can say who asks, and tell faults as problem documents."""

from __future__ import annotations

from ..models import StudiosError
from ..web import ProblemAnswers, problems
from .auth import Authenticated
from .permissions import Person


class ProblemHandler(ProblemAnswers, Authenticated):
    """For what is no route of the table: pages, sockets."""


class NotFoundHandler(ProblemHandler):
    def prepare(self) -> None:
        raise problems.not_found()


class Mounted(Authenticated):
    """The base of the route table's handlers in this host."""

    async def authorise(self, access: str) -> Person | None:
        """Who asks, where the route's access lets them in; an error where it does not."""
        match access:
            case "public":
                return None
            case "internal":
                self.check_internal()
                return None
            case "culler":
                await self.check_culler()
                return None
        person = await self.person()
        if access == "admin" and not person.admin:
            raise StudiosError("This is for administrators", "", "Ask an administrator to do it", status=403)
        return person
