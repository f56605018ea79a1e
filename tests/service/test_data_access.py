"""Every route of the explorer × everybody, on the API and for agents. A route that is not in the table fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest_asyncio

from jupyterhub_studios.explorer.api import ROUTES
from jupyterhub_studios.service.data.agents import AGENT_ROUTES

from .conftest import Play
from .datahub import MEMBERS, ROLES, DataHub
from .test_data import credential, link

# Members of the workspaces that alice offers her links to, by the role that she gives them there; the others are
# asked about the link for writing. "admin" is in none of the workspaces.
WHO = ("anonymous", "other", "view", "download", "write", "owner", "admin")
USERS = {"other": "bob", "owner": "alice", "admin": "admin", **dict(zip(ROLES, MEMBERS, strict=True))}

ALL = (401, 200, 200, 200, 200, 200, 200)
VIEW = (401, 404, 200, 200, 200, 200, 200)
DOWNLOAD = (401, 404, 403, 200, 200, 200, 403)
WRITE = (401, 404, 403, 403, 200, 200, 403)
# Refused by what was sent, once access was given.
WRITE_400 = (401, 404, 403, 403, 400, 400, 403)
OWN = (401, 404, 403, 403, 403, 200, 403)

LINK = "data-links/{link_id}"
JSON: dict[str, Any] = {}

# Address and body; {link} is the link, {new} a name of the asking person's own.
MATRIX: dict[tuple[str, str], tuple[str, Any, tuple[int, ...]]] = {
    ("GET", "data-links"): ("data-links", None, ALL),
    ("POST", "data-links"): ("data-links", {"name": "x"}, (401, *[422] * 6)),
    ("POST", "data-links/refresh"): ("data-links/refresh", None, (401, *[204] * 6)),
    ("GET", LINK): ("data-links/{link}", None, VIEW),
    ("PATCH", LINK): ("data-links/{link}", {"description": "changed"}, OWN),
    ("PATCH", f"{LINK}/marks"): ("data-links/{link}/marks", {"starred": True}, VIEW),
    ("GET", "data-credentials"): ("data-credentials", None, ALL),
    ("POST", "data-credentials"): ("data-credentials", {"name": "x"}, (401, *[422] * 6)),
    ("DELETE", "data-credentials/{credential_id}"): (
        "data-credentials/{credential}",
        None,
        (401, 404, 404, 404, 404, 409, 404),
    ),
    ("GET", f"{LINK}/browse"): ("data-links/{link}/browse?path=", None, VIEW),
    ("GET", f"{LINK}/entry"): ("data-links/{link}/entry?path=a.txt", None, VIEW),
    ("GET", f"{LINK}/search"): ("data-links/{link}/search?path=&q=a", None, VIEW),
    ("GET", f"{LINK}/total"): ("data-links/{link}/total?path=", None, VIEW),
    ("GET", f"{LINK}/preview"): ("data-links/{link}/preview?path=a.txt", None, VIEW),
    ("GET", f"{LINK}/raw"): ("data-links/{link}/raw?path=a.png", None, VIEW),
    ("HEAD", f"{LINK}/raw"): ("data-links/{link}/raw?path=a.png", None, VIEW),
    ("GET", f"{LINK}/download"): ("data-links/{link}/download?path=a.txt", None, DOWNLOAD),
    ("HEAD", f"{LINK}/download"): ("data-links/{link}/download?path=a.txt", None, DOWNLOAD),
    ("GET", f"{LINK}/archive"): ("data-links/{link}/archive?path=a.txt", None, DOWNLOAD),
    ("HEAD", f"{LINK}/archive"): ("data-links/{link}/archive?path=a.txt", None, DOWNLOAD),
    ("POST", f"{LINK}/presign"): ("data-links/{link}/presign", {"path": "a.txt", "seconds": 60}, DOWNLOAD),
    ("GET", f"{LINK}/snippets"): ("data-links/{link}/snippets?path=a.txt", None, VIEW),
    ("PUT", f"{LINK}/upload"): ("data-links/{link}/upload?path={new}&replace=true", b"body", WRITE),
    ("POST", f"{LINK}/uploads"): (
        "data-links/{link}/uploads",
        {"path": "big", "size": 9, "replace": True},
        WRITE,
    ),
    ("PUT", f"{LINK}/uploads/part"): ("data-links/{link}/uploads/part?id=x&number=1", b"body", WRITE_400),
    ("POST", f"{LINK}/uploads/finish"): ("data-links/{link}/uploads/finish?id=x", {"parts": []}, WRITE_400),
    ("DELETE", f"{LINK}/uploads"): ("data-links/{link}/uploads?id=x", None, WRITE_400),
    ("POST", f"{LINK}/folders"): ("data-links/{link}/folders", {"path": "folder {new}"}, WRITE),
    ("POST", f"{LINK}/move"): ("data-links/{link}/move", {"source": "{new}", "target": "{new} moved"}, WRITE),
    ("POST", f"{LINK}/delete"): ("data-links/{link}/delete", {"paths": ["{new} moved"]}, WRITE),
    # Last: it is gone then.
    ("DELETE", LINK): ("data-links/{link}", None, (401, 404, 403, 403, 403, 204, 404)),
}

MANAGING = {("POST", "data-links"), ("PATCH", LINK), ("DELETE", LINK), ("POST", "data-credentials"),
            ("DELETE", "data-credentials/{credential_id}")}  # fmt: skip


def test_no_route_is_missing_from_the_table() -> None:
    assert {(route.method, route.path) for route in ROUTES} == MATRIX.keys()
    assert {(route.method, route.path.removeprefix("agent/data/")) for route in AGENT_ROUTES} == MATRIX.keys()
    assert {route.access for route in ROUTES} == {"person"}
    assert {route.access for route in AGENT_ROUTES} == {"agent"}


@pytest_asyncio.fixture
async def shared(data: DataHub) -> AsyncIterator[dict[str, dict[str, str]]]:
    """Alice's links, one for each role: what each of WHO is asked about."""
    data.put("matrix/a.txt")
    data.put("matrix/a.png", b"\x89PNG\r\n\x1a\n")
    mine = await credential(data)
    made = {}
    for role in ROLES:
        one = await link(
            data,
            url=f"s3://{data.bucket}/matrix/",
            credential=mine["id"],
            writable=True,
            workspace=f"team-{role}",
            workspace_role=role,
        )
        made[role] = one["id"]
    yield {who: {"link": made.get(who, made["write"]), "credential": mine["id"]} for who in WHO}
    for ident in made.values():
        await data.api("DELETE", f"data-links/{ident}")
    await data.ok("DELETE", f"data-credentials/{mine['id']}")


def filled(value: Any, names: dict[str, str]) -> Any:
    """A body with its names filled in."""
    if isinstance(value, dict):
        return {key: filled(one, names) for key, one in value.items()}
    if isinstance(value, list):
        return [filled(one, names) for one in value]
    return value.format(**names) if isinstance(value, str) else value


def ask(client: httpx.Client, method: str, url: str, body: Any, names: dict[str, str]) -> httpx.Response:
    url = url.format(**{key: quote(value) for key, value in names.items()})
    if isinstance(body, bytes):
        return client.request(method, url, content=body)
    return client.request(method, url, json=filled(body, names) if body is not None else None)


def checked(answer: httpx.Response) -> int:
    if answer.status_code >= 400 and answer.request.method != "HEAD":
        assert answer.headers["content-type"] == "application/problem+json", (answer.request, answer.text)
        assert answer.json()["title"]
    return answer.status_code


async def test_who_gets_what(data: DataHub, shared: dict[str, dict[str, str]]) -> None:
    def all_of(expected_of: dict[tuple[str, str], tuple[str, Any, tuple[int, ...]]]) -> list[str]:
        wrong = []
        for (method, path), (url, body, expected) in expected_of.items():
            for who, status in zip(WHO, expected, strict=True):
                token = data.hub.token(USERS[who]) if who in USERS else None
                headers = {"Authorization": f"token {token}"} if token else {}
                base = f"{data.hub.url}services/studios/api/v1/"
                with httpx.Client(base_url=base, headers=headers, timeout=90) as client:
                    got = checked(ask(client, method, url, body, {**shared[who], "new": f"of {who}"}))
                if got != status:
                    wrong.append(f"{who}: {method} {path}: {got}, expected {status}")
        return wrong

    assert await asyncio.to_thread(all_of, MATRIX) == []


async def test_a_private_link_is_its_owners_alone(data: DataHub) -> None:
    mine = await credential(data)
    made = await link(data, credential=mine["id"])
    names = {"link": made["id"], "credential": mine["id"], "new": "x"}

    def reachable() -> list[str]:
        found = []
        for (method, path), (url, body, _) in MATRIX.items():
            if path.startswith(LINK):
                for user in ("bob", "vera", "wendy", "admin"):
                    headers = {"Authorization": f"token {data.hub.token(user)}"}
                    base = f"{data.hub.url}services/studios/api/v1/"
                    with httpx.Client(base_url=base, headers=headers, timeout=90) as client:
                        got = checked(ask(client, method, url, body, names))
                    if got != 404:
                        found.append(f"{user}: {method} {path}: {got}")
        return found

    assert await asyncio.to_thread(reachable) == []


def agent_client(data: DataHub, token: str) -> httpx.Client:
    return httpx.Client(
        base_url=f"{data.hub.url}services/studios/agent/data/",
        headers={"Authorization": f"Bearer {token}"},
        timeout=90,
    )


async def test_what_sessions_get(data: DataHub, shared: dict[str, dict[str, str]]) -> None:
    """A session's agent is its studio's owner, but manages nothing, and is never an administrator."""
    play = Play(data.hub)
    data.hub.token("wendy")
    studios = {user: await play.create(user) for user in ("alice", "bob", "admin")}
    names = {**shared["owner"], "new": "of a session"}
    for user, studio in studios.items():
        async with await play.start(studio, user) as agent:
            await agent.bootstrap()
            await agent.connect()
            wrong = await asyncio.to_thread(_of_agent, data, agent.spec.control_token, user, names)
            assert wrong == []
            play.end_job(agent.spec.session_id)
            await play.until(studio["id"], "errored", user)
            with agent_client(data, agent.spec.control_token) as client:
                assert client.get("data-links").status_code == 401  # the session has ended
    for token in (data.hub.token("alice"), "", "nonsense", data.hub.service_token):
        with agent_client(data, token or "x") as client:
            assert {checked(ask(client, m, u, b, names)) for (m, _), (u, b, _) in MATRIX.items()} == {401}


def _of_agent(data: DataHub, token: str, user: str, names: dict[str, str]) -> list[str]:
    wrong = []
    column = {"alice": "owner", "bob": "other", "admin": "other"}[user]
    with agent_client(data, token) as client:
        for (method, path), (url, body, expected) in MATRIX.items():
            status = 403 if (method, path) in MANAGING else expected[WHO.index(column)]
            if (got := checked(ask(client, method, url, body, names))) != status:
                wrong.append(f"{user}: {method} {path}: {got}, expected {status}")
        if user == "alice":
            listed = {one["id"] for one in client.get("data-links").json()["items"]}
            if names["link"] not in listed:
                wrong.append("the list lacks the owner's link")
    return wrong
