"""Who I am and what I may choose from."""

from __future__ import annotations

from typing import TypeVar

from ...config import Studios
from ...models import ComputeEnvironment, Model
from ...web import Page
from .. import bucket
from ..lifetime.choice import offer
from ..routing import Call, Routes
from .answers import ComputeEnvironmentView, Me, SweepReport, TemplateView

V = TypeVar("V", bound=Model)
routes = Routes("api/v1", "person")


@routes.route("GET", "/me", Me)
async def me(call: Call) -> Me:
    """The person that the token or cookie belongs to."""
    person = call.person
    return Me(
        name=person.name, display_name=person.display_name, admin=person.admin, groups=list(person.groups)
    )


@routes.route("GET", "/templates", Page[TemplateView])
async def templates(call: Call) -> Page[TemplateView]:
    """What can run in a studio."""
    return Page(items=[_only(TemplateView, one) for one in call.service.config.templates.values()])


@routes.route("GET", "/compute-environments", Page[ComputeEnvironmentView])
async def compute_environments(call: Call) -> Page[ComputeEnvironmentView]:
    """Where the caller may run studios; the first is the default."""
    person = call.person
    offered = call.service.config.allowed_environments(person.name, person.groups, person.admin)
    return Page(items=[_place(call.service.config, one) for one in offered])


def _place(config: Studios, one: ComputeEnvironment) -> ComputeEnvironmentView:
    fields = {name: getattr(one, name) for name in ComputeEnvironmentView.model_fields if name != "lifetime"}
    templates = {name: offer(config.lifetime_of(name, one.id)) for name in one.templates or config.templates}
    return ComputeEnvironmentView(**fields, lifetime=templates)


def _only(view: type[V], model: Model) -> V:
    """Exactly the fields of the view: credentials and paths of the original have none there."""
    return view(**{name: getattr(model, name) for name in view.model_fields})


@routes.route("POST", "/sweep", SweepReport, access="admin")
async def sweep(call: Call) -> SweepReport:
    """Remove layers that no checkpoint names any more, from all work dirs."""
    removed, freed, kept = await bucket.sweep(call.service)
    return SweepReport(removed=removed, freed_bytes=freed, kept=kept)
