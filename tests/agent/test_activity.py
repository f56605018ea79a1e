"""What the agent sees of a session's use: polling and people, processes and terminals, kernels."""

from __future__ import annotations

import contextlib
import os
import pty
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from aiohttp import web

from jupyterhub_studios import tickets
from jupyterhub_studios.agent.activity.kernels import IDENTITY, Kernels, Unknown
from jupyterhub_studios.agent.activity.processes import Meter, parse
from jupyterhub_studios.agent.activity.pulse import Pulse, regular
from jupyterhub_studios.agent.activity.use import Use
from jupyterhub_studios.agent.upstream import Upstream
from jupyterhub_studios.models import LaunchSpec

from ..gate.conftest import IDENTITY_KEY, PREFIX, launch_spec

# --- polling and people -----------------------------------------------------------------------------


def used(pulse: Pulse, times: list[float], key: object = "poll") -> list[float]:
    return [at for at in times if pulse.beat(key, at)]


def every(seconds: float, hours: float, jitter: float = 0.0, start: float = 0.0) -> list[float]:
    chance = random.Random(1)
    count = int(hours * 3600 / seconds)
    return [start + n * seconds + chance.uniform(0, jitter * seconds) for n in range(count)]


@pytest.mark.parametrize(
    "times",
    [
        every(5, 2),
        every(5, 2, jitter=0.1),
        every(60, 8),
        sorted([*every(5, 2), *every(5, 2, start=1.3)]),  # two tabs
        sorted([*every(30, 4), *every(30, 4, start=7), *every(30, 4, start=19)]),
        [*every(5, 1), *every(60, 2, start=3700)],  # the tab went to the background
        [*every(5, 1), *every(5, 1, start=3611)],  # the network was away for ten seconds
    ],
    ids=["5 s", "with jitter", "once a minute", "two tabs", "three tabs", "background", "hiccup"],
)
def test_polling_is_no_use(times: list[float]) -> None:
    assert [at for at in used(Pulse(), times) if at > 60] == []


def test_people_have_no_beat() -> None:
    chance = random.Random(2)
    at, typed = 0.0, []
    for _ in range(60):
        at += chance.expovariate(1 / 0.8)
        typed.append(at)
    assert used(Pulse(), typed)


def test_a_person_is_seen_beside_polling() -> None:
    pulse = Pulse()
    used(pulse, every(5, 1))
    clicks = [(3600.0, "run"), (3604.2, "save"), (3611.7, "run")]
    assert [pulse.beat(key, at) for at, key in clicks] == [False, False, True]


def test_a_beat_needs_some_beats() -> None:
    assert not regular([])
    assert not regular([1.0, 2.0, 3.0, 4.0])
    assert regular([1.0, 2.0, 3.0, 4.0, 5.0])


def test_lab_tells_of_people_itself() -> None:
    use = Use()
    for name in ("a", "b", "c"):
        use.request("PUT", f"api/contents/{name}", navigation=False)
    assert use.traffic_at is not None, "as long as no page tells, what passes counts"
    use = Use()
    use.page_tells()  # which it does by asking for the session's end, before anybody has touched a key
    for name in ("a", "b", "c"):
        use.request("PUT", f"api/contents/{name}", navigation=False)
    assert use.traffic_at is None, "it saves by itself"
    for name in ("a", "b", "c"):
        use.request("POST", f"proxy/8501/{name}", navigation=False)
    assert use.traffic_at is not None, "an app in the studio has people of its own"


# --- processes --------------------------------------------------------------------------------------


def test_a_name_may_hold_anything() -> None:
    rest = "S 1 40 40 34816 55 4194304 5 6 0 0 7 8 9 10 20 0 1 0 12345 1 1"
    process = parse(f"42 (a ) (b) {rest}")
    assert (process.pid, process.name, process.parent, process.session) == (42, "a ) (b", 1, 40)
    assert (process.own, process.children, process.started, process.terminal) == (15, 19, 12345, 34816)


@contextlib.contextmanager
def running(*command: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, 9)
        process.wait()


def until(meter: Meter, first: int, true: Callable[[Meter], bool]) -> None:
    """Look again and again until it is ``true``: how soon depends on what else the machine does."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        meter.look(first)
        if true(meter):
            return
        time.sleep(0.1)
    raise AssertionError(f"cpu {meter.cpu}, programs {meter.programs}")


def test_a_silent_loop_is_seen_and_its_end_too() -> None:
    loop = "while :; do :; done"
    with running("bash", "-c", f"bash -c '{loop}' & wait") as shell:
        meter = Meter(window=1.0)
        until(meter, shell.pid, lambda m: m.cpu > 0.1)
        subprocess.run(["pkill", "-P", str(shell.pid)], check=True)
        with contextlib.suppress(ProcessLookupError):
            until(meter, shell.pid, lambda m: m.cpu < 0.1)


def test_many_short_processes_are_seen_by_who_waited_for_them() -> None:
    # None of them is there when it is looked: a build is like this.
    script = "for n in $(seq 100000); do python3 -S -c 'sum(range(200000))'; done"
    with running("bash", "-c", script) as shell:
        until(Meter(window=2.0), shell.pid, lambda m: m.cpu > 0.1)


def test_rest_is_rest() -> None:
    with running("sleep", "600") as sleeper:
        meter = Meter(window=1.0)
        for _ in range(5):
            meter.look(sleeper.pid)
            time.sleep(0.05)
        assert meter.cpu == 0 and meter.programs == []


def test_what_is_not_there_is_not_idle() -> None:
    with pytest.raises(OSError):
        Meter(window=1.0).look(0)


@contextlib.contextmanager
def terminal(line: str) -> Iterator[int]:
    """A shell in a terminal in which somebody typed ``line``; its process."""
    child, master = pty.fork()
    if child == 0:
        os.execvp("bash", ["bash", "--norc", "--noprofile"])
    try:
        os.write(master, line.encode() + b"\n")
        yield child
    finally:
        os.close(master)
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, 9)
        os.waitpid(child, 0)


def test_a_quiet_program_in_a_terminal_is_at_work() -> None:
    """One that waits for jobs elsewhere uses next to nothing here: what it does is a little, again and again."""
    script = "import time\nwhile True: open('/dev/null','w').write('x'); time.sleep(0.05)"
    with tempfile.NamedTemporaryFile("w", suffix=".py") as file:
        file.write(script)
        file.flush()
        with terminal(f"{sys.executable} -S {file.name} > /dev/null") as shell:
            until(Meter(window=2.0), shell, lambda m: any(one.startswith("python") for one in m.programs))


@pytest.mark.parametrize("line", ["top -d 0.2", "sleep 600"])
def test_what_only_waits_in_a_terminal_is_not_at_work(line: str) -> None:
    with terminal(line) as shell:
        meter = Meter(window=0.5)
        until(meter, shell, lambda m: any(p.name == line.split()[0] for p in m._before.values()))
        until(meter, shell, lambda m: m.programs == [])


# --- kernels ----------------------------------------------------------------------------------------


class Jupyter:
    """As much of a Jupyter server as is asked."""

    def __init__(self) -> None:
        self.states: list[str] | None = []
        self.version = True

    async def api(self, request: web.Request) -> web.Response:
        return web.json_response({"version": "2"}) if self.version else web.Response(text="an app of its own")

    async def kernels(self, request: web.Request) -> web.Response:
        claims = tickets.verify(IDENTITY_KEY, request.headers[IDENTITY], audience="app")
        assert claims["sub"] == "ada" and request.query["no_track_activity"] == "1"
        if self.states is None:
            return web.Response(status=500)
        return web.json_response([{"id": "k", "execution_state": state} for state in self.states])


async def test_kernels_are_counted_by_their_state() -> None:
    app = Jupyter()
    served = web.Application()
    served.router.add_get(f"{PREFIX}api", app.api)
    served.router.add_get(f"{PREFIX}api/kernels", app.kernels)
    with tempfile.TemporaryDirectory() as folder:
        socket = Path(folder) / "app.sock"
        runner = web.AppRunner(served)
        await runner.setup()
        await web.UnixSite(runner, str(socket)).start()
        spec: LaunchSpec = launch_spec()
        kernels = Kernels(spec, Upstream(socket=socket), IDENTITY_KEY)
        assert await kernels.busy() == 0
        app.states = ["idle", "busy", "starting", "busy"]
        assert await kernels.busy() == 2
        app.states = None
        with pytest.raises(Unknown):
            await kernels.busy()
        app.version = False
        assert await Kernels(spec, Upstream(socket=socket), IDENTITY_KEY).busy() is None
        await runner.cleanup()
        with pytest.raises(Unknown):
            await kernels.busy()
