"""Fixtures that any test may ask for, and the order of the files."""

import shutil
from itertools import groupby
from pathlib import Path

import pytest

from .engine import engine
from .stores import seaweed

__all__ = ["engine", "seaweed"]

# `make test` runs three files at a time, each as a whole: those that take minutes go first, so that none is
# left alone at the end.
LONG_FIRST = (
    "faults/", "docker/", "compute/", "images/", "agent/", "tunnel/", "sharing/", "lab/", "pages/",
)  # fmt: skip
GIB_NEEDED = 12  # a whole run wrote 9 GiB, most of them images
BETWEEN = 2  # long files after each story: two browsers at a time are what two processors bear


def pytest_sessionstart(session: pytest.Session) -> None:
    free = shutil.disk_usage(Path(__file__).parent).free >> 30
    if session.config.getoption("numprocesses", None) and free < GIB_NEEDED:
        pytest.exit(
            f"A whole run needs {GIB_NEEDED} GiB of disk, mostly for container images, and {free} GiB are free. "
            "Make room (`make clean` takes away what earlier runs built), or test some files alone.",
            returncode=4,
        )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    files = [list(group) for _, group in groupby(items, key=lambda item: item.path)]
    stories = [file for file in files if _folder(file).startswith("stories/")]
    others = sorted((file for file in files if file not in stories), key=_place)
    ordered = []
    for number, story in enumerate(stories):
        ordered += [story, *others[BETWEEN * number : BETWEEN * (number + 1)]]
    ordered += others[BETWEEN * len(stories) :]
    items[:] = [item for file in ordered for item in file]


def _folder(file: list[pytest.Item]) -> str:
    return file[0].nodeid.removeprefix("tests/")


def _place(file: list[pytest.Item]) -> int:
    return next(
        (n for n, folder in enumerate(LONG_FIRST) if _folder(file).startswith(folder)), len(LONG_FIRST)
    )
