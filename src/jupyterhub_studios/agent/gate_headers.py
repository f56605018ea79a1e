"""What of a message's head passes the gate, in both directions. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import unquote, urlsplit

from multidict import CIMultiDict, CIMultiDictProxy

# RFC 9110 7.6.1, and what the gate answers itself (Expect).
HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "expect",
    }
)
FORWARDED = frozenset(
    ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-forwarded-prefix")
)
IDENTITY = "X-Studio-Identity"
# Never shown to an app: cookies of gates (this one's, earlier sessions' of the same studio) and of the Hub.
PRIVATE_COOKIES = ("studio-", "jupyterhub-")

Headers = CIMultiDict[str]
ProxyHeaders = CIMultiDictProxy[str]


def request_headers(headers: ProxyHeaders, identity: str, peer: str, prefix: str | None) -> Headers:
    """What the app sees. ``prefix``: the path the gate takes away before the app, None when it does not."""
    drop = _listed(headers)
    out: Headers = CIMultiDict()
    for name, value in headers.items():
        low = name.lower()
        # Servers of the CGI kind take X_Studio_Identity for X-Studio-Identity.
        if low in HOP or low in FORWARDED or low in drop or low.replace("_", "-").startswith("x-studio-"):
            continue
        if low == "cookie":
            value = _without_private(value)
            if not value:
                continue
        out.add(name, value)
    before = headers.get("X-Forwarded-For")
    out["X-Forwarded-For"] = f"{before}, {peer}" if before else peer
    out["X-Forwarded-Proto"] = scheme(headers)
    out["X-Forwarded-Host"] = _first(headers.get("X-Forwarded-Host")) or headers.get("Host", "")
    if prefix is not None:
        out["X-Forwarded-Prefix"] = prefix.rstrip("/")
    out[IDENTITY] = identity
    return out


def response_headers(headers: ProxyHeaders, prefix: str | None, host: str) -> Headers:
    """What the visitor sees. With ``prefix`` the app knows nothing of it: places in answers get it back."""
    drop = _listed(headers)
    out: Headers = CIMultiDict()
    for name, value in headers.items():
        low = name.lower()
        if low in HOP or low in drop:
            continue
        if prefix is not None:
            if low in ("location", "content-location"):
                value = _relocated(value, prefix, host)
            elif low == "set-cookie":
                value = _cookie_below(value, prefix)
        out.add(name, value)
    # Not ours to boast with: aiohttp would put its own name and version here.
    out.setdefault("Server", "studio")
    return out


def scheme(headers: ProxyHeaders) -> str:
    """How the visitor's browser speaks, as the proxies before us say."""
    return "https" if _first(headers.get("X-Forwarded-Proto")) == "https" else "http"


def same_origin(headers: ProxyHeaders) -> bool:
    """Whether a page of this very host asks. Programs send no Origin; browsers always do for WebSockets."""
    origin = headers.get("Origin")
    if origin is None:
        return True
    asked = urlsplit(origin).netloc.lower()
    here = {headers.get("Host", "").lower(), _first(headers.get("X-Forwarded-Host")).lower()}
    return bool(asked) and asked in here


def is_navigation(method: str, headers: ProxyHeaders) -> bool:
    """A person's browser opens a page, rather than a script fetching something."""
    if method != "GET":
        return False
    mode = headers.get("Sec-Fetch-Mode")
    return mode == "navigate" if mode is not None else "text/html" in headers.get("Accept", "")


def below(prefix: str, path: str) -> bool:
    """Whether a browser that is sent to ``path`` stays below ``prefix`` of the same origin."""
    if any(c == "\\" or ord(c) <= 32 or ord(c) == 127 for c in path) or not path.startswith(prefix):
        return False
    # %2e%2e is a dot segment for browsers, and some servers take %5c for a slash.
    plain = unquote(path.partition("?")[0].partition("#")[0])
    return ".." not in plain.replace("\\", "/").split("/")


def _listed(headers: ProxyHeaders) -> frozenset[str]:
    """Further hop-by-hop headers that Connection names."""
    values: Iterable[str] = headers.getall("Connection", ())
    names = {name.strip().lower() for value in values for name in value.split(",")}
    return frozenset(names - {"host", "content-length", "cookie"})


def _first(value: str | None) -> str:
    return (value or "").partition(",")[0].strip()


def _without_private(cookies: str) -> str:
    pairs = (pair.strip() for pair in cookies.split(";"))
    return "; ".join(pair for pair in pairs if pair and not pair.startswith(PRIVATE_COOKIES))


def _relocated(place: str, prefix: str, host: str) -> str:
    parts = urlsplit(place)
    if parts.netloc and (parts.netloc.lower() != host.lower() or parts.scheme not in ("http", "https", "")):
        return place
    path = parts.path or ("/" if parts.netloc else "")
    if not path.startswith("/") or path.startswith(prefix):
        return place
    return parts._replace(path=prefix + path[1:]).geturl()


def _cookie_below(cookie: str, prefix: str) -> str:
    def moved(attribute: str) -> str:
        name, _, value = attribute.partition("=")
        value = value.strip()
        if name.strip().lower() != "path" or not value.startswith("/") or value.startswith(prefix):
            return attribute
        return f" Path={prefix}{value[1:]}"

    first, *attributes = cookie.split(";")
    return ";".join([first, *map(moved, attributes)])
