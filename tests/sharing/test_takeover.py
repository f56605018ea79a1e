"""The account takeover of shared servers: whoever controls a server must gain nothing from a visitor's visit.

JupyterHub's documentation once advised to give servers tokens of their visitors with ``shares!user`` and
``servers!user``; the server's owner could then act as the visitor. Here an owner's app keeps all that a visitor's
browser brings, and everything found there is tried against the Hub, the service and the visitor's own studio.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
import pytest

from tests.demo import Demo, running, sign_in, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.root]

CONFIG = Path(__file__).with_name("jupyterhub_config.py")


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    with running("takeover", config=CONFIG) as found:
        yield found


def test_a_visit_gives_the_owner_nothing(demo: Demo) -> None:
    alpha, beta = demo.api("alpha"), demo.api("beta")
    trap = alpha.create("Trap", template="nosy")
    target = beta.create("Target", template="nosy")
    alpha.wait_state(trap["id"], "running")
    target = beta.wait_state(target["id"], "running")
    link = alpha.call("POST", f"/studios/{trap['id']}/share-links", json={})

    # The victim signs in, has used their own studio, and follows the link.
    victim = sign_in(demo, "beta")
    wait_for("the victim's own studio", lambda: victim.get(target["url"]).text == "nosy", 20)
    wait_for("the trap", lambda: victim.get(link["url"]).text == "nosy", 20)

    owner = sign_in(demo, "alpha")
    wait_for("the owner", lambda: owner.get(trap["url"]).text == "nosy", 20)
    loot = owner.get(trap["url"] + "loot").json()
    assert [visit for visit in loot["seen"] if "X-Studio-Identity" in visit]

    mine = {
        cookie.value for cookie in victim.cookies.jar if cookie.value and not cookie.name.startswith("_xsrf")
    }
    assert mine  # what the victim's browser holds ...
    text = str(loot)
    assert not [value for value in mine if value in text or unquote(value) in text]  # ... stays there
    found = secrets_in(loot) | secrets_in(files_in_reach(owner, trap))
    assert found  # the identity that the gate signs, at least
    for secret in found:
        assert attempts(demo, secret, trap, target) == [], secret

    # Nor with what any session has: a way to its owner's data, through the agent.
    reached = owner.post(trap["url"], content=ask_agent("studios").encode()).text
    assert "404" in reached or "403" in reached
    for path in (f"studios/{trap['id']}/shares", f"studios/{trap['id']}/share-links", "../../api/v1/me"):
        assert '"items"' not in owner.post(trap["url"], content=ask_agent(path).encode()).text


def test_a_visitor_cannot_share_on(demo: Demo) -> None:
    alpha = demo.api("alpha")
    studio = alpha.create("Mine", template="nosy")
    alpha.wait_state(studio["id"], "running")
    link = alpha.call("POST", f"/studios/{studio['id']}/share-links", json={"may_start": True})
    visitor = sign_in(demo, "beta")
    wait_for("the visitor", lambda: visitor.get(link["url"]).text == "nosy", 20)
    own = demo.token("beta")  # all that the visitor may do at the Hub
    place = f"{studio['owner']}/{studio['server_name']}"
    headers = {"Authorization": f"token {own}"}
    with httpx.Client(base_url=demo.url, headers=headers) as client:
        for method, path in itertools.product(
            ("POST", "GET"), (f"studios/{studio['id']}/shares", f"studios/{studio['id']}/share-links")
        ):
            answer = client.request(method, f"/services/studios/api/v1/{path}", json={"user": "demo"})
            assert answer.status_code in (403, 422), (method, path, answer.text)
        answer = client.post(f"/services/studios/api/v1/studios/{studio['id']}/share-links", json={})
        assert answer.status_code == 403
        for kind, body in (("shares", {"user": "demo"}), ("share-codes", {})):
            assert client.post(f"/hub/api/{kind}/{place}", json=body).status_code in (403, 404)
        scopes = client.get("/hub/api/user").json()["scopes"]
    # What is left, users:shares!user=beta, is to give up what beta was given.
    assert not [
        scope for scope in scopes if scope.partition("!")[0] in ("shares", "groups:shares", "servers:shares")
    ]


# --- trying -------------------------------------------------------------------------------------------


def secrets_in(loot: Any) -> set[str]:
    """Everything that could be a token, a cookie's value or a password."""
    return set(re.findall(r"[A-Za-z0-9_.=-]{20,}", str(loot)))


def files_in_reach(owner: httpx.Client, studio: dict[str, Any]) -> str:
    line = "cat /proc/[0-9]*/environ /run/studio/* ~/.* 2>/dev/null | tr '\\0' '\\n' | head -c 200000"
    return owner.post(studio["url"], content=line.encode()).text


def ask_agent(path: str) -> str:
    return f"curl -s -w '%{{http_code}}' --path-as-is --unix-socket $STUDIO_DATA_SOCKET http://agent/{path}"


def attempts(demo: Demo, secret: str, trap: dict[str, Any], target: dict[str, Any]) -> list[str]:
    """What ``secret`` opens of what is the victim's, or gives rights on: nothing, it must be."""
    try:
        headers = [{"Authorization": f"token {secret}"}, {"Authorization": f"Bearer {secret}"}]
        httpx.Headers(headers[0])
    except (ValueError, UnicodeEncodeError):
        return []
    cookies = [
        {"service-studios": secret},
        {"jupyterhub-session-id": secret},
        {"jupyterhub-hub-login": secret},
    ]
    api = "/services/studios/api/v1"
    requests = [
        ("GET", "/hub/api/user", None),
        ("GET", f"{api}/me", None),
        ("POST", f"{api}/studios/{trap['id']}/shares", {"user": "demo"}),
        ("POST", f"{api}/studios/{target['id']}/share-links", {}),
        ("GET", f"/user/beta/{target['server_name']}/", None),
    ]
    opened = []
    with httpx.Client(base_url=demo.url, follow_redirects=False) as client:
        for method, path, body in requests:
            for given in headers:
                if client.request(method, path, json=body, headers=given).is_success:
                    opened.append(f"{method} {path} {given}")
            ours = [{f"studio-{target['session']['id']}": secret}]
            for jar in (*cookies, *ours):
                client.cookies = httpx.Cookies(jar)
                if client.request(method, path, json=body).is_success:
                    opened.append(f"{method} {path} {jar}")
            client.cookies = httpx.Cookies()
    return opened
