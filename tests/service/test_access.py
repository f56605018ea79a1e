"""Every route × everybody: who gets what. A route that is not in the table fails the test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest_asyncio

from jupyterhub_studios.service.api import EXPLORER
from jupyterhub_studios.service.app import ROUTES, handlers
from jupyterhub_studios.service.data.agents import AGENT_ROUTES

from .conftest import Play

WHO = ("anonymous", "other", "shared", "owner", "admin", "internal")

V1 = "api/v1"
BODILESS = ("stop", "start", "sweep", "extend", "keep")
GIVEN_BODY = {"name": "x"}  # refused where a body is checked, after the access was
GOOD_BODY = {
    "mounts": {"mounts": []},
    "shares": {"user": "dave"},
    "share-links": {},
}  # by the end of the path
# What each of WHO is answered. 4xx of the request itself (409, 422, …) mean: let in.
PEOPLE = (401, 200, 200, 200, 200, 403)
CREATE = (401, 422, 422, 422, 422, 403)
VIEW = (401, 404, 200, 200, 200, 403)
OWN = (401, 404, 403, 200, 200, 403)
OWN_404 = (401, 404, 404, 200, 200, 403)
OWN_GONE = (401, 404, 403, 404, 404, 403)  # there is no such thing to end

MATRIX: dict[tuple[str, str], tuple[int, ...]] = {
    ("GET", f"{V1}/me"): PEOPLE,
    ("GET", f"{V1}/templates"): PEOPLE,
    ("GET", f"{V1}/compute-environments"): PEOPLE,
    ("POST", f"{V1}/sweep"): (401, 403, 403, 403, 503, 403),  # a work dir of the test Hub is unreachable
    ("GET", f"{V1}/studios"): PEOPLE,
    ("POST", f"{V1}/studios"): CREATE,
    ("GET", f"{V1}/studios/{{studio_id}}"): VIEW,
    ("GET", f"{V1}/studios/{{studio_id}}/progress"): VIEW,
    ("PATCH", f"{V1}/studios/{{studio_id}}"): OWN,
    ("DELETE", f"{V1}/studios/{{studio_id}}"): (401, 404, 403, 409, 409, 403),
    ("POST", f"{V1}/studios/{{studio_id}}/start"): (401, 404, 403, 409, 409, 403),
    ("POST", f"{V1}/studios/{{studio_id}}/stop"): (401, 404, 403, 202, 202, 403),
    ("POST", f"{V1}/studios/{{studio_id}}/extend"): (401, 404, 403, 409, 409, 403),
    ("POST", f"{V1}/studios/{{studio_id}}/keep"): (401, 404, 409, 409, 409, 403),
    ("POST", f"{V1}/culling"): (401, 403, 403, 403, 422, 403),  # services of the Hub: test_culling
    ("GET", f"{V1}/studios/{{studio_id}}/checkpoints"): OWN,
    ("POST", f"{V1}/studios/{{studio_id}}/checkpoints"): (401, 404, 403, 409, 409, 403),
    ("GET", f"{V1}/studios/{{studio_id}}/sessions"): OWN,
    ("GET", f"{V1}/sessions/{{session_id}}"): OWN_404,
    ("GET", f"{V1}/sessions/{{session_id}}/events"): OWN_404,
    ("GET", f"{V1}/sessions/{{session_id}}/logs"): OWN_404,
    ("GET", f"{V1}/sessions/{{session_id}}/job-logs"): OWN_404,
    ("GET", f"{V1}/checkpoints/{{checkpoint_id}}"): OWN_404,
    ("PATCH", f"{V1}/checkpoints/{{checkpoint_id}}"): OWN_404,
    ("DELETE", f"{V1}/checkpoints/{{checkpoint_id}}"): (401, 404, 404, 409, 409, 403),
    ("GET", f"{V1}/studios/{{studio_id}}/shares"): OWN,
    ("POST", f"{V1}/studios/{{studio_id}}/shares"): (401, 404, 403, 201, 201, 403),
    ("DELETE", f"{V1}/studios/{{studio_id}}/shares/{{share_id}}"): OWN_GONE,
    ("GET", f"{V1}/studios/{{studio_id}}/share-links"): OWN,
    ("POST", f"{V1}/studios/{{studio_id}}/share-links"): (401, 404, 403, 201, 201, 403),
    ("DELETE", f"{V1}/studios/{{studio_id}}/share-links/{{link_id}}"): OWN_GONE,
    ("POST", f"{V1}/mount-checks"): CREATE,
    ("GET", f"{V1}/studios/{{studio_id}}/mounts"): OWN,
    ("PUT", f"{V1}/studios/{{studio_id}}/mounts"): (401, 404, 403, 409, 409, 403),
    ("POST", f"{V1}/studios/{{studio_id}}/mounts/{{name}}/refresh"): OWN_GONE,
    ("GET", f"{V1}/openapi.json"): (200, 200, 200, 200, 200, 200),
    ("POST", "internal/launches"): (403, 403, 403, 403, 403, 422),
    ("POST", "internal/alive"): (403, 403, 403, 403, 403, 422),
    ("GET", "internal/sessions/{session_id}"): (403, 403, 403, 403, 403, 200),
    ("POST", "internal/sessions/{session_id}/stop"): (403, 403, 403, 403, 403, 200),
    ("POST", "internal/sessions/{session_id}/job"): (403, 403, 403, 403, 403, 422),
    ("POST", "internal/sessions/{session_id}/ended"): (403, 403, 403, 403, 403, 422),
    ("POST", "agent/mounts"): (401, 401, 401, 401, 401, 401),  # by the session's token alone
    # Its code is what authenticates.
    ("POST", "agent/bootstrap"): (422, 422, 422, 422, 422, 422),
}

# The rest speak HTML or WebSocket, each with a test of its own: control by a token of the session
# (test_sessions), pages and tickets by the Hub's login (test_pages, test_sharing).
OTHERS = {"agent/control", "oauth_callback", "enter", "j/([^/]+)", "static/(.+)", "(?:api|internal|agent)(?:/.*)?",
          "(?:new|admin|studios/[^/]+|data(?:/[^/]+)?)?", ".*"}  # fmt: skip


def test_no_route_is_missing_from_the_table() -> None:
    explorer = [*EXPLORER, *AGENT_ROUTES]  # test_data_access has theirs
    own = [route for route in ROUTES if route not in explorer]
    assert {(route.method, route.path) for route in own} == MATRIX.keys()
    by_routes = {
        str(rule[0]) for rule in handlers("", None) if "routes" in (rule[2] if len(rule) > 2 else {})
    }
    assert {str(rule[0]) for rule in handlers("", None)} - by_routes == OTHERS


def test_no_access_is_declared_wrongly() -> None:
    for route in ROUTES:
        expected = {
            V1: {"person", "admin", "public", "culler"},
            "internal": {"internal"},
            "agent": {"public", "agent"},
        }
        base = V1 if route.path.startswith(V1) else route.path.partition("/")[0]
        assert route.access in expected[base]
    public = [route.path for route in ROUTES if route.access == "public"]
    assert public == [f"{V1}/openapi.json", "agent/bootstrap"]


@pytest_asyncio.fixture
async def ids(play: Play) -> AsyncIterator[dict[str, str]]:
    """A studio of alice that is stopping, for as long as the test takes; shared with carol."""
    studio = await play.create()
    async with await play.start(studio) as agent:
        await agent.come_up()
        await play.until(studio["id"], "running")
        await asyncio.to_thread(share, play, studio["server_name"], "carol")
        await play.api("POST", f"studios/{studio['id']}/stop", json={})
        await play.until(studio["id"], "stopping")
        yield {
            "studio_id": studio["id"],
            "session_id": agent.spec.session_id,
            "checkpoint_id": agent.checkpoint().id,
            "share_id": "user:nobody",
            "link_id": "sl-none",
            "name": "none",
        }
        await agent.finish()
        await play.until(studio["id"], "stopped")


def share(play: Play, server: str, user: str) -> None:
    play.hub.token(user)
    scopes = [f"access:servers!server=alice/{server}"]
    play.hub.hub_api("POST", f"shares/alice/{server}", json={"user": user, "scopes": scopes})


async def test_who_gets_what(play: Play, ids: dict[str, str]) -> None:
    tokens = {
        "anonymous": None,
        "other": play.hub.token("bob"),
        "shared": play.hub.token("carol"),
        "named": play.hub.token("dave"),
        "owner": play.hub.token("alice"),
        "admin": play.hub.token("admin"),
        "internal": play.hub.service_token,
    }
    wrong = []
    for (method, path), expected in MATRIX.items():
        for who, status in zip(WHO, expected, strict=True):
            got = await asyncio.to_thread(ask, play, method, path.format(**ids), tokens[who])
            if got != status:
                wrong.append(f"{who}: {method} {path}: {got}, expected {status}")
    assert not wrong, "\n".join(wrong)


def ask(play: Play, method: str, path: str, token: str | None) -> int:
    headers = {"Authorization": f"token {token}"} if token else {}
    body = GIVEN_BODY if method in ("POST", "PATCH", "PUT") and not path.endswith(BODILESS) else None
    if body and (good := GOOD_BODY.get(path.rpartition("/")[2])) is not None:
        body = good
    url = f"{play.hub.url}services/studios/{path}"
    answer = httpx.request(method, url, headers=headers, json=body, timeout=90)
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json", answer.text
        assert answer.json()["title"]
    return answer.status_code


async def test_a_token_reaches_only_as_far_as_its_scopes(play: Play) -> None:
    studio = await play.create(user="bob")

    def get(path: str, token: str) -> httpx.Response:
        headers = {"Authorization": f"token {token}"}
        return httpx.get(f"{play.hub.url}services/studios/api/v1/{path}", headers=headers)

    here = "access:services!service=studios"
    without = play.hub.token("bob", ["read:users!user=bob"])
    answer = get("studios", without)
    assert answer.status_code == 403 and here in answer.json()["detail"]
    assert get("studios", play.hub.token("bob", [here])).status_code == 200
    # An administrator's token that may only use the service makes no administrator of its holder.
    limited = play.hub.token("admin", [here])
    assert get("me", limited).json()["admin"] is False
    assert get(f"studios/{studio['id']}", limited).status_code == 404
    assert get("studios", "nonsense").status_code == 401


async def test_a_shared_studio_hides_its_environment(play: Play) -> None:
    studio = await play.create(environment={"KEY": "alices-secret"})
    await play.start(studio)
    await asyncio.to_thread(share, play, studio["server_name"], "carol")
    seen = await play.show(studio["id"], user="carol")
    assert seen["environment"] == {} and seen["may"] == []
    assert (await play.show(studio["id"]))["environment"] == {"KEY": "alices-secret"}
    play.end_job(seen["session"]["id"])
    await play.until(studio["id"], "errored")
