"""A real JupyterLab that is nobody's studio, with data links from its configuration."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from ..stores import SeaweedFS, free_ports

TOKEN = "a-token"
BASE = "/@/space%20word/"
READY_SECONDS = 90
# Stopped before anybody opened a document, the collaboration extension logs a traceback of its own.
ALONE = "c.ServerApp.jpserver_extensions = {'jupyter_server_ydoc': False}\n"
NEWS = "@jupyterlab/apputils-extension:announcements"  # asks for consent, over what is tested


@dataclass
class PlainLab:
    """Its folders: ``home``, ``root`` (what the file browser shows), ``config``, ``log``."""

    folder: Path
    base: str = BASE
    python: str = sys.executable
    settings: str = ""  # lines of jupyter_server_config.py
    environment: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=lambda: free_ports(1)[0])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{self.base}"

    @property
    def root(self) -> Path:
        return self.folder / "root"

    @property
    def kept(self) -> Path:
        return self.folder / "home/.local/share/jupyter/jupyterhub-studios"

    def lab(self, **query: str) -> str:
        more = "".join(f"&{name}={value}" for name, value in query.items())
        return f"{self.url}lab?token={TOKEN}{more}"

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    @contextmanager
    def running(self) -> Iterator[PlainLab]:
        for name in ("home", "root", "config"):
            (self.folder / name).mkdir(exist_ok=True)
        (self.folder / "config/jupyter_server_config.py").write_text(self.settings)
        page_config = self.folder / "config/labconfig/page_config.json"
        page_config.parent.mkdir(exist_ok=True)
        page_config.write_text(json.dumps({"disabledExtensions": {NEWS: True}}))
        own = {name: value for name, value in os.environ.items() if not name.startswith(("STUDIO", "AWS_"))}
        places = {
            "HOME": str(self.folder / "home"),
            "JUPYTER_CONFIG_DIR": str(self.folder / "config"),
            "JUPYTER_RUNTIME_DIR": str(self.folder / "runtime"),
            "IPYTHONDIR": str(self.folder / "ipython"),
        }
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(
                [
                    self.python, "-m", "jupyterlab", "--no-browser", "--allow-root",
                    f"--ServerApp.port={self.port}", "--ServerApp.ip=127.0.0.1", "--ServerApp.port_retries=0",
                    f"--ServerApp.base_url={self.base}", f"--ServerApp.root_dir={self.root}",
                    f"--IdentityProvider.token={TOKEN}", "--LabApp.news_url=None",
                    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
                ],
                cwd=self.root, env=own | places | self.environment, stdout=log, stderr=log,
            )  # fmt: skip
        try:
            self._wait(process)
            yield self
        finally:
            process.terminate()
            process.wait()

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while True:
            assert process.poll() is None, self.log
            assert time.monotonic() < deadline, self.log
            try:
                if httpx.get(f"{self.url}api").status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.2)


def settings(bucket: str, seaweed: SeaweedFS, folder: Path) -> str:
    """A configuration file with an S3 store, a bucket of it and a folder."""
    credential: dict[str, Any] = {
        "name": "SeaweedFS",
        "provider": "s3",
        "endpoint": seaweed.endpoint,
        "region": "us-east-1",
        "secret": {
            "type": "access-key",
            "access_key_id": seaweed.access_key,
            "secret_access_key": seaweed.secret_key,
        },
    }
    links = {
        "bucket": {"name": "Results", "url": f"s3://{bucket}/", "credential": "seaweed", "writable": True},
        "fixed": {"name": "Reference", "url": f"s3://{bucket}/reference/", "credential": "seaweed"},
        "folder": {"name": "Scratch", "url": f"file://{folder}", "writable": True},
    }
    return f"c.DataExplorer.credentials = {{'seaweed': {credential}}}\nc.DataExplorer.links = {links}\n"


class Api:
    """The API as a program with the server's token uses it."""

    def __init__(self, lab: PlainLab) -> None:
        headers = {"Authorization": f"token {TOKEN}"}
        self._client = httpx.Client(base_url=f"{lab.url}jupyterhub-studios/", headers=headers, timeout=60)

    def __call__(self, method: str, path: str, *, status: int = 200, **options: Any) -> Any:
        answer = self._client.request(method, path, **options)
        assert answer.status_code == status, f"{answer.status_code} {answer.text}"
        return answer.json() if "json" in answer.headers.get("Content-Type", "") else answer.text

    def link(self, name: str) -> str:
        """The id of the link called so."""
        return next(
            link["id"] for link in self("GET", "data-links?hidden=all")["items"] if link["name"] == name
        )
