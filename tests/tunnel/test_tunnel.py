"""The tunnel's process and the agent's side of it, both as they are, with a real gate behind."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from pathlib import Path

import aiohttp
import asyncssh
import pytest

from jupyterhub_studios.agent.tunnel import Tunnel
from jupyterhub_studios.models import Event, StudiosError, TunnelSettings
from jupyterhub_studios.tunnel import process
from jupyterhub_studios.tunnel.keys import HOST_KEY, host_key, public_line, session_key

from .conftest import Reach, Reached
from .world import World, dial

NOWHERE = "http://127.0.0.1:9"


def nobody(event: Event) -> None:
    pass


async def until(what: str, check: Callable[[], bool], seconds: float = 30) -> None:
    async with asyncio.timeout(seconds):
        while not check():
            await asyncio.sleep(0.05)


async def status(session: Reached, visitor: aiohttp.ClientSession) -> int:
    try:
        async with visitor.get(session.place.at("echo")) as answer:
            return answer.status
    except aiohttp.ClientError:
        return 0


# --- what goes through ------------------------------------------------------------------------------


async def test_pages_and_sockets_reach_the_gate(reach: Reach) -> None:
    ada = await reach("se-ada")
    assert ada.place.url == f"http://127.0.0.1:{ada.access.listen_port}"
    async with await ada.visitor() as visitor:
        body = os.urandom(3_000_000)
        async with visitor.post(ada.place.at("digest"), data=body) as answer:
            assert (await answer.json())["bytes"] == len(body)
        async with visitor.ws_connect(ada.place.at("ws"), protocols=("chat.v1",)) as ws:
            assert (await ws.receive_json())["protocol"] == "chat.v1"
            await ws.send_bytes(body)
            assert await ws.receive_bytes() == body


async def test_each_session_is_at_its_own_place(reach: Reach) -> None:
    ada, bob = await reach("se-ada"), await reach("se-bob")
    async with await ada.visitor() as visitor:
        assert await status(ada, visitor) == 200
        await bob.tunnel.close()
        assert await status(ada, visitor) == 200


async def test_who_takes_slowly_holds_nobody_up(reach: Reach) -> None:
    ada = await reach("se-ada")
    async with await ada.visitor() as visitor, visitor.ws_connect(ada.place.at("ws-flood")) as slow:
        await slow.receive()
        assert await status(ada, visitor) == 200


# --- who is refused ---------------------------------------------------------------------------------


async def test_a_foreign_key_is_refused(world: World) -> None:
    ada = await world.admit("se-ada")
    bob = await world.admit("se-bob")
    for access in (
        ada.model_copy(update={"private_key": bob.private_key}),  # somebody else's
        ada.model_copy(update={"user": "se-nobody"}),
        ada.model_copy(update={"user": "root"}),
    ):
        with pytest.raises(asyncssh.PermissionDenied):
            await dial(access)
    with pytest.raises(asyncssh.PermissionDenied):
        await dial(ada, client_keys=None, password="guess", preferred_auth="password,keyboard-interactive")
    assert bob.private_key.splitlines()[1] not in world.log


async def test_one_port_and_nothing_else_can_be_had(world: World) -> None:
    bob = await world.admit("se-bob")
    ada = await world.admit("se-ada")
    connection = await dial(ada)
    try:
        for host, port in (
            ("127.0.0.1", bob.listen_port),  # another session's
            ("127.0.0.1", 0),
            ("0.0.0.0", ada.listen_port),
            ("", ada.listen_port),
            ("localhost", ada.listen_port),
        ):
            with pytest.raises(asyncssh.ChannelListenError):
                await connection.forward_remote_port(host, port, "127.0.0.1", 9)
        with pytest.raises(asyncssh.ChannelListenError):
            await connection.forward_remote_path(str(world.folder / "mine.sock"), str(world.folder / "x"))
        with pytest.raises(asyncssh.ChannelOpenError):
            await connection.open_connection("127.0.0.1", world.port)
        with pytest.raises(asyncssh.ChannelOpenError):
            await connection.open_unix_connection(str(world.folder / "tunnel.sock"))
        with pytest.raises(asyncssh.ChannelOpenError):
            await connection.run("id")
        with pytest.raises(asyncssh.ChannelOpenError):
            await connection.start_sftp_client()
        await connection.forward_remote_port("127.0.0.1", ada.listen_port, "127.0.0.1", 9)
        with pytest.raises(asyncssh.ChannelListenError):
            await connection.forward_remote_port("127.0.0.1", ada.listen_port, "127.0.0.1", 9)
    finally:
        connection.abort()


async def test_an_ended_session_is_cut_and_refused_at_once(world: World, reach: Reach) -> None:
    ada = await reach("se-ada")
    async with await ada.visitor() as visitor, visitor.ws_connect(ada.place.at("ws")) as ws:
        await ws.receive()
        await world.end("se-ada")
        with pytest.raises(asyncssh.PermissionDenied):
            await dial(ada.access)
        assert (await ws.receive()).type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)
        assert await status(ada, visitor) == 0, "its port is closed"
    await until("the agent to notice", lambda: bool(ada.events))


async def test_what_answers_with_another_key_is_not_the_tunnel(world: World) -> None:
    other = public_line(session_key(os.urandom(32)))
    access = (await world.admit("se-ada")).model_copy(update={"host_key": other})
    with pytest.raises(StudiosError, match=r"is not the Hub's tunnel.*another one.*tunnel_address"):
        await Tunnel(access, NOWHERE, nobody).open()


# --- what goes wrong --------------------------------------------------------------------------------


async def test_a_tunnel_that_cannot_be_reached_is_told_with_what_to_do(world: World) -> None:
    access = await world.admit("se-ada")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nowhere = access.model_copy(update={"port": closed.getsockname()[1]})
        with pytest.raises(StudiosError, match=r"cannot be reached.*c\.Studios\.tunnel_bind"):
            await Tunnel(nowhere, NOWHERE, nobody).open(patience=0)


async def test_a_session_that_is_not_known_is_told_so(world: World) -> None:
    access = await world.admit("se-ada")
    await world.end("se-ada")
    with pytest.raises(StudiosError, match=r"refuses this session.*Start the studio again"):
        await Tunnel(access, NOWHERE, nobody).open(patience=0)


async def test_a_port_that_is_taken_is_told_and_had_when_it_is_free(world: World) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        access = await world.admit("se-ada", port)
        assert "in use" in (await world.tell()).taken["se-ada"]
        with pytest.raises(StudiosError, match=rf"no place for this session.*ort {port} there is taken"):
            await Tunnel(access, NOWHERE, nobody).open(patience=0)
    assert (await world.tell()).taken == {}
    tunnel = Tunnel(access, NOWHERE, nobody)
    assert await tunnel.open() == f"http://127.0.0.1:{port}"
    await tunnel.close()


async def test_a_tunnel_whose_own_port_is_taken_says_so_and_opens_later(world: World) -> None:
    world.kill()
    with socket.create_server(("127.0.0.1", world.port)):
        report = await world.up()
        assert f"cannot listen on 127.0.0.1:{world.port}" in report.fault and "in use" in report.fault
    while (await world.tell()).fault:
        await asyncio.sleep(0.1)


async def test_the_way_is_made_again_at_the_same_place_after_a_kill(world: World, reach: Reach) -> None:
    ada = await reach("se-ada")
    async with await ada.visitor() as visitor:
        async with visitor.ws_connect(ada.place.at("ws")) as ws:
            await ws.receive()
            world.kill()
            assert (await ws.receive()).type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)
        await world.up()
        await until("its end to be told", lambda: len(ada.events) == 2)
        # The cookie is still good, and so is the address: the same gate.
        async with visitor.ws_connect(ada.place.at("ws")) as ws:
            await ws.receive()
            await ws.send_str("again")
            assert await ws.receive_str() == "again"
    assert [event.level for event in ada.events] == ["warning", "info"]
    assert "was cut" in ada.events[0].message and "there again" in ada.events[1].message


async def test_visitors_of_a_session_that_is_away_are_asked_to_wait(world: World, reach: Reach) -> None:
    ada = await reach("se-ada")
    async with await ada.visitor() as visitor:
        await ada.tunnel.close()
        async with visitor.get(ada.place.at("echo")) as answer:
            assert answer.status == 503 and "out of reach for a moment" in await answer.text()


async def test_half_an_answer_is_not_taken_for_the_whole(world: World, reach: Reach) -> None:
    ada = await reach("se-ada")
    async with await ada.visitor() as visitor, visitor.get(ada.place.at("stream")) as answer:
        assert await answer.content.readany() == b"first"
        await ada.tunnel.close()
        with pytest.raises(aiohttp.ClientError):
            await answer.read()


async def test_an_agent_that_dials_again_takes_the_place_of_its_dead_connection(world: World) -> None:
    access = await world.admit("se-ada")
    first = await dial(access)
    await first.forward_remote_port("127.0.0.1", access.listen_port, "127.0.0.1", 9)
    second = await dial(access)
    await asyncio.wait_for(first.wait_closed(), 30)
    await second.forward_remote_port("127.0.0.1", access.listen_port, "127.0.0.1", 9)
    second.abort()


# --- the process ------------------------------------------------------------------------------------


async def test_it_goes_on_without_the_service(world: World, reach: Reach) -> None:
    ada = await reach("se-ada")
    async with await ada.visitor() as visitor, visitor.ws_connect(ada.place.at("ws")) as ws:
        await ws.receive()
        assert world.link is not None
        world.link.close()
        await ws.send_str("still here")
        assert await ws.receive_str() == "still here"
        pid = world.pid
        assert (await world.up()).connected == ["se-ada"], "the next service finds it"
        assert world.pid == pid
        await ws.send_str("and now")
        assert await ws.receive_str() == "and now"


async def test_one_of_another_version_is_replaced(world: World, reach: Reach) -> None:
    ada = await reach("se-ada")
    pid = world.pid
    world.version = "next"
    await world.up()
    assert world.pid != pid
    await until("the agent to come back", lambda: len(ada.events) == 2)
    async with await ada.visitor() as visitor:
        assert await status(ada, visitor) == 200


async def test_it_ends_when_nobody_is_left(
    world: World, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "ALONE_SECONDS", 0.1)
    monkeypatch.setattr(process, "LOOK_SECONDS", 0.05)
    folder = tmp_path_factory.mktemp("alone")
    where = TunnelSettings(version="1", bind_host="127.0.0.1", bind_port=0, listen_host="127.0.0.1")
    await asyncio.wait_for(process.Process(folder, where).run(), 30)


def test_the_host_key_is_made_once_for_the_service_alone(tmp_path: Path) -> None:
    first = public_line(host_key(tmp_path))
    assert (tmp_path / HOST_KEY).stat().st_mode & 0o777 == 0o600
    assert public_line(host_key(tmp_path)) == first
    (tmp_path / HOST_KEY).write_text("nonsense")
    with pytest.raises(StudiosError, match=r"cannot be used.*is damaged.*stop all studios"):
        host_key(tmp_path)
