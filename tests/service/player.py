"""A played agent: it speaks bootstrap and control for real, and does nothing else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import aiohttp
from aiohttp import web

from jupyterhub_studios.checkpoints.bucket import Head, checkpoint_key, encode, head_key
from jupyterhub_studios.checkpoints.store import Store
from jupyterhub_studios.models import AgentMessage, Base, Checkpoint, CheckpointStatus, Job, LaunchSpec, Phase


async def eventually(check: Callable[[], Any]) -> None:
    """Wait until ``check()`` is true."""
    async with asyncio.timeout(60):
        while not check():
            await asyncio.sleep(0.02)


class Agent:
    """One session's agent. ``async with`` it; ``commands`` fills as the service sends them."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.spec: LaunchSpec
        self.acked = 0
        self.seq = 0
        self.commands: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.notices: list[dict[str, Any]] = []  # of the session's end, for those inside
        self._acks = asyncio.Condition()

    async def __aenter__(self) -> Agent:
        self._http = aiohttp.ClientSession()
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", _hello)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.address = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.disconnect()
        await self._http.close()
        await self._runner.cleanup()

    async def bootstrap(self) -> None:
        env = self.job.environment
        body = {"code": env["STUDIOS_BOOTSTRAP_CODE"]}
        async with self._http.post(env["STUDIOS_BOOTSTRAP_URL"], json=body) as answer:
            assert answer.status == 200, await answer.text()
            self.spec = LaunchSpec.model_validate(await answer.json())

    async def connect(self) -> None:
        headers = {"Authorization": f"Bearer {self.spec.control_token}"}
        self.ws = await self._http.ws_connect(self.spec.control_url, headers=headers, heartbeat=20)
        hello = await self.ws.receive_json()
        self.acked = hello["hello"]["acked"]
        self._reader = asyncio.create_task(self._read())

    async def disconnect(self) -> None:
        if hasattr(self, "ws"):
            await self.ws.close()
            self._reader.cancel()

    async def _read(self) -> None:
        async for frame in self.ws:
            if frame.type != aiohttp.WSMsgType.TEXT:
                break
            message = json.loads(frame.data)
            if "command" in message:
                self.commands.put_nowait(message["command"])
            elif "lifetime" in message:
                self.notices.append(message["lifetime"])
            elif "ack" in message:
                async with self._acks:
                    self.acked = message["ack"]["acked"]
                    self._acks.notify_all()
        async with self._acks:
            self._acks.notify_all()

    async def push(self, message: AgentMessage) -> None:
        """Send without waiting."""
        await self.ws.send_str(message.model_dump_json())

    def message(self, kind: str, **fields: Any) -> AgentMessage:
        self.seq += 1
        return AgentMessage(seq=self.seq, kind=kind, **fields)  # type: ignore[arg-type]

    async def send(self, kind: str, **fields: Any) -> AgentMessage:
        """Send and wait until it is acknowledged."""
        message = self.message(kind, **fields)
        await self.push(message)
        await self.until_acked(message.seq)
        return message

    async def until_acked(self, seq: int) -> None:
        async with asyncio.timeout(60), self._acks:
            await self._acks.wait_for(lambda: self.acked >= seq or self.ws.closed)
        assert self.acked >= seq, f"connection closed: {self.ws.close_code}"

    async def command(self) -> dict[str, Any]:
        async with asyncio.timeout(60):
            return await self.commands.get()

    # --- what agents say ---

    async def come_up(self) -> None:
        await self.bootstrap()
        await self.connect()
        await self.send("saved", checkpoint=await self.save())
        await self.send("phase", phase=Phase(name="app", status="done", message="it answers"))
        await self.send("address", address=self.address, root_mode="overlay")

    async def finish(self) -> None:
        """Obey a stop: the last save, finalised."""
        await self.send("stopping")
        await self.send("stopped", checkpoint=await self.save(CheckpointStatus.FINALISED))

    async def save(self, status: CheckpointStatus = CheckpointStatus.INTERIM, **fields: Any) -> Checkpoint:
        """Write a checkpoint to the bucket (its records alone: no layers), as yet told to nobody."""
        checkpoint = self.checkpoint(status, **fields)
        store = Store.open(self.spec.store.url, self.spec.store.options)
        await _put(store, checkpoint_key(checkpoint.studio_id, checkpoint.id), encode(checkpoint))
        if "id" not in fields:
            head = Head(
                checkpoint=checkpoint.id,
                epoch=checkpoint.epoch,
                session_id=checkpoint.session_id,
                saved_at=checkpoint.saved_at,
            )
            await _put(store, head_key(checkpoint.studio_id), encode(head))
        return checkpoint

    def checkpoint(self, status: CheckpointStatus = CheckpointStatus.INTERIM, **fields: Any) -> Checkpoint:
        at = datetime.now(UTC)
        ours = {
            "id": f"cp-of-{self.spec.session_id}",
            "studio_id": self.spec.studio_id,
            "session_id": self.spec.session_id,
            "name": "a run",
            "status": status,
            "created_at": at,
            "saved_at": at,
            "author": self.spec.owner,
            "epoch": self.spec.epoch,
            "base": Base(image="host", digest="sha256:0"),
        }
        return Checkpoint.model_validate({**ours, **fields})


async def _put(store: Store, key: str, data: bytes) -> None:
    found = await store.get(key)
    await (store.replace(key, data, found[1]) if found else store.create(key, data))


async def _hello(_request: web.Request) -> web.Response:
    return web.Response(text="hello")
