"""FUSE daemons that live exactly as long as the agent."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from pathlib import Path

from .mounts import MountFault, is_mounted

START_SECONDS = 30.0


class Daemons:
    def __init__(self) -> None:
        self._running: list[asyncio.subprocess.Process] = []

    async def mount(self, command: Sequence[str], point: Path, cwd: Path | None = None) -> None:
        """Runs a FUSE daemon in the foreground, and returns when ``point`` is mounted."""
        try:
            # The kernel ends it with the agent. That watches the thread which starts it: the event loop's.
            process = await asyncio.create_subprocess_exec(
                "setpriv", "--pdeathsig", "KILL", "--", *command,
                cwd=cwd,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
            )  # fmt: skip
        except FileNotFoundError:
            raise MountFault("setpriv is not installed") from None
        self._running.append(process)
        said = asyncio.create_task(_drain(process))
        deadline = asyncio.get_running_loop().time() + START_SECONDS
        while not await asyncio.to_thread(is_mounted, point):
            if process.returncode is not None:
                raise MountFault(f"{command[0]}: {await said or f'exit code {process.returncode}'}")
            if asyncio.get_running_loop().time() > deadline:
                raise MountFault(f"{command[0]} did not mount within {START_SECONDS:.0f} s")
            await asyncio.sleep(0.01)

    async def end(self) -> None:
        for process in reversed(self._running):
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        self._running.clear()


async def _drain(process: asyncio.subprocess.Process) -> str:
    """What the daemon said at first; the rest is read and dropped, so that it never waits for a reader."""
    assert process.stderr is not None
    kept = ""
    async for line in process.stderr:
        if len(kept) < 2000:
            kept += line.decode(errors="replace")
    return kept.strip()
