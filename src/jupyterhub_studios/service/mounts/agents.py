"""What the agents of sessions ask for their mounts, with the session's own token."""

from __future__ import annotations

from ...models import MountAnswer, MountRequest
from ..routing import Call, Routes
from . import core

routes = Routes("agent", "agent")


@routes.route("POST", "/mounts", MountAnswer, body=MountRequest)
async def renew(call: Call) -> MountAnswer:
    """Credentials of a session's mounts anew, before they expire."""
    return MountAnswer(mounts=await core.renew(call.service, call.headers["Authorization"], call.body.names))
