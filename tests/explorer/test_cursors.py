"""Cursors come back as they were made, or not at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyterhub_studios.explorer.cursors import Cursors
from jupyterhub_studios.models import StudiosError

CURSORS = Cursors(b"k" * 32)
PARTS = st.lists(
    st.one_of(st.text(max_size=300), st.integers(-(2**60), 2**60), st.booleans(), st.none()), max_size=6
)


@given(parts=PARTS)
def test_what_was_written_is_read(parts: list[str | int | bool | None]) -> None:
    text = CURSORS.write(*parts, purpose="page")
    assert CURSORS.read(text, purpose="page") == parts
    assert text.isascii() and not set(text) & set("+/=&?# ")  # as it is, in a URL


@given(data=st.data())
def test_a_changed_one_is_refused(data: st.DataObject) -> None:
    text = CURSORS.write("link", "a/b", purpose="page")
    at = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(st.sampled_from("ABab01-_"))
    changed = text[:at] + letter + text[at + 1 :]
    if changed != text:
        refused(changed)


@given(text=st.text(max_size=400))
def test_any_text_is_refused(text: str) -> None:
    refused(text)


@pytest.mark.parametrize("cut", [0, 1, 5, 22, 23])
def test_a_cut_one_is_refused(cut: int) -> None:
    refused(CURSORS.write("x" * 50, purpose="page")[:cut])


def test_a_foreign_one_is_refused() -> None:
    refused(Cursors(b"K" * 32).write("x", purpose="page"))


def test_each_serves_one_purpose() -> None:
    refused(CURSORS.write("x", purpose="upload"))
    with pytest.raises(StudiosError) as caught:
        CURSORS.read("nonsense", purpose="upload", field="id")
    assert caught.value.problem.field == "id"


def test_the_longest_key_and_token_fit() -> None:
    parts = ["link", "ü" * 512, "t" * 4096]
    assert CURSORS.read(CURSORS.write(*parts, purpose="page"), purpose="page") == parts


def test_a_short_key_is_no_key() -> None:
    with pytest.raises(ValueError, match="too short"):
        Cursors(b"short")


def refused(text: str) -> None:
    with pytest.raises(StudiosError) as caught:
        CURSORS.read(text, purpose="page")
    assert (caught.value.problem.status, caught.value.problem.field) == (400, "after")
