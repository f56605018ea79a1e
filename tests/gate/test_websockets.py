from __future__ import annotations

import asyncio
import os

import aiohttp
import pytest

from jupyterhub_studios import tickets

from .conftest import IDENTITY_KEY, App, Place

Session = aiohttp.ClientSession


async def test_subprotocol_identity_text_and_binary(place: Place, ada: Session) -> None:
    async with ada.ws_connect(place.at("ws"), protocols=("chat.v1", "chat.v3")) as socket:
        first = await socket.receive_json()
        assert first["protocol"] == socket.protocol == "chat.v1"
        assert tickets.verify(IDENTITY_KEY, first["identity"], audience="app")["sub"] == "ada"
        await socket.send_str("héllo")
        assert await socket.receive_str() == "héllo"
        blob = os.urandom(3_000_000)
        await socket.send_bytes(blob)
        assert await socket.receive_bytes() == blob


@pytest.mark.parametrize("compress", [0, 15])
async def test_extensions_are_between_the_two_ends(place: Place, ada: Session, compress: int) -> None:
    async with ada.ws_connect(place.at("ws"), compress=compress) as socket:
        assert socket.compress == compress
        await socket.receive()
        await socket.send_str("x" * 100_000)
        assert await socket.receive_str() == "x" * 100_000


async def test_close_code_of_the_app(place: Place, ada: Session) -> None:
    async with ada.ws_connect(place.at("ws")) as socket:
        await socket.receive()
        await socket.send_str("close")
        message = await socket.receive()
        assert (message.type, message.data, message.extra) == (aiohttp.WSMsgType.CLOSE, 4321, "as you wish")


async def test_pings_reach_the_app(place: Place, ada: Session) -> None:
    async with ada.ws_connect(place.at("ws"), autoping=False) as socket:
        await socket.receive()
        await socket.ping(b"are you there")
        message = await socket.receive()
        assert (message.type, message.data) == (aiohttp.WSMsgType.PONG, b"are you there")


async def test_the_apps_refusal_is_the_visitors(place: Place, ada: Session) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await ada.ws_connect(place.at("nothing-here"))
    assert refused.value.status == 404


async def test_a_slow_reader_holds_the_app_back(place: Place, ada: Session, app: App) -> None:
    """64 MB are offered; what the buffers on the way take is a small part of it."""
    async with ada.ws_connect(place.at("ws-flood"), max_msg_size=0) as socket:
        assert socket._reader is not None
        last = -1
        while app.sent != last:  # until nothing more moves
            last = app.sent
            await asyncio.sleep(0.5)
        assert app.sent < 32 * 1024 * 1024
        received = 0
        async for message in socket:
            received += len(message.data)
        assert received == 64 * 1024 * 1024


async def test_input_is_activity_and_keep_alives_are_not(place: Place, ada: Session) -> None:
    async with ada.ws_connect(place.at("ws"), autoping=False) as socket:
        await socket.receive()
        assert place.gate.active_at is None
        await socket.ping(b"still here")
        await socket.receive()
        assert place.gate.active_at is None
        await socket.send_str("print(1)")
        await socket.receive()
        assert place.gate.active_at is not None


async def test_people(place: Place, ada: Session, bob: Session) -> None:
    assert place.gate.people() == []
    async with ada.ws_connect(place.at("ws")):
        assert place.gate.people() == ["ada"]
        async with bob.get(place.at("echo")):
            assert place.gate.people() == ["ada", "bob"]


async def test_sockets_leave_nothing_behind(place: Place, ada: Session, app: App) -> None:
    for how in range(50):
        socket = await ada.ws_connect(place.at("ws"))
        if how % 2:
            await socket.close()
        else:  # without a goodbye
            assert socket._response.connection is not None
            assert socket._response.connection.transport is not None
            socket._response.connection.transport.abort()
    async with asyncio.timeout(10):
        while place.gate._open:
            await asyncio.sleep(0.01)
