"""REST over Tornado, for whichever server mounts it: one route table, which the handlers, the OpenAPI document and
the authorisation tests all read. Who is asking is the host's affair, see :func:`~.handlers.rules`.
"""

from . import problems
from .handlers import ProblemAnswers, RouteHandler, rules
from .lists import Page
from .openapi import document
from .routing import Call, Content, Route, Routes

__all__ = [
    "Call",
    "Content",
    "Page",
    "ProblemAnswers",
    "Route",
    "RouteHandler",
    "Routes",
    "document",
    "problems",
    "rules",
]
