from __future__ import annotations

import base64
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyterhub_studios import tickets

KEY = b"k" * 32
TOKEN = tickets.sign(KEY, {"aud": "a", "sub": "ada"}, 3600)
audiences = st.text(min_size=1, max_size=20)
claims = st.dictionaries(
    st.text(max_size=10).filter(lambda name: name not in ("aud", "iat", "exp", "jti")),
    st.none() | st.booleans() | st.integers() | st.text(max_size=50),
    max_size=5,
)


@given(claims, audiences)
def test_what_was_signed_comes_back(given_claims: dict[str, object], audience: str) -> None:
    token = tickets.sign(KEY, {**given_claims, "aud": audience}, 60)
    verified = tickets.verify(KEY, token, audience=audience)
    assert given_claims.items() <= verified.items()
    assert verified["iat"] <= time.time() < verified["exp"]


@given(st.data())
def test_any_change_is_seen(data: st.DataObject) -> None:
    token = TOKEN  # the same at each try
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.characters().filter(lambda c: c != token[at]))
    with pytest.raises(ValueError):
        tickets.verify(KEY, token[:at] + other + token[at + 1 :], audience="a")


@given(st.text() | st.text(alphabet="abcdefgh._-=", max_size=40))
def test_no_text_is_taken_for_a_ticket(text: str) -> None:
    with pytest.raises(ValueError):
        tickets.verify(KEY, text, audience="a")


@given(audiences, audiences)
def test_audiences_are_apart(one: str, other: str) -> None:
    token = tickets.sign(KEY, {"aud": one}, 60)
    if one == other:
        tickets.verify(KEY, token, audience=other)
    else:
        with pytest.raises(ValueError, match="another place"):
            tickets.verify(KEY, token, audience=other)


def test_another_key_does_not_do() -> None:
    with pytest.raises(ValueError, match="signature"):
        tickets.verify(b"o" * 32, tickets.sign(KEY, {"aud": "a"}, 60), audience="a")


def test_expired() -> None:
    with pytest.raises(ValueError, match="expired"):
        tickets.verify(KEY, tickets.sign(KEY, {"aud": "a"}, 0), audience="a")


def test_a_ticket_cannot_claim_a_longer_life() -> None:
    token = tickets.sign(KEY, {"aud": "a", "exp": time.time() + 1e9, "jti": "mine"}, 60)
    verified = tickets.verify(KEY, token, audience="a")
    assert verified["exp"] < time.time() + 61
    assert verified["jti"] != "mine"


def test_tickets_are_never_the_same() -> None:
    assert len({tickets.sign(KEY, {"aud": "a"}, 60) for _ in range(100)}) == 100


def test_signature_of_nothing_is_no_ticket() -> None:
    body = base64.urlsafe_b64encode(json.dumps({"aud": "a", "exp": 1e12}).encode()).decode().rstrip("=")
    for token in (body, body + ".", f"{body}.{body}"):
        with pytest.raises(ValueError, match="signature"):
            tickets.verify(KEY, token, audience="a")


def test_short_keys_and_missing_audiences_are_refused() -> None:
    with pytest.raises(ValueError, match="too short"):
        tickets.sign(b"", {"aud": "a"}, 60)
    with pytest.raises(ValueError, match="audience"):
        tickets.sign(KEY, {"sub": "ada"}, 60)
