"""``studios data …``: links, and what lies behind them."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ..models import StudiosError
from . import places, text, transfers
from .client import Client, Json
from .commands import confirmed, connect, show, tell
from .places import Place
from .progress import Progress


def links(args: argparse.Namespace) -> None:
    """All data links: those found by credentials, those added, those offered."""
    found = connect(args).pages(
        "/data-links",
        q=args.search,
        provider=args.provider,
        region=args.region,
        hidden="all" if args.all else None,
    )
    show(args, {"items": found, "next": None}, text.link_table(found) if found else "No data links.")


def link_add(args: argparse.Namespace) -> None:
    client = connect(args)
    spec: Json = {
        "name": args.name,
        "url": args.target,
        "credential": _credential(client, args.credential) if args.credential else None,
        "writable": args.writable,
        "description": args.description or "",
        "workspace": args.workspace,
        "workspace_role": args.role,
    }
    made = client.call("POST", "/data-links", spec)
    show(args, made, f"“{made['name']}” is there ({made['id']}). {made['why']}")


def _credential(client: Client, word: str) -> str:
    known = client.pages("/data-credentials")
    found = [one["id"] for one in known if word in (one["id"], one["name"])]
    if len(found) == 1:
        return str(found[0])
    names = ", ".join(f"“{one['name']}” ({one['id']})" for one in known)
    raise StudiosError(
        f"There is {'no' if not found else 'more than one'} credential “{word}”",
        f"you have {names}" if names else "you have none",
        "Say one of them by id, or add one on the page “Data”",
        status=404,
    )


def link_remove(args: argparse.Namespace) -> int | None:
    client = connect(args)
    link = places.find(client, args.link).link
    if (code := confirmed(args, f"removing the link “{link['name']}” (its data stays)")) is not None:
        return code
    client.call("DELETE", f"/data-links/{quote(link['id'], safe='')}")
    show(args, {"deleted": link["id"], "name": link["name"]}, f"“{link['name']}” is removed.")
    return None


def list_(args: argparse.Namespace) -> None:
    """With --json one page of the list in each line."""
    client = connect(args)
    place, entry = places.entry(client, places.find(client, args.place))
    if entry["kind"] == "file":
        show(args, entry, text.entry_line(entry))
        return
    asked: Json = {"path": place.path, "limit": 1000}
    while True:
        page = client.call("GET", place.address("browse"), params=asked)
        if args.json:
            print(json.dumps(page, ensure_ascii=False), flush=True)
        else:
            sys.stdout.writelines(text.entry_line(one) + "\n" for one in page["items"])
        if page["truncated"]:
            tell("There is more: this filesystem cannot list it in pages.")
        if page["next"] is None:
            return
        asked["after"] = page["next"]


def cat(args: argparse.Namespace) -> None:
    client = connect(args)
    transfers.download(client, places.find(client, args.place), None, transfers.to_stdout())
    sys.stdout.flush()


def get(args: argparse.Namespace) -> None:
    """Fetch a file; a folder as one zip."""
    client = connect(args)
    place, entry = places.entry(client, places.find(client, args.place))
    folder = entry["kind"] == "folder"
    name = _local_name(entry["name"] if place.path else place.link["name"]) + (".zip" if folder else "")
    target = Path(args.target) if args.target else Path(name)
    if target.is_dir():
        target = target / name
    with transfers.new_file(target, args.replace) as file:
        if folder:
            size = transfers.archive(client, place, file)
        else:
            size = transfers.download(client, place, entry["size"], file)
    show(args, {"file": str(target), "size": size}, f"“{target}”, {text.size(size)}")


def _local_name(name: str) -> str:
    """What a file is called here: a key's name may be anything."""
    name = "".join("_" if not c.isprintable() or c in "/\\" else c for c in name)
    return name if name.strip(". ") else "download"


def put(args: argparse.Namespace) -> None:
    """Send files, and with --recursive folders; what is there stays unless --replace is said."""
    client = connect(args)
    place = places.find(client, args.place)
    sources = [Path(one) for one in args.files]
    into = len(sources) > 1 or _folder(place.path) == place.path
    sent = []
    for source in sources:
        target = _folder(place.path) + source.name if into else place.path
        for file, path in _files(source, target, args.recursive):
            entry = transfers.upload(client, file, Place(place.link, path), args.replace)
            sent.append(entry)
            if not args.json:
                print(f"“{text.shown(entry['path'])}”, {text.size(entry['size'] or 0)}", flush=True)
    if args.json:
        show(args, {"items": sent, "next": None}, "")


def _files(source: Path, path: str, recursive: bool) -> list[tuple[Path, str]]:
    if not source.is_dir():
        return [(source, path)]
    if not recursive:
        raise StudiosError(f"“{source}” is a folder", "nothing was sent", "Say --recursive to send all of it")
    inside = sorted(one for one in source.rglob("*") if one.is_file())
    return [(one, f"{path}/{one.relative_to(source).as_posix()}") for one in inside]


def remove(args: argparse.Namespace) -> int | None:
    client = connect(args)
    found = [places.entry(client, places.find(client, word)) for word in args.places]
    folders = [str(place) for place, entry in found if entry["kind"] == "folder"]
    if folders and not args.recursive:
        raise StudiosError(
            f"“{folders[0]}” is a folder",
            "nothing was deleted",
            "Say --recursive to delete all that is in it",
        )
    what = ", ".join(f"“{place}”" for place, _ in found)
    if (code := confirmed(args, f"deleting {what}")) is not None:
        return code
    done = 0
    for place, _ in found:
        last = _followed(client, place, "delete", {"paths": [place.path]}, "deleted")
        done += last["done"]
    show(args, {"deleted": done}, f"{done} deleted.")
    return None


def move(args: argparse.Namespace) -> None:
    client = connect(args)
    source, target = places.find(client, args.source), places.find(client, args.target)
    if source.link["id"] != target.link["id"]:
        raise StudiosError(
            "Moving goes within one link",
            f"“{source.link['name']}” and “{target.link['name']}” are two",
            "Use get and put, or a tool of the store's own (studios data snippet)",
        )
    body = {"source": source.path, "target": target.path, "replace": args.replace}
    last = _followed(client, source, "move", body, "moved")
    show(args, last, f"{last['done']} moved to “{target}”.")


def _followed(client: Client, place: Place, what: str, body: Json, word: str) -> Json:
    """A change to many files, to its end."""
    last: Json = {"done": 0, "complete": False, "failed": [], "message": ""}
    with Progress() as progress:
        for last in client.lines("POST", place.address(what), body=body):
            progress.note(f"{last['done']} {word}")
    if last["failed"] or not last["complete"]:
        names = ", ".join(f"“{text.shown(one)}”" for one in last["failed"][:5])
        raise StudiosError(
            f"Not all of “{place}” was {word}",
            last["message"] or (f"{names} are as they were" if names else "the connection broke off"),
            f"{last['done']} were; do it again for the rest",
            status=409,
        )
    return last


def make_folder(args: argparse.Namespace) -> None:
    client = connect(args)
    place = places.find(client, args.place)
    made = client.call("POST", place.address("folders"), {"path": place.path})
    show(args, made, f"“{text.shown(made['path'])}” is there.")


def usage(args: argparse.Namespace) -> None:
    """How many files and bytes lie below a folder."""
    client = connect(args)
    place = places.find(client, args.place)
    last: Json = {}
    with Progress() as progress:
        for last in client.lines("GET", place.address("total"), params={"path": _folder(place.path)}):
            progress.note(f"{last['files']} files, {text.size(last['bytes'])} so far")
    _check_complete(last)
    show(args, last, f"{last['files']} files, {text.size(last['bytes'])}")


def find(args: argparse.Namespace) -> None:
    """With --json one hit, or how far it has come, in each line."""
    client = connect(args)
    place = places.find(client, args.place)
    last: Json = {}
    params = {"path": _folder(place.path), "q": args.text}
    with Progress() as progress:
        for last in client.lines("GET", place.address("search"), params=params):
            if args.json:
                print(json.dumps(last, ensure_ascii=False), flush=True)
            elif last["entry"]:
                print(text.shown(last["entry"]["path"]), flush=True)
            else:
                progress.note(f"{last['scanned']} looked at")
    _check_complete(last)


def _folder(path: str) -> str:
    return path if not path or path.endswith("/") else f"{path}/"


def _check_complete(last: Json) -> None:
    if not last.get("complete"):
        raise StudiosError(
            "The answer broke off", "so there may be more than was told", "Do it again", status=502
        )


def presign(args: argparse.Namespace) -> None:
    client = connect(args)
    place = places.find(client, args.place)
    body = {"path": place.path, "seconds": args.seconds}
    signed = client.call("POST", place.address("presign"), body)
    if not args.json:
        tell(f"Whoever has this address can read the file until {text.local(signed['expires_at'])}.")
    show(args, signed, signed["url"])


def snippet(args: argparse.Namespace) -> None:
    client = connect(args)
    place = places.find(client, args.place)
    found = client.call("GET", place.address("snippets"), params={"path": place.path})["items"]
    if args.tool:
        found = [one for one in found if one["tool"] == args.tool] or _no_tool(found, args.tool)
    blocks = [
        f"# {one['title']}" + (f"\n# {one['note']}" if one["note"] else "") + f"\n{one['code']}"
        for one in found
    ]
    show(args, {"items": found, "next": None}, "\n\n".join(blocks))


def _no_tool(found: Sequence[Json], tool: str) -> Any:
    known = ", ".join(sorted({one["tool"] for one in found}))
    raise StudiosError(f"“{tool}” does not fit this store", f"these do: {known}", "Choose one of them")
