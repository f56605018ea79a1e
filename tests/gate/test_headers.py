from __future__ import annotations

from urllib.parse import unquote, urljoin, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from multidict import CIMultiDict, CIMultiDictProxy

from jupyterhub_studios.agent.gate_headers import (
    below,
    is_navigation,
    request_headers,
    response_headers,
    same_origin,
)

PREFIX = "/user/ada/lab/"
EVIL = [
    "//evil.example", "https://evil.example", "/\\evil.example", "\\\\evil.example", "/hub/logout", "",
    "/user/ada/lab", "/user/ada/lab/../../../hub/logout", "/user/ada/lab/%2e%2E/x", "/user/ada/lab/..%2fx",
    "/user/ada/lab/..%5cx", "/user/ada/lab/..\\x", "/user/ada/lab/\nx", "/user/ada/lab/\tx", " /user/ada/lab/x",
    "javascript:alert(1)", "/user/ada/lab//../../../x",
]  # fmt: skip


def headers(*pairs: tuple[str, str]) -> CIMultiDictProxy[str]:
    return CIMultiDictProxy(CIMultiDict(pairs))


@pytest.mark.parametrize("path", EVIL)
def test_places_elsewhere(path: str) -> None:
    assert not below(PREFIX, path)


@pytest.mark.parametrize(
    "path", ["", "lab", "lab/tree/a b".replace(" ", "%20"), "x?next=//y", "a..b/c", "x#y"]
)
def test_places_below(path: str) -> None:
    assert below(PREFIX, PREFIX + path)


@given(st.text(alphabet="/\\.%2eE5cf:?#ab \n", max_size=30))
@example("/user/ada/lab/./%2e./x")
def test_below_means_what_a_browser_does(tail: str) -> None:
    for path in (tail, PREFIX + tail):
        if below(PREFIX, path):
            # A browser drops tabs and newlines, turns backslashes, and resolves encoded dots.
            read = unquote(path.partition("?")[0].partition("#")[0]).replace("\\", "/")
            target = urlsplit(urljoin("http://hub" + PREFIX, read))
            assert target.netloc == "hub"
            assert target.path.startswith(PREFIX)


def test_what_the_app_sees() -> None:
    given_headers = headers(
        ("Host", "hub.example"),
        ("X-Studio-Identity", "forged"), ("x_studio_identity", "forged"), ("X-STUDIO-Other", "forged"),
        ("Cookie", "a=1; studio-ss-1=secret; b=2;studio-ss-0=old"), ("Cookie", "jupyterhub-session-id=secret"),
        ("Connection", "keep-alive, X-Private"), ("X-Private", "1"), ("Keep-Alive", "5"), ("TE", "trailers"),
        ("Proxy-Authorization", "Basic x"), ("Transfer-Encoding", "chunked"), ("Upgrade", "h2c"),
        ("Accept", "a"), ("Accept", "b"), ("X-Forwarded-For", "1.2.3.4"), ("X-Forwarded-Proto", "https,http"),
        ("X-Forwarded-Prefix", "/forged"), ("Forwarded", "for=forged"),
    )  # fmt: skip
    seen = request_headers(given_headers, "signed", "10.0.0.1", None)
    assert sorted(seen.items()) == [
        ("Accept", "a"), ("Accept", "b"), ("Cookie", "a=1; b=2"), ("Host", "hub.example"),
        ("X-Forwarded-For", "1.2.3.4, 10.0.0.1"), ("X-Forwarded-Host", "hub.example"),
        ("X-Forwarded-Proto", "https"), ("X-Studio-Identity", "signed"),
    ]  # fmt: skip


def test_connection_cannot_take_the_host_away() -> None:
    seen = request_headers(
        headers(("Host", "h"), ("Connection", "host, X-Studio-Identity")), "signed", "p", None
    )
    assert seen["Host"] == "h"
    assert seen.getall("X-Studio-Identity") == ["signed"]


@pytest.mark.parametrize(
    ("place", "becomes"),
    [
        ("/x", PREFIX + "x"),
        ("/", PREFIX),
        ("http://hub/x?y=/z", f"http://hub{PREFIX}x?y=/z"),
        ("http://hub", f"http://hub{PREFIX}"),
        ("x/y", "x/y"),
        ("?a", "?a"),
        (PREFIX + "x", PREFIX + "x"),
        ("http://other/x", "http://other/x"),
        ("//other/x", "//other/x"),
    ],
)
def test_location_gets_its_prefix_back(place: str, becomes: str) -> None:
    assert response_headers(headers(("Location", place)), PREFIX, "hub")["Location"] == becomes
    assert response_headers(headers(("Location", place)), None, "hub")["Location"] == place


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://hub.example", True), ("https://HUB.example", True), ("https://evil.example", False),
        ("https://hub.example.evil", False), ("https://hub.example:444", False), ("null", False), ("", False),
        ("https://hub.example@evil.example", False), ("https://outer.example", True),
    ],
)  # fmt: skip
def test_origin(origin: str, allowed: bool) -> None:
    host = ("Host", "hub.example"), ("X-Forwarded-Host", "outer.example")
    assert same_origin(headers(*host, ("Origin", origin))) is allowed
    assert same_origin(headers(*host)) is True


def test_navigation() -> None:
    html = ("Accept", "text/html,*/*")
    assert is_navigation("GET", headers(html))
    assert is_navigation("GET", headers(("Sec-Fetch-Mode", "navigate")))
    assert not is_navigation("GET", headers(html, ("Sec-Fetch-Mode", "cors")))
    assert not is_navigation("GET", headers())
    assert not is_navigation("POST", headers(html))
