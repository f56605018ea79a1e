"""Where share links lead: whoever follows one is in the studio, or told why not."""

from __future__ import annotations

from urllib.parse import urlencode

from sqlalchemy.orm import Session

from ...models import SessionState
from ..database import SessionRow, StudioRow
from ..pages import HtmlHandler
from . import links


class JoinHandler(HtmlHandler):
    """``j/<code>?open=<path>``: ``open`` is a place inside the studio, such as ``lab/tree/notes.ipynb``.

    A visit by itself gives access, as the person who made the link wanted, and nothing more than to this one studio.
    """

    async def get(self, code: str) -> None:
        person = await self.visitor()
        if person is None:
            return
        service = self.service
        studio = await links.arrive(service, code, person)
        session = await service.database.run(_running, studio)
        self.set_header("Cache-Control", "no-store")
        self.set_header("Referrer-Policy", "no-referrer")
        if session is None:  # the studio's page says what it does now, and offers a start to those who may
            self.redirect(f"{service.address.prefix}studios/{studio.id}")
            return
        template = service.config.templates.get(studio.template)
        place = self.get_query_argument("open", "") or (template.default_path if template else "")
        query = {
            "server": f"{studio.owner}/{studio.server_name}",
            "next": session.prefix + place.lstrip("/"),
        }
        self.redirect(f"{service.address.prefix}enter?{urlencode(query)}")


def _running(db: Session, studio: StudioRow) -> SessionRow | None:
    """The session that people can go to now."""
    row = db.get(SessionRow, studio.session_id) if studio.session_id else None
    return row if row is not None and row.state == SessionState.RUNNING.value and row.routed else None
