"""The explorer's routes for the agents of sessions, so that people have their data in their studio.

For the agent: the same routes as of the API lie below ``{public URL of the Hub}services/studios/agent/data/``, such as
``…/agent/data/data-links?q=…`` or ``…/agent/data/data-links/{id}/browse?path=``. The header is the control
channel's own, ``Authorization: Bearer {LaunchSpec.control_token}``; there are no cookies and no XSRF here. Who asks is
the studio's owner with their workspaces, never as an administrator, until the session has ended (then 401).
Links and credentials are managed on the pages alone: what would change them is refused here with 403, because whoever
may run code in a studio, which may be shared, has this way to the service. Marks are allowed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy.orm import Session

from ...explorer.api import ROUTES
from ...models import SessionState, StudiosError
from ...web import Route
from ..auth import Authenticated
from ..database import SessionRow
from ..keys import hashed
from ..permissions import Person

BASE = "agent/data/"

_MANAGING = {
    ("POST", "data-links"),
    ("PATCH", "data-links/{link_id}"),
    ("DELETE", "data-links/{link_id}"),
    ("POST", "data-credentials"),
    ("DELETE", "data-credentials/{credential_id}"),
}


async def _refused(call: Any) -> None:
    raise StudiosError(
        "Links and credentials are not managed from within a studio",
        "whoever may use the studio could change them",
        "Do it on the page “Data”",
        status=403,
    )


def _for_agents(route: Route) -> Route:
    """The same route, for the agents, or a refusal in its place."""
    mounted = replace(route, path=BASE + route.path, access="agent")
    managing = (route.method, route.path) in _MANAGING
    return replace(mounted, run=_refused, body=None) if managing else mounted


AGENT_ROUTES = [_for_agents(route) for route in ROUTES]


class AgentMounted(Authenticated):
    """The base of the handlers of these routes: the session's token says who asks."""

    async def authorise(self, access: str) -> Person:
        scheme, _, token = self.request.headers.get("Authorization", "").partition(" ")
        owner = None
        if scheme.lower() == "bearer" and token:
            owner = await self.service.database.run(_owner, hashed(token))
        person = await self.service.hub.person(owner) if owner else None
        if person is None:
            raise StudiosError(
                "This is for the agents of sessions",
                "the token is not one of a session that runs",
                "",
                status=401,
            )
        groups = tuple(person.get("groups", ()))
        return Person(name=person["name"], display_name=person["name"], admin=False, groups=groups)


def _owner(db: Session, token_hash: str) -> str | None:
    row = db.query(SessionRow).filter_by(control_hash=token_hash).one_or_none()
    return None if row is None or SessionState(row.state).ended else row.owner
