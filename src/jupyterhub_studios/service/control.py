"""The agents' control channel: a WebSocket, dialled by the agent, at which nothing acknowledged is lost.

Frames of the service: ``{"hello": …}``, ``{"ack": …}``, ``{"command": …}``, ``{"lifetime": …}``; of the agent:
AgentMessage.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging

from pydantic import ValidationError
from sqlalchemy.orm import Session
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from ..models import (
    Ack,
    AgentMessage,
    Command,
    Hello,
    LifetimeNotice,
    SessionState,
    StudiosError,
    new_id,
    now,
)
from . import activity, route
from .core import Service
from .database import SessionRow
from .database import queries as q
from .handlers import ProblemHandler
from .keys import hashed
from .lifetime.keeper import tell
from .sessions.inbox import OutOfOrder, Received, receive

log = logging.getLogger("studios.control")

PROTOCOL_ERROR = 1002
REPLACED = 4001  # the agent has connected again


class ControlHandler(WebSocketHandler, ProblemHandler):
    session_id = ""

    def initialize(self) -> None:
        self._early: list[Command] | None = []  # asked for before the hello, which is the first frame

    async def prepare(self) -> None:
        scheme, _, token = self.request.headers.get("Authorization", "").partition(" ")
        row = None
        if scheme.lower() == "bearer" and token:
            row = await self.service.database.run(_by_token, hashed(token))
        if row is None:
            raise StudiosError("This is for the agents of sessions", "the token is not one", "", status=401)
        self.session_id, self.studio_id = row.id, row.studio_id

    def check_origin(self, origin: str) -> bool:
        return False  # browsers send one, agents do not

    async def open(self) -> None:
        service = self.service
        before = service.channels.get(self.session_id)
        service.channels[self.session_id] = self
        if before is not None:
            before.close(REPLACED, "connected again")
        row, commands = await service.database.run(_welcome, self.session_id)
        self._send("hello", Hello(acked=row.acked).model_dump_json())
        early, self._early = self._early or [], None
        for command in {one.id: one for one in (*commands, *early)}.values():
            self.command(command)
        service.changes.announce(self.session_id, self.studio_id)
        await tell(service, self.session_id)

    async def on_message(self, message: str | bytes) -> None:
        try:
            parsed = AgentMessage.model_validate_json(message)
            received = await self.service.database.run(
                receive, self.service.inbox, self.session_id, parsed, now()
            )
        except (ValidationError, OutOfOrder) as error:
            # Connected again, the agent goes on from what is stored.
            reason = "not an AgentMessage" if isinstance(error, ValidationError) else str(error)
            log.warning("Session %s: %s", self.session_id, reason)
            self.close(PROTOCOL_ERROR, reason)
            return
        except StudiosError:
            self.close(PROTOCOL_ERROR, "the session is gone")  # its studio was deleted
            return
        self._send("ack", Ack(acked=received.acked).model_dump_json())
        self._follow_up(parsed, received)

    def _follow_up(self, message: AgentMessage, received: Received) -> None:
        if message.kind in ("address", "wish"):
            self.service.keep(asyncio.ensure_future(tell(self.service, self.session_id)))
        if message.kind == "address":
            self.service.keep(asyncio.ensure_future(route.follow(self.service, self.session_id)))
        if message.kind != "log":
            self.service.changes.announce(self.session_id, received.studio_id)
        if received.state.ended:
            self.service.tunnel.look()
        if received.active_at:
            activity.report(self.service, self.session_id, received.active_at)

    def on_close(self) -> None:
        service = self.service
        if service.channels.get(self.session_id) is self:
            del service.channels[self.session_id]
            service.reported.pop(self.session_id, None)
            task = asyncio.ensure_future(_disconnected(service, self.session_id, self.studio_id))
            service.keep(task)

    def command(self, command: Command) -> None:
        if self._early is not None:
            self._early.append(command)
            return
        # Without what is not used: an agent of an older version refuses fields that it does not know.
        self._send("command", command.model_dump_json(exclude_defaults=True))

    def lifetime(self, notice: LifetimeNotice) -> None:
        self._send("lifetime", notice.model_dump_json())

    def _send(self, kind: str, body: str) -> None:
        try:
            future = self.write_message(f'{{"{kind}": {body}}}')
        except WebSocketClosedError:
            return  # it connects again, and gets it then
        self.service.keep(asyncio.ensure_future(_quietly(future)))


async def _quietly(future: asyncio.Future[None]) -> None:
    with contextlib.suppress(WebSocketClosedError):
        await future


def _by_token(db: Session, token_hash: str) -> SessionRow | None:
    return db.query(SessionRow).filter_by(control_hash=token_hash).one_or_none()


def _welcome(db: Session, session_id: str) -> tuple[SessionRow, list[Command]]:
    row = q.session(db, session_id)
    q.touch(db, row)
    if SessionState(row.state).ended and not row.durable:
        # Thought lost, but alive: it may save what it has, and end.
        stop = Command(id=new_id("co"), kind="stop", reason=row.message)
        return row, [stop]
    return row, [Command.model_validate(one.command) for one in q.open_commands(db, session_id)]


async def _disconnected(service: Service, session_id: str, studio_id: str) -> None:
    def note(db: Session) -> None:
        row = db.get(SessionRow, session_id)
        if row is not None:
            row.people = []
            q.touch(db, row)

    await service.database.run(note)
    service.changes.announce(session_id, studio_id)
