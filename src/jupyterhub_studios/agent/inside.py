"""What people inside ask and are told about the session's end: ``_studio/lifetime`` and its like, at the gate.

JupyterLab's part of this is in ``labextension/packages/lab/src/lifetime``; any app's page may use the same addresses.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any, Literal

from aiohttp import web

from ..models import LifetimeNotice
from .activity.use import Use
from .gate_auth import Visitor
from .gate_headers import same_origin
from .gate_pages import HEADERS, problem

Wish = Literal["keep", "extend"]
ADDRESSES = ("ending", "lifetime", "input", "keep", "extend", "stop")


class Inside:
    """``wish(what, user)`` and ``stop(reason)`` carry out what people ask for."""

    def __init__(
        self, session_id: str, use: Use, wish: Callable[[Wish, str], None], stop: Callable[[str], None]
    ) -> None:
        self.notice: LifetimeNotice | None = None
        self.ending: tuple[str, float] | None = None  # why it is stopped, when (monotonic)
        self._session_id, self._use = session_id, use
        self._wish, self._stop = wish, stop

    def answer(self, request: web.BaseRequest, visitor: Visitor, what: str) -> web.Response:
        if request.method != ("GET" if what in ("ending", "lifetime") else "POST"):
            return problem(request, 405, "This is asked for in another way")
        if what == "lifetime":
            return self._lifetime(visitor)
        if what == "ending":
            return self._ending()
        if not same_origin(request.headers):
            return problem(request, 403, "Refused", "A page of another site tried to act in this studio.")
        if what in ("extend", "stop") and not visitor.own:
            return problem(
                request, 403, "This is up to the studio's owner", "You are a visitor here.", "Ask the owner."
            )
        match what:
            case "input":
                self._use.input()
            case "keep":
                self._wish("keep", visitor.user)
            case "extend":
                self._wish("extend", visitor.user)
            case "stop":
                self._stop(f"Stopped by {visitor.user}.")
        return web.Response(status=204, headers=HEADERS)

    def _lifetime(self, visitor: Visitor) -> web.Response:
        self._use.page_tells()
        told = self.notice.model_dump(mode="json") if self.notice else None
        return _document({"session_id": self._session_id, "own": visitor.own, "notice": told})

    def _ending(self) -> web.Response:
        """``{"reason", "seconds"}`` until somebody's stop; both null when none is announced."""
        reason, at = self.ending or (None, 0.0)
        seconds = None if reason is None else max(0.0, at - time.monotonic())
        return _document({"reason": reason, "seconds": seconds})


def _document(content: dict[str, Any]) -> web.Response:
    return web.Response(body=json.dumps(content), headers={**HEADERS, "Content-Type": "application/json"})
