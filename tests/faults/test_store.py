"""The bucket is gone or full of errors: a stop waits, a start says so, nothing is lost."""

from __future__ import annotations

import pytest

from tests.demo import Shell
from tests.faults.conftest import Parts

pytestmark = [pytest.mark.root, pytest.mark.slow]


def test_a_stop_waits_for_the_bucket(parts: Parts) -> None:
    api = parts.api("demo")
    studio = api.create("Bucket away", template="tiny")
    api.wait_state(studio["id"], "running")
    shell = Shell(parts, "demo", studio)
    shell.run("echo precious > /workspace/precious")
    parts.proxy.down = True
    try:
        api.call("POST", f"/studios/{studio['id']}/stop", json={})
        view = api.wait_state(studio["id"], "stopping")
        problem = api.call("POST", f"/studios/{studio['id']}/stop", status=409, json={"force": True})
        assert "forcing it is possible" in problem["detail"]
        events = []
        for _ in range(60):
            events = api.call("GET", f"/sessions/{view['session']['id']}/events")["items"]
            if any(event["level"] == "error" for event in events):
                break
            parts.pause()
        assert any(event["level"] == "error" for event in events), events
        assert api.call("GET", f"/studios/{studio['id']}")["state"] == "stopping"
    finally:
        parts.proxy.down = False
    view = api.wait_state(studio["id"], "stopped", "errored", seconds=120)
    assert view["state"] == "stopped"
    assert view["saved"]["status"] == "finalised"
    api.call("POST", f"/studios/{studio['id']}/start")
    api.wait_state(studio["id"], "running")
    assert Shell(parts, "demo", studio).run("cat /workspace/precious") == "precious\n"
    api.call("POST", f"/studios/{studio['id']}/stop", json={})
    api.wait_state(studio["id"], "stopped")


def test_force_ends_a_stop_that_cannot_save(parts: Parts) -> None:
    api = parts.api("demo")
    studio = api.create("Forced", template="tiny")
    api.wait_state(studio["id"], "running")
    Shell(parts, "demo", studio).run("echo gone > /workspace/gone")
    parts.proxy.down = True
    try:
        api.call("POST", f"/studios/{studio['id']}/stop", json={})
        api.wait_state(studio["id"], "stopping")
        for _ in range(60):
            if "force" in api.call("GET", f"/studios/{studio['id']}")["may"]:
                break
            parts.pause()
        api.call("POST", f"/studios/{studio['id']}/stop", json={"force": True})
        view = api.wait_state(studio["id"], "stopped", "errored", seconds=90)
        assert "without" in view["message"]
    finally:
        parts.proxy.down = False
    api.call("POST", f"/studios/{studio['id']}/start")
    api.wait_state(studio["id"], "running")
    assert "gone" not in Shell(parts, "demo", studio).run("ls /workspace")
    api.call("POST", f"/studios/{studio['id']}/stop", json={})
    api.wait_state(studio["id"], "stopped")


def test_a_start_without_the_bucket_says_so(parts: Parts) -> None:
    api = parts.api("demo")
    studio = api.create("No bucket", start=False, template="tiny")
    parts.proxy.down = True
    try:
        api.call("POST", f"/studios/{studio['id']}/start")
        view = api.wait_state(studio["id"], "errored", seconds=120)
    finally:
        parts.proxy.down = False
    assert "bucket" in view["message"] or "work dir" in view["message"] or "store" in view["message"]
    assert parts.secret not in view["message"]


def test_a_damaged_layer_is_not_used(parts: Parts) -> None:
    api = parts.api("demo")
    studio = api.create("Damaged", template="tiny")
    api.wait_state(studio["id"], "running")
    Shell(parts, "demo", studio).run("head -c 100000 /dev/urandom > /workspace/data")
    api.call("POST", f"/studios/{studio['id']}/stop", json={})
    view = api.wait_state(studio["id"], "stopped")
    parts.damage(view["saved"]["layers"][-1]["digest"])
    api.call("POST", f"/studios/{studio['id']}/start")
    view = api.wait_state(studio["id"], "errored", seconds=60)
    assert "cannot be restored" in view["message"] and "layer" in view["message"]
    checkpoints = api.call("GET", f"/studios/{studio['id']}/checkpoints")["items"]
    assert any(c["status"] == "invalid" for c in checkpoints), checkpoints
