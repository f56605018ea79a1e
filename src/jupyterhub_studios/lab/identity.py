"""Who is asking, as the gate says: Jupyter's identity provider inside a studio."""

from __future__ import annotations

import base64
import hashlib
import os
from typing import Any

from jupyter_server.auth import IdentityProvider, User
from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.base.handlers import JupyterHandler
from tornado import web

from .. import tickets

HEADER = "X-Studio-Identity"
COLOURS = 7  # --jp-collaborator-color1 to 7 of JupyterLab's themes


class StudioLoginHandler(JupyterHandler):
    """Where Jupyter sends a request of nobody's. Signing in is the gate's; who came past it stays out."""

    @allow_unauthenticated
    def get(self) -> None:
        raise web.HTTPError(403, "Open the studio through the Hub")


class StudioLogoutHandler(JupyterHandler):
    """Log Out leaves the studio at the gate, which goes on to the Hub's own."""

    @allow_unauthenticated
    def get(self) -> None:
        self.redirect(f"{self.base_url}_studio/leave")


class StudioIdentityProvider(IdentityProvider):
    """Believes the gate's signed header and nothing else: no token, no password, no login page."""

    need_token = False

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.token = ""
        self.login_handler_class = StudioLoginHandler
        self.logout_handler_class = StudioLogoutHandler
        self.updatable_fields = []  # names come from the Hub
        # Taken out of the environment, so that kernels and terminals do not inherit it.
        self._key = base64.b64decode(os.environ.pop("STUDIO_IDENTITY_KEY"))

    def get_user(self, handler: Any) -> User | None:
        known: User | None = getattr(handler, "_jupyter_current_user", None)
        if known is not None:  # the header outlives its minute where a WebSocket does
            return known
        header = handler.request.headers.get(HEADER)
        if header is None:  # the agent, asking whether we are up
            return None
        try:
            claims = tickets.verify(self._key, header, audience="app")
        except ValueError as error:
            self.log.warning("The identity of a request is not good: %s", error)
            return None
        user, name = claims["sub"], claims["name"] or claims["sub"]
        return User(username=user, name=name, display_name=name, initials=initials(name), color=colour(user))


def initials(name: str) -> str:
    """First letters of the first and the last word: "Ada King Lovelace" is AL, "ada" is A."""
    words = [word for word in name.replace(".", " ").replace("_", " ").replace("-", " ").split() if word]
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()


def colour(user: str) -> str:
    """The same for a person in every studio, and right in light and dark themes."""
    number = hashlib.sha256(user.encode()).digest()[0] % COLOURS + 1
    return f"var(--jp-collaborator-color{number})"
