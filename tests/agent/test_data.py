"""The session's way to its owner's data: streams, cancellation, what is added and what never comes through."""

from __future__ import annotations

import asyncio
import resource
import shlex
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from jupyterhub_studios.agent.data import SOCKET, data_address

from .data_service import CHUNK, TOKEN, Service, data_socket, played_service
from .harness import Studio


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    async with played_service() as found:
        yield found


@asynccontextmanager
async def inside(service: Service, token: str = TOKEN) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of the socket, as the session's processes are."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder, "a-long-name" * 15)  # longer than a socket's address may be
        run.mkdir()
        link = Path(folder, "s")
        link.symlink_to(run)
        connector = aiohttp.UnixConnector(str(link / SOCKET))
        async with (
            data_socket(service, run, token),
            aiohttp.ClientSession(connector=connector, base_url="http://agent") as session,
        ):
            yield session


async def refusal(session: aiohttp.ClientSession, path: str) -> dict[str, Any]:
    async with session.get(path) as answer:
        assert answer.content_type == "application/problem+json"
        document: dict[str, Any] = await answer.json(content_type=None)
        assert document["status"] == answer.status
        return document


def test_where_the_service_answers() -> None:
    control = "wss://hub.example.org/@/space%20word/services/studios/agent/control"
    assert data_address(control) == "https://hub.example.org/@/space%20word/services/studios/agent/data/"


async def test_requests_go_on_as_they_are_with_the_token(service: Service) -> None:
    async with inside(service) as session:
        headers = {
            "Range": "bytes=0-1",
            "Cookie": "jupyter=1",
            "Authorization": "token mine",
            "X-Studio-Identity": "x",
        }
        url = "/data-links/dl-1/download?path=a%20b%2Fc%2Bd%25&x"
        async with session.get(aiohttp.client.URL(url, encoded=True), headers=headers) as answer:
            assert (answer.status, await answer.read()) == (206, b"ab")
            assert answer.headers["Content-Range"] == "bytes 0-1/9"
            assert answer.headers["Content-Security-Policy"] == "sandbox"
            assert "Set-Cookie" not in answer.headers
    (seen,) = service.seen
    assert seen.raw_path == "/@/space%20word/services/studios/agent/data" + url
    assert seen.headers["Range"] == "bytes=0-1"
    assert not {"Cookie", "X-Studio-Identity"} & set(seen.headers)


async def test_refusals_come_through(service: Service) -> None:
    async with inside(service) as session:
        assert (await refusal(session, "/refused"))["title"] == "You may not"


async def test_an_ended_session(service: Service) -> None:
    async with inside(service, token="an-old-one") as session:
        told = await refusal(session, "/data-links")
    assert (told["status"], told["title"]) == (403, "This session has ended")


async def test_no_service(service: Service) -> None:
    async with inside(service) as session:
        assert (await refusal(session, "/proxy"))["title"] == "The studios service cannot be reached"
        service.port = 1
    async with inside(service) as session:
        told = await refusal(session, "/data-links")
        assert (told["status"], bool(told["action"])) == (503, True)


@pytest.mark.parametrize("path", ["/../control", "/data-links/../../control", "/%2e%2e/control", "/a/%2E./b"])
async def test_the_way_leads_nowhere_else(service: Service, path: str) -> None:
    url = aiohttp.client.URL(f"http://agent{path}", encoded=True)
    async with inside(service) as session, session.get(url) as answer:
        assert answer.status == 404
    assert service.seen == []


async def test_a_large_body_up_in_little_memory(service: Service) -> None:
    total = 400 * 1024 * 1024

    async def body() -> AsyncIterator[bytes]:
        for _ in range(total // len(CHUNK)):
            yield CHUNK

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    async with inside(service) as session, session.put("/upload", data=body()) as answer:
        assert (await answer.json())["received"] == total
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024  # KiB


async def test_who_goes_away_ends_the_work(service: Service) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    async with inside(service) as session:
        answer = await session.get("/endless")
        got = 0
        while got < 200 * 1024 * 1024:
            got += len(await answer.content.readany())
        answer.close()
        async with asyncio.timeout(30):
            await service.cancelled.wait()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024  # KiB


async def test_a_half_is_not_taken_for_the_whole(service: Service) -> None:
    async with inside(service) as session:
        with pytest.raises(aiohttp.ClientPayloadError):
            async with session.get("/cut") as answer:
                await answer.read()


ASK = """
import os, socket
asking = socket.socket(socket.AF_UNIX)
asking.connect(os.environ["STUDIO_DATA_SOCKET"])
asking.sendall(b"GET /data-links HTTP/1.0\\r\\n\\r\\n")
print(asking.recv(65536).decode())
"""


async def test_in_a_session_its_socket_is_there_and_its_token_is_not(studio: Studio) -> None:
    session = await studio.start()
    await session.ready()
    said = await session.sh(f"python3 -c {shlex.quote(ASK)}")
    # The stand-in for the service knows no such address.
    assert said.startswith(("HTTP/1.0 503", "HTTP/1.0 404")), said
    assert "application/problem+json" in said
    assert session.spec.control_token not in await session.sh("env; cat /proc/self/environ", check=False)
