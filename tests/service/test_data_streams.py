"""Streams through the Hub's own proxy: as they come, as long as somebody listens, in bounded memory."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
from pathlib import Path

import httpx
import pytest

from .datahub import DataHub
from .test_data import credential, link

MIB = 1024 * 1024
API = "services/studios/api/v1/"


def memory(pid: int) -> int:
    """MiB that are resident."""
    line = next(
        one for one in Path(f"/proc/{pid}/status").read_text().splitlines() if one.startswith("VmRSS")
    )
    return int(line.split()[1]) // 1024


@pytest.fixture
def headers(data: DataHub) -> dict[str, str]:
    return {"Authorization": f"token {data.hub.token('streamer')}"}


async def writable(data: DataHub) -> str:
    mine = await credential(data, "streamer")
    made = await link(
        data,
        "streamer",
        credential=mine["id"],
        writable=True,
        url=f"s3://{data.bucket}/{secrets.token_hex(4)}/",
    )
    return f"{data.hub.url}{API}data-links/{made['id']}"


async def test_a_large_file_in_parts_and_back_in_bounded_memory(
    data: DataHub, headers: dict[str, str]
) -> None:
    base = await writable(data)
    size = 200 * MIB
    piece = os.urandom(MIB)
    pid = data.hub.service_pid
    async with httpx.AsyncClient(headers=headers, timeout=120) as client:
        begun = (await client.post(f"{base}/uploads", json={"path": "big", "size": size})).json()
        count = -(-size // begun["part_size"])
        before, most = memory(pid), 0
        parts = []
        for number in range(1, count + 1):
            length = min(begun["part_size"], size - (number - 1) * begun["part_size"])
            body = piece * (length // MIB)
            answer = await client.put(
                f"{base}/uploads/part", params={"id": begun["id"], "number": number}, content=body
            )
            assert answer.status_code == 200, answer.text
            parts.append(answer.json())
            most = max(most, memory(pid))
        finished = await client.post(
            f"{base}/uploads/finish", params={"id": begun["id"]}, json={"parts": parts}
        )
        assert finished.json()["size"] == size, finished.text
        got = 0
        async with client.stream("GET", f"{base}/download?path=big") as answer:
            assert answer.headers["content-length"] == str(size)
            async for chunk in answer.aiter_bytes():
                got += len(chunk)
                most = max(most, memory(pid))
        assert got == size
        tail = await client.get(f"{base}/download?path=big", headers={"Range": "bytes=-5"})
        assert tail.status_code == 206 and tail.content == piece[-5:]
        assert tail.headers["content-range"] == f"bytes {size - 5}-{size - 1}/{size}"
    assert most - before < 150, (before, most)


async def test_the_service_reads_no_faster_than_the_client(data: DataHub, headers: dict[str, str]) -> None:
    """A client that stops reading stops the store's answer, and one that goes away ends it."""
    base = await writable(data)
    async with httpx.AsyncClient(headers=headers, timeout=120) as client:
        for number in range(4):
            await client.put(f"{base}/upload?path=piece{number}", content=os.urandom(30 * MIB))
        pid = data.hub.service_pid
        before = memory(pid)
        async with asyncio.timeout(60):
            async with client.stream("GET", f"{base}/archive?path=") as answer:
                assert answer.status_code == 200
                await anext(answer.aiter_bytes())
                await asyncio.sleep(1)  # nothing is read meanwhile
                assert memory(pid) - before < 60
            await closed(data, pid)


async def closed(data: DataHub, pid: int) -> None:
    """Until the service has no connection to the store in use: all that are left are idle."""
    port = int(data.store.endpoint.rpartition(":")[2])
    while busy(pid, port):
        await asyncio.sleep(0.1)


def busy(pid: int, port: int) -> bool:
    """Whether bytes wait on a connection of the process to the port: an answer that nobody reads on."""
    mine = {str(fd.readlink()) for fd in Path(f"/proc/{pid}/fd").iterdir() if fd.is_symlink()}
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        waiting = int(fields[4].partition(":")[2], 16)
        if f"socket:[{fields[9]}]" in mine and fields[2].endswith(f":{port:04X}") and waiting:
            return True
    return False


async def test_a_search_ends_when_nobody_listens(data: DataHub, headers: dict[str, str]) -> None:
    base = await writable(data)
    async with httpx.AsyncClient(headers=headers, timeout=120) as client:
        for number in range(3):
            await client.put(f"{base}/upload?path=deep/er/{number}.txt", content=b"x")
        found = []
        async with client.stream("GET", f"{base}/search?path=&q=.txt") as answer:
            assert answer.headers["content-type"] == "application/x-ndjson"
            async for line in answer.aiter_lines():
                found.append(json.loads(line))
        assert [one["entry"]["path"] for one in found if one["entry"]] == [
            f"deep/er/{n}.txt" for n in range(3)
        ]
        assert found[-1]["complete"]


async def test_changes_tell_how_far_they_are(data: DataHub, headers: dict[str, str]) -> None:
    base = await writable(data)
    async with httpx.AsyncClient(headers=headers, timeout=120) as client:
        for number in range(3):
            await client.put(f"{base}/upload?path=from/{number}", content=b"x")
        moved = await client.post(f"{base}/move", json={"source": "from/", "target": "to/"})
        lines = [json.loads(line) for line in moved.text.splitlines()]
        assert lines[-1]["complete"] and lines[-1]["done"] == 3 and lines[-1]["failed"] == []
        gone = await client.post(f"{base}/delete", json={"paths": ["to/"]})
        assert json.loads(gone.text.splitlines()[-1])["done"] == 3
        counted = (await client.get(f"{base}/total?path=")).text.splitlines()
        assert json.loads(counted[-1]) == {"files": 0, "bytes": 0, "complete": True}
        # A fault before the first line is the answer.
        missing = await client.post(f"{base}/move", json={"source": "nothing", "target": "to"})
        assert missing.status_code == 404 and missing.headers["content-type"] == "application/problem+json"


async def test_too_long_a_body_is_refused(data: DataHub, headers: dict[str, str]) -> None:
    base = await writable(data)
    async with httpx.AsyncClient(headers=headers, timeout=120) as client:
        answer = await client.put(f"{base}/upload?path=x", content=bytes(33 * MIB))
        assert answer.status_code == 413 and "in parts" in answer.json()["action"]
        stranger = await client.put(
            f"{base}/upload?path=x", content=bytes(MIB), headers={"Authorization": "token nonsense"}
        )
        assert stranger.status_code == 401
