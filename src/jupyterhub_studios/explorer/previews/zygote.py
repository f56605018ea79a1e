"""The explorer's end of the preview worker: started when it is needed, replaced when it ends."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from . import wire

IDLE_SECONDS = 600.0
_MODULE = f"{__package__}.worker"
# Nothing of this process's environment: it may hold credentials. One thread each: the work is small.
_ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "REF_PATH": "/nonexistent",  # htslib would fetch the references of a CRAM otherwise
    "HDF5_PLUGIN_PATH": "/nonexistent",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "1",
    "HOME": "/nonexistent",
}


class Zygote:
    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._children = 0
        self._idle: asyncio.TimerHandle | None = None

    @asynccontextmanager
    async def child(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """A fresh process for one file. It is ended when this is left, whatever it is doing."""
        try:
            reader, writer, pid = await self._fork()
        except (OSError, wire.Ended):  # it has ended since the last file, or was just ending
            reader, writer, pid = await self._fork()
        self._children += 1
        if self._idle is not None:
            self._idle.cancel()
        try:
            yield reader, writer
        except BaseException:
            if isinstance(pid, int) and pid > 1:  # it waits for us, or hangs
                with suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            raise
        finally:
            writer.close()
            self._children -= 1
            if not self._children:
                self._idle = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._end)

    async def _fork(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, object]:
        """A new process at the other end of a connection, and its pid: said before it has seen a byte of the
        file, so it is true. A zygote that makes none is ended."""
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                self._hand_over(theirs)
        except BaseException:
            ours.close()
            self._end()
            raise
        control = self._control
        reader, writer = await asyncio.open_connection(sock=ours, limit=1 << 20)
        try:
            return reader, writer, (await wire.receive_async(reader))[0].get("pid")
        except BaseException as error:
            writer.close()
            # Another preview that met the same end may have begun a new one already.
            if isinstance(error, wire.Ended) and self._control is control:
                self._end()
            raise

    def _hand_over(self, sock: socket.socket) -> None:
        if self._control is None:
            self._start()
        assert self._control is not None
        socket.send_fds(self._control, [b"\0"], [sock.fileno()])

    def _start(self) -> None:
        self._control, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-m", _MODULE],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=_ENVIRONMENT,
                cwd="/",
                start_new_session=True,
            )

    def _end(self) -> None:
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def close(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        self._end()
