"""The base of our handlers in a Jupyter server: its authentication, authorisation and XSRF checks, nothing of ours."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from jupyter_core.utils import ensure_async
from jupyter_server.base.handlers import JupyterHandler
from tornado.web import HTTPError, RequestHandler, authenticated

from ..models import StudiosError

Rule = tuple[str, type[RequestHandler], dict[str, Any]]

READING = ("GET", "HEAD", "OPTIONS")
METHODS = ("get", "head", "post", "put", "patch", "delete", "options")


@dataclass(frozen=True)
class Person:
    """Who asks. Everybody whom a Jupyter server lets in can run code as its owner, so all are alike here."""

    name: str
    admin: bool = True
    groups: tuple[str, ...] = ()


class Mounted(JupyterHandler):
    """Asking for data is not working: neither the server nor a kernel counts it as activity."""

    _track_activity = False
    auth_resource = "contents"  # who may read or write files here may do so with data

    async def prepare(self) -> None:  # type: ignore[override]
        try:
            await super().prepare(_redirect_to_login=False)
        except HTTPError as error:
            if error.status_code == 403 and self.current_user is None and self.check_host():
                raise _signed_out() from None
            raise
        if not self.check_origin():
            raise HTTPError(403, reason="Requests of other sites are refused")

    def get_login_url(self) -> str:
        """Asked for by ``authenticated``: a program gets an answer, not the way to a login page."""
        raise _signed_out()

    async def authorise(self, access: str) -> Person:
        user = self.current_user
        if user is None:
            raise _signed_out()
        action = "read" if self.request.method in READING else "write"
        allowed = self.authorizer.is_authorized(self, user, action, self.auth_resource)
        if not await ensure_async(allowed):
            raise StudiosError(
                "You may not do this here",
                f"this server does not let you {action} its contents",
                "Ask the owner of the server",
                status=403,
            )
        return Person(user.username)


def _signed_out() -> StudiosError:
    return StudiosError(
        "You are not signed in",
        "no token or session of this Jupyter server came with the request",
        "Load the page again to sign in",
        status=401,
    )


def marked(rules: Iterable[Rule]) -> list[Rule]:
    """The same handlers, marked in Jupyter's own way as closed to strangers: a server that lists unmarked ones as
    a risk has none of ours to list."""
    return [(pattern, _marked(handler), arguments) for pattern, handler, arguments in rules]


def _marked(handler: type[RequestHandler]) -> type[RequestHandler]:
    methods = {name: authenticated(getattr(handler, name)) for name in METHODS}
    return type(handler.__name__, (handler,), methods)
