"""The life of the tunnel's process: one for a state folder, listening to the service that comes and goes."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import signal
from pathlib import Path
from typing import TextIO

from pydantic import ValidationError

from ..models import TunnelSettings, TunnelTable
from .control import LINE, LOCK, SOCKET, socket_path
from .keys import host_key
from .server import Tunnel

log = logging.getLogger("studios.tunnel")

ALONE_SECONDS = 60.0  # without a service and without any session, after which it ends
LOOK_SECONDS = 1.0


def lock(state_dir: Path) -> TextIO | None:
    """The lock of ``state_dir``, as long as the file is open; None: another process has it."""
    file = (state_dir / LOCK).open("a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    file.truncate(0)
    print(os.getpid(), file=file, flush=True)
    return file


class Process:
    def __init__(self, state_dir: Path, settings: TunnelSettings) -> None:
        self._state_dir = state_dir
        self._tunnel = Tunnel(settings, host_key(state_dir))
        self._services = 0  # that are connected
        self._stop = asyncio.Event()

    async def run(self) -> None:
        """Until a signal, the service, or having nothing to do any more ends it."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        # The lock is ours, so whatever is there belongs to nobody.
        (self._state_dir / SOCKET).unlink(missing_ok=True)
        with socket_path(self._state_dir) as path:
            control = await asyncio.start_unix_server(self._serve, path, limit=LINE)
        running = asyncio.create_task(self._tunnel.run())
        alone = asyncio.create_task(self._end_alone())
        stopped = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait({running, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if running.done():
                running.result()
        finally:
            control.close()
            for task in (running, alone, stopped):
                task.cancel()
            await asyncio.gather(running, alone, stopped, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One service: a report first, and another after each table."""
        self._services += 1
        try:
            writer.write(_line(self._tunnel.report().model_dump_json()))
            while line := await reader.readline():
                table = TunnelTable.model_validate_json(line)
                if table.end:
                    log.info("Another process takes over")
                    self._stop.set()
                    return
                writer.write(_line((await self._tunnel.apply(table)).model_dump_json()))
                await writer.drain()
        except (OSError, ValueError, ValidationError) as error:
            log.warning("The service broke off: %s", error)
        finally:
            self._services -= 1
            writer.close()

    async def _end_alone(self) -> None:
        since: float | None = None
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            now = asyncio.get_running_loop().time()
            if self._services or self._tunnel.report().connected:
                since = None
            else:
                since = since or now
                if now - since > ALONE_SECONDS:
                    log.info("Nobody is left; ending")
                    self._stop.set()


def _line(text: str) -> bytes:
    return f"{text}\n".encode()


def run(state_dir: Path, settings: TunnelSettings) -> None:
    held = lock(state_dir)
    if held is None:
        log.info("Another process is there already")
        return
    with contextlib.closing(held):
        asyncio.run(Process(state_dir, settings).run())
