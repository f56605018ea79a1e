"""Links and the credentials they use: list, add, change, mark, remove."""

from __future__ import annotations

from ...models import CredentialSpec, CredentialView, LinkMarks, LinkPatch, LinkSpec, LinkView
from ...web import Page, Routes
from .answers import LinkQuery
from .call import Call
from .filters import selected

routes = Routes("", "person")


@routes.route("GET", "data-links", Page[LinkView], query=LinkQuery)
async def list_links(call: Call) -> Page[LinkView]:
    """All data links of the caller: found, added and offered ones."""
    found = await call.service.catalogue.links(call.person)
    return Page(items=selected(found, call.query))


@routes.route("POST", "data-links", LinkView, body=LinkSpec, status=201)
async def add_link(call: Call) -> LinkView:
    """Add a bucket or prefix under a name."""
    return await call.service.catalogue.add_link(call.person, call.body)


@routes.route("POST", "data-links/refresh", None, status=204)
async def refresh_links(call: Call) -> None:
    """Ask the caller's credentials anew which buckets they list."""
    await call.service.catalogue.refresh(call.person)


@routes.route("GET", "data-links/{link_id}", LinkView)
async def show_link(call: Call) -> LinkView:
    """One data link."""
    return await call.service.catalogue.link(call.person, call.path["link_id"])


@routes.route("PATCH", "data-links/{link_id}", LinkView, body=LinkPatch)
async def change_link(call: Call) -> LinkView:
    """Rename a link of the caller's own, make it writable or not, offer it to a workspace or take it back."""
    return await call.service.catalogue.change_link(call.person, call.path["link_id"], call.body)


@routes.route("DELETE", "data-links/{link_id}", None, status=204)
async def remove_link(call: Call) -> None:
    """Remove a link; what lies in the bucket stays."""
    await call.service.catalogue.remove_link(call.person, call.path["link_id"])


@routes.route("PATCH", "data-links/{link_id}/marks", LinkView, body=LinkMarks)
async def mark_link(call: Call) -> LinkView:
    """Star or hide a link, in the caller's own list."""
    return await call.service.catalogue.mark_link(call.person, call.path["link_id"], call.body)


@routes.route("GET", "data-credentials", Page[CredentialView])
async def list_credentials(call: Call) -> Page[CredentialView]:
    """The credentials that the caller may use; nothing secret is in them."""
    return Page(items=await call.service.catalogue.credentials(call.person))


@routes.route("POST", "data-credentials", CredentialView, body=CredentialSpec, status=201)
async def add_credential(call: Call) -> CredentialView:
    """Add a credential. Its secret is kept encrypted and never shown again."""
    return await call.service.catalogue.add_credential(call.person, call.body)


@routes.route("DELETE", "data-credentials/{credential_id}", None, status=204)
async def remove_credential(call: Call) -> None:
    """Remove a credential that no link uses any more."""
    await call.service.catalogue.remove_credential(call.person, call.path["credential_id"])
