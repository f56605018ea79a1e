"""A real Hub and service whose studios are containers, for tests; the app inside is tests/apps/tiny.py."""

from __future__ import annotations

import contextlib
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.demo import wait_for
from tests.engine import Engine
from tests.hub import PASSWORD, RealHub

APP = "python3 /opt/studio/apps/tiny.py {socket}"
LABEL = "io.jupyterhub.studios."


def configuration(environment: dict[str, Any], image: str, app: str = APP, **template: Any) -> str:
    return textwrap.dedent(
        f"""
        c.JupyterHub.spawner_class = "studios"
        c.BatchSpawner.poll_interval = 1
        c.Studios.compute_environments = {{"there": {environment!r}}}
        c.Studios.templates = {{
            "tiny": {{"title": "Tiny", "image": {image!r}, "command": {app.split()!r}, **{template!r}}},
        }}
        """
    )


@contextlib.contextmanager
def running_hub(folder: Path, host: str, extra: str, engine: Engine) -> Iterator[RealHub]:
    """A Hub that listens on ``host``; what its studios leave on the engine is removed at the end."""
    hub = RealHub(folder)
    hub.url = f"http://{host}:{hub.port}/"
    address = f'c.JupyterHub.bind_url = c.Studios.public_url = "{hub.url}"\n'
    hub.config.write_text(hub.config.read_text() + address + extra)
    before = set(engine.docker("ps", "-aq", "--no-trunc").split())
    try:
        hub.start()
        yield hub
    finally:
        hub.close()
        ours = engine.docker("ps", "-aq", "--no-trunc", "--filter", f"label={LABEL}session").split()
        named = engine.docker("ps", "-aq", "--no-trunc", "--filter", "name=studio-se-").split()
        for container in {*ours, *named} - before:
            engine.docker("rm", "--force", "--volumes", container, check=False)


@dataclass
class Person:
    """Somebody who uses studios by the REST API, and opens them."""

    hub: RealHub
    name: str = "alice"

    def call(self, method: str, path: str, **options: Any) -> Any:
        answer = self.hub.api(method, path, user=self.name, **options)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def create(self, name: str, **spec: Any) -> dict[str, Any]:
        body = {"name": name, "template": "tiny", "cpus": 1, "memory_mib": 512, **spec}
        return dict(self.call("POST", "studios", json=body))

    def start(self, studio: str, *states: str) -> dict[str, Any]:
        self.call("POST", f"studios/{studio}/start")
        return self.until(studio, *(states or ("running",)))

    def stop(self, studio: str) -> dict[str, Any]:
        self.call("POST", f"studios/{studio}/stop", json={})
        return self.until(studio, "stopped")

    def until(self, studio: str, *states: str, seconds: float = 90) -> dict[str, Any]:
        """The studio as it is shown once it has one of ``states``; fails when it fails instead."""

        def check() -> dict[str, Any] | None:
            view = dict(self.call("GET", f"studios/{studio}"))
            assert view["state"] in states or view["state"] != "errored", view["message"]
            return view if view["state"] in states else None

        return dict(wait_for(f"{studio} to be {' or '.join(states)}", check, seconds))

    def shell(self, studio: dict[str, Any]) -> Shell:
        return Shell(self, studio)


class Shell:
    """Lines run inside a studio, over the Hub's proxy and the gate, with a browser's cookies."""

    def __init__(self, person: Person, studio: dict[str, Any]) -> None:
        self.client = httpx.Client(
            base_url=person.hub.url, follow_redirects=True, timeout=120, headers={"Accept": "text/html,*/*"}
        )
        self.client.get("hub/login").raise_for_status()
        form = {
            "username": person.name,
            "password": PASSWORD,
            "_xsrf": self.client.cookies.get("_xsrf", path="/hub/") or "",
        }
        self.client.post("hub/login", data=form, params={"next": "/hub/home"}).raise_for_status()
        self.url = studio["url"]
        wait_for("the way in", lambda: self.client.get(self.url).text == "tiny", 20)

    def run(self, line: str) -> str:
        answer = self.client.post(self.url, content=line.encode())
        assert answer.status_code == 200, answer.text
        return answer.text.strip()
