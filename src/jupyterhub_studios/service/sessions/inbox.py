"""What an agent's message does to the database, in the one transaction that also acknowledges it.

Either all of a message is stored and acknowledged, or none of it is and the agent sends it again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from ...models import TAKEN_BACK, AgentMessage, ComputeEnvironment, Phase, SessionState, StudiosError
from ..database import CommandRow, SessionRow
from ..database import queries as q
from ..lifetime import keeping
from ..lifetime.memory import Memory, observed
from ..logs import Logs
from . import state

if TYPE_CHECKING:
    from ...config import Studios

_ADDRESS = re.compile(r"http://(?:(\d{1,3}(?:\.\d{1,3}){3})|\[([0-9a-fA-F:]+)\]):(\d{1,5})")


class OutOfOrder(Exception):
    """A message is missing before this one: the agent has to go on from the acknowledged one."""


@dataclass(frozen=True)
class Received:
    acked: int
    studio_id: str
    state: SessionState
    active_at: datetime | None = None  # new evidence of use, for the Hub


@dataclass(frozen=True)
class Inbox:
    """Where messages go, and what they are held against."""

    logs: Logs
    environments: Mapping[str, ComputeEnvironment]
    config: Studios


def receive(db: Session, inbox: Inbox, session_id: str, message: AgentMessage, at: datetime) -> Received:
    row = q.session(db, session_id)
    active_before = row.active_at
    if message.seq > row.acked + 1:
        raise OutOfOrder(f"message {message.seq} after {row.acked}")
    if message.seq == row.acked + 1:
        try:
            with db.begin_nested():
                _apply(db, inbox, row, message, at)
        except StudiosError as error:
            # Sent again it would be as wrong: it is noted instead, and counted as received.
            q.add_event(db, row, at, "agent", str(error), "error")
        row.acked = message.seq
    fresh = row.active_at if row.active_at != active_before else None
    return Received(row.acked, row.studio_id, SessionState(row.state), fresh)


def _apply(db: Session, inbox: Inbox, row: SessionRow, message: AgentMessage, at: datetime) -> None:
    if message.checkpoint is not None:
        _note_checkpoint(db, row, message)
    match message.kind:
        case "log" if message.log:
            row.log_size = inbox.logs.append(row.id, row.log_size, message.log)
            return  # not worth waking anybody
        case "phase" if message.phase is not None:
            _phase(db, row, message.phase, at)
        case "event" if message.event is not None:
            event = message.event
            q.add_event(db, row, event.at, event.kind, event.message, event.level)
            if event.kind == TAKEN_BACK and row.state == SessionState.RUNNING.value:
                row.message = event.message  # people read it where they work
        case "address":
            _address(db, inbox, row, message)
        case "activity":
            row.people = sorted(set(message.people))
            if message.active_at and (row.active_at is None or message.active_at > row.active_at):
                row.active_at = message.active_at
            _observe(db, inbox, row, message, at)
        case "mounts":
            row.mounts = [one.model_dump(mode="json") for one in message.mounts]
        case "wish":
            _wish(db, inbox, row, message, at)
        case "saved":
            text = f"Saved as “{message.checkpoint.name}”." if message.checkpoint else "Saved."
            q.add_event(db, row, at, "saved", text)
    _answer(db, message)
    change = state.on_message(q.facts(row), message)
    if change:
        q.change_state(db, row, change, at)
    else:
        q.touch(db, row)


def _observe(db: Session, inbox: Inbox, row: SessionRow, message: AgentMessage, at: datetime) -> None:
    if message.observation is None:
        return
    studio = q.studio(db, row.studio_id)
    policy = inbox.config.lifetime_of(studio.template, studio.compute_environment)
    memory = Memory.model_validate(row.lifetime or {})
    keeping.write(row, observed(memory, policy, message.observation, at))


def _wish(db: Session, inbox: Inbox, row: SessionRow, message: AgentMessage, at: datetime) -> None:
    """Somebody inside answered or asked for more time. The gate has seen to who they are."""
    studio = q.studio(db, row.studio_id)
    case = keeping.case_of(inbox.config, row, studio)
    if case is None or not message.user:
        return
    if message.wish == "keep":
        keeping.keep(db, case, message.user, at)
    elif message.wish == "extend" and message.user == studio.owner:
        keeping.extend(db, case, 1, message.user, at, admin=False)


def _note_checkpoint(db: Session, row: SessionRow, message: AgentMessage) -> None:
    found = message.checkpoint
    assert found is not None
    if found.studio_id != row.studio_id:
        raise StudiosError("A checkpoint of another studio was reported", f"by session {row.id}")
    # An answer to a request is a named checkpoint beside the session's own, which stays the current one.
    own = found.session_id == row.id and message.request is None and message.kind in ("saved", "stopped")
    q.index_checkpoint(db, found, current=own)


def _phase(db: Session, row: SessionRow, phase: Phase, at: datetime) -> None:
    q.set_phase(row, phase)
    if phase.status == "done":
        q.add_event(db, row, at, "phase", f"{phase.name}: {phase.message or 'done'}")
    elif phase.status == "failed":
        q.add_event(db, row, at, "phase", f"{phase.name}: {phase.message or 'failed'}", "error")


def _address(db: Session, inbox: Inbox, row: SessionRow, message: AgentMessage) -> None:
    # The Hub's proxy will send people there, so nothing but a plain address is taken, where gates may be.
    found = _ADDRESS.fullmatch(message.address or "")
    if found is None:
        raise StudiosError("The agent reported an address that is none", f"session {row.id}")
    studio = q.studio(db, row.studio_id)
    environment = inbox.environments.get(studio.compute_environment)
    if environment is not None and environment.connect == "tunnel":
        if message.address != row.address:
            raise StudiosError(
                f"The agent reported the address {message.address}, where no studio may be",
                f"behind the tunnel it has {row.address}",
                "Start the studio again",
            )
    elif environment is None or not environment.admits(found[1] or found[2], int(found[3])):
        raise StudiosError(
            f"The agent reported the address {message.address}, where no studio may be",
            "it is not in the compute environment's gate_networks and gate_ports",
            "An administrator should correct these settings",
        )
    row.address = message.address
    if message.root_mode is not None:
        studio.root_mode = message.root_mode.value


def _answer(db: Session, message: AgentMessage) -> None:
    """Close the command that this message answers."""
    if message.request is None:
        return
    command = db.get(CommandRow, message.request)
    if command is None or command.done:
        return
    command.done = True
    command.checkpoint_id = message.checkpoint.id if message.checkpoint else None
    command.error = message.message if message.kind == "failed" else ""
