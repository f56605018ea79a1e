"""What people inside are told of the session's end, and what they may ask for: ``_studio/lifetime`` and its like."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from jupyterhub_studios.agent.activity.use import Use
from jupyterhub_studios.agent.gate import Gate
from jupyterhub_studios.agent.inside import Inside, Wish
from jupyterhub_studios.agent.upstream import Upstream
from jupyterhub_studios.models import LifetimeNotice, LifetimeView

from .conftest import IDENTITY_KEY, SESSION, App, Place, launch_spec


class Told:
    def __init__(self) -> None:
        self.wishes: list[tuple[str, str]] = []
        self.stops: list[str] = []
        self.use = Use()
        self.inside = Inside(SESSION, self.use, self.wish, self.stops.append)

    def wish(self, what: Wish, user: str) -> None:
        self.wishes.append((what, user))


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
async def place(app: App, told: Told) -> AsyncIterator[Place]:
    gate = Gate(launch_spec(), Upstream(socket=app.socket), IDENTITY_KEY, told.use, told.inside)
    yield Place(gate, await gate.start())
    await gate.stop()


async def ask(
    session: aiohttp.ClientSession, place: Place, what: str, method: str = "POST", **headers: str
) -> int:
    async with session.request(method, place.at(f"_studio/{what}"), headers=headers) as answer:
        return answer.status


async def test_who_is_inside_reads_what_the_service_said(
    place: Place, told: Told, ada: aiohttp.ClientSession, bob: aiohttp.ClientSession
) -> None:
    async with ada.get(place.at("_studio/lifetime")) as answer:
        assert await answer.json() == {"session_id": SESSION, "own": True, "notice": None}
    told.inside.notice = LifetimeNotice(
        view=LifetimeView(verdict="prompt", reasons=["Nobody was there."], keep_minutes=60), greeting="Hello."
    )
    async with bob.get(place.at("_studio/lifetime")) as answer:
        document = await answer.json()
        assert answer.headers["Cache-Control"] == "no-store"
    assert not document["own"]
    assert document["notice"]["view"]["verdict"] == "prompt" and document["notice"]["greeting"] == "Hello."
    assert place.gate.active_at is None, "asking for it is no use of the studio"


async def test_input_is_noted_and_wishes_are_passed_on(
    place: Place, told: Told, ada: aiohttp.ClientSession, bob: aiohttp.ClientSession
) -> None:
    assert told.use.input_at is None
    assert await ask(bob, place, "input") == 204
    assert told.use.input_at is not None
    assert await ask(bob, place, "keep") == 204
    assert await ask(ada, place, "extend") == 204
    assert told.wishes == [("keep", "bob"), ("extend", "ada")]
    assert await ask(ada, place, "stop") == 204
    assert told.stops == ["Stopped by ada."]


async def test_stopping_and_extending_are_up_to_the_owner(
    place: Place, told: Told, bob: aiohttp.ClientSession
) -> None:
    assert await ask(bob, place, "extend") == 403
    assert await ask(bob, place, "stop") == 403
    assert told.wishes == [] and told.stops == []


async def test_strangers_other_sites_and_odd_requests_get_nothing(
    place: Place, told: Told, ada: aiohttp.ClientSession
) -> None:
    async with aiohttp.ClientSession() as stranger:
        assert await ask(stranger, place, "lifetime", "GET") == 403
        assert await ask(stranger, place, "stop") == 403
    assert await ask(ada, place, "stop", Origin="http://elsewhere.example") == 403
    assert await ask(ada, place, "stop", "GET") == 405
    assert await ask(ada, place, "nothing") == 404
    place.gate.revoke("ada")
    assert await ask(ada, place, "input") == 403
    assert told.stops == [] and told.use.input_at is None


async def test_messages_count_unless_they_come_at_a_beat(
    place: Place, told: Told, ada: aiohttp.ClientSession
) -> None:
    async with ada.ws_connect(place.at("ws")) as socket:
        await socket.receive()
        for text in ("a", "bb", "ccc"):
            assert told.use.traffic_at is None
            await socket.send_str(text)
            await socket.receive()
    assert told.use.traffic_at is not None
