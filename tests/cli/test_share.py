"""``studios share``: what it asks the service, and what it prints."""

from __future__ import annotations

import json

import pytest

from .server import Server, page, studio

pytestmark = pytest.mark.usefixtures("server")

SHARE = {"id": "user:beta", "studio_id": "st-1", "kind": "user", "name": "beta", "may_start": True, "link_id": None,
         "created_by": "alpha", "created_at": "2026-11-22T20:00:00Z", "here": True}  # fmt: skip
LINK = {"id": "sl-1", "studio_id": "st-1", "url": "/hub%20space/services/studios/j/c0de", "may_start": False,
        "created_by": "alpha", "created_at": "2026-11-22T20:00:00Z", "expires_at": "2026-11-29T20:00:00Z",
        "people": []}  # fmt: skip


def test_list_shows_people_and_links(server: Server, run) -> None:
    server.on("GET /studios", page(studio()))
    server.on("GET /studios/st-1/shares", page(SHARE)).on("GET /studios/st-1/share-links", page(LINK))
    code, out, _ = run("share", "list", "Atlas")
    assert code == 0
    assert out.splitlines()[1].split() == ["user:beta", "named", "may", "start", "here", "now"]
    assert out.splitlines()[4].startswith("sl-1 ")
    assert out.rstrip().endswith(server.url.replace("/hub%20space", "") + LINK["url"])


def test_list_of_nobody(server: Server, run) -> None:
    server.on("GET /studios", page(studio()))
    server.on("GET /studios/st-1/shares", page()).on("GET /studios/st-1/share-links", page())
    assert run("share", "list", "Atlas")[1] == "Shared with nobody.\n\nNo links.\n"


def test_sharing_by_name_says_with_whose_rights(server: Server, run) -> None:
    server.on("GET /studios", page(studio())).on("POST /studios/st-1/shares", SHARE)
    code, out, _ = run("share", "with", "Atlas", "--user", "beta", "--may-start")
    assert code == 0 and "who acts there as alpha" in out
    assert server.find("POST", "/studios/st-1/shares").body == {"user": "beta", "may_start": True}
    assert run("share", "with", "Atlas")[0] == 2
    assert run("share", "with", "Atlas", "--user", "a", "--group", "b")[0] == 2


def test_a_link_is_printed_alone(server: Server, run) -> None:
    server.on("GET /studios", page(studio())).on("POST /studios/st-1/share-links", LINK)
    code, out, err = run("share", "link", "Atlas", "--hours", "2")
    assert code == 0 and out.endswith("/services/studios/j/c0de\n") and out.count("\n") == 1
    assert "acts as alpha" in err
    assert server.find("POST", "/studios/st-1/share-links").body == {
        "expires_in_hours": 2,
        "may_start": False,
    }
    assert json.loads(run("share", "link", "Atlas", "--json")[1]) == LINK


@pytest.mark.parametrize(("what", "kind"), [("user:beta", "shares"), ("sl-1", "share-links")])
def test_ending(server: Server, run, what: str, kind: str) -> None:
    server.on("GET /studios", page(studio())).on(f"DELETE /studios/st-1/{kind}/{what}", {})
    assert run("share", "end", "Atlas", what)[:2] == (0, f"{what} is ended.\n")


def test_a_stop_with_notice(server: Server, run) -> None:
    server.on("GET /studios", page(studio(state="running"))).on(
        "POST /studios/st-1/stop", studio(state="stopping")
    )
    assert run("stop", "Atlas", "--notice", "30")[0] == 0
    assert server.find("POST", "/studios/st-1/stop").body == {"notice_seconds": 30}
