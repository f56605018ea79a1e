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
from tests.stores import SeaweedFS

APP = "python3 /opt/studio/apps/tiny.py {socket}"


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


def on_docker(engine: Engine, store: SeaweedFS, **more: Any) -> dict[str, Any]:
    """The compute environment: containers of ``engine``, which save into a new bucket."""
    return {
        "kind": "docker",
        "work_dir": f"s3://{store.bucket()}/work",
        "store_options": store.options,
        "docker": {"engine": engine.host},
        **more,
    }


def data(store: SeaweedFS) -> tuple[str, str]:
    """A data link “Lake” to a new bucket, which is writable where studios run: configuration, and the bucket."""
    bucket = store.bucket()
    store.client().put_object(Bucket=bucket, Key="in/readme.txt", Body=b"hello")
    secret = {"type": "access-key", "access_key_id": store.access_key, "secret_access_key": store.secret_key}
    credential = {"provider": "s3", "endpoint": store.endpoint, "region": "us-east-1", "secret": secret}
    link = {
        "name": "Lake",
        "url": f"s3://{bucket}/",
        "credential": "store",
        "role": "write",
        "writable": True,
    }
    text = textwrap.dedent(
        f"""
        c.Studios.data_credentials = {{"store": {credential!r}}}
        c.Studios.data_links = {{"lake": {link!r}}}
        c.Studios.compute_environments["there"]["writable_buckets"] = ["s3://{bucket}/"]
        """
    )
    return text, bucket


def try_mount(person: Person, store: SeaweedFS, bucket: str) -> None:
    """A mount of “Lake”: read, written, drained at the stop, and there again after a start."""
    studio = person.create("Mounted", mounts=[{"link": "ol-lake", "name": "lake"}])
    person.start(studio["id"])
    (seen,) = person.call("GET", f"studios/{studio['id']}/mounts")["items"]
    assert seen["writable"] and seen["status"]["state"] == "mounted", seen
    shell = person.shell(studio)
    assert shell.run("cat /workspace/data/lake/in/readme.txt") == "hello"
    shell.run("echo result > /workspace/data/lake/out.txt")
    stopped = person.stop(studio["id"])
    assert stopped["saved"]["size"] < 1 << 20
    assert store.client().get_object(Bucket=bucket, Key="out.txt")["Body"].read() == b"result\n"
    person.start(studio["id"])
    assert person.shell(studio).run("cat /workspace/data/lake/out.txt") == "result"
    person.stop(studio["id"])


@contextlib.contextmanager
def running_hub(folder: Path, host: str, extra: str, engine: Engine) -> Iterator[RealHub]:
    """A Hub that listens on ``host``; what its studios leave on the engine is removed at the end."""
    hub = RealHub(folder)
    hub.url = f"http://{host}:{hub.port}/"
    address = f'c.JupyterHub.bind_url = c.Studios.public_url = "{hub.url}"\n'
    hub.config.write_text(hub.config.read_text() + address + extra)
    with nothing_left(engine, hub.url):
        try:
            hub.start()
            yield hub
        finally:
            hub.close()


@contextlib.contextmanager
def nothing_left(engine: Engine, url: str) -> Iterator[None]:
    """Removes at the end what studios of the Hub at ``url`` left on the engine, which others use as well."""
    try:
        yield
    finally:
        for container in containers(engine, url):
            engine.docker("rm", "--force", "--volumes", container, check=False)


def containers(engine: Engine, url: str, session: str = "") -> list[str]:
    """The containers of the Hub's studios, or of one session: jobs on Docker, and of AWS Batch."""
    found = engine.docker("ps", "-aq", "--no-trunc", "--filter", f"name=studio-{session or 'se-'}").split()
    return [
        one
        for one in found
        if f"STUDIOS_BOOTSTRAP_URL={url}"
        in engine.docker("inspect", "--format", "{{.Config.Env}}", one, check=False)
    ]


@dataclass
class Person:
    """Somebody who uses studios by the REST API, and opens them."""

    hub: RealHub
    name: str = "alice"
    lake: tuple[SeaweedFS, str] | None = None  # store and bucket of the data link, where there is one

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
