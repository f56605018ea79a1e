"""Links and paths: odd keys stay themselves, and nothing leads out of a link."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyterhub_studios.explorer.places import Place, name_of, new_place, parent_of, readable
from jupyterhub_studios.explorer.rights import require
from jupyterhub_studios.models import CredentialSpec, DataRole, LinkView, Provider, StudiosError

from . import stores
from .engines import link_to

SPEC = CredentialSpec(name="x", provider="s3", secret={"type": "anonymous"})
BUCKET = stores.Place(Provider.S3, "bucket", SPEC)


def link(**changes: Any) -> LinkView:
    return link_to(BUCKET, **changes)


ODD = [
    "a b/c",
    "a//b",
    "//a",
    "a/",
    "50%",
    "a+b",
    "größe/日本.txt",
    "x" * 1024,
    "a\nb\x01",
    "a?b#c",
    "..a",
    "a..",
    "...",
    " ",
]


@pytest.mark.parametrize("path", ODD)
@pytest.mark.parametrize("prefix", ["", "team/", "team", "odd//"])
def test_odd_keys_stay_themselves(prefix: str, path: str) -> None:
    place = Place(link(prefix=prefix), path)
    assert place.key.endswith(path)
    assert place.path_of(place.key) == path
    assert place.prefix in ("", prefix.removesuffix("/") + "/")


@pytest.mark.parametrize("path", ["..", "../x", "a/../b", "a/..", "./a", "a/./b", ".", "a\0b", "\ud800"])
def test_what_would_be_another_place_is_refused(path: str) -> None:
    with pytest.raises(StudiosError) as raised:
        Place(link(), path)
    assert raised.value.problem.field == "path"


@pytest.mark.parametrize("path", ["/etc/passwd", "a//b", "//"])
def test_a_folder_of_the_machine_has_no_empty_names(path: str) -> None:
    with pytest.raises(StudiosError):
        Place(link(provider="folder"), path)


@given(st.text(), st.sampled_from(["", "team/", "team"]))
def test_a_key_never_leaves_its_link(path: str, prefix: str) -> None:
    try:
        place = Place(link(prefix=prefix), path)
    except StudiosError:
        return
    assert place.key.startswith(prefix)
    assert not {".", ".."} & set(place.key.split("/"))
    assert place.path_of(place.key) == path


def test_a_prefix_is_a_folder_and_no_beginning_of_names() -> None:
    place = Place(link(prefix="team"), "a")
    assert place.key == "team/a"
    with pytest.raises(ValueError, match="outside"):
        place.path_of("team-secret/a")


@pytest.mark.parametrize(
    ("path", "name", "parent"),
    [
        ("a", "a", ""),
        ("a/", "a", ""),
        ("a/b", "b", "a/"),
        ("a/b/", "b", "a/"),
        ("a//", "", "a/"),
        ("", "", ""),
    ],
)
def test_names_and_parents(path: str, name: str, parent: str) -> None:
    assert (name_of(path), parent_of(path)) == (name, parent)


@pytest.mark.parametrize("path", ["", "/", "a//b", "/a", "a\nb", "a\x7f", "a\x85", "x" * 1025, "ä" * 513])
def test_names_that_are_not_made(path: str) -> None:
    with pytest.raises(StudiosError):
        new_place(link(), path)


def test_a_name_on_a_disk_is_shorter() -> None:
    assert new_place(link(), "x" * 300)
    with pytest.raises(StudiosError, match="255"):
        new_place(link(provider="folder"), "x" * 300)


def test_the_prefix_counts_for_the_length() -> None:
    assert new_place(link(prefix="p/"), "x" * 1022)
    with pytest.raises(StudiosError, match="1,024"):
        new_place(link(prefix="p/"), "x" * 1023)


def test_messages_hold_no_control_characters() -> None:
    assert readable("a\x1b[31m\nb") == "a·[31m·b"
    assert len(readable("x" * 5000)) == 200


# --- rights ---


@pytest.mark.parametrize("has", list(DataRole))
@pytest.mark.parametrize("needs", list(DataRole))
def test_a_role_holds_the_ones_before_it(has: DataRole, needs: DataRole) -> None:
    order = [DataRole.VIEW, DataRole.DOWNLOAD, DataRole.WRITE]
    if order.index(has) >= order.index(needs):
        require(link(role=has), needs)
        return
    with pytest.raises(StudiosError) as raised:
        require(link(role=has), needs)
    problem = raised.value.problem
    assert problem.status == 403 and has.value in problem.detail and needs.value in problem.detail
    assert "ada" in problem.action


def test_a_refusal_says_why_and_whom_to_ask() -> None:
    with pytest.raises(StudiosError) as raised:
        require(link(writable=False, why="its credential may only read"), DataRole.WRITE)
    problem = raised.value.problem
    assert (problem.status, problem.detail) == (403, "its credential may only read")
    assert "ada" in problem.action
    with pytest.raises(StudiosError, match="an administrator"):
        require(link(role="view", owner=None), DataRole.DOWNLOAD)
