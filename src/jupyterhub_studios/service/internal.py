"""What the spawner asks: launches, progress, stops and ends of sessions. And the agent's bootstrap."""

from __future__ import annotations

from pydantic import Field

from ..models import (
    Alive,
    JobStatus,
    Launch,
    LaunchRequest,
    LaunchSpec,
    Model,
    SessionEnded,
    SessionProgress,
    SessionStop,
)
from .routing import Call, Routes
from .sessions import lifecycle

routes = Routes("internal", "internal")


class FollowQuery(Model):
    after: int = -1
    wait: float = Field(default=0, ge=0, le=60)


@routes.route("POST", "/launches", Launch, body=LaunchRequest)
async def launch(call: Call) -> Launch:
    """The Hub starts a named server: a session is opened for it."""
    return await lifecycle.launch(call.service, call.body)


@routes.route("GET", "/sessions/{session_id}", SessionProgress, query=FollowQuery)
async def follow(call: Call) -> SessionProgress:
    """A session's progress, as soon as it has passed version `after`."""
    return await lifecycle.progress(call.service, call.path["session_id"], call.query.after, call.query.wait)


@routes.route("POST", "/sessions/{session_id}/stop", SessionProgress, body=SessionStop)
async def stop(call: Call) -> SessionProgress:
    """Ask the session to save and end."""
    await lifecycle.stop(call.service, call.path["session_id"], call.body.reason)
    return await lifecycle.progress(call.service, call.path["session_id"], -1, 0)


@routes.route("POST", "/sessions/{session_id}/job", SessionProgress, body=JobStatus)
async def job(call: Call) -> SessionProgress:
    """What the compute environment says of the session's job while it starts."""
    await lifecycle.job_says(call.service, call.path["session_id"], call.body)
    return await lifecycle.progress(call.service, call.path["session_id"], -1, 0)


@routes.route("POST", "/sessions/{session_id}/ended", SessionProgress, body=SessionEnded)
async def ended(call: Call) -> SessionProgress:
    """The session's job is over."""
    await lifecycle.ended(call.service, call.path["session_id"], call.body)
    return await lifecycle.progress(call.service, call.path["session_id"], -1, 0)


@routes.route("POST", "/alive", None, body=Alive, status=204)
async def alive(call: Call) -> None:
    """The Hub has the servers of these sessions, and their jobs run."""
    call.service.alive.note(call.body.sessions)


agent_routes = Routes("agent", "public")


class Redeem(Model):
    code: str = Field(max_length=256)


@agent_routes.route("POST", "/bootstrap", LaunchSpec, body=Redeem)
async def bootstrap(call: Call) -> LaunchSpec:
    """The agent's one-time code for its launch spec. The code is what authenticates."""
    return await lifecycle.redeem(call.service, call.body.code)
