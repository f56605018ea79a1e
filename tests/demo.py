"""The real demo as a fixture: store, Hub, proxy and service, as `make demo` starts them, on free ports."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = Path(sys.prefix) / "share" / "studios-demo"
PASSWORD = "for-tests-only"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(what: str, check: Callable[[], Any], seconds: float = 90) -> Any:
    """The first true answer of ``check``; fails, saying ``what``, when none came in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := check():
            return answer
        time.sleep(0.2)
    raise AssertionError(f"waited {seconds} s for {what}")


@dataclass
class Demo:
    home: Path
    environment: dict[str, str] = field(default_factory=dict)
    config: Path = ROOT / "jupyterhub_config.py"
    prefix: tuple[str, ...] = ()  # command in front, e.g. one that becomes another user
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        variables = {
            "STUDIOS_HOME": str(self.home),
            "STUDIOS_PORT": str(self.port),
            "STUDIOS_DEMO_PASSWORD": PASSWORD,
            **self.environment,
        }
        self.process = subprocess.Popen(
            [
                *self.prefix,
                "env",
                *(f"{name}={value}" for name, value in variables.items()),
                sys.executable,
                "-m",
                "jupyterhub_studios.demo",
                "--config",
                str(self.config),
                "--packages",
                str(PACKAGES),
            ],
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        assert self.process.stdout
        for line in self.process.stdout:
            if self.url.encode() in line:
                return
        raise AssertionError(f"the demo did not start: {self.log()}")

    def stop(self) -> None:
        """As Ctrl-C does: every studio is saved first."""
        if self.process and self.process.poll() is None:
            for pid in self.pids("-m jupyterhub_studios.demo"):  # not a program in front of it
                os.kill(pid, signal.SIGINT)
            self.process.wait(120)

    def kill(self) -> None:
        """End everything at once, saved or not."""
        while pids := self.pids():
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.1)
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def pids(self, *words: str) -> list[int]:
        """Processes of this demo (its home is in their environment or arguments) whose command line holds ``words``."""
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == os.getpid():
                continue
            try:
                if (entry / "stat").read_text().rpartition(")")[2].split()[0] == "Z":
                    continue
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                environ = (entry / "environ").read_bytes().decode(errors="replace")
            except OSError:
                continue
            mine = (
                f"STUDIOS_HOME={self.home}" in environ or str(self.home) in line or str(self.home) in environ
            )
            if mine and all(word in line for word in words):
                found.append(int(entry.name))
        return found

    def log(self) -> str:
        file = self.home / "hub" / "hub.log"
        return file.read_text()[-4000:] if file.exists() else "(no log)"

    def keep_logs(self, folder: Path) -> None:
        """Copy the logs of Hub, service and agents out of a home that is about to go."""
        patterns = ("hub/*.log", "service/logs/*.log", "scratch/*/agent.log")
        for log in (log for pattern in patterns for log in self.home.glob(pattern)):
            target = folder / log.relative_to(self.home)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(log, target)

    def token(self, user: str) -> str:
        admin = (self.home / "token").read_text().strip()
        if user == "demo":
            return admin
        answer = httpx.post(
            f"{self.url}/hub/api/users/{user}/tokens", headers={"Authorization": f"token {admin}"}, json={}
        )
        if answer.status_code == 404:
            httpx.post(
                f"{self.url}/hub/api/users/{user}", headers={"Authorization": f"token {admin}"}
            ).raise_for_status()
            return self.token(user)
        return str(answer.raise_for_status().json()["token"])

    def api(self, user: str = "demo") -> Api:
        return Api(self, self.token(user))


@contextlib.contextmanager
def running(name: str, owner: str | None = None, **fields: Any) -> Iterator[Demo]:
    """A demo, in a folder that other accounts may enter; of the account ``owner`` if given. At its end studios are
    saved, nothing runs any more, and the logs lie in ``test-results/logs/<name>``."""
    folder = Path(f"/var/tmp/studios-{name}-{os.getpid()}")
    folder.mkdir(mode=0o755)
    demo = Demo(folder / "home", **fields)
    if owner is not None:
        shutil.chown(folder, owner)
        demo.prefix = ("runuser", "-u", owner, "--")
    try:
        demo.start()
        yield demo
    finally:
        demo.stop()
        demo.kill()
        demo.keep_logs(ROOT / "test-results" / "logs" / name)
        shutil.rmtree(folder)


class Api:
    """The REST API as a person's script uses it."""

    def __init__(self, demo: Demo, token: str) -> None:
        self.demo = demo
        self.http = httpx.Client(
            base_url=f"{demo.url}/services/studios/api/v1",
            headers={"Authorization": f"token {token}"},
            timeout=60,
        )

    def call(self, method: str, path: str, status: int | None = None, **options: Any) -> Any:
        answer = self.http.request(method, path, **options)
        if status is None:
            # A redirect is the Hub's, which does not know the service while it restarts.
            assert answer.is_success, f"{answer.status_code} {answer.text}"
        else:
            assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    def create(self, name: str, start: bool = True, **spec: Any) -> dict[str, Any]:
        return dict(
            self.call(
                "POST",
                "/studios",
                params={"start": start},
                json={"name": name, "template": "jupyter", **spec},
            )
        )

    def find(self, name: str) -> dict[str, Any]:
        """Anybody's studio of this name, for administrators."""
        items = self.call("GET", "/studios", params={"owner": "*"})["items"]
        return dict(next(studio for studio in items if studio["name"] == name))

    def wait_saved_twice(self, studio: str) -> None:
        """Until what was written so far is saved: the second save that is seen began after the call."""
        before = self.call("GET", f"/studios/{studio}")["saved"]["saved_at"]

        def saved() -> bool:
            nonlocal before
            now = self.call("GET", f"/studios/{studio}")["saved"]["saved_at"]
            changed = now != before
            before = now
            return bool(changed)

        wait_for("an interim save", saved)
        wait_for("another interim save", saved)

    def wait_state(self, studio: str, *states: str, seconds: float = 90) -> dict[str, Any]:
        def check() -> dict[str, Any] | None:
            try:
                view = self.call("GET", f"/studios/{studio}")
            except (httpx.TransportError, AssertionError):
                return None  # the Hub or the service is being restarted
            return dict(view) if view["state"] in states else None

        return dict(wait_for(f"{studio} to be {' or '.join(states)}", check, seconds))


def sign_in(demo: Demo, user: str) -> httpx.Client:
    """A client that has signed in at the Hub's form as a browser does, and follows redirects."""
    headers = {"Accept": "text/html,*/*"}  # what makes a request a person's, who is sent to sign in
    client = httpx.Client(base_url=demo.url, follow_redirects=True, timeout=60, headers=headers)
    client.get("/hub/login").raise_for_status()
    form = {"username": user, "password": PASSWORD, "_xsrf": client.cookies.get("_xsrf", path="/hub/") or ""}
    client.post("/hub/login", data=form).raise_for_status()
    return client


class Shell:
    """Runs shell lines inside a running studio with the app of tests/apps/tiny.py."""

    def __init__(self, demo: Demo, user: str, studio: dict[str, Any]) -> None:
        self.url = f"/user/{studio['owner']}/{studio['server_name']}/"
        self.client = sign_in(demo, user)
        # The Hub opens the way a moment after the session is ready, and shows a page of its own until then.
        wait_for("the way in", lambda: self.client.get(self.url).text == "tiny", 20)

    def run(self, line: str) -> str:
        answer = self.client.post(self.url, content=line.encode())
        assert answer.status_code == 200, answer.text
        return answer.text
