"""The explorer's REST routes, for whichever Tornado server mounts them.

A host mounts all of them with one call, and adds what it gets to its own handler list::

    handlers(prefix, base, explorer) -> list[(pattern, handler class, arguments)]

    prefix    what every address begins with, with both slashes: "/services/studios/api/v1/", or in a Jupyter server
              f"{base_url}jupyterhub-studios/". Routes follow without a slash: "data-links/…".
    base      the host's class below our handlers, a tornado RequestHandler with one method of ours:
                  async def authorise(self, access: str) -> Caller
              ``access`` is "person" here. It answers who asks, or raises StudiosError(…, status=401 or 403) (an
              HTTPError will do). It is called before any of a raw body is read. The host's own XSRF check is in force
              as for all of its handlers: Tornado calls check_xsrf_cookie before prepare for what writes, when
              ``xsrf_cookies`` is set; a base with checks of its own makes them in prepare or in authorise.
              In a Jupyter server: a subclass of JupyterHandler (not APIHandler, whose ``finish`` sets the content
              type), with ``_track_activity = False`` and an ``authorise`` that refuses when ``self.current_user``
              is None. write_error, get, post … come from us and must not be overridden.
    explorer  an object with ``engine`` (explorer.engine.Engine) and ``catalogue`` (explorer.catalogue.Catalogue)

What is asked for is parsed from the query as it was sent; ``_xsrf``, ``token`` and JupyterLab's bare numbers against
caches are let pass there.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tornado.web import RequestHandler

from ...web import Route, rules
from . import changing, links, reading

ROUTES: list[Route] = [*links.routes.table, *reading.routes.table, *changing.routes.table]


def handlers(
    prefix: str, base: type[RequestHandler], explorer: Any, routes: Iterable[Route] = ROUTES
) -> list[tuple[str, type[RequestHandler], dict[str, Any]]]:
    return rules(prefix, routes, base, explorer)
