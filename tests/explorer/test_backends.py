"""Every store does the same; what differs stands here."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from jupyterhub_studios.explorer.backends import Backend

from .conformance import Conformance
from .stores import Server


@pytest.fixture(scope="class")
def server(request: pytest.FixtureRequest) -> Server:
    return request.getfixturevalue(request.cls.store)


@pytest.fixture
async def backend(server: Server) -> AsyncIterator[Backend]:
    backend = await server.place().open()
    yield backend
    await backend.close()


@pytest_asyncio.fixture(scope="class", loop_scope="class")
async def shared(server: Server) -> AsyncIterator[Backend]:
    """One bucket for many tests, each of which removes what it made."""
    backend = await server.place().open()
    yield backend
    await backend.close()


DOTS = ("one dot", "two dots", "inner dot", "inner two dots", "outer two dots", "final two dots")


class TestSeaweedFS(Conformance):
    """It keeps objects as files in folders, and shows it."""

    refuses = dict.fromkeys((*DOTS, "1,024 bytes", "1,024 bytes of two each"), 400)
    rewrites = {"double slash": "a/b", "leading slash": "lead", "backslash": "a/b"}  # noqa: RUF012
    keeps_folders = True

    store = "s3"


class TestMoto(Conformance):
    """It has the names of S3 itself: whatever is text."""

    refuses = {"white space": 404}  # noqa: RUF012  its web server cuts a path at a line's end
    no_parts = ("control",)  # its answer would not be XML
    checks_sources = False

    store = "moto"


class TestAzurite(Conformance):
    refuses = dict.fromkeys(DOTS, 400)  # by us: such parts of a URL lead elsewhere
    rewrites = {"backslash": "a/b"}  # noqa: RUF012
    unlistable = ("control",)  # its answer is not XML
    fuzz_controls = False

    store = "azure"


class TestFakeGCS(Conformance):
    refuses = {"one dot": 400, "two dots": 400}  # noqa: RUF012  Google has no such names
    checks_sources = False

    store = "gcs"


class TestFolder(Conformance):
    refuses = dict.fromkeys(
        (*DOTS, "1,024 bytes", "1,024 bytes of two each", "double slash", "leading slash"), 400
    )
    presigns = False
    folders_are_real = True

    store = "folder"


class TestMemory(Conformance):
    """One of "any other fsspec filesystem"."""

    refuses = dict.fromkeys((*DOTS, "double slash", "leading slash"), 400)
    presigns = False
    folders_are_real = True

    store = "memory"
