"""``kill -9`` of agent, service and Hub at every write to the bucket: what was acknowledged is there afterwards.

Each case drives one studio through start, work, a named save, more work and a stop, and kills its victim when the
bucket is about to see write number N. Whatever the person was told is saved must be in the studio's next session.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.demo import Shell, wait_for
from tests.faults.conftest import Parts
from tests.faults.store_proxy import Request

pytestmark = [pytest.mark.root, pytest.mark.slow]
ENDED = ("stopped", "errored")


class Story:
    """One studio's life; every step tolerates that the other side has just been killed."""

    def __init__(self, parts: Parts, name: str) -> None:
        self.parts = parts
        self.api = parts.api("demo")
        self.acknowledged: set[str] = set()
        self.studio: dict[str, Any] = self.api.call(
            "POST", "/studios", json={"name": name, "template": "tiny"}
        )
        self.id = self.studio["id"]

    def live(self) -> None:
        if not self._try(self._start):
            return
        self._try(lambda: self._write("first"))
        if self._try(
            lambda: self.api.call("POST", f"/studios/{self.id}/checkpoints", json={"name": "named"})
        ):
            self.acknowledged.add("first")
        wrote = self._try(lambda: self._write("second"))
        if self._try(self._stop) and wrote:
            self.acknowledged |= {"second"}

    def check(self) -> None:
        """After the dust has settled: start again and look."""
        self._settle()
        self._start(seconds=90)
        found = set(Shell(self.parts, "demo", self.studio).run("ls /workspace").split())
        assert self.acknowledged <= found
        self._stop()
        self.api.call("DELETE", f"/studios/{self.id}")

    def _settle(self) -> None:
        """Until the studio can be started, stopping it where it still runs."""

        def ended() -> bool:
            view = self.api.wait_state(self.id, "starting", "running", "stopping", *ENDED)
            if view["state"] in ("starting", "running"):
                self._try(lambda: self.api.call("POST", f"/studios/{self.id}/stop", json={}))
            return view["state"] in ENDED

        wait_for("the studio to come to rest", ended, 120)

    def _start(self, seconds: float = 20) -> dict[str, Any]:
        wait_for("the start to be accepted", lambda: self._try(self._post_start), seconds)
        view = self.api.wait_state(self.id, "running", *ENDED, seconds=seconds)
        assert view["state"] == "running", view["message"]
        return view

    def _post_start(self) -> Any:
        return self.api.call("POST", f"/studios/{self.id}/start")

    def _stop(self) -> bool:
        self.api.call("POST", f"/studios/{self.id}/stop", json={})
        view = self.api.wait_state(self.id, *ENDED, seconds=60)
        return bool(view["state"] == "stopped" and view["saved"]["status"] == "finalised")

    def _write(self, name: str) -> bool:
        Shell(self.parts, "demo", self.studio).run(f"echo {name} > /workspace/{name}; sync /workspace/{name}")
        return True

    def _try(self, step: Callable[[], Any]) -> Any:
        try:
            return step()
        except (httpx.HTTPError, AssertionError):
            return None


class KillAt:
    """Kills ``victim`` when write number ``step`` is about to reach the store; that write gets no answer."""

    def __init__(self, parts: Parts, victim: str, step: int) -> None:
        self.parts, self.victim, self.step = parts, victim, step
        self.writes = 0
        self.killed = threading.Event()
        self.lock = threading.Lock()

    def __call__(self, request: Request) -> int | None:
        if not request.writes:
            return None
        with self.lock:
            self.writes += 1
            if self.writes != self.step:
                return None
        self.parts.kill_part(self.victim)
        self.killed.set()
        return 503


def run_story(parts: Parts, victim: str, step: int) -> int:
    """Returns how many writes the undisturbed part of the story took."""
    hook = KillAt(parts, victim, step)
    story = Story(parts, f"{victim} {step}")
    parts.proxy.before = hook
    try:
        story.live()
    finally:
        parts.proxy.before = lambda request: None
    writes = hook.writes
    if hook.killed.is_set() and victim == "hub":
        parts.hub.wait()
        parts.start_hub()
    parts.wait_up()
    story.check()
    return writes


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("victim", ["agent", "service", "hub"])
def test_nothing_acknowledged_is_lost(parts: Parts, victim: str) -> None:
    steps = run_story(parts, victim, step=0)
    assert steps >= 6, "the walk must cover start, save and stop"
    for step in range(1, steps + 1):
        run_story(parts, victim, step)
