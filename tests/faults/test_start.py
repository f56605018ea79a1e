"""Starts that are cancelled, raced, cut off or hopeless: each ends in one clear state, with one clear message."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.demo import Shell, wait_for
from tests.faults.conftest import Parts

pytestmark = [pytest.mark.root, pytest.mark.slow]


def end(parts: Parts, studio: str) -> None:
    api = parts.api("demo")
    api.call("POST", f"/studios/{studio}/stop", json={})
    api.wait_state(studio, "stopped", "errored")


def test_a_start_can_be_cancelled(parts: Parts) -> None:
    api = parts.api("demo")
    studio = api.create("Cancelled", template="slow")["id"]
    api.wait_state(studio, "starting")
    api.call("POST", f"/studios/{studio}/stop", json={})
    api.wait_state(studio, "stopped", "errored", seconds=30)
    wait_for("its job to be gone", lambda: not parts.pids("jupyterhub_studios.agent"), 30)
    api.call("POST", f"/studios/{studio}/start")
    api.wait_state(studio, "running")
    end(parts, studio)


def test_two_starts_at_once_make_one_session(parts: Parts) -> None:
    api = parts.api("demo")
    studio = api.create("Raced", start=False, template="slow")["id"]
    answers: list[int] = []

    def start() -> None:
        answers.append(parts.api("demo").http.post(f"/studios/{studio}/start").status_code)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(set(answers)) in ([202], [202, 409])
    api.wait_state(studio, "running")
    assert len(api.call("GET", f"/studios/{studio}/sessions")["items"]) == 1
    assert len(parts.pids("-m", "jupyterhub_studios.agent")) >= 1
    end(parts, studio)


def test_the_hub_dies_while_a_studio_starts(parts: Parts) -> None:
    api = parts.api("demo")
    studio = api.create("Orphan", template="slow")
    wait_for(
        "the agent",
        lambda: api.call("GET", f"/studios/{studio['id']}")["session"]["phases"][1]["status"] == "done",
    )
    parts.kill_part("hub")
    parts.hub.wait()
    parts.start_hub()
    api.wait_state(studio["id"], "running", seconds=120)
    assert wait_for("the way in", lambda: reachable(parts, studio))
    assert len(api.call("GET", f"/studios/{studio['id']}/sessions")["items"]) == 1
    end(parts, studio["id"])


@pytest.mark.parametrize("victim", ["hub", "service"])
def test_a_running_studio_survives(parts: Parts, victim: str) -> None:
    api = parts.api("demo")
    studio = api.create(f"Survives {victim}", template="tiny")
    api.wait_state(studio["id"], "running")
    shell = Shell(parts, "demo", studio)
    pid = shell.run("echo $PPID")
    parts.kill_part(victim)
    if victim == "hub":
        parts.hub.wait()
        parts.start_hub()
    parts.wait_up()
    assert wait_for("the way in", lambda: reachable(parts, studio))
    assert Shell(parts, "demo", studio).run("echo $PPID") == pid, "the same app still runs"
    wait_for(
        "the agent to connect again",
        lambda: api.call("GET", f"/studios/{studio['id']}")["session"]["connected"],
    )
    api.call("POST", f"/studios/{studio['id']}/checkpoints", json={"name": "after the restart"})
    end(parts, studio["id"])


def test_what_ended_while_the_hub_was_away_is_known_when_it_is_back(parts: Parts) -> None:
    """One session was asked to end by its machine and saved, another one was killed."""
    api = parts.api("demo")
    studios = {name: api.create(f"Alone, {name}", template="tiny") for name in ("saves", "dies")}
    for name, studio in studios.items():
        api.wait_state(studio["id"], "running")
        Shell(parts, "demo", studio).run(f"echo {name} > /workspace/work")
    sessions = {
        name: api.call("GET", f"/studios/{one['id']}")["session"]["id"] for name, one in studios.items()
    }
    parts.kill_part("hub")
    parts.hub.wait()
    wait_for("the service to go with it", lambda: not parts.pids("jupyterhub_studios.service"))
    for name, number in (("saves", signal.SIGTERM), ("dies", signal.SIGKILL)):
        for pid in agents_of(parts, sessions[name]):
            os.kill(pid, number)
    wait_for("one to have saved", lambda: parts.finalised(studios["saves"]["id"]), 60)
    for pid in agents_of(parts, sessions["saves"]):
        os.kill(pid, signal.SIGKILL)  # it would wait a minute for somebody to tell
    parts.start_hub()
    saved = api.wait_state(studios["saves"]["id"], "stopped", "errored", seconds=60)
    assert saved["state"] == "stopped" and saved["saved"]["status"] == "finalised", saved["message"]
    killed = api.wait_state(studios["dies"]["id"], "stopped", "errored", seconds=60)
    assert killed["state"] == "errored" and "ended without saving" in killed["message"], killed["message"]
    for name, found in (("saves", "saves\n"), ("dies", "")):
        api.call("POST", f"/studios/{studios[name]['id']}/start")
        api.wait_state(studios[name]["id"], "running")
        shell = Shell(parts, "demo", studios[name])
        assert shell.run("cat /workspace/work 2>/dev/null || true") == found
        end(parts, studios[name]["id"])


def agents_of(parts: Parts, session: str) -> list[int]:
    """The processes of a session's agent, which began in the session's own folder."""
    found = []
    for pid in parts.pids("-m", "jupyterhub_studios.agent"):
        with contextlib.suppress(OSError):
            if Path(f"/proc/{pid}/cwd").readlink().name == session:
                found.append(pid)
    return found


def reachable(parts: Parts, studio: dict[str, Any]) -> bool:
    try:
        return bool(Shell(parts, "demo", studio))
    except (AssertionError, httpx.HTTPError):
        return False


@pytest.mark.parametrize(
    ("template", "words"),
    [("broken", ["out of luck", "3"]), ("missing", ["no-such-program-here"])],
)
def test_an_app_that_does_not_start_says_why(parts: Parts, template: str, words: list[str]) -> None:
    api = parts.api("demo")
    studio = api.create(f"Hopeless {template}", template=template)["id"]
    view = api.wait_state(studio, "errored", seconds=90)
    for word in words:
        assert word in view["message"]
    assert "Traceback" not in view["message"]


def test_every_viewer_sees_the_whole_progress(parts: Parts) -> None:
    api = parts.api("demo")
    studio = api.create("Watched", template="slow")
    url = f"{parts.url}/hub/api/users/demo/servers/{studio['server_name']}/progress"
    seen: list[list[str]] = [[], []]

    def watch(messages: list[str]) -> None:
        headers = {"Authorization": f"token {parts.token('demo')}"}
        with httpx.stream("GET", url, headers=headers, timeout=60) as answer:
            for line in answer.iter_lines():
                if line.startswith("data:"):
                    messages.append(json.loads(line[5:])["message"])

    first = threading.Thread(target=watch, args=(seen[0],))
    first.start()
    wait_for("the app phase", lambda: any(m.startswith("app:") for m in seen[0]))
    watch(seen[1])  # comes late and gets it all
    first.join()
    for messages in seen:
        phases = [m.split(":")[0] for m in messages if ":" in m]
        assert {"host", "restore", "app"} <= set(phases), messages
    end(parts, studio["id"])


def test_a_plain_hub_start_is_a_studio_too(parts: Parts) -> None:
    """Whoever starts a named server at the Hub's own API gets a studio, with the same checks."""
    headers = {"Authorization": f"token {parts.token('demo')}"}
    server = f"{parts.url}/hub/api/users/demo/servers/by-hand"
    bad = httpx.post(server, headers=headers, json={"user_options": {"name": "By hand", "template": "nope"}})
    assert bad.status_code == 400 and "nope" in bad.text, bad.text
    good = {"display_name": "By hand", "user_options": {"name": "By hand", "template": "tiny"}}
    httpx.post(server, headers=headers, json=good, timeout=60).raise_for_status()
    api = parts.api("demo")
    studio = next(s for s in api.call("GET", "/studios")["items"] if s["server_name"] == "by-hand")
    api.wait_state(studio["id"], "running")
    end(parts, studio["id"])
