"""The Tornado application: every address of the service."""

from __future__ import annotations

import logging
import re
from typing import Any

from jupyterhub.services.auth import HubOAuth
from tornado.web import Application, RequestHandler, StaticFileHandler

from ..web import rules
from . import api, internal
from .auth import BELIEVED, CallbackHandler
from .control import ControlHandler
from .core import Service
from .data.agents import AGENT_ROUTES, AgentMounted
from .enter import EnterHandler
from .handlers import Mounted, NotFoundHandler
from .mounts.agents import routes as mount_routes
from .pages import STATIC, MissingPageHandler, PageHandler
from .routing import Route
from .sharing.landing import JoinHandler

access_log = logging.getLogger("studios.access")

ROUTES: list[Route] = [
    *api.ROUTES,
    *internal.routes.table,
    *internal.agent_routes.table,
    *mount_routes.table,
    *AGENT_ROUTES,
]

MESSAGE_LIMIT = 32 * 1024 * 1024  # a checkpoint's list of installed packages is long


class CachedStaticFileHandler(StaticFileHandler):
    def set_extra_headers(self, path: str) -> None:
        self.set_header("X-Content-Type-Options", "nosniff")

    def get_cache_time(self, path: str, modified: Any, mime_type: str) -> int:
        return 86400 if "v" in self.request.arguments else 0


def handlers(prefix: str, service: Service | None) -> list[Any]:
    """``service`` None: to look at the addresses alone."""
    data = service and service.data
    return [
        *rules(prefix, [*api.OWN, *internal.routes.table, *internal.agent_routes.table], Mounted, service),
        *rules(prefix, api.EXPLORER, Mounted, data),
        *rules(prefix, mount_routes.table, AgentMounted, service),
        *rules(prefix, AGENT_ROUTES, AgentMounted, data),
        (f"{prefix}agent/control", ControlHandler),
        (f"{prefix}oauth_callback", CallbackHandler),
        (f"{prefix}enter", EnterHandler),
        (f"{prefix}j/([^/]+)", JoinHandler),
        (f"{prefix}static/(.+)", CachedStaticFileHandler, {"path": str(STATIC)}),
        (f"{prefix}(?:api|internal|agent)(?:/.*)?", NotFoundHandler),
        (f"{prefix}(?:new|admin|studios/[^/]+|data(?:/[^/]+)?)?", PageHandler),
        (".*", MissingPageHandler),
    ]


def application(service: Service) -> Application:
    # A revoked token or cookie is good for no longer than this.
    HubOAuth.instance().cache_max_age = BELIEVED
    return Application(
        handlers(service.address.prefix, service),
        service=service,
        cookie_secret=service.keys.cookie_secret,
        log_function=log_request,
        websocket_ping_interval=20,
        websocket_ping_timeout=20,
        websocket_max_message_size=MESSAGE_LIMIT,
    )


def log_request(handler: RequestHandler) -> None:
    """One line for each request. Without the query: tickets and login codes travel there. Nor with the code of a
    share link, which whoever reads the log could follow."""
    request = handler.request
    path = re.sub(r"/j/[^/]+$", "/j/…", request.path)
    level = logging.INFO if handler.get_status() < 500 else logging.ERROR
    milliseconds = 1000 * request.request_time()
    access_log.log(level, "%d %s %s %.1fms", handler.get_status(), request.method, path, milliseconds)
