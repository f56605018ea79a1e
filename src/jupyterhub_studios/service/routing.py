"""The service's share of the route table of :mod:`~jupyterhub_studios.web`, with its own kinds of access."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from .. import web
from ..web import Route, Routes
from .permissions import Person

if TYPE_CHECKING:
    from .core import Service

__all__ = ["Access", "Call", "Route", "Routes"]

Access = Literal["public", "person", "admin", "culler", "internal", "agent"]
Call: TypeAlias = "web.Call[Service, Person]"
