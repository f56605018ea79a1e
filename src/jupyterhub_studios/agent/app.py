"""The app of a session: a template's command, run inside the session's root."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import json
import os
import select
import signal
import socket
import sys
import tempfile
import time
from pathlib import Path

import aiohttp

from ..models import LaunchSpec, RootMode, StudiosError
from . import data, memory, program
from .applog import AppLog
from .image import BUNDLE, image, python
from .mounts import naming
from .network import RESOLVER, Network
from .root import Root, enter
from .upstream import Upstream

GENTLE_SECONDS = 10.0
SYSTEM_PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
SOCKET = "app.sock"


class App:
    """Runs between :meth:`start` and :meth:`stop`."""

    def __init__(self, spec: LaunchSpec, root: Root, log: AppLog, identity_key: str) -> None:
        self._spec, self._root, self._log = spec, root, log
        fixed = spec.template.port
        self._port = fixed or (_free_port() if _mentions(spec, "{port}") else None)
        self._network = Network() if fixed else None
        self._words = {
            "{socket}": f"{root.run_inside}/{SOCKET}",
            "{port}": str(self._port or ""),
            "{prefix}": spec.prefix,
            "{workdir}": root.workdir,
            "{python}": python(),
        }
        self._program = program.Program([self._filled(word) for word in spec.template.command])
        self._identity_key = identity_key
        self._process: asyncio.subprocess.Process | None = None
        self._pump: asyncio.Task[None] | None = None
        self._inside: int | None = None  # the first process inside, as a handle that survives its end
        self._inside_pid = 0
        # Through this a socket below a folder with a long name has a short one.
        self._run_fd = os.open(root.run, os.O_PATH | os.O_DIRECTORY) if self._port is None else -1

    @property
    def upstream(self) -> Upstream:
        if self._port is not None:
            return Upstream(port=self._port, sockets=self._network.socket if self._network else None)
        return Upstream(socket=Path(f"/proc/self/fd/{self._run_fd}/{SOCKET}"))

    @property
    def first(self) -> int:
        """The first process of the session; 0: there is none."""
        return self._inside_pid if self._process is not None and self._process.returncode is None else 0

    # --- starting ---
    async def start(self) -> None:
        await asyncio.to_thread(self._prepare)
        argv, way = program.command(self._program, self._root.wrapped)
        if self._network is not None:
            await self._network.open()
            way = way.also(await asyncio.to_thread(self._resolver))
        environment = self._environment()
        with tempfile.TemporaryFile() as info, enter.variables(environment) as given:
            command = self._root.command(argv, info.fileno(), way)
            if self._root.wrapped:
                command, environment = enter.with_variables(command, given), {}
            if self._network is not None:
                command = self._network.command(command)
            running = asyncio.create_task(self._run(command, environment, info.fileno(), given))
            try:
                await asyncio.shield(running)
            except asyncio.CancelledError:
                # Whoever stops the session meanwhile must know its processes, to end them all.
                await asyncio.wait([running])
                raise

    async def _run(self, command: list[str], environment: dict[str, str], info: int, given: int) -> None:
        self._process = await asyncio.create_subprocess_exec(
            *command,
            env=environment,
            cwd=self._root.place(self._root.workdir) if self._root.mode == RootMode.HOME else "/",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            pass_fds=(info, given),
            start_new_session=True,
            umask=0o022,  # the agent's own is for itself alone
        )
        assert self._process.stdout is not None
        self._give_output()
        self._pump = asyncio.create_task(self._log.pump(self._process.stdout))
        await self._find_inside(info)

    def _prepare(self) -> None:
        if not self._program.argv:
            self._program = program.own_program(image(), self._root)
        (self._root.run / SOCKET).unlink(missing_ok=True)
        program.settle(self._program, self._root)

    def _resolver(self) -> dict[str, Path]:
        """In a network of its own the app reaches no server for names that listens on the machine's loopback."""
        file = self._root.run / "resolv.conf"
        file.write_text(RESOLVER)
        file.chmod(0o644)
        return {str(Path("/etc/resolv.conf").resolve()): file}

    def _give_output(self) -> None:
        """An app of another account that opens /dev/stdout finds it its own, as Docker has it."""
        transport = self._process and self._process._transport.get_pipe_transport(1)  # type: ignore[attr-defined]
        if transport and not self._program.is_root:
            os.fchown(
                transport.get_extra_info("pipe").fileno(),
                self._program.account.uid,
                self._program.account.gid,
            )

    async def _find_inside(self, info: int) -> None:
        """Bubblewrap writes which process is the first one inside."""
        if not self._root.wrapped:
            self._inside_pid = self._process.pid if self._process else 0
            return
        while self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ValueError):
                self._inside_pid = json.loads(os.pread(info, 4096, 0))["child-pid"]
                with contextlib.suppress(ProcessLookupError):
                    self._inside = os.pidfd_open(self._inside_pid)
                memory.sacrifice(self._inside_pid)
                return
            await asyncio.sleep(0.01)

    def _environment(self) -> dict[str, str]:
        """What the app gets: nothing of the agent's own environment."""
        spec = self._spec
        inside = self._root.mode == RootMode.OVERLAY
        programs = Path(sys.executable).parent
        own = [] if programs.is_relative_to(BUNDLE) else [str(programs)]
        base = {
            "PATH": os.pathsep.join(dict.fromkeys([*own, *SYSTEM_PATH])),
            "LANG": "C.UTF-8",
            "SHELL": "/bin/bash" if Path("/bin/bash").exists() else "/bin/sh",
            "USER": self._program.account.name if inside else _account(),
        }
        known = image()
        template = {key: self._filled(value) for key, value in spec.template.environment.items()}
        studio = {
            "HOME": self._program.home or self._root.workdir,
            "STUDIO_ID": spec.studio_id,
            "STUDIO_NAME": spec.studio_name,
            "STUDIO_OWNER": spec.owner,
            "STUDIO_SERVER_NAME": spec.server_name,
            "STUDIO_PREFIX": spec.prefix,
            "STUDIO_HUB_PREFIX": spec.hub_prefix,
            "STUDIO_IDENTITY_KEY": self._identity_key,
            "STUDIO_DATA_SOCKET": f"{self._root.run_inside}/{data.SOCKET}",
        }
        given = template | spec.environment
        mounted = naming.variables(spec.mounts, given, self._root.workdir)
        return base | (known.environment if known else {}) | given | mounted | studio

    def _filled(self, text: str) -> str:
        for word, value in self._words.items():
            text = text.replace(word, value)
        return text

    # --- running ---

    async def ready(self) -> None:
        """Returns when the app answers."""
        template = self._spec.template
        prefix = "" if template.strip_prefix else self._spec.prefix.rstrip("/")
        url = f"{self.upstream.base}{prefix}{template.ready_path}"
        deadline, pause, last = time.monotonic() + template.ready_seconds, 0.05, "nothing listens"
        timeout = aiohttp.ClientTimeout(total=10)
        async with aiohttp.ClientSession(connector=self.upstream.connector(), timeout=timeout) as client:
            while True:
                if self._process is None or self._process.returncode is not None:
                    raise await self._ended_early()
                try:
                    async with client.get(url, allow_redirects=False) as answer:
                        if answer.status < 500:
                            return
                        last = f"it answers with HTTP status {answer.status}"
                except (aiohttp.ClientError, OSError) as error:
                    last = f"nothing listens ({type(error).__name__})"
                if time.monotonic() > deadline:
                    raise self._trouble(
                        f"The app did not become ready within {template.ready_seconds:.0f} s", last
                    )
                await asyncio.sleep(pause)
                pause = min(pause * 1.2, 0.2)

    async def _ended_early(self) -> StudiosError:
        code = await self.wait()
        name = self._program.argv[0]
        if (
            f"bwrap: execvp {name}:" in self._log.tail
            or f"setpriv: failed to execute {name}:" in self._log.tail
        ):
            return StudiosError(
                f"The template's command “{name}” was not found",
                "it is not installed here, or its folder is hidden from sessions",
                "An administrator should check the template, or install the program",
            )
        return self._trouble(f"The app ended before it was ready, with code {code}", "")

    def _trouble(self, title: str, why: str) -> StudiosError:
        tail = self._log.tail
        said = f"its last lines:\n{tail}" if tail else "it printed nothing"
        return StudiosError(title, f"{why}; {said}" if why else said, "See the session's log")

    async def wait(self) -> int:
        """The exit code, once the app has ended and all that it printed was read."""
        assert self._process is not None
        code = await self._process.wait()
        await self._gone()
        if self._pump is not None:
            await asyncio.wait([self._pump], timeout=5)
        return code

    # --- stopping ---

    async def stop(self, gentle: float = GENTLE_SECONDS) -> None:
        """Asks the app to end, ends it after ``gentle`` seconds, and returns when no process of the session is
        left."""
        try:
            await self._stop(gentle)
        finally:
            if self._network is not None:
                await self._network.close()

    async def _stop(self, gentle: float) -> None:
        if self._process is None:
            return
        if self._process.returncode is None:
            pids = self._app_pids()
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGTERM)
            if pids:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(asyncio.shield(self._process.wait()), gentle)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        if self._inside is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._inside, signal.SIGKILL)
        await self.wait()

    async def _gone(self) -> None:
        """Waits for the first process inside: with it the kernel has ended all others there."""
        if self._inside is not None:
            await asyncio.to_thread(select.select, [self._inside], [], [], 30)
            os.close(self._inside)
            self._inside = None

    def _app_pids(self) -> list[int]:
        """The app itself: inside its own process namespace it is a child of a reaper, which is not told."""
        if self._inside is None:
            return [self._inside_pid] if self._inside_pid else []
        children = Path(f"/proc/{self._inside_pid}/task/{self._inside_pid}/children")
        with contextlib.suppress(OSError):
            return [int(word) for word in children.read_text().split()]
        return []

    def close(self) -> None:
        if self._run_fd >= 0:
            os.close(self._run_fd)
            self._run_fd = -1


def _account() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # an image may have no /etc/passwd
        return "root" if os.geteuid() == 0 else str(os.geteuid())


def _mentions(spec: LaunchSpec, word: str) -> bool:
    return any(word in text for text in [*spec.template.command, *spec.template.environment.values()])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
