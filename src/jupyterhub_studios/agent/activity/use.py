"""Whether somebody uses the app: what its own page tells, and what passes the gate."""

from __future__ import annotations

import time
from datetime import datetime

from ...models import now
from .pulse import Pulse

# JupyterLab asks, saves and synchronises here whether somebody is there or not. Its page tells of people itself.
LAB = (
    "api/",
    "lab",
    "static/",
    "terminals/",
    "lsp/",
    "jupyterhub-studios/",
    "kernelspecs/",
    "files/",
    "metrics",
)


class Use:
    def __init__(self) -> None:
        self.input_at: datetime | None = None  # told by the app's page: pointer or keys
        self.traffic_at: datetime | None = None  # seen here: what was not polling
        self._page_tells = False
        self._pulse = Pulse()

    def page_tells(self) -> None:
        """The app's page is one that tells of people: as long as it tells of none, there are none."""
        self._page_tells = True

    def input(self) -> None:
        self.page_tells()
        self.input_at = now()

    def request(self, method: str, path: str, *, navigation: bool) -> None:
        """``path``: below the session's prefix, without the query."""
        if navigation:
            self.traffic_at = now()  # somebody opened a page
        elif not self._ignored(path):
            self._beat((method, path))

    def message(self, connection: int, path: str, size: int) -> None:
        """Bytes of an upgraded connection, from the visitor."""
        if not self._ignored(path):
            self._beat((connection, size))

    def _ignored(self, path: str) -> bool:
        return self._page_tells and path.startswith(LAB)

    def _beat(self, key: tuple[object, ...]) -> None:
        if self._pulse.beat(key, time.monotonic()):
            self.traffic_at = now()
