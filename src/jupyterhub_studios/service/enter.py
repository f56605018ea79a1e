"""The way into a studio: the Hub says who comes, the service whether they may, and a ticket lets them in."""

from __future__ import annotations

from urllib.parse import urlencode

from sqlalchemy.orm import Session

from .. import tickets
from ..models import SessionState, StudiosError
from .core import Service
from .database import SessionRow, StudioRow
from .database import queries as q
from .pages import HtmlHandler
from .permissions import Person, role

TICKET_SECONDS = 60


class EnterHandler(HtmlHandler):
    """``enter?server=<owner>/<server>&next=<path>``: where a session's gate sends people who have no cookie."""

    async def get(self) -> None:
        person = await self.visitor()
        if person is None:
            return
        owner, _, server = self.get_query_argument("server", "").rpartition("/")
        studio = await self.service.database.run(q.find_studio, owner, server)
        if studio is None or not await may_enter(self.service, person, studio):
            raise not_shared()
        session = await self.service.database.run(_admit, studio.id, person.name)
        if session is None:
            if person.name == studio.owner or person.admin:
                self.redirect(f"{self.service.address.prefix}studios/{studio.id}")
                return
            raise StudiosError(
                f"“{studio.name}” does not run now", "", f"Ask {studio.owner} to start it", status=409
            )
        following = safe_next(self.get_query_argument("next", ""), session.prefix)
        query = urlencode({"ticket": ticket(self.service, session, person, studio), "next": following})
        if not await may_enter(self.service, person, studio):
            raise not_shared()  # taken out while we were here: whoever did it has not seen the ticket yet
        self.set_header("Cache-Control", "no-store")
        self.set_header("Referrer-Policy", "no-referrer")
        self.redirect(f"{session.prefix}_studio/enter?{query}")


def not_shared() -> StudiosError:
    return StudiosError(
        "You cannot open this studio",
        "it does not exist, or it is not shared with you",
        "Ask its owner to share it with you",
        status=404,
    )


async def may_enter(service: Service, person: Person, studio: StudioRow) -> bool:
    return (
        role(person, studio.owner) is not None
        or role(person, studio.owner, await service.hub.shares(studio.owner, studio.server_name)) is not None
    )


def _admit(db: Session, studio_id: str, name: str) -> SessionRow | None:
    """The session to enter, with ``name`` noted among those whose access is watched."""
    studio = q.studio(db, studio_id)
    row = db.get(SessionRow, studio.session_id) if studio.session_id else None
    if row is None or row.state != SessionState.RUNNING.value:
        return None
    if name != studio.owner and name not in row.visitors:
        row.visitors = [*row.visitors, name]
    return row


def ticket(service: Service, session: SessionRow, person: Person, studio: StudioRow) -> str:
    claims = {
        "aud": session.id,
        "sub": person.name,
        "name": person.display_name,
        "own": person.name == studio.owner,
    }
    return tickets.sign(service.keys.ticket_key(session.id), claims, TICKET_SECONDS)


def safe_next(path: str, prefix: str) -> str:
    """``path`` where it lies inside the studio, its front page otherwise: no way to lead people elsewhere."""
    inside = path.startswith(prefix) and "\\" not in path and not any(ord(c) < 33 for c in path)
    dots = {"..", "."} & set(path.partition("?")[0].partition("#")[0].lower().replace("%2e", ".").split("/"))
    return path if inside and not dots else prefix
