"""Each subcommand: what it asks the service, and what it prints."""

import json

import pytest

from jupyterhub_studios.cli import commands

from .server import Server, checkpoint, page, phase, session, studio

pytestmark = pytest.mark.usefixtures("server")


def test_list_prints_a_table(server: Server, run) -> None:
    first = studio(state="running", saved=checkpoint())
    wide = studio(id="st-2", name="Ñandú 細胞", server_name="nandu")
    pages = [page(first, following="c2"), page(wide)]
    server.on("GET /studios", pages)
    code, out, err = run("list", "--state", "running", "--search", "a")
    assert (code, err) == (0, "")
    assert out == (
        "NAME        STATE    TEMPLATE  SAVED      SIZE    SERVER\n"
        "Atlas       running  jupyter   3 min ago  120 MB  atlas\n"
        "Ñandú 細胞  stopped  jupyter   never              nandu\n"
    )
    assert [a.query for a in server.asked] == [
        {"state": "running", "q": "a"},
        {"state": "running", "q": "a", "after": "c2"},
    ]
    assert server.asked[0].headers["Authorization"] == "token secret"


def test_list_of_everybody_names_owners(server: Server, run) -> None:
    server.on("GET /studios", page(studio()))
    _, out, _ = run("list", "--all")
    assert out.splitlines()[1].endswith("alpha/atlas")
    assert server.asked[0].query == {"owner": "*"}


def test_json_prints_the_document(server: Server, run) -> None:
    server.on("GET /studios", page(studio()))
    code, out, _ = run("list", "--json")
    assert code == 0
    assert json.loads(out) == page(studio())


def test_show(server: Server, run) -> None:
    live = studio(
        state="running",
        description="counts",
        saved=checkpoint(),
        session=session(people=["alpha", "beta"]),
        root_mode="overlay",
        environment={"A": "1"},
    )
    server.on("GET /studios", page(live))
    code, out, _ = run("show", "Atlas")
    assert code == 0
    assert out == (
        "Name         Atlas\n"
        "State        running\n"
        "Description  counts\n"
        "Owner        alpha\n"
        "Server       atlas\n"
        "Id           st-1\n"
        "Template     jupyter\n"
        "Runs on      local\n"
        "Resources    2 CPUs, 8 GiB\n"
        "Lifespan     8 h\n"
        "Environment  A=1\n"
        "Keeps        the whole filesystem\n"
        "Saved        3 min ago, 120 MB (“2026-11-22 21:30”)\n"
        "Session      se-1, since 2026-11-22 21:30:00\n"
        "People       alpha, beta\n"
        f"Address      {server.url}/user/alpha/atlas/lab\n"
    )


@pytest.mark.parametrize("word", ["Atlas", "atlas", "st-1"])
def test_a_studio_is_found_by_name_server_name_and_id(server: Server, run, word: str) -> None:
    server.on("GET /studios", page(studio(id="st-2", name="Other", server_name="other"), studio()))
    server.on("GET /studios/st-1", studio())
    code, out, _ = run("show", word, "--json")
    assert (code, json.loads(out)["id"]) == (0, "st-1")


def test_another_persons_studio_is_found_by_owner_and_server(server: Server, run) -> None:
    server.on("GET /studios", page(studio(owner="beta")))
    code, _, _ = run("show", "beta/atlas")
    assert (code, server.asked[0].query) == (0, {"owner": "beta"})


def test_a_word_for_two_studios_is_asked_back(server: Server, run) -> None:
    server.on("GET /studios", page(studio(), studio(id="st-2", name="atlas", server_name="atlas-2")))
    code, out, err = run("stop", "atlas")
    assert (code, out) == (1, "")
    assert "st-1, st-2" in err
    assert [a.method for a in server.asked] == ["GET"]


def test_create_sends_only_what_was_given(server: Server, run) -> None:
    server.on("POST /studios", studio())
    code, out, _ = run("create", "Atlas", "--memory", "1.5G", "--env", "A=b=c", "--env", "D=")
    assert (code, out) == (0, "“Atlas” is stopped\n")
    assert server.find("POST", "/studios").body == {
        "name": "Atlas",
        "template": "jupyter",
        "memory_mib": 1536,
        "environment": {"A": "b=c", "D": ""},
    }


def test_start_and_wait_tells_the_phases_as_they_pass(server: Server, run) -> None:
    def at(state: str, *phases: dict) -> dict:
        return studio(state=state, session=session(state=state, phases=list(phases)))

    queued, restore, ready = phase("queued", 0.5), phase("restore", 65, "3 layers"), phase("ready", 0.1)
    server.on("GET /studios", page(studio()))
    server.on("POST /studios/st-1/start", at("starting"))
    server.on(
        "GET /studios/st-1/progress",
        [
            {"version": 3, "studio": at("starting", queued)},
            {"version": 4, "studio": at("starting", queued, restore)},
            {"version": 6, "studio": at("running", queued, restore, ready)},
        ],
    )
    code, out, err = run("start", "Atlas", "--wait")
    assert code == 0
    assert out == f"“Atlas” is running: {server.url}/user/alpha/atlas/lab\n"
    assert err == (
        "Starting “Atlas”\n  ✓ queued        0.5 s\n  ✓ restore   1 min 5 s  3 layers\n  ✓ ready         0.1 s\n"
    )
    polls = [a.query for a in server.asked if a.path.endswith("/progress")]
    assert polls == [{"after": "0", "wait": "0"}, {"after": "3", "wait": "20"}, {"after": "4", "wait": "20"}]


def test_a_start_that_fails_is_a_problem(server: Server, run) -> None:
    failed = phase("app", 30, "no such program", status="failed")
    errored = studio(state="errored", message="The app did not come up", session=session(phases=[failed]))
    server.on("GET /studios", page(studio()))
    server.on("POST /studios/st-1/start", studio(state="starting"))
    server.on("GET /studios/st-1/progress", {"version": 2, "studio": errored})
    code, out, err = run("start", "Atlas", "--wait")
    assert (code, out) == (1, "")
    assert "✗ app" in err
    assert err.splitlines()[-1] == (
        "studios: “Atlas” did not start: The app did not come up. Look at its log: studios logs st-1."
    )


def test_a_watch_outlives_a_restart_of_the_service(server: Server, run) -> None:
    from aiohttp import web

    away = web.Response
    server.on("GET /studios", page(studio()))
    server.on("POST /studios/st-1/start", studio(state="starting"))
    server.on(
        "GET /studios/st-1/progress",
        [
            {"version": 9, "studio": studio(state="starting")},
            away(status=503, text="nobody"),
            {"version": 2, "studio": studio(state="running")},
        ],
    )
    code, _, err = run("start", "Atlas", "--wait")
    assert code == 0
    assert "The studios service does not answer; waiting for it" in err
    # Its versions may have begun anew: it is asked afresh.
    assert server.find("GET", "/studios/st-1/progress").query == {"after": "0", "wait": "0"}


def test_stop_and_wait_says_what_was_saved(server: Server, run) -> None:
    server.on("GET /studios", page(studio(state="running")))
    server.on("POST /studios/st-1/stop", studio(state="stopping", message="Stopped by alpha."))
    server.on(
        "GET /studios/st-1/progress",
        [
            {"version": 2, "studio": studio(state="stopping", message="the bucket does not answer")},
            {"version": 3, "studio": studio(state="stopped", saved=checkpoint())},
        ],
    )
    code, out, err = run("stop", "Atlas", "--wait")
    assert (code, out) == (0, "“Atlas” is stopped\n")
    assert err == (
        "Saving and stopping “Atlas”\n  the bucket does not answer\n  saved as “2026-11-22 21:30”, 120 MB\n"
    )
    assert server.find("POST", "/studios/st-1/stop").body == {}


def test_force_is_asked_for_by_name(server: Server, run) -> None:
    server.on("GET /studios", page(studio(state="stopping")))
    server.on("POST /studios/st-1/stop", studio())
    run("stop", "Atlas", "--force")
    assert server.find("POST", "/studios/st-1/stop").body == {"force": True}


def test_save(server: Server, run) -> None:
    server.on("GET /studios", page(studio(state="running")))
    server.on("POST /studios/st-1/checkpoints", checkpoint(name="before"))
    code, out, _ = run("save", "Atlas", "before")
    assert (code, out) == (0, "Saved “Atlas” as “before”, 120 MB (cp-1)\n")
    assert server.find("POST", "/studios/st-1/checkpoints").body == {"name": "before"}


def test_checkpoints(server: Server, run) -> None:
    old = checkpoint(
        id="cp-2", name="old", current=False, status="invalid", saved_at="2026-11-20T08:00:00Z", size=14_300
    )
    new = checkpoint(saved_at="2026-11-22T21:35:00Z", installed=[{"name": "nano"}])
    server.on("GET /studios", page(studio()))
    server.on("GET /studios/st-1/checkpoints", page(new, old))
    code, out, _ = run("checkpoints", "Atlas")
    assert code == 0
    assert out == (
        "ID    NAME              STATUS     SAVED                SIZE    LAYERS  PACKAGES\n"
        "cp-1  2026-11-22 21:30  finalised  2026-11-22 21:35:00  120 MB  1       1         current\n"
        "cp-2  old               invalid    2026-11-20 08:00:00  14 kB   1\n"
    )


def log(text: str, offset: int, ended: bool) -> dict:
    return {"text": text, "offset": offset, "next_offset": offset + len(text), "ended": ended}


def test_logs_of_the_latest_session_until_what_there_is_now(server: Server, run) -> None:
    server.on("GET /studios", page(studio(state="running", session=session(id="se-7"))))
    server.on("GET /sessions/se-7/logs", [log("one\n", 0, False), log("two\n", 4, False), log("", 8, False)])
    code, out, _ = run("logs", "Atlas")
    assert (code, out) == (0, "one\ntwo\n")
    assert [a.query["offset"] for a in server.asked if a.path.endswith("/logs")] == ["0", "4", "8"]


def test_the_jobs_own_log_is_followed_beyond_the_end_of_the_session(
    server: Server, run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its compute environment shows the last words late."""
    monkeypatch.setattr(commands, "FOLLOW_PAUSE", 0.0)
    over = {"id": "se-7", "ended_at": "2026-11-23T00:00:00Z"}
    server.on("GET /sessions/se-7", [{"id": "se-7", "ended_at": None}, over])
    pages = [("one\n", "a"), ("", "a"), ("last words\n", "b"), ("", "b")]
    server.on("GET /sessions/se-7/job-logs", [{"text": text, "next": after} for text, after in pages])
    code, out, _ = run("logs", "--session", "se-7", "--job", "--follow")
    assert (code, out) == (0, "one\nlast words\n")
    asked = [a.query.get("after") for a in server.asked if a.path.endswith("/job-logs")]
    assert asked[:4] == [None, "a", "a", "b"]


def test_the_jobs_own_log_of_now(server: Server, run) -> None:
    server.on("GET /sessions/se-7", {"id": "se-7", "ended_at": None})
    server.on("GET /sessions/se-7/job-logs", [{"text": "one\n", "next": "a"}, {"text": "", "next": None}])
    code, out, _ = run("logs", "--session", "se-7", "--job")
    assert (code, out) == (0, "one\n")


def test_logs_are_followed_to_the_end_of_the_session(server: Server, run) -> None:
    server.on("GET /sessions/se-7/logs", [log("one\n", 0, False), log("", 4, False), log("two\n", 4, True)])
    code, out, _ = run("logs", "--session", "se-7", "--follow")
    assert (code, out) == (0, "one\ntwo\n")


def test_a_fork_takes_over_the_sources_settings(server: Server, run) -> None:
    server.on("GET /checkpoints/cp-1", checkpoint())
    server.on("GET /studios/st-1", studio(cpus=4.0, environment={"A": "1"}))
    server.on("POST /studios", studio(id="st-2", name="Second"))
    server.on("POST /studios/st-2/start", studio(id="st-2", name="Second", state="starting"))
    code, out, _ = run("fork", "cp-1", "Second", "--start")
    assert (code, out) == (0, "“Second” is starting\n")
    body = server.find("POST", "/studios").body
    assert body["name"] == "Second"
    assert body["from_checkpoint"] == "cp-1"
    assert (body["cpus"], body["environment"], body["template"]) == (4.0, {"A": "1"}, "jupyter")


@pytest.mark.parametrize(("word", "path"), [("Atlas", "/studios/st-1"), ("cp-9", "/checkpoints/cp-9")])
def test_rename(server: Server, run, word: str, path: str) -> None:
    server.on("GET /studios", page(studio()))
    server.on(f"PATCH {path}", {"name": "New"})
    code, out, _ = run("rename", word, "New")
    assert (code, out) == (0, "It is called “New” now.\n")
    assert server.find("PATCH", path).body == {"name": "New"}


def test_delete_wants_to_be_sure(server: Server, run) -> None:
    server.on("GET /checkpoints/cp-1", checkpoint(name="old"))
    server.on("DELETE /checkpoints/cp-1", None)
    code, _, err = run("delete", "cp-1")
    assert (code, err) == (2, "studios: deleting “old” cannot be undone. Say --yes when you mean it.\n")
    assert {a.method for a in server.asked} == {"GET"}
    code, out, _ = run("delete", "cp-1", "--yes")
    assert (code, out) == (0, "“old” is deleted.\n")
    server.find("DELETE", "/checkpoints/cp-1")


def test_sweep(server: Server, run) -> None:
    server.on("POST /sweep", {"removed": 3, "freed_bytes": 2_500_000, "kept": 8})
    assert run("sweep") == (0, "3 layers removed, 2.5 MB freed; 8 layers kept.\n", "")
