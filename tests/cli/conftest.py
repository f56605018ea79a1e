import time
from collections.abc import Callable, Iterator

import pytest

from jupyterhub_studios.cli import main

from .server import Server


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    server = Server()
    monkeypatch.setenv("STUDIOS_URL", server.url)
    monkeypatch.setenv("STUDIOS_TOKEN", "secret")
    yield server
    server.close()


@pytest.fixture(autouse=True)
def utc() -> Iterator[None]:
    """Local times are printed: the same ones everywhere."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Runs the command in this process: exit code, stdout, stderr."""

    def run(*argv: str) -> tuple[int, str, str]:
        code = main(argv)
        out, err = capsys.readouterr()
        return code, out, err

    return run
