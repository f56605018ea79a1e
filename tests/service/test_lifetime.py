"""What is decided is carried out, told and remembered. Time is given, not waited for."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from traitlets import TraitError

from jupyterhub_studios.config import Studios
from jupyterhub_studios.models import (
    Command,
    LaunchRequest,
    LifetimeNotice,
    LifetimePolicy,
    Observation,
    SessionState,
    StudiosError,
    StudioSpec,
    now,
)
from jupyterhub_studios.service import making
from jupyterhub_studios.service.core import Service
from jupyterhub_studios.service.database import EventRow
from jupyterhub_studios.service.database import queries as q
from jupyterhub_studios.service.lifetime import keeping
from jupyterhub_studios.service.lifetime.choice import choose
from jupyterhub_studios.service.lifetime.keeper import Keeper, notice
from jupyterhub_studios.service.lifetime.memory import Memory, observed
from jupyterhub_studios.service.sessions import lifecycle

from ..hub import RealHub
from .conftest import Play, opened
from .player import eventually

MINUTE = timedelta(minutes=1)


class Channel:
    """An agent that is there."""

    def __init__(self) -> None:
        self.commands: list[Command] = []
        self.notices: list[LifetimeNotice] = []

    def command(self, command: Command) -> None:
        self.commands.append(command)

    def lifetime(self, told: LifetimeNotice) -> None:
        self.notices.append(told)


async def running(service: Service, ready: datetime, name: str = "kept") -> tuple[str, Channel]:
    """A session that has been ready since ``ready``, and its agent."""
    if await service.database.run(q.find_studio, "alice", name) is None:
        await making.create(service, StudioSpec(name=name, template="jupyter"), "alice", (), False, name)
    request = LaunchRequest(owner="alice", server_name=name, prefix=f"/user/alice/{name}/")
    session = (await lifecycle.launch(service, request)).session_id

    def run(db: Session) -> None:
        found = q.session(db, session)
        found.state, found.ready_at = SessionState.RUNNING.value, ready

    await service.database.run(run)
    channel = Channel()
    service.channels[session] = channel  # type: ignore[assignment]
    return session, channel


async def report(service: Service, session: str, **seen: Any) -> None:
    """The agent tells; ``at`` is when."""

    def write(db: Session) -> None:
        row = q.session(db, session)
        memory = Memory.model_validate(row.lifetime or {})
        keeping.write(row, observed(memory, LifetimePolicy(), Observation(**seen), seen["at"]))

    await service.database.run(write)


async def history(service: Service, session: str) -> list[str]:
    def read(db: Session) -> list[str]:
        rows = select(EventRow).filter_by(session_id=session, kind="lifetime").order_by(EventRow.id)
        return [row.message for row in db.scalars(rows)]

    return await service.database.run(read)


async def test_a_lifespan_ends_a_busy_session_with_a_save_after_three_warnings(service: Service) -> None:
    ready = now()
    session, channel = await running(service, ready)
    keeper = Keeper(service)
    for minutes in (30, 419, 420, 430, 464, 465, 474, 475, 479.9):
        at = ready + minutes * MINUTE
        await report(service, session, at=at, kernels=1)
        await keeper.check(at)
    assert channel.commands == []
    ends = [line for line in await history(service, session) if "lifespan ends" in line]
    assert [line.split(" in ")[1].split(".")[0] for line in ends] == ["1 h", "15 min", "5 min"]
    await keeper.check(ready + timedelta(hours=8))
    assert [command.kind for command in channel.commands] == ["stop"]
    assert "lifespan of 8 h" in channel.commands[0].reason


async def test_an_idle_session_is_asked_and_stopped_also_over_a_restart(
    service: Service, hub: RealHub, tmp_path: Path
) -> None:
    ready = now()
    session, channel = await running(service, ready)
    at = ready + 61 * MINUTE
    await report(service, session, at=at)
    await Keeper(service).check(at)
    assert channel.notices[-1].view.verdict == "prompt"
    assert channel.notices[-1].view.answer_by == at + 10 * MINUTE
    again = opened(hub, tmp_path)  # as after a kill: nothing but the database goes on
    try:
        later = Channel()
        again.channels[session] = later  # type: ignore[assignment]
        for minutes in (64, 68, 70.9):
            await report(again, session, at=ready + minutes * MINUTE)
            await Keeper(again).check(ready + minutes * MINUTE)
        assert later.commands == []
        await report(again, session, at=ready + 71 * MINUTE)
        await Keeper(again).check(ready + 71 * MINUTE)
        assert [command.kind for command in later.commands] == ["stop"]
        assert "Nobody was there and nothing computed for 1 h" in later.commands[0].reason
        told = await history(again, session)
        assert len(told) == 1 and told[0].startswith("Asked whether somebody is still there, for 10 min.")
    finally:
        await again.close()


async def test_the_reason_greets_in_the_next_session(service: Service) -> None:
    ready = now()
    session, _ = await running(service, ready)
    await Keeper(service).check(ready + timedelta(hours=8))

    def end(db: Session) -> None:
        q.session(db, session).state = SessionState.STOPPED.value

    await service.database.run(end)
    following, _ = await running(service, ready + timedelta(hours=20))
    told = await service.database.run(notice, service, following, ready + timedelta(hours=20))
    assert told is not None and told.greeting == "Its lifespan of 8 h was over. Everything is saved."


async def test_who_comes_back_ends_the_question(service: Service) -> None:
    ready = now()
    session, channel = await running(service, ready)
    keeper = Keeper(service)
    for minutes in (61, 65):
        at = ready + minutes * MINUTE
        await report(service, session, at=at, input_at=at if minutes == 65 else None)
        await keeper.check(at)
    assert [told.view.verdict for told in channel.notices] == ["prompt", "keep"]
    assert (await history(service, session))[-1].startswith("It is kept after all. Somebody was there")
    await report(service, session, at=ready + 80 * MINUTE)
    await keeper.check(ready + 80 * MINUTE)
    assert channel.commands == [], "the question of before is not held against who answered it"


async def test_computation_that_keeps_it_is_in_the_history_once(service: Service) -> None:
    ready = now()
    session, channel = await running(service, ready)
    keeper = Keeper(service)
    for minutes in (30, 61, 90, 120, 181):
        at = ready + minutes * MINUTE
        await report(service, session, at=at, cpu=1.0 if minutes < 121 else 0.0)
        await keeper.check(at)
    told = await history(service, session)
    assert told[0] == "Nobody is there, but it is kept. Its processes compute."
    assert [line.split()[0] for line in told] == ["Nobody", "Asked"], "and asked an hour after its end"
    assert channel.commands == []


async def test_a_session_whose_stop_fails_does_not_keep_others_from_theirs(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready = now()
    _, channel = await running(service, ready)
    broken, _ = await running(service, ready, "other")
    real = lifecycle.stop

    async def stop(given: Service, session_id: str, reason: str) -> None:
        if session_id == broken:
            raise StudiosError("It cannot be stopped")
        await real(given, session_id, reason)

    monkeypatch.setattr(lifecycle, "stop", stop)
    await Keeper(service).check(ready + timedelta(hours=9))
    assert [command.kind for command in channel.commands] == ["stop"]


# --- through the API, with a played agent ------------------------------------------------------------


async def test_it_is_kept_and_extended_as_far_as_allowed(play: Play) -> None:
    studio = await play.create(lifespan_hours=118)
    async with await play.start(studio) as agent:
        await agent.come_up()
        view = (await play.until(studio["id"], "running"))["lifetime"]
        assert view["verdict"] == "keep" and view["extend_hours"] == 2
        path = f"studios/{studio['id']}"
        ends = datetime.fromisoformat(view["ends_at"])

        answer = await play.api("POST", f"{path}/extend", json={"hours": 3})
        assert answer.status_code == 409 and "leaves 2 h" in answer.json()["detail"]
        view = (await play.api("POST", f"{path}/extend", json={"hours": 1})).json()["lifetime"]
        assert datetime.fromisoformat(view["ends_at"]) - ends == timedelta(hours=1)
        assert view["extend_hours"] == 1

        view = (await play.api("POST", f"{path}/keep")).json()["lifetime"]
        assert view["kept_by"] == "alice" and "alice asked to keep it." in view["reasons"]
        await eventually(lambda: agent.notices and agent.notices[-1]["view"]["kept_by"] == "alice")
        assert agent.spec.report_seconds == 60
        # Whoever is inside asks through the gate.
        await agent.send("wish", wish="extend", user="alice")
        await agent.send("wish", wish="extend", user="bob")
        await eventually(lambda: agent.notices[-1]["view"]["extend_hours"] == 0)
        assert (await play.show(studio["id"]))["lifetime"]["extend_hours"] == 0
        seen = Observation(at=now(), kernels=1)
        await agent.send("activity", people=["alice"], observation=seen)
        await play.api("POST", f"{path}/stop", json={})
        await agent.finish()
        await play.until(studio["id"], "stopped")
        assert (await play.show(studio["id"]))["lifetime"] is None
        events = (await play.api("GET", f"sessions/{agent.spec.session_id}/events")).json()["items"]
        told = [event["message"] for event in events if event["kind"] == "lifetime"]
        assert told == ["Extended by 1 h by alice.", "alice keeps it for 1 h.", "Extended by 1 h by alice."]


async def test_the_usual_lifespan_is_that_of_the_place(play: Play) -> None:
    assert (await play.create())["lifespan_hours"] == 8
    places = (await play.api("GET", "compute-environments")).json()["items"]
    assert places[0]["lifetime"]["box"]["lifespan_hours"] == 8


# --- what may be chosen -----------------------------------------------------------------------------


def test_a_band_and_a_lock() -> None:
    band = LifetimePolicy(lifespan_hours=4, min_hours=2, max_hours=6, endless=False)
    assert [choose(band, hours, admin=False) for hours in (None, 2, 6)] == [4, 2, 6]
    for hours, says in ((7, "2 to 6 h"), (1, "2 to 6 h"), (0, "2 to 6 h")):
        with pytest.raises(StudiosError, match=says):
            choose(band, hours, admin=True)
    locked = LifetimePolicy(locked=True)
    assert choose(locked, 8, admin=False) == 8
    assert choose(locked, 20, admin=True) == 20
    with pytest.raises(StudiosError, match="fixed"):
        choose(locked, 20, admin=False)
    assert choose(LifetimePolicy(), 0, admin=False) == 0


def test_places_and_templates_have_their_own() -> None:
    config = Studios(
        lifetime={"idle_minutes": 30, "max_hours": 48},
        templates={"jupyter": {"lifetime": {"idle_minutes": 20, "grace_minutes": 5}}},
        compute_environments={
            "gpu": {"kind": "local", "work_dir": "file:///w", "lifetime": {"idle_minutes": 10}}
        },
    )
    found = config.lifetime_of("jupyter", "gpu")
    assert (found.idle_minutes, found.grace_minutes, found.max_hours) == (10, 5, 48)
    assert config.lifetime_of("gone", "gone").idle_minutes == 30
    with pytest.raises(TraitError, match=r"c\.Studios\.lifetime is not valid: idle_minuts"):
        Studios(lifetime={"idle_minuts": 1})


def test_a_clock_that_is_ahead_does_not_reach_into_the_future() -> None:
    at = now()
    seen = Observation(at=at + timedelta(hours=5), input_at=at + timedelta(hours=5))
    memory = observed(Memory(), LifetimePolicy(), seen, at)
    assert memory.seen_at == memory.present_at == at
