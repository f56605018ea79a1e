"""What each subcommand does: results to stdout, everything that tells of progress or trouble to stderr."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin

from ..models import StudiosError
from . import places, text
from .client import Client, Json

DEFAULT_URL = "http://127.0.0.1:8000"
FOLLOW_PAUSE = 1.0  # seconds between two looks at a log that has no more
LAST_LOOKS = 5  # in vain, at the log of a job that has ended


# --- speaking ---------------------------------------------------------------------------------------


def connect(args: argparse.Namespace) -> Client:
    url = args.url or os.environ.get("STUDIOS_URL") or DEFAULT_URL
    return Client(url, _token(args.token_file))


def _token(token_file: str | None) -> str:
    if token_file is None and (token := os.environ.get("STUDIOS_TOKEN", "").strip()):
        return _checked_token(token, "STUDIOS_TOKEN")
    path = Path(token_file) if token_file else Path(os.environ.get("STUDIOS_HOME") or ".demo") / "token"
    try:
        token = path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise StudiosError(
            "There is no token to sign in with",
            f"{path}: {reason}",
            "Make one on the Hub's page “Token” and give it in STUDIOS_TOKEN, or its file with --token-file",
        ) from None
    if not token:
        raise StudiosError("There is no token to sign in with", f"{path} is empty", "Write the token into it")
    return _checked_token(token, str(path))


def _checked_token(token: str, place: str) -> str:
    """A token goes into a header, which not every text may."""
    if not (token.isascii() and token.isprintable()):
        raise StudiosError(
            "This is not a token",
            f"what {place} gives holds characters that no token has",
            "Copy the token from the Hub once more",
        )
    return token


def tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def show(args: argparse.Namespace, document: Any, words: str) -> None:
    """``document`` with --json, else ``words``."""
    print(json.dumps(document, indent=2, ensure_ascii=False) if args.json else words, flush=True)


def path_of(kind: str, document: Json, rest: str = "") -> str:
    return f"/{kind}/{quote(document['id'], safe='')}{rest}"


def address(client: Client, studio: Json) -> str:
    return urljoin(client.url, studio["url"])


def show_studio(args: argparse.Namespace, client: Client, studio: Json) -> None:
    where = f": {address(client, studio)}" if studio["state"] == "running" else ""
    show(args, studio, f"“{studio['name']}” is {studio['state']}{where}")


# --- waiting ----------------------------------------------------------------------------------------


def wait_running(client: Client, studio: Json) -> Json:
    """Until the studio runs; its phases are told as they pass."""
    printer = text.PhasePrinter()
    tell(f"Starting “{studio['name']}”")
    for current in client.watch(studio["id"], _tell_lost):
        for line in printer.lines(current["session"]):
            tell(line)
        if current["state"] == "running":
            return current
        if current["state"] != "starting":
            raise StudiosError(
                f"“{current['name']}” did not start",
                current["message"] or f"it is {current['state']}",
                f"Look at its log: studios logs {current['id']}",
                status=409,
            )
    raise AssertionError("a watch has no end")


def wait_stopped(client: Client, studio: Json) -> Json:
    """Until what the studio did is saved and its session is over."""
    tell(f"Saving and stopping “{studio['name']}”")
    told = studio["message"]
    for current in client.watch(studio["id"], _tell_lost):
        if current["state"] == "stopped":
            if saved := current["saved"]:
                tell(f"  saved as “{saved['name']}”, {text.size(saved['size'])}")
            return current
        if current["state"] != "stopping":
            raise StudiosError(
                f"“{current['name']}” did not stop as it should",
                current["message"] or f"it is {current['state']}",
                f"Look at its log: studios logs {current['id']}",
                status=409,
            )
        if current["message"] != told:
            told = current["message"]
            tell(f"  {told}")
    raise AssertionError("a watch has no end")


def _tell_lost(error: StudiosError) -> None:
    tell(f"  {error.problem.title}; waiting for it")


# --- commands ---------------------------------------------------------------------------------------


def list_(args: argparse.Namespace) -> None:
    client = connect(args)
    owner = "*" if args.all else args.owner
    shared = "true" if args.shared else None
    studios = client.pages("/studios", owner=owner, state=args.state, q=args.search, shared=shared)
    owners = owner is not None or args.shared
    words = text.studio_table(studios, owners=owners) if studios else "No studios."
    show(args, {"items": studios, "next": None}, words)


def show_(args: argparse.Namespace) -> None:
    client = connect(args)
    studio = client.find(args.studio)
    show(args, studio, text.studio_facts(studio, address(client, studio)))


def create(args: argparse.Namespace) -> None:
    client = connect(args)
    spec = {
        "name": args.name,
        "template": args.template,
        "compute_environment": args.compute_environment,
        "description": args.description,
        "cpus": args.cpus,
        "memory_mib": args.memory,
        "lifespan_hours": args.lifespan,
        "environment": dict(args.env) if args.env else None,
        "mounts": [places.mount(client, word) for word in args.mount] if args.mount else None,
    }
    _create(args, client, {key: value for key, value in spec.items() if value is not None})


def fork(args: argparse.Namespace) -> None:
    client = connect(args)
    checkpoint = client.call("GET", f"/checkpoints/{quote(args.checkpoint, safe='')}")
    source = client.call("GET", f"/studios/{quote(checkpoint['studio_id'], safe='')}")
    kept = ("template", "compute_environment", "description", "cpus", "memory_mib", "gpus", "lifespan_hours",
            "image", "environment", "mounts")  # fmt: skip
    spec = {key: source[key] for key in kept}
    _create(args, client, spec | {"name": args.name, "from_checkpoint": args.checkpoint})


def _create(args: argparse.Namespace, client: Client, spec: Json) -> None:
    studio = client.call("POST", "/studios", spec)
    if args.start or args.wait:
        studio = client.call("POST", path_of("studios", studio, "/start"), {}, timeout=120)
    if args.wait:
        studio = wait_running(client, studio)
    show_studio(args, client, studio)


def start(args: argparse.Namespace) -> None:
    client = connect(args)
    studio = client.call("POST", path_of("studios", client.find(args.studio), "/start"), {}, timeout=120)
    show_studio(args, client, wait_running(client, studio) if args.wait else studio)


def stop(args: argparse.Namespace) -> None:
    client = connect(args)
    body = {"force": True} if args.force else {"notice_seconds": args.notice} if args.notice else {}
    studio = client.call("POST", path_of("studios", client.find(args.studio), "/stop"), body, timeout=120)
    show_studio(args, client, wait_stopped(client, studio) if args.wait else studio)


def save(args: argparse.Namespace) -> None:
    client = connect(args)
    studio = client.find(args.studio)
    # No limit: how long it takes depends on what there is to save.
    saved = client.call("POST", path_of("studios", studio, "/checkpoints"), {"name": args.name}, timeout=None)
    show(
        args,
        saved,
        f"Saved “{studio['name']}” as “{saved['name']}”, {text.size(saved['size'])} ({saved['id']})",
    )


def logs(args: argparse.Namespace) -> None:
    """With --json one page of the log in each line."""
    client = connect(args)
    session = args.session
    if session is None:
        studio = client.find(args.studio)
        if studio["session"] is None:
            raise StudiosError(
                f"“{studio['name']}” has not run yet", "there is no log of it", "Start it first", status=404
            )
        session = studio["session"]["id"]
    for page in (_job_log if args.job else _app_log)(client, f"/sessions/{quote(session, safe='')}"):
        if args.json:
            print(json.dumps(page, ensure_ascii=False), flush=True)
        else:
            print(page["text"], end="", flush=True)
        if not page["text"]:
            if not args.follow:
                return
            time.sleep(FOLLOW_PAUSE)


def _app_log(client: Client, session: str) -> Iterator[Json]:
    """Page after page, until the session has ended; empty ones when there is nothing new yet."""
    offset, ended = 0, False
    while not ended:
        page = client.call("GET", f"{session}/logs", params={"offset": offset})
        offset, ended = page["next_offset"], page["ended"]
        yield page


def _job_log(client: Client, session: str) -> Iterator[Json]:
    """The same of the job itself. What it printed last may be shown some seconds after its end."""
    params: Json = {}
    looks = LAST_LOOKS
    while looks:
        ended = client.call("GET", session)["ended_at"] is not None
        page = client.call("GET", f"{session}/job-logs", params=params)
        params = {"after": page["next"]} if page["next"] is not None else {}
        yield page
        looks -= ended and not page["text"]


def checkpoints(args: argparse.Namespace) -> None:
    client = connect(args)
    found = client.pages(path_of("studios", client.find(args.studio), "/checkpoints"))
    show(args, {"items": found, "next": None}, text.checkpoint_table(found) if found else "No checkpoints.")


def rename(args: argparse.Namespace) -> None:
    client = connect(args)
    path = _target(client, args.target)
    renamed = client.call("PATCH", path, {"name": args.name})
    show(args, renamed, f"It is called “{renamed['name']}” now.")


def delete(args: argparse.Namespace) -> int | None:
    client = connect(args)
    path = _target(client, args.target)
    name = client.call("GET", path)["name"]
    if (code := confirmed(args, f"deleting “{name}”")) is not None:
        return code
    client.call("DELETE", path, timeout=600)
    show(args, {"deleted": args.target, "name": name}, f"“{name}” is deleted.")
    return None


def confirmed(args: argparse.Namespace, what: str) -> int | None:
    """None when it is meant; else the exit code."""
    if args.yes:
        return None
    if not sys.stdin.isatty():
        tell(f"studios: {what} cannot be undone. Say --yes when you mean it.")
        return 2
    tell(f"{what[0].upper()}{what[1:]} cannot be undone. Go on? [y/N] ")
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        tell("Nothing was done.")
        return 1
    return None


def _target(client: Client, word: str) -> str:
    """The API's path of a checkpoint, given by id, or of a studio."""
    if word.startswith("cp-"):
        return f"/checkpoints/{quote(word, safe='')}"
    return path_of("studios", client.find(word))


def sweep(args: argparse.Namespace) -> None:
    report = connect(args).call("POST", "/sweep", {}, timeout=None)
    freed = text.size(report["freed_bytes"])
    show(args, report, f"{report['removed']} layers removed, {freed} freed; {report['kept']} layers kept.")
