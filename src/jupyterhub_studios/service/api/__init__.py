"""REST API v1: one module per resource, one table of all routes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pydantic import RootModel

from ...explorer import api as explorer_api
from ...web import document
from ..routing import Call, Route, Routes
from . import checkpoints, lifetime, mounts, offers, sessions, sharing, studios

BASE = "api/v1"
SECURITY: list[dict[str, Any]] = [{"token": []}, {"cookie": [], "xsrf": []}]
SCHEMES = {
    "token": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "`token <Hub API token>` with the scope `access:services!service=studios`",
    },
    "cookie": {"type": "apiKey", "in": "cookie", "name": "service-studios"},
    "xsrf": {"type": "apiKey", "in": "header", "name": "X-XSRFToken"},
}

about = Routes(BASE, "public")


@about.route("GET", "/openapi.json", RootModel[dict[str, Any]])
async def openapi(call: Call) -> RootModel[dict[str, Any]]:
    """This API as an OpenAPI 3.1 document."""
    server = f"{call.service.address.prefix}{BASE}"
    return RootModel(document(ROUTES, base=BASE, server=server, schemes=SCHEMES, security=SECURITY))


OWN: list[Route] = [
    *offers.routes.table,
    *studios.routes.table,
    *mounts.routes.table,
    *sessions.routes.table,
    *checkpoints.routes.table,
    *sharing.routes.table,
    *lifetime.routes.table,
    *about.table,
]
EXPLORER: list[Route] = [replace(route, path=f"{BASE}/{route.path}") for route in explorer_api.ROUTES]
ROUTES = [*OWN, *EXPLORER]
