"""What the app prints: to a file of the job, and in batches to the service, where people read it."""

from __future__ import annotations

import asyncio
import logging
import re
from collections import deque
from pathlib import Path

from .control import Control

log = logging.getLogger(__name__)

FLUSH_SECONDS = 1.0
BATCH_BYTES = 64 * 1024
WAITING_BYTES = 1 << 20  # kept for a service that is away; what comes on top is in the file only
LINE_BYTES = 16 * 1024
FILE_BYTES = 64 << 20  # the file is started anew, with one older one kept
BACKLOG = 200  # unconfirmed messages beyond which lines wait here
TAIL_LINES, TAIL_CHARS = 40, 4000
_CONTROLS = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f]")


class AppLog:
    def __init__(self, file: Path, control: Control) -> None:
        self._file = file
        self._control = control
        self._waiting: deque[str] = deque()
        self._size = 0
        self._lost = 0
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)

    async def pump(self, stream: asyncio.StreamReader) -> None:
        """Reads ``stream`` to its end. Lines that do not end are cut."""
        rest = b""
        while chunk := await stream.read(65536):
            self._keep(chunk)
            *lines, rest = (rest + chunk).split(b"\n")
            while len(rest) > LINE_BYTES:
                lines.append(rest[:LINE_BYTES])
                rest = rest[LINE_BYTES:]
            for line in lines:
                self.add(line.decode(errors="replace"))
        if rest:
            self.add(rest.decode(errors="replace"))

    def _keep(self, chunk: bytes) -> None:
        """Appends to the file. A full disk must not stop the app, which waits for its output to be read."""
        try:
            with self._file.open("ab") as file:
                file.write(chunk)
                full = file.tell() > FILE_BYTES
            if full:
                self._file.replace(self._file.with_suffix(".log.1"))
        except OSError as error:
            log.warning("The app's output could not be kept: %s", error)

    def add(self, line: str) -> None:
        line = _CONTROLS.sub("", line.rstrip("\r"))[:LINE_BYTES]
        self._tail.append(line)
        if self._size > WAITING_BYTES:
            self._lost += 1
            return
        self._waiting.append(line)
        self._size += len(line) + 1

    @property
    def tail(self) -> str:
        """The last lines, for messages about what went wrong."""
        return "\n".join(self._tail)[-TAIL_CHARS:]

    async def ship(self) -> None:
        """Sends what is waiting, until cancelled."""
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            self.flush()

    def flush(self) -> None:
        while self._waiting and self._control.backlog < BACKLOG:
            batch, size = [], 0
            while self._waiting and size < BATCH_BYTES:
                batch.append(self._waiting.popleft())
                size += len(batch[-1]) + 1
            self._size -= size
            if self._lost and not self._waiting:
                batch.append(f"[{self._lost} lines are missing here: the service was away]")
                self._lost = 0
            self._control.send("log", log="\n".join(batch) + "\n")
