"""The demo's folder: its layout, its secrets, its ports. Deleting the folder is a clean slate."""

from __future__ import annotations

import json
import os
import secrets
import socket
from dataclasses import dataclass
from pathlib import Path

ACCOUNTS = ("demo", "alpha", "beta")
ADMIN = "demo"
WORK_BUCKET = "studios-work"
DATA_BUCKET = "demo-data"
TEAM_BUCKET = "demo-team"


@dataclass(frozen=True)
class DemoHome:
    """Where the demo keeps what, below ``$STUDIOS_HOME``."""

    path: Path

    @classmethod
    def from_environment(cls) -> DemoHome:
        return cls(Path(os.environ.get("STUDIOS_HOME", ".demo")).resolve())

    @property
    def hub(self) -> Path:
        return self.path / "hub"

    @property
    def service(self) -> Path:
        return self.path / "service"

    @property
    def scratch(self) -> Path:
        return self.path / "scratch"

    @property
    def store(self) -> Path:
        return self.path / "store"

    @property
    def azure(self) -> Path:
        return self.path / "azure"

    @property
    def gcs(self) -> Path:
        return self.path / "gcs"

    @property
    def token_file(self) -> Path:
        return self.path / "token"

    def prepare(self) -> None:
        for folder in (
            self.path, self.hub, self.service, self.scratch, self.store, self.azure, self.gcs,
        ):  # fmt: skip
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o700)

    def secret(self, name: str) -> str:
        """A random secret, made at first use and kept in a file only its owner can read."""
        file = self.path / "secrets" / name
        try:
            return file.read_text()
        except FileNotFoundError:
            file.parent.mkdir(mode=0o700, exist_ok=True)
            write_private(file, value := secrets.token_hex(32))
            return value

    def port(self, name: str) -> int:
        """A free port of 127.0.0.1, chosen at first use and kept, so that a restart finds its sessions."""
        file = self.path / "ports.json"
        ports: dict[str, int] = json.loads(file.read_text()) if file.exists() else {}
        if name not in ports:
            ports[name] = _free_port(set(ports.values()))
            write_private(file, json.dumps(ports))
        return ports[name]


def write_private(file: Path, text: str) -> None:
    """Write ``text`` so that no other account can read it, not even for a moment."""
    temporary = file.with_name(file.name + ".new")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        stream.write(text)
    temporary.replace(file)


def _free_port(taken: set[int]) -> int:
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        if port not in taken:
            return port
