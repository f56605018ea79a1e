"""REST API v1: one module per resource, one table of all routes."""

from __future__ import annotations

from typing import Any

from pydantic import RootModel

from ..openapi import document
from ..routing import Call, Route, Routes
from . import checkpoints, offers, sessions, studios

about = Routes("api/v1", "public")


@about.route("GET", "/openapi.json", RootModel[dict[str, Any]])
async def openapi(call: Call) -> RootModel[dict[str, Any]]:
    """This API as an OpenAPI 3.1 document."""
    return RootModel(document(ROUTES, call.service.address.prefix))


ROUTES: list[Route] = [
    *offers.routes.table,
    *studios.routes.table,
    *sessions.routes.table,
    *checkpoints.routes.table,
    *about.table,
]
