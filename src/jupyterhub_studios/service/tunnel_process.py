"""Starting the tunnel's process, finding the one that is there, and talking with it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

from ..models import StudiosError, TunnelReport, TunnelSettings, TunnelTable
from ..tunnel.control import LINE, LOG, socket_path

START_SECONDS = 15.0
ANSWER_SECONDS = 10.0


class Link:
    """A connection to the process."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, first: TunnelReport
    ) -> None:
        self.settings = first.settings
        self._reader, self._writer = reader, writer
        self._reports: asyncio.Queue[TunnelReport] = asyncio.Queue()
        self.reading = asyncio.create_task(self._read())  # done when the process is gone

    async def _read(self) -> None:
        try:
            while line := await self._reader.readline():
                self._reports.put_nowait(TunnelReport.model_validate_json(line))
        except (OSError, ValueError):
            return

    async def ask(self, table: TunnelTable) -> TunnelReport:
        """Its report once it has made ``table`` so. OSError when it is gone."""
        self._writer.write(f"{table.model_dump_json()}\n".encode())
        answer = asyncio.create_task(self._reports.get())
        try:
            done, _ = await asyncio.wait(
                {answer, self.reading}, timeout=ANSWER_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            answer.cancel()
        if answer in done:
            return answer.result()
        self.close()
        raise ConnectionResetError("the tunnel's process does not answer")

    def close(self) -> None:
        self.reading.cancel()
        self._writer.close()


class TunnelProcess:
    def __init__(self, state_dir: Path, settings: TunnelSettings) -> None:
        self._state_dir, self._settings = state_dir, settings
        self._child: subprocess.Popen[bytes] | None = None

    async def link(self) -> Link:
        """A connection to the process with our settings, which is started when there is none."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + START_SECONDS
        if self._child is not None and self._child.poll() is not None:
            self._child = None  # the one of before
        while True:
            found = await self._dial()
            if found is not None and found.settings == self._settings:
                return found
            if found is not None:
                # Of another version, or with other settings: its sessions come back to the next one.
                await self._end(found)
            # It ends well when another one still is there, which is just going away.
            elif self._child is None or self._child.poll() == 0:
                self._child = await asyncio.to_thread(self._start)
            if loop.time() > deadline or (self._child is not None and self._child.poll()):
                raise StudiosError(
                    "The tunnel's process does not start", await asyncio.to_thread(self._last_words),
                    f"Look into {self._state_dir / LOG}", status=424,
                )  # fmt: skip
            await asyncio.sleep(0.1)

    async def _dial(self) -> Link | None:
        try:
            with socket_path(self._state_dir) as path:
                reader, writer = await asyncio.open_unix_connection(path, limit=LINE)
            line = await asyncio.wait_for(reader.readline(), ANSWER_SECONDS)
            return Link(reader, writer, TunnelReport.model_validate_json(line))
        except (OSError, ValueError):
            return None  # none is there, or one that is just going away

    async def _end(self, link: Link) -> None:
        try:
            await link.ask(TunnelTable(end=True))
        except OSError:
            link.close()

    def _start(self) -> subprocess.Popen[bytes]:
        with (self._state_dir / LOG).open("ab") as output:
            return subprocess.Popen(
                [
                    sys.executable, "-P", "-m", "jupyterhub_studios.tunnel",
                    str(self._state_dir), self._settings.model_dump_json(),
                ],
                cwd=self._state_dir,
                env={"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8"},  # and no token of the Hub
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )  # fmt: skip

    def _last_words(self) -> str:
        try:
            lines = (self._state_dir / LOG).read_text(errors="replace").strip().splitlines()
        except OSError:
            return ""
        return lines[-1][:300] if lines else ""
