"""The control channel: a WebSocket that the agent dials, over which nothing is lost and nothing counted twice.

Messages are numbered from 1 and kept until the service says that it has stored them. After every reconnect the
service says how far it got, and the rest is sent again.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import aiohttp
from pydantic import ValidationError

from ..models import Ack, AgentMessage, Command, Hello, LifetimeNotice

log = logging.getLogger(__name__)

PING_SECONDS = 20.0
DENIED_SECONDS = 600.0
HANDSHAKE_SECONDS = (
    10.0  # a proxy may take a connection for a service that is just going away, and never answer
)
LONGEST_PAUSE = 30.0
FRAME_MAX = 16 << 20


class Control:
    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"}
        self._seq = 0
        self._unacked: deque[AgentMessage] = deque()
        self._sent = 0  # highest number sent on this connection
        self._wake = asyncio.Event()  # there is something to send
        self._stored = asyncio.Condition()
        self.connected = False
        self.on_lifetime: Callable[[LifetimeNotice], None] | None = None

    @property
    def backlog(self) -> int:
        """Messages that the service has not confirmed."""
        return len(self._unacked)

    def send(self, kind: Any, **fields: Any) -> int:
        """Queues a message; answers its number. Never waits."""
        self._seq += 1
        self._unacked.append(AgentMessage(seq=self._seq, kind=kind, **fields))
        self._wake.set()
        return self._seq

    async def stored(self, seq: int, patience: float) -> bool:
        """Waits until the service has message ``seq``; False when it has not after ``patience`` seconds."""

        async def wait() -> None:
            async with self._stored:
                await self._stored.wait_for(lambda: not self._unacked or self._unacked[0].seq > seq)

        try:
            await asyncio.wait_for(wait(), patience)
        except TimeoutError:
            return False
        return True

    async def run(self, on_command: Callable[[Command], None], on_unknown: Callable[[], None]) -> None:
        """Keeps a connection up until cancelled. Calls ``on_unknown`` when the service has denied for
        :data:`DENIED_SECONDS` that there is such a session."""
        pause, denied = 0.0, 0.0
        async with aiohttp.ClientSession() as client:
            while True:
                try:
                    patience = (
                        HANDSHAKE_SECONDS + pause
                    )  # a service that all agents dial at once takes its time
                    async with await asyncio.wait_for(self._connect(client), patience) as socket:
                        denied = 0.0
                        await self._serve(socket, on_command)
                    log.info("The control channel was closed")
                except aiohttp.WSServerHandshakeError as error:
                    log.warning("The control channel was refused: HTTP status %d", error.status)
                    if error.status == 401:
                        denied = denied or time.monotonic()
                        if time.monotonic() - denied > DENIED_SECONDS:
                            on_unknown()
                except (aiohttp.ClientError, OSError, ValueError, LookupError, TypeError) as error:
                    log.warning("The control channel is down: %s", error or type(error).__name__)
                pause = 0.0 if self.connected else pause
                self.connected = False
                pause = min(max(0.5, pause * 2), LONGEST_PAUSE)
                await asyncio.sleep(pause * random.uniform(0.5, 1.0))

    async def _connect(self, client: aiohttp.ClientSession) -> aiohttp.ClientWebSocketResponse:
        return await client.ws_connect(
            self._url,
            headers=self._headers,
            heartbeat=PING_SECONDS,
            max_msg_size=FRAME_MAX,
            timeout=aiohttp.ClientWSTimeout(ws_close=5),
        )

    async def _serve(
        self, socket: aiohttp.ClientWebSocketResponse, on_command: Callable[[Command], None]
    ) -> None:
        hello = Hello.model_validate(json.loads(await socket.receive_str(timeout=30))["hello"])
        await self._acked(hello.acked)
        self._sent = hello.acked
        self.connected = True
        log.info("The control channel is up; the service has %d messages", hello.acked)
        sender = asyncio.create_task(self._send_all(socket))
        try:
            async for frame in socket:
                if frame.type is not aiohttp.WSMsgType.TEXT:
                    break
                await self._receive(json.loads(frame.data), on_command)
        finally:
            sender.cancel()
            await asyncio.gather(sender, return_exceptions=True)

    async def _receive(self, frame: dict[str, Any], on_command: Callable[[Command], None]) -> None:
        if "ack" in frame:
            await self._acked(Ack.model_validate(frame["ack"]).acked)
        elif "command" in frame:
            try:
                command = Command.model_validate(frame["command"])
            except ValidationError:
                log.warning("A command of the service is not known here: is it of another version?")
                return
            on_command(command)
        elif "lifetime" in frame and self.on_lifetime is not None:
            try:
                self.on_lifetime(LifetimeNotice.model_validate(frame["lifetime"]))
            except ValidationError:
                log.warning("A notice of the service is not known here: is it of another version?")

    async def _send_all(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        while True:
            self._wake.clear()
            for message in [one for one in self._unacked if one.seq > self._sent]:
                await socket.send_str(message.model_dump_json(exclude_defaults=True))
                self._sent = message.seq
            await self._wake.wait()

    async def _acked(self, seq: int) -> None:
        while self._unacked and self._unacked[0].seq <= seq:
            self._unacked.popleft()
        async with self._stored:
            self._stored.notify_all()
