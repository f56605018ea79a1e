from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyterhub_studios.cli import main
from jupyterhub_studios.forge.settings import Settings, parse

from . import aws as servers

GIVEN: dict[str, Any] = {
    "name": "lab",
    "region": servers.REGION,
    "vpc": "vpc-0123456789abcdef0",
    "subnets": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
    "networks": ["10.20.0.0/16"],
    "bucket": "lab-work",
    "prefix": "team/one",
    "bundle": {"key": "team/one/.studios-agent/x.tar.zst", "sha256": "ab" * 32},
    "hub_security_group": "sg-0123456789abcdef0",
}


def settings(**more: Any) -> Settings:
    return parse(**{**GIVEN, **more})


@pytest.fixture(scope="session")
def server() -> Iterator[servers.Aws]:
    with servers.running() as aws:
        yield aws


@pytest.fixture
def aws(server: servers.Aws, monkeypatch: pytest.MonkeyPatch) -> servers.Aws:
    """An empty AWS."""
    for name, value in servers.KEYS.items():
        monkeypatch.setenv(name, value)
    server.reset()
    return server


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    file = tmp_path / "agent.tar.zst"
    file.write_bytes(b"the agent")
    return file


@pytest.fixture
def forge(aws: servers.Aws, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Runs `studios forge` in this process: exit code, stdout, stderr."""

    def run(action: str, *argv: str, name: str = "lab") -> tuple[int, str, str]:
        code = main(["forge", action, "--name", name, "--endpoint-url", aws.url, *argv])
        out, err = capsys.readouterr()
        return code, out, err

    return run
