"""A network of the app's own, for an app that listens on a port which it cannot be told.

Jobs may share their machine's network (those of AWS Batch do): two such apps would want the same port, and whoever
reaches the machine would reach the app past the gate. In a network namespace the port is the app's alone, and nothing
but the agent makes sockets in there. Outwards the app goes through slirp4netns, a network stack in a process: it needs
no right over the machine's network and leaves nothing behind there.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import shutil
import socket
import stat
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from ..models import StudiosError

DEVICE, DEVICE_NUMBER = Path("/dev/net/tun"), (10, 200)
NAMESERVER = "10.0.2.3"  # slirp4netns' own, which asks those of the machine
RESOLVER = f"nameserver {NAMESERVER}\n"
CLONE_NEWNET = 0x40000000
PROGRAMS = ("slirp4netns", "nsenter", "unshare")
_HOLD = [sys.executable, "-I", "-S", "-c", "print(flush=True); input()"]


class Network:
    """There between :meth:`open` and :meth:`close`; gone with the agent, however that ends."""

    def __init__(self) -> None:
        self._user = self._net = self._leave = -1
        self._stack: asyncio.subprocess.Process | None = None
        self._inside = ThreadPoolExecutor(1, thread_name_prefix="network")

    async def open(self) -> None:
        try:
            for program in PROGRAMS:
                if shutil.which(program) is None:
                    raise OSError(f"{program} is not installed")
            await asyncio.to_thread(_make_device)
            await self._make()
            await self._connect()
            await asyncio.get_running_loop().run_in_executor(self._inside, _enter, self._net)
        except OSError as error:
            await self.close()
            raise StudiosError(
                "The app cannot be given a network of its own", str(error),
                "An administrator should install slirp4netns there, or give the template a command that takes {port}",
            ) from error  # fmt: skip

    async def _make(self) -> None:
        """Its owner is a user namespace, so that the agent may set it up without rights over the machine's."""
        process = await asyncio.create_subprocess_exec(
            "unshare", "--user", "--map-root-user", "--net", "--", *_HOLD,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert process.stdin and process.stdout and process.stderr
        if await process.stdout.readline():
            self._user, self._net = (
                os.open(f"/proc/{process.pid}/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC)
                for kind in ("user", "net")
            )
        process.stdin.close()
        said = (await process.stderr.read()).decode(errors="replace").strip()
        await process.wait()
        if self._net < 0:
            raise OSError(f"no network namespace can be made: {said}")

    async def _connect(self) -> None:
        """Returns when the way outwards is open."""
        ready, tell = os.pipe()
        leave, self._leave = os.pipe()  # slirp4netns ends when the agent's end of it is closed
        own = f"/proc/{os.getpid()}/fd"
        try:
            self._stack = await asyncio.create_subprocess_exec(
                "slirp4netns", "--configure", "--mtu=65520", "--disable-host-loopback",
                f"--ready-fd={tell}", f"--exit-fd={leave}", f"--userns-path={own}/{self._user}",
                "--netns-type=path", f"{own}/{self._net}", "tap0", pass_fds=(tell, leave),
                stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
            )  # fmt: skip
        finally:
            os.close(tell)
            os.close(leave)
        with os.fdopen(ready, "rb", buffering=0) as answer:
            opened = await asyncio.to_thread(answer.read, 1)
        assert self._stack.stderr is not None
        if not opened:
            said = (await self._stack.stderr.read()).decode(errors="replace").strip()
            raise OSError(f"slirp4netns: {said.splitlines()[-1] if said else 'it ended'}")

    def command(self, argv: Sequence[str]) -> list[str]:
        """``argv`` run in there."""
        return [str(shutil.which("nsenter")), f"--net=/proc/{os.getpid()}/fd/{self._net}", "--", *argv]

    def socket(self, info: tuple[Any, ...]) -> socket.socket:
        """A new socket in there, for an address as ``getaddrinfo`` describes it: a socket belongs for ever to the
        network of the thread that made it. To ask that thread takes microseconds, so the caller waits."""
        return self._inside.submit(socket.socket, *info[:3]).result()

    async def close(self) -> None:
        for fd in (self._leave, self._net, self._user):
            if fd >= 0:
                os.close(fd)
        self._user = self._net = self._leave = -1
        self._inside.shutdown(wait=False)
        if self._stack is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stack.wait(), 5)
            if self._stack.returncode is None:
                self._stack.kill()
            self._stack = None


def _make_device() -> None:
    """Containers have it seldom, and may make it."""
    if not DEVICE.exists():
        DEVICE.parent.mkdir(exist_ok=True)
        os.mknod(DEVICE, stat.S_IFCHR | 0o666, os.makedev(*DEVICE_NUMBER))


def _enter(net: int) -> None:
    """Of the calling thread alone. Python has this from 3.12 on."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(net, CLONE_NEWNET) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"the agent cannot enter the network namespace: {os.strerror(code)}")
