"""Bad input and faults: one clear message on stderr, the right exit code, never a traceback."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from aiohttp import web

from .server import Server, page, problem, session, studio


def test_a_problem_is_told_as_what_why_and_what_to_do(server: Server, run) -> None:
    server.on("GET /studios", page(studio()))
    server.on(
        "POST /studios/st-1/start",
        problem(
            409, title="“Atlas” runs already", detail="a studio runs once at a time", action="Stop it first"
        ),
    )
    code, out, err = run("start", "Atlas")
    assert (code, out) == (1, "")
    assert err == "studios: “Atlas” runs already: a studio runs once at a time. Stop it first.\n"


def test_a_studio_that_is_not_there(server: Server, run) -> None:
    server.on("GET /studios", page(studio()))
    code, _, err = run("show", "Atlsa")
    assert code == 1
    assert err == "studios: There is no studio “Atlsa”: you have “Atlas”. `studios list` shows them.\n"


def test_a_wrong_token(server: Server, run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUDIOS_TOKEN", "wrong")
    code, _, err = run("list")
    assert code == 1
    assert "needs a Hub token" in err
    assert "wrong" not in err


@pytest.mark.parametrize("contents", [None, b"", b"\xff\xfe"])
def test_no_token(run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, contents: bytes | None) -> None:
    monkeypatch.delenv("STUDIOS_TOKEN", raising=False)
    monkeypatch.setenv("STUDIOS_HOME", str(tmp_path))
    if contents is not None:
        (tmp_path / "token").write_bytes(contents)
    code, _, err = run("list")
    assert code == 1
    assert "There is no token to sign in with" in err
    assert str(tmp_path / "token") in err


@pytest.mark.parametrize("token", ["tökén", "two\nlines"])
def test_a_token_that_cannot_be_one(run, monkeypatch: pytest.MonkeyPatch, token: str) -> None:
    monkeypatch.setenv("STUDIOS_TOKEN", token)
    code, _, err = run("list")
    assert code == 1
    assert err.startswith("studios: This is not a token")
    assert token not in err


def test_tokens_come_from_the_option_then_the_environment_then_the_home(
    server: Server, run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.on("GET /studios", page())
    (tmp_path / "token").write_text("secret\n")
    monkeypatch.setenv("STUDIOS_HOME", str(tmp_path))
    monkeypatch.delenv("STUDIOS_TOKEN")
    assert run("list")[0] == 0
    monkeypatch.setenv("STUDIOS_TOKEN", "wrong")
    assert run("list")[0] == 1
    assert run("list", "--token-file", str(tmp_path / "token"))[0] == 0


def test_nobody_there(run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUDIOS_TOKEN", "secret")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but not listening: connections are refused
        code, out, err = run("list", "--url", f"http://127.0.0.1:{taken.getsockname()[1]}")
    assert (code, out) == (1, "")
    assert "Nothing answers at http://127.0.0.1" in err
    assert "refused" in err
    assert "STUDIOS_URL" in err


@pytest.mark.parametrize("url", ["ftp://example.org", "nonsense", "http://[", "http://", ""])
def test_an_address_that_is_none(run, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("STUDIOS_TOKEN", "secret")
    monkeypatch.setenv("STUDIOS_URL", "nonsense")
    code, _, err = run("list", "--url", url)
    assert code == 1
    assert "Traceback" not in err
    assert "is not an address" in err


def test_another_server_answers_at_the_address(server: Server, run) -> None:
    code, _, err = run("list", "--url", server.url.replace("hub%20space", ""))
    assert code == 1
    assert "There is no studios service at" in err
    assert "base URL" in err


def test_the_proxy_answers_for_a_service_that_is_down(server: Server, run) -> None:
    server.on("GET /studios", web.Response(status=503, text="Service Unavailable"))
    code, _, err = run("list")
    assert code == 1
    assert "The studios service does not answer" in err


def test_an_answer_that_is_no_json(server: Server, run) -> None:
    server.on("GET /studios", web.Response(text="<h1>Sign in</h1>", content_type="text/html"))
    code, _, err = run("list")
    assert code == 1
    assert "There is no studios service at" in err


def test_logs_of_a_studio_that_never_ran(server: Server, run) -> None:
    server.on("GET /studios", page(studio()))
    code, _, err = run("logs", "Atlas")
    assert (code, err) == (1, "studios: “Atlas” has not run yet: there is no log of it. Start it first.\n")


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["nonsense"],
        ["start"],
        ["logs"],
        ["list", "--all", "--owner", "beta"],
        ["create", "x", "--memory", "much"],
        ["create", "x", "--env", "no-equals"],
    ],
)
def test_wrong_usage(run, argv: list[str]) -> None:
    code, out, err = run(*argv)
    assert (code, out) == (2, "")
    assert err.startswith("usage: studios")


@pytest.mark.parametrize("argv", [["--help"], ["--version"], ["start", "--help"]])
def test_help_is_no_error(run, argv: list[str]) -> None:
    code, out, _ = run(*argv)
    assert code == 0
    assert "studios" in out


def test_a_reader_that_has_enough_is_no_traceback(server: Server) -> None:
    """As `studios logs … | head -1`, with the installed command."""
    live = studio(state="running", session=session())
    server.on("GET /studios", page(live))
    text = "x" * 200 + "\n"
    server.on(
        "GET /sessions/se-1/logs",
        lambda asked: {
            "text": text * 1000,
            "offset": int(asked.query["offset"]),
            "next_offset": int(asked.query["offset"]) + 1,
            "ended": int(asked.query["offset"]) > 20,
        },
    )
    command = [sys.executable, "-c", "import sys; from jupyterhub_studios.cli import main; sys.exit(main())"]
    process = subprocess.Popen(
        [*command, "logs", "Atlas"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ
    )
    assert process.stdout is not None
    assert process.stdout.readline() == text.encode()
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == b""
    assert process.wait() == 1
    process.stderr.close()
