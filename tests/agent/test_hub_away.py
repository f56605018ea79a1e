"""A Hub that is away for an hour: sessions save on, and tell it all when it is back. The hour is not waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import web

from jupyterhub_studios.agent.control import Control
from jupyterhub_studios.agent.saving import Saving
from jupyterhub_studios.models import Base, Checkpoint, CheckpointStatus, Command, Package, RootMode, now

from .. import clocks
from .harness import Service

HOUR = 3600.0
INTERVAL = 300.0


class Root:
    mode = RootMode.OVERLAY
    layers: Sequence[Path] = ()

    def __init__(self, upper: Path) -> None:
        self.upper = upper

    async def settle(self) -> None:
        pass


class Saver:
    """Its bucket is there all the time."""

    saves = 0

    async def save(self, installed: Sequence[Package] | None = None, **options: Any) -> Checkpoint:
        self.saves += 1
        return Checkpoint(
            id="cp-1", studio_id="st-1", session_id="se-1", name=f"save {self.saves}", author="ada", epoch=1,
            status=CheckpointStatus.INTERIM, created_at=now(), saved_at=now(), base=Base(image="host", digest="x"),
        )  # fmt: skip

    def late(self) -> list[str]:
        return []


async def _unavailable(_request: web.Request) -> web.Response:
    return web.Response(status=503)


@pytest.mark.parametrize("answers", [False, True], ids=["nobody answers", "only its proxy answers"])
def test_sessions_save_on_without_the_hub_and_tell_it_later(tmp_path: Path, answers: bool) -> None:
    async def story() -> None:
        service = Service()
        service.spec = SimpleNamespace(control_token="t")  # type: ignore[assignment]
        await service.up()
        commands: list[Command] = []
        given_up: list[bool] = []
        control = Control(f"ws://127.0.0.1:{service.port}/agent/control", "t")
        saving = Saving(Root(tmp_path), Saver(), lambda event: None)  # type: ignore[arg-type]
        loop = asyncio.get_running_loop()
        tasks = [
            asyncio.create_task(control.run(commands.append, lambda: given_up.append(True))),
            asyncio.create_task(saving.every(INTERVAL, lambda one: _tell(control, one))),
        ]
        await service.wait(lambda m: m.kind == "saved", patience=10 * INTERVAL)
        await service.down()
        proxy = await _proxy(service.port) if answers else None
        before, began = len(service.messages), loop.time()
        await asyncio.sleep(HOUR)
        assert len(service.messages) == before and loop.time() - began >= HOUR
        assert control.backlog >= HOUR / INTERVAL - 1, "saved all the while"
        if proxy:
            await proxy.cleanup()
        await service.up()
        await service.command(Command(id="co-1", kind="stop"))  # by somebody who comes back with the Hub
        await service.wait(lambda m: m.seq == before + HOUR // INTERVAL, patience=INTERVAL)
        names = [m.checkpoint.name for m in service.of("saved") if m.checkpoint]
        assert names == [f"save {number + 1}" for number in range(len(names))]
        assert [command.id for command in commands] == ["co-1"] and given_up == []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await service.down()

    clocks.run(story())


def _tell(control: Control, checkpoint: Checkpoint) -> None:
    control.send("saved", checkpoint=checkpoint)


async def _proxy(port: int) -> web.AppRunner:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", _unavailable)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    return runner
