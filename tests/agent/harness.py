"""The real agent against a stand-in for the service: what it is told, what it tells, and what it leaves behind."""

from __future__ import annotations

import asyncio
import base64
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from jupyterhub_studios.models import (
    AgentMessage,
    Checkpoint,
    Command,
    Kind,
    LaunchSpec,
    MountAccess,
    StoreAccess,
    Template,
    new_id,
)

APP = Path(__file__).with_name("app.py")
PATIENCE = 60.0


class Service:
    """Bootstrap and control channel, storing messages as the real one does: in order, once."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.host = host
        self.spec: LaunchSpec | None = None
        self.messages: list[AgentMessage] = []
        self.frames = 0  # messages that arrived, repeated ones included
        self.silent = False  # stores, but does not acknowledge
        self.redeemed = False
        self.mounts: list[MountAccess] = []  # what those who ask for credentials anew get
        self.renewals: list[list[str]] = []
        self.port = 0
        self._commands: list[Command] = []
        self._sockets: list[web.WebSocketResponse] = []
        self._runner: web.AppRunner | None = None
        self._news = asyncio.Condition()

    async def up(self) -> None:
        app = web.Application()
        app.router.add_post("/agent/bootstrap", self._bootstrap)
        app.router.add_get("/agent/control", self._control)
        app.router.add_post("/agent/mounts", self._mounts)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.host, self.port)
        await site.start()
        self.port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]

    async def down(self) -> None:
        for socket in list(self._sockets):
            await socket.close()
        if self._runner is not None:
            await self._runner.cleanup()
        self._runner = None

    async def command(self, command: Command) -> None:
        self._commands.append(command)
        for socket in list(self._sockets):
            await socket.send_json({"command": command.model_dump(mode="json")})

    async def _bootstrap(self, request: web.Request) -> web.Response:
        if (await request.json())["code"] != "the-code" or self.redeemed or self.spec is None:
            problem = {
                "title": "This code was used already",
                "status": 410,
                "action": "Start the studio again",
            }
            return web.json_response(problem, status=410, content_type="application/problem+json")
        self.redeemed = True
        return web.json_response(self.spec.model_dump(mode="json"))

    async def _mounts(self, request: web.Request) -> web.Response:
        assert self.spec is not None
        assert request.headers["Authorization"] == f"Bearer {self.spec.control_token}"
        self.renewals.append((await request.json())["names"])
        return web.json_response({"mounts": [one.model_dump(mode="json") for one in self.mounts]})

    async def _control(self, request: web.Request) -> web.WebSocketResponse:
        assert self.spec is not None
        if request.headers.get("Authorization") != f"Bearer {self.spec.control_token}":
            raise web.HTTPUnauthorized()
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"hello": {"acked": len(self.messages)}})
        for command in self._commands:
            await socket.send_json({"command": command.model_dump(mode="json")})
        self._sockets.append(socket)
        try:
            async for frame in socket:
                await self._store(AgentMessage.model_validate_json(frame.data))
                if not self.silent:
                    await socket.send_json({"ack": {"acked": len(self.messages)}})
        finally:
            self._sockets.remove(socket)
        return socket

    async def _store(self, message: AgentMessage) -> None:
        self.frames += 1
        assert message.seq <= len(self.messages) + 1, "a message is missing"
        if message.seq == len(self.messages) + 1:
            self.messages.append(message)
            async with self._news:
                self._news.notify_all()

    async def wait(self, wanted: Callable[[AgentMessage], bool], patience: float = PATIENCE) -> AgentMessage:
        """The first message that is ``wanted``, come or to come. Fails at once when the session has failed."""

        def found() -> AgentMessage | None:
            return next((m for m in self.messages if wanted(m)), None)

        def over() -> bool:
            return found() is not None or any(
                m.kind in ("failed", "stopped") and not m.request for m in self.messages
            )

        async with self._news, asyncio.timeout(patience):
            await self._news.wait_for(over)
        message = found()
        assert message is not None, (
            f"not among {[m.model_dump(exclude_defaults=True) for m in self.messages]}"
        )
        return message

    def of(self, kind: str) -> list[AgentMessage]:
        return [message for message in self.messages if message.kind == kind]

    @property
    def log(self) -> str:
        return "".join(message.log or "" for message in self.of("log"))


@dataclass
class Session:
    """One running agent."""

    service: Service
    spec: LaunchSpec
    process: asyncio.subprocess.Process
    output: Path

    @property
    def folder(self) -> Path:
        return Path(self.spec.scratch) / self.spec.session_id

    async def ready(self) -> AgentMessage:
        return await self.service.wait(lambda m: m.kind == "address")

    async def sh(self, script: str, check: bool = True) -> str:
        """Runs ``script`` inside the session, by its app."""
        fd = os.open(self.folder / "run", os.O_PATH)
        try:
            connector = aiohttp.UnixConnector(f"/proc/self/fd/{fd}/app.sock")
            async with (
                aiohttp.ClientSession(connector=connector) as client,
                client.post("http://app/", data=script.encode()) as answer,
            ):
                text = await answer.text()
                assert answer.status == 200 or not check, text
                return text
        finally:
            os.close(fd)

    async def save(self, name: str | None = None) -> Checkpoint:
        command = Command(id=new_id("co"), kind="save", name=name, author="ada")
        await self.service.command(command)
        answer = await self.service.wait(lambda m: m.request == command.id)
        assert answer.checkpoint is not None, answer.message
        return answer.checkpoint

    async def stop(self) -> Checkpoint:
        await self.service.command(Command(id=new_id("co"), kind="stop", reason="asked by ada"))
        return await self.stopped()

    async def stopped(self) -> Checkpoint:
        message = await self.service.wait(lambda m: m.kind == "stopped")
        assert await self.ended() == 0, self.output.read_text()
        assert message.checkpoint is not None
        return message.checkpoint

    async def failed(self) -> str:
        message = await self.service.wait(lambda m: m.kind == "failed")
        assert await self.ended() == 1
        return message.message

    async def ended(self) -> int:
        return await asyncio.wait_for(self.process.wait(), PATIENCE)

    async def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        await self.ended()


@dataclass
class Studio:
    """Starts sessions of one studio, as the service and a compute environment would."""

    home: Path  # a folder of the test
    store: StoreAccess
    user: str | None = None  # None: the test's own
    environment: dict[str, str] = field(default_factory=dict)
    hide: list[str] = field(default_factory=list)
    id: str = field(default_factory=lambda: new_id("st"))
    epoch: int = 0
    host: str = "127.0.0.1"  # this machine, as the agent reaches it
    prefix: tuple[str, ...] = ()  # in front of the agent's command
    running: list[Session] = field(default_factory=list)

    async def start(self, checkpoint: Checkpoint | None = None, **fields: Any) -> Session:
        return await self.launch(await self.prepare(checkpoint, **fields))

    async def prepare(self, checkpoint: Checkpoint | None = None, **fields: Any) -> Service:
        self.epoch += 1
        service = Service(self.host)
        service.spec = self._spec(checkpoint, fields)
        await service.up()
        service.spec = service.spec.model_copy(
            update={"control_url": f"ws://{self.host}:{service.port}/agent/control"}
        )
        return service

    async def launch(self, service: Service) -> Session:
        assert service.spec is not None
        folder = Path(service.spec.scratch) / service.spec.session_id
        folder.mkdir(mode=0o700, parents=True)
        if self.user:
            shutil.chown(folder, self.user)
        prefix = (
            ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--init-groups", "--"]
            if self.user
            else []
        )
        output = self.home / f"{service.spec.session_id}.log"
        with output.open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                *self.prefix, *prefix, sys.executable, "-P", "-m", "jupyterhub_studios.agent",
                cwd="/",
                env={
                    "PATH": os.environ["PATH"],
                    "LANG": "C.UTF-8",
                    "STUDIOS_BOOTSTRAP_URL": f"http://{self.host}:{service.port}/agent/bootstrap",
                    "STUDIOS_BOOTSTRAP_CODE": "the-code",
                    **self.environment,
                },
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
                umask=0o077,
            )  # fmt: skip
        session = Session(service, service.spec, process, output)
        self.running.append(session)
        return session

    def _spec(self, checkpoint: Checkpoint | None, fields: dict[str, Any]) -> LaunchSpec:
        template = Template(
            id="test",
            title="Test",
            command=["{python}", str(APP), "{socket}"],
            environment={"FROM_TEMPLATE": "{workdir}"},
            ready_seconds=30,
        )
        return LaunchSpec.model_validate(
            {
                "session_id": new_id("se"),
                "studio_id": self.id,
                "studio_name": "Test",
                "owner": "ada",
                "server_name": "test",
                "prefix": "/user/ada/test/",
                "kind": Kind.LOCAL,
                "template": template,
                "control_url": "ws://127.0.0.1/",
                "control_token": secrets.token_hex(16),
                "ticket_key": base64.b64encode(secrets.token_bytes(32)).decode(),
                "enter_url": "/services/studios/enter",
                "epoch": self.epoch,
                "checkpoint": checkpoint,
                "store": self.store,
                "hide": self.hide,
                "scratch": str(self.home / "scratch"),
                "save_interval": 3600,
            }
            | fields
        )

    async def close(self) -> None:
        for session in self.running:
            if session.process.returncode is None:
                session.process.kill()
                await session.process.wait()
            await session.service.down()


def left_overs(home: Path, patience: float = 10.0) -> str:
    """What of the sessions below ``home`` still runs or is mounted ``patience`` seconds later: the kernel ends the
    children of a killed process one after the other."""
    deadline = time.monotonic() + patience
    while (left := _left_overs(home)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return left


def _left_overs(home: Path) -> str:
    mounts = [line for line in Path("/proc/mounts").read_text().splitlines() if str(home) in line]
    loops = subprocess.run(["losetup", "-l", "-n", "-O", "BACK-FILE"], capture_output=True, text=True).stdout
    processes = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if str(home) in line:
                processes.append(line)
    return "\n".join([*mounts, *[line for line in loops.splitlines() if str(home) in line], *processes])
