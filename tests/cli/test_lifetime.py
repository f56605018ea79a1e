"""How long a studio runs, from a terminal."""

from __future__ import annotations

import json

from .server import Server, ago, page, problem, studio

LIFETIME = {
    "verdict": "keep", "reasons": ["A kernel is busy."], "idle_ends_at": None, "asked_at": None,
    "answer_by": None, "kept_until": None, "kept_by": "", "keep_minutes": 60, "extend_hours": 112,
}  # fmt: skip


def running(**changes: object) -> dict[str, object]:
    return studio(state="running", lifetime=LIFETIME | {"ends_at": ago(-7500)} | changes, cost=1.5)


def test_it_is_extended(server: Server, run) -> None:
    server.on("GET /studios", page(running()))
    server.on("POST /studios/st-1/extend", running())
    code, out, _ = run("extend", "Atlas", "--hours", "2")
    assert code == 0 and "ends " in out and "in 2 h" in out
    assert server.asked[-1].body == {"hours": 2}


def test_a_refusal_says_what_is_possible(server: Server, run) -> None:
    server.on("GET /studios", page(running()))
    server.on("POST /studios/st-1/extend", problem(409, title="It cannot be extended", detail="48 h at most"))
    code, _, err = run("extend", "Atlas")
    assert code == 1 and "48 h at most" in err


def test_it_is_kept(server: Server, run) -> None:
    server.on("GET /studios", page(running()))
    server.on("POST /studios/st-1/keep", running(kept_until=ago(-3600), kept_by="alpha"))
    code, out, _ = run("keep", "Atlas", "--json")
    assert code == 0 and json.loads(out)["lifetime"]["kept_by"] == "alpha"
    code, out, _ = run("keep", "Atlas")
    assert "is kept until" in out


def test_show_says_why_it_is_kept(server: Server, run) -> None:
    server.on("GET /studios", page(running(verdict="prompt", idle_ends_at=ago(-300))))
    _, out, _ = run("show", "Atlas")
    assert "still there? A kernel is busy. It is stopped 20" in out
    assert "1.50\n" in out
