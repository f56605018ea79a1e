"""AWS as moto plays it, once for all tests here."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.engine import Engine
from tests.moto_server import Moto, running
from tests.registries import open_registry

__all__ = ["open_registry"]


@pytest.fixture(scope="session")
def moto(engine: Engine) -> Iterator[Moto]:
    with running(engine) as server:
        yield server
