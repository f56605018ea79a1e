"""Decisions, without a process."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application

from jupyterhub_studios.models import AgentMessage, SessionEnded, SessionState, StudioState
from jupyterhub_studios.service.enter import safe_next
from jupyterhub_studios.service.handlers import Mounted
from jupyterhub_studios.service.logs import Logs
from jupyterhub_studios.service.permissions import Person, allowed_actions, role
from jupyterhub_studios.service.routing import Call, Routes
from jupyterhub_studios.service.sessions import state
from jupyterhub_studios.service.sessions.state import Facts
from jupyterhub_studios.web import rules

S = SessionState


def facts(current: SessionState, **known: bool) -> Facts:
    return Facts(current, **{"agent_seen": True, "durable": False, "force": False, **known})


def said(kind: str, **fields: Any) -> AgentMessage:
    return AgentMessage(seq=1, kind=kind, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("before", "kind", "after"),
    [
        (S.STARTING, "address", S.RUNNING),
        (S.STOPPING, "address", None),  # cancelled meanwhile
        (S.ERRORED, "address", None),
        (S.STARTING, "stopping", S.STOPPING),
        (S.RUNNING, "stopping", S.STOPPING),
        (S.STOPPING, "stopping", None),
        (S.STARTING, "stopped", S.STOPPED),
        (S.RUNNING, "stopped", S.STOPPED),
        (S.STOPPING, "stopped", S.STOPPED),
        (S.ERRORED, "stopped", S.STOPPED),  # thought lost, but it saved everything
        (S.STOPPED, "stopped", None),
        (S.RUNNING, "failed", S.ERRORED),
        (S.STOPPED, "failed", None),
        (S.RUNNING, "activity", None),
        (S.RUNNING, "saved", None),
    ],
)
def test_messages_move_a_session(before: S, kind: str, after: S | None) -> None:
    change = state.on_message(facts(before), said(kind))
    assert (change.state if change else None) == after


def test_only_a_stopped_message_makes_it_durable() -> None:
    for before, kind in product(
        S, ("address", "stopping", "failed", "saved", "log", "event", "activity", "phase")
    ):
        change = state.on_message(facts(before), said(kind))
        assert change is None or not change.durable


def test_a_failed_save_is_not_a_failed_session() -> None:
    assert state.on_message(facts(S.RUNNING), said("failed", request="co-1")) is None


@pytest.mark.parametrize(
    ("known", "saved", "after", "words"),
    [
        (facts(S.RUNNING), False, S.ERRORED, "ended without saving: killed"),
        (facts(S.RUNNING), True, S.STOPPED, ""),
        (facts(S.STOPPING), False, S.ERRORED, "without saving"),
        (facts(S.STOPPING, force=True), False, S.STOPPED, "by force"),
        (facts(S.STOPPING, force=True), True, S.STOPPED, ""),
        (facts(S.STARTING, agent_seen=False), False, S.ERRORED, "did not start: killed"),
        (facts(S.STOPPING, agent_seen=False), False, S.STOPPED, "Cancelled"),
    ],
)
def test_how_a_session_ends_with_its_job(known: Facts, saved: bool, after: S, words: str) -> None:
    change = state.on_job_ended(known, SessionEnded(state="failed", reason="killed"), saved)
    assert change is not None and change.state == after and words in change.message


def test_an_ended_session_stays_as_it_is() -> None:
    for ended in (S.STOPPED, S.ERRORED):
        assert state.on_job_ended(facts(ended), SessionEnded(state="succeeded"), True) is None
        assert state.on_stop(facts(ended), "again") is None


def test_what_is_kept_is_told_with_its_age() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    assert state.kept(at - timedelta(minutes=3), at) == "What was saved 3 minutes ago is kept."
    assert state.kept(at - timedelta(hours=1), at) == "What was saved 1 hour ago is kept."
    assert state.kept(None, at) == "Nothing had been saved yet."


def test_force_is_for_later() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    assert not state.can_force(None, at, 0)
    assert not state.can_force(at - timedelta(seconds=9), at, 10)
    assert state.can_force(at - timedelta(seconds=10), at, 10)


SHARE = {"scopes": ["access:servers!server=a/x"], "user": {"name": "bob"}, "group": None}
GROUP = {"scopes": ["access:servers!server=a/x"], "user": None, "group": {"name": "lab"}}
OTHER = {"scopes": ["read:servers!server=a/x"], "user": {"name": "eve"}, "group": None}


def test_roles() -> None:
    assert role(Person("a", "A", False), "a") == "owner"
    assert role(Person("root", "R", True), "a") == "admin"
    assert role(Person("bob", "B", False), "a", [SHARE]) == "shared"
    assert role(Person("carl", "C", False, ("lab",)), "a", [SHARE, GROUP]) == "shared"
    assert role(Person("carl", "C", False), "a", [SHARE, GROUP]) is None
    assert role(Person("eve", "E", False), "a", [OTHER]) is None


def test_shared_people_may_only_open() -> None:
    for current in StudioState:
        may = allowed_actions("shared", current, connected=True, forceable=True, has_checkpoint=True)
        assert may == (["open"] if current == StudioState.RUNNING else [])


def test_deleting_and_starting_are_for_ended_studios() -> None:
    for current in StudioState:
        may = allowed_actions("owner", current, connected=True, forceable=True, has_checkpoint=True)
        assert (
            ("delete" in may) == ("start" in may) == (current in (StudioState.STOPPED, StudioState.ERRORED))
        )


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/user/a/x/lab/tree/n.ipynb?reset#top", True),
        ("/user/a/x/", True),
        ("/user/a/xy/", False),
        ("//evil.example/user/a/x/", False),
        ("https://evil.example/", False),
        ("/user/a/x/../../b/y/", False),
        ("/user/a/x/%2e%2E/secret", False),
        ("/user/a/x/\\evil", False),
        ("/user/a/x/\r\nSet-Cookie: a=b", False),
        ("", False),
    ],
)
def test_next_stays_inside(path: str, kept: bool) -> None:
    assert safe_next(path, "/user/a/x/") == (path if kept else "/user/a/x/")


# --- logs ---


@given(st.lists(st.text(min_size=1), min_size=1, max_size=8), st.integers(4, 40))
def test_paged_logs_are_what_was_written(tmp_path_factory: Any, texts: list[str], page: int) -> None:
    logs = Logs(tmp_path_factory.mktemp("logs"))
    size = 0
    for text in texts:
        size = logs.append("s", size, text)
    offset, read = 0, ""
    while offset < size:
        part, following = logs.read("s", offset, size, page)
        assert following > offset
        read, offset = read + part, following
    assert read == "".join(texts).encode("utf-8", "replace").decode("utf-8")


def test_an_unacknowledged_write_is_overwritten(tmp_path: Path) -> None:
    logs = Logs(tmp_path)
    size = logs.append("s", 0, "one\n")
    logs.append("s", size, "twice\n")
    size = logs.append("s", size, "twice\n")
    assert logs.read("s", 0, size) == ("one\ntwice\n", size)


def test_a_log_is_capped_with_a_note(tmp_path: Path) -> None:
    logs = Logs(tmp_path, cap=100)
    size = 0
    for _ in range(50):
        size = logs.append("s", size, "0123456789")
    text, _ = logs.read("s", 0, size)
    assert text.startswith("0123456789" * 10) and text.count("cut here") == 1 and len(text) < 250


async def test_a_fault_of_the_service_is_told_without_its_insides(caplog: pytest.LogCaptureFixture) -> None:
    routes = Routes("broken", "public")

    @routes.route("GET", "", None)
    async def broken(call: Call) -> None:
        """It breaks."""
        raise ValueError("an inner secret")

    server = HTTPServer(Application(rules("/", routes.table, Mounted, None), service=None))
    sockets = bind_sockets(0, "127.0.0.1")
    server.add_sockets(sockets)
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"http://127.0.0.1:{sockets[0].getsockname()[1]}/broken")
    server.stop()
    assert answer.status_code == 500 and answer.headers["content-type"] == "application/problem+json"
    assert "secret" not in answer.text and "Traceback" not in answer.text
    assert "an inner secret" in caplog.text  # for the administrator
