"""One server of each kind for the whole run; a test takes a new bucket of it with ``.place()``."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ..stores import SeaweedFS
from . import stores


@pytest.fixture(scope="session")
def s3(seaweed: SeaweedFS) -> stores.Server:
    return stores.of_seaweed(seaweed)


@pytest.fixture(scope="session")
def moto() -> Iterator[stores.Server]:
    with stores.running_moto() as server:
        yield server


@pytest.fixture(scope="session")
def azure() -> Iterator[stores.Server]:
    with stores.running_azurite() as server:
        yield server


@pytest.fixture(scope="session")
def gcs() -> Iterator[stores.Server]:
    with stores.running_gcs() as server:
        yield server


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> stores.Server:
    return stores.local_folder(tmp_path_factory.mktemp("folders"))


@pytest.fixture(scope="session")
def memory() -> stores.Server:
    return stores.in_memory()
