"""The pages' shell: one HTML document for all of them, styled by the Hub's own stylesheet."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Any

from tornado.template import Loader

from ..models import Problem, StudiosError
from .handlers import ProblemHandler
from .permissions import Person

TEMPLATES = Loader(str(Path(__file__).parent / "templates"))
STATIC = Path(__file__).parent / "static"


class HtmlHandler(ProblemHandler):
    """For browsers: who is not signed in is sent to the Hub, what goes wrong is told on a page."""

    async def visitor(self) -> Person | None:
        """The person who visits; None: on the way to the Hub's login."""
        person = await self.identify()
        if person is None:
            self.redirect(self.get_login_url())
        return person

    def page(self, template: str, **values: Any) -> None:
        nonce = secrets.token_urlsafe(16)
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_header("Cache-Control", "no-store")
        self.set_header("Content-Security-Policy", _policy(nonce))
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Referrer-Policy", "same-origin")
        address = self.service.address
        self.finish(
            TEMPLATES.load(template).generate(
                nonce=nonce, hub=address.hub, prefix=address.prefix, version=_version(), **values
            )
        )

    def finish_problem(self, problem: Problem) -> None:
        self.set_status(problem.status)
        self.page("problem.html", problem=problem)


class PageHandler(HtmlHandler):
    async def get(self, *_path: str) -> None:
        person = await self.visitor()
        if person is None:
            return
        # Reading it sets the cookie that the pages' requests have to repeat in X-XSRFToken.
        _ = self.xsrf_token
        address = self.service.address
        config = {
            "base": address.prefix,
            "api": f"{address.prefix}api/v1",
            "hub": address.hub,
            "logout": f"{address.hub}logout",
            "user": {"name": person.name, "display_name": person.display_name, "admin": person.admin},
        }
        self.page("page.html", config=json.dumps(config))


class MissingPageHandler(HtmlHandler):
    async def get(self, *_path: str) -> None:
        raise StudiosError(
            "There is no such page", "the address is wrong", "Go to the list of studios", status=404
        )


def _version() -> str:
    """Changes whenever the pages were built anew, so that no browser shows old ones."""
    try:
        return str(int((STATIC / "app.js").stat().st_mtime))
    except OSError:
        return "0"


def _policy(nonce: str) -> str:
    """What the pages may load: their own files alone.

    For the Data page: images from ``…/raw`` are of this origin, and ``blob:`` ones are what it has fetched itself. A
    frame shows ``…/raw``, whose answer has a policy of its own: ``sandbox`` without scripts and without our origin;
    all other addresses of this origin refuse to be framed (``frame-ancestors 'none'``). Browsers have no PDF viewer in
    a sandbox: a PDF is framed as a ``blob:`` whose type the page has fixed, so it cannot be HTML; and a ``blob:``
    inherits this policy.
    """
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' 'nonce-{nonce}'",
            "style-src 'self'",
            "img-src 'self' data: blob:",
            "frame-src 'self' blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )
