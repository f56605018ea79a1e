"""Coming, going and being turned away, as a browser sees it."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from yarl import URL

from .conftest import PREFIX, SESSION, MakePlace, Place, ticket
from .test_headers import EVIL

Session = aiohttp.ClientSession
HTML = {"Accept": "text/html"}
COOKIE = f"studio-{SESSION}"


async def test_a_stranger_is_sent_to_the_service_and_comes_back(place: Place) -> None:
    async with Session(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
        async with browser.get(place.at("lab/tree/a%20b?x=1"), headers=HTML, allow_redirects=False) as answer:
            assert answer.status == 302
            there = urlsplit(answer.headers["Location"])
        query = {name: values[0] for name, values in parse_qs(there.query).items()}
        assert (there.netloc, there.path) == ("", "/services/studios/enter")
        assert query == {"server": "ada/lab", "next": PREFIX + "lab/tree/a%20b?x=1"}

        params = {"ticket": ticket(), "next": query["next"]}
        async with browser.get(place.at("_studio/enter"), params=params, allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (302, query["next"])
            cookie = answer.cookies[COOKIE]
        assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == (PREFIX, True, "Lax")
        assert (cookie["max-age"], cookie["secure"]) == ("43200", "")
        async with browser.get(place.at("echo")) as answer:
            assert answer.status == 200


async def test_a_hub_elsewhere(open_gate: MakePlace) -> None:
    place = await open_gate(public_url="https://hub.example/base/", hub_prefix="/base/hub/")
    async with Session() as browser:
        async with browser.get(place.at(""), headers=HTML, allow_redirects=False) as answer:
            assert answer.headers["Location"].startswith("https://hub.example/services/studios/enter?")
        async with browser.get(place.at("_studio/leave"), allow_redirects=False) as answer:
            assert answer.headers["Location"] == "https://hub.example/base/hub/logout"


async def test_the_cookie_is_secure_behind_https(place: Place) -> None:
    headers = {"X-Forwarded-Proto": "https,http"}
    params = {"ticket": ticket()}
    async with (
        Session() as browser,
        browser.get(
            place.at("_studio/enter"), params=params, headers=headers, allow_redirects=False
        ) as answer,
    ):
        assert answer.cookies[COOKIE]["secure"] is True


@pytest.mark.parametrize("path", [*EVIL, PREFIX + "_studio/leave"])
async def test_next_leads_nowhere_else(place: Place, path: str) -> None:
    params = {"ticket": ticket(), "next": path}
    async with (
        Session() as browser,
        browser.get(place.at("_studio/enter"), params=params, allow_redirects=False) as answer,
    ):
        assert (answer.status, answer.headers["Location"]) == (302, PREFIX + "home")


async def test_leaving(place: Place, ada: Session) -> None:
    cookie = ada.cookie_jar.filter_cookies(URL(place.at("")))[COOKIE].value
    async with ada.get(place.at("_studio/leave"), allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (302, "/hub/logout")
    async with ada.get(place.at("echo")) as answer:
        assert answer.status == 403
    # The cookie is not only forgotten by the browser: a copy of it does not work either.
    async with (
        Session() as thief,
        thief.get(place.at("echo"), headers={"Cookie": f"{COOKIE}={cookie}"}) as answer,
    ):
        assert answer.status == 403


async def test_the_prefix_without_its_slash(place: Place, ada: Session) -> None:
    async with ada.get(place.url + PREFIX[:-1], allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (302, PREFIX)


@pytest.mark.parametrize("path", ["/", "/user/ada/other/", "/hub/", "/user/ada/labs/x"])
async def test_other_places_are_not_here(place: Place, ada: Session, path: str) -> None:
    async with ada.get(place.url + path) as answer:
        assert answer.status == 404


async def test_revoked_and_given_again(place: Place, ada: Session, bob: Session) -> None:
    place.gate.revoke("bob")
    # A page asks the service anew, which may let them in again; a program is told.
    async with bob.get(place.at("echo"), headers=HTML, allow_redirects=False) as answer:
        assert answer.status == 302 and "/enter?server=" in answer.headers["Location"]
    async with bob.get(place.at("echo")) as answer:
        assert (answer.status, answer.content_type) == (403, "application/problem+json")
        assert "withdrawn" in await answer.text()
    async with ada.get(place.at("echo")) as answer:
        assert answer.status == 200
    async with bob.get(place.at("_studio/enter"), params={"ticket": ticket("bob")}) as answer:
        assert answer.status == 404  # where the app has nothing, but let in
    async with bob.get(place.at("echo")) as answer:
        assert answer.status == 200


async def test_a_ticket_from_before_is_withdrawn_too(place: Place) -> None:
    before = ticket("bob")
    place.gate.revoke("bob")
    async with Session() as bob, bob.get(place.at("_studio/enter"), params={"ticket": before}) as answer:
        assert answer.status == 403


@pytest.mark.parametrize("user", ["bob", None])
async def test_revoking_cuts_what_is_open(place: Place, ada: Session, bob: Session, user: str | None) -> None:
    async with ada.ws_connect(place.at("ws")) as kept, bob.ws_connect(place.at("ws")) as cut:
        await kept.receive()
        await cut.receive()
        streaming = await bob.get(place.at("stream"))
        place.gate.revoke(user)
        assert place.gate.people() == ["ada"]
        message = await asyncio.wait_for(cut.receive(), 1)
        assert message.type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)
        with pytest.raises(aiohttp.ClientError):
            await asyncio.wait_for(streaming.read(), 1)
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await bob.ws_connect(place.at("ws"))
        assert refused.value.status == 403
        await kept.send_str("still here")
        assert await kept.receive_str() == "still here"


async def test_a_page_opened_and_a_change_made_are_activity(place: Place, ada: Session) -> None:
    async with ada.get(place.at("echo")):
        assert place.gate.active_at is None
    async with ada.get(place.at("echo"), headers=HTML):
        opened = place.gate.active_at
    assert opened is not None
    async with ada.post(place.at("echo")):
        assert place.gate.active_at is not None
        assert place.gate.active_at > opened


async def test_stopping_with_sockets_open(open_gate: MakePlace) -> None:
    place = await open_gate()
    async with await place.visitor() as ada, ada.ws_connect(place.at("ws")) as socket:
        await socket.receive()
        await asyncio.wait_for(place.gate.stop(), 10)
        with pytest.raises(aiohttp.ClientError):
            await ada.get(place.at("echo"))


async def test_ports(open_gate: MakePlace) -> None:
    one = await open_gate(gate_ports=(28710, 28711))
    two = await open_gate(gate_ports=(28710, 28711))
    assert {one.port, two.port} == {28710, 28711}
    with pytest.raises(Exception, match="No port is free"):
        await open_gate(gate_ports=(28710, 28711))
