"""Fixtures that any test may ask for, and the order of the files."""

import pytest

from .engine import engine
from .stores import seaweed

__all__ = ["engine", "seaweed"]

# `make test` runs three files at a time, each as a whole: those that take minutes go first, so that none is
# left alone at the end.
LONG_FIRST = (
    "stories/", "faults/", "docker/", "compute/", "images/", "agent/", "tunnel/", "sharing/", "lab/", "pages/",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def place(item: pytest.Item) -> int:
        where = item.nodeid.removeprefix("tests/")
        return next((n for n, folder in enumerate(LONG_FIRST) if where.startswith(folder)), len(LONG_FIRST))

    items.sort(key=place)
