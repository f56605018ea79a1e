"""Whom a studio is shared with, by name and by links. For its owner and administrators alone."""

from __future__ import annotations

from ...models import ShareLinkSpec, ShareLinkView, ShareSpec, ShareView
from ...web import Page
from ..routing import Call, Routes
from ..sharing import links, shares
from . import access

routes = Routes("api/v1", "person")


@routes.route("GET", "/studios/{studio_id}/shares", Page[ShareView])
async def list_shares(call: Call) -> Page[ShareView]:
    """People and groups that may open the studio, named or come by a link."""
    studio, _ = await access.studio(call)
    return Page(items=await shares.listed(call.service, studio), next=None)


@routes.route("POST", "/studios/{studio_id}/shares", ShareView, body=ShareSpec, status=201)
async def give_share(call: Call) -> ShareView:
    """Let a person or a group open the studio, and act there with its owner's rights."""
    studio, _ = await access.studio(call)
    return await shares.give(call.service, studio, call.body, call.person)


@routes.route("DELETE", "/studios/{studio_id}/shares/{share_id}", None, status=204)
async def end_share(call: Call) -> None:
    """Take a person or a group out: who is in is shown out at once, and no link of before leads back in."""
    studio, _ = await access.studio(call)
    await shares.take_out(call.service, studio, call.path["share_id"])


@routes.route("GET", "/studios/{studio_id}/share-links", Page[ShareLinkView])
async def list_share_links(call: Call) -> Page[ShareLinkView]:
    """The links that lead into the studio now, with their addresses."""
    studio, _ = await access.studio(call)
    return Page(items=await links.listed(call.service, studio), next=None)


@routes.route("POST", "/studios/{studio_id}/share-links", ShareLinkView, body=ShareLinkSpec, status=201)
async def make_share_link(call: Call) -> ShareLinkView:
    """Make a link that lets in whoever follows it, until it ends."""
    studio, _ = await access.studio(call)
    return await links.make(call.service, studio, call.body, call.person)


@routes.route("DELETE", "/studios/{studio_id}/share-links/{link_id}", None, status=204)
async def end_share_link(call: Call) -> None:
    """End a link: who came by it alone is shown out at once."""
    studio, _ = await access.studio(call)
    await links.end(call.service, studio, call.path["link_id"])
