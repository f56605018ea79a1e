"""In a studio the panel's requests go through the agent to the service. Jupyter, the gate and the agent's socket are
real; the service is played."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from jupyterhub_studios import tickets
from jupyterhub_studios.agent.data import SOCKET
from jupyterhub_studios.agent.gate import Gate
from jupyterhub_studios.agent.upstream import Upstream
from jupyterhub_studios.config import JUPYTER
from jupyterhub_studios.models import Kind, LaunchSpec, StoreAccess

from ..agent.data_service import Service, data_socket, played_service
from .conftest import IDENTITY_KEY, PREFIX, TICKET_KEY, Lab, start_jupyter

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass
class Inside:
    lab: Lab
    service: Service
    pid: int

    @property
    def data(self) -> str:
        return f"{self.lab.url}jupyterhub-studios/"

    def memory(self) -> int:
        """The most that Jupyter has held, in KiB."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def studio(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Inside]:
    folder = Path(tmp_path_factory.mktemp("s"))
    async with played_service() as service, data_socket(service, folder):
        process, lab = await start_jupyter(folder, STUDIO_DATA_SOCKET=str(folder / SOCKET))
        spec = LaunchSpec(
            session_id="ss-lab", studio_id="st-1", studio_name="Ada's lab", owner="ada", server_name="lab",
            prefix=PREFIX, hub_prefix="/base/hub/", kind=Kind.LOCAL, template=JUPYTER, control_url="",
            control_token="", ticket_key=base64.b64encode(TICKET_KEY).decode(), epoch=1,
            enter_url="/base/services/studios/enter", store=StoreAccess(url="memory:///"), scratch=str(folder),
        )  # fmt: skip
        gate = Gate(spec, Upstream(socket=lab.socket), IDENTITY_KEY)
        lab.url = await gate.start() + PREFIX
        yield Inside(lab, service, process.pid)
        await gate.stop()
        process.terminate()
        await process.wait()


@pytest_asyncio.fixture(loop_scope="module")
async def ada(studio: Inside) -> AsyncIterator[aiohttp.ClientSession]:
    async with await studio.lab.visitor("ada", "Ada") as session:
        yield session


async def test_what_is_asked_for_arrives_as_it_was(studio: Inside, ada: aiohttp.ClientSession) -> None:
    url = aiohttp.client.URL(f"{studio.data}data-links/dl-1/download?path=a%20b%2Fc%2Bd%25", encoded=True)
    async with ada.get(url, headers={"Range": "bytes=0-1"}) as answer:
        assert (answer.status, await answer.read()) == (206, b"ab")
        assert answer.headers["Content-Range"] == "bytes 0-1/9"
        assert answer.headers["Content-Security-Policy"] == "sandbox"
        assert answer.headers["Content-Length"] == "2"
    seen = studio.service.seen[-1]
    assert seen.raw_path.endswith("/agent/data/data-links/dl-1/download?path=a%20b%2Fc%2Bd%25")
    assert seen.headers["Range"] == "bytes=0-1"
    assert "Cookie" not in seen.headers


async def test_the_panel_is_told_who_answers(studio: Inside, ada: aiohttp.ClientSession) -> None:
    async with ada.get(studio.lab.url + "lab") as answer:
        assert '"dataExplorer": "studio"' in await answer.text()


async def test_refusals_arrive_as_they_are(studio: Inside, ada: aiohttp.ClientSession) -> None:
    async with ada.get(studio.data + "refused") as answer:
        assert (answer.status, (await answer.json())["title"]) == (403, "You may not")


async def test_strangers_and_forged_writes_reach_nobody(studio: Inside, ada: aiohttp.ClientSession) -> None:
    before = len(studio.service.seen)
    async with aiohttp.ClientSession() as nobody, nobody.get(studio.data + "data-links") as answer:
        assert answer.status == 403
    connector = aiohttp.UnixConnector(str(studio.lab.socket))
    async with aiohttp.ClientSession(connector=connector) as past_the_gate:
        for method, status in (("GET", 401), ("POST", 403)):
            url = f"http://app{PREFIX}jupyterhub-studios/data-links"
            async with past_the_gate.request(method, url) as answer:
                assert answer.status == status
                assert answer.content_type == "application/problem+json"
    del ada.headers["X-XSRFToken"]
    async with ada.post(studio.data + "data-links", json={}) as answer:
        assert answer.status == 403
    assert len(studio.service.seen) == before


async def test_large_bodies_both_ways_in_little_memory(studio: Inside, ada: aiohttp.ClientSession) -> None:
    before = studio.memory()
    part = b"x" * (32 * 1024 * 1024)
    for _ in range(3):
        studio.service.received = 0
        async with ada.put(studio.data + "upload?path=large.bin", data=part) as answer:
            assert (await answer.json())["received"] == len(part)
    studio.service.cancelled.clear()
    answer = await ada.get(studio.data + "endless")
    got = 0
    while got < 150 * 1024 * 1024:
        got += len(await answer.content.readany())
    answer.close()
    async with asyncio.timeout(30):
        await studio.service.cancelled.wait()
    assert studio.memory() - before < 48 * 1024


async def test_a_half_is_not_taken_for_the_whole(studio: Inside, ada: aiohttp.ClientSession) -> None:
    with pytest.raises(aiohttp.ClientError):
        async with ada.get(studio.data + "cut") as answer:
            assert answer.status == 200
            await answer.read()


async def test_asking_for_data_is_no_activity(studio: Inside, ada: aiohttp.ClientSession) -> None:
    async def last() -> Any:
        async with ada.get(studio.lab.url + "api/status") as answer:
            return (await answer.json())["last_activity"]

    before = await last()
    async with ada.get(studio.data + "data-links") as answer:
        assert answer.status == 206
    assert await last() == before


async def test_an_agent_that_is_gone_is_told(tmp_path: Path) -> None:
    process, lab = await start_jupyter(tmp_path, STUDIO_DATA_SOCKET=str(tmp_path / "nobody.sock"))
    try:
        claims = {"aud": "app", "sub": "ada", "name": "", "own": True}
        headers = {"X-Studio-Identity": tickets.sign(IDENTITY_KEY, claims, 60)}
        async with (
            aiohttp.ClientSession(
                connector=aiohttp.UnixConnector(str(lab.socket)), headers=headers
            ) as session,
            session.get(f"http://app{PREFIX}jupyterhub-studios/data-links") as answer,
        ):
            assert answer.status == 503
            assert (await answer.json())["title"] == "Data cannot be reached from this studio"
    finally:
        process.terminate()
        await process.wait()
