"""``studios mounts``, ``mount``, ``unmount`` and ``path``: buckets as folders of a studio."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ..models import MountProfile, StudiosError
from . import places, text
from .client import Client, Json
from .command import Command
from .commands import connect, path_of, show

VARIABLE = "STUDIO_MOUNTS"  # set in sessions: agent.mounts.naming


# --- arguments --------------------------------------------------------------------------------------


def _mount(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("studio", help="name, server name or id; it must be stopped")
    parser.add_argument("place", metavar="LINK[/FOLDER][:NAME]", help="a data link by name or id")
    parser.add_argument(
        "--profile",
        choices=[one.value for one in MountProfile],
        default=MountProfile.RANDOM.value,
        help="how it is read: pieces here and there (default), or whole files in a stream",
    )


def _unmount(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("studio", help="name, server name or id; it must be stopped")
    parser.add_argument("name", help="of the mount; all for every one")


def _mounts(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("studio", help="name, server name or id")
    parser.add_argument("--refresh", metavar="NAME", help="have this one's listings read anew first")


def _path(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("place", metavar="URL|PATH", help="s3://bucket/key, or a path below data/")


# --- commands ---------------------------------------------------------------------------------------


def mount(args: argparse.Namespace) -> None:
    """Have a data link as a folder from the next start on."""
    client = connect(args)
    studio = client.find(args.studio)
    wanted = [*studio["mounts"], {**places.mount(client, args.place), "profile": args.profile}]
    changed = _put(client, studio, wanted)
    made = changed["items"][-1]
    show(args, changed, f"{made['folder']}: {made['url']}. {made['why']}")


def unmount(args: argparse.Namespace) -> None:
    """Take a mount out of a studio. What is in the bucket stays."""
    client = connect(args)
    studio = client.find(args.studio)
    kept = [one for one in studio["mounts"] if args.name != "all" and one["name"] != args.name]
    if args.name != "all" and len(kept) == len(studio["mounts"]):
        names = ", ".join(one["name"] for one in studio["mounts"])
        raise StudiosError(
            f"“{studio['name']}” has no mount “{args.name}”",
            f"it has {names}" if names else "it has none",
            f"`studios mounts {studio['id']}` shows them",
            status=404,
        )
    show(args, _put(client, studio, kept), f"“{studio['name']}” has {len(kept) or 'no'} mounts now.")


def _put(client: Client, studio: Json, mounts: list[Json]) -> Any:
    return client.call("PUT", path_of("studios", studio, "/mounts"), {"mounts": mounts}, timeout=60)


def mounts(args: argparse.Namespace) -> None:
    """A studio's mounts: read-only or writable and why, and how they are while it runs."""
    client = connect(args)
    studio = client.find(args.studio)
    address = path_of("studios", studio, "/mounts")
    if args.refresh:
        client.call("POST", f"{address}/{quote(args.refresh, safe='')}/refresh", {})
    found = client.call("GET", address)
    show(args, found, table(found["items"]) if found["items"] else "No mounts.")


def table(items: list[Json]) -> str:
    rows = []
    for one in items:
        status = one["status"] or {}
        state = status.get("state", "") if one["available"] else "not mounted"
        waiting = status.get("waiting_files") or 0
        words = " ".join(filter(None, [status.get("message"), one["why"], one["warning"]]))
        rows.append(
            [one["name"], "writable" if one["writable"] else "read-only", state,
             f"{waiting} files, {text.size(status['waiting_bytes'])}" if waiting else "",
             text.shown(one["url"] or one["link"]), words]
        )  # fmt: skip
    return text.table(["NAME", "", "STATE", "TO UPLOAD", "WHERE", "WHY"], rows)


def path(args: argparse.Namespace) -> None:
    """Inside a studio: the path of a URL, or the URL of a path."""
    print(translated(args.place, _known(), str(Path.cwd())), flush=True)


def _known() -> dict[str, Json]:
    """The session's mounts by their folders."""
    try:
        known: dict[str, Json] = json.loads(os.environ.get(VARIABLE) or "{}")
    except ValueError:
        known = {}
    if not known:
        raise StudiosError(
            "There are no mounts here", f"{VARIABLE} is not set: this is no studio, or one without mounts",
            "Use it inside a studio with mounts", status=404,
        )  # fmt: skip
    return known


def translated(place: str, known: dict[str, Json], here: str) -> str:
    """``known``: the session's mounts, folder → ``{"url": …}``. The most exact mount counts."""
    if "://" in place:
        fitting = [
            (one["url"], folder) for folder, one in known.items() if f"{place}/".startswith(one["url"])
        ]
        if fitting:
            url, folder = max(fitting, key=lambda pair: len(pair[0]))
            return f"{folder}/{place[len(url) :].lstrip('/')}".rstrip("/")
        raise _not_mounted(place, [one["url"] for one in known.values()])
    absolute = os.path.normpath(Path(here, place))
    for folder, one in known.items():
        if absolute == folder or absolute.startswith(f"{folder}/"):
            return str(one["url"]) + absolute[len(folder) + 1 :] + ("/" if place.endswith("/") else "")
    raise _not_mounted(place, list(known))


def _not_mounted(place: str, there: list[str]) -> StudiosError:
    return StudiosError(
        f"{place} is not mounted here", f"mounted are: {', '.join(there)}",
        "Mount its data link, or read it with fsspec", status=404,
    )  # fmt: skip


COMMANDS = (
    Command("mounts", "list a studio's mounts", _mounts, mounts),
    Command("mount", "have a data link as a folder of a stopped studio", _mount, mount),
    Command("unmount", "take a mount out of a stopped studio", _unmount, unmount),
    Command("path", "inside a studio: the path of a URL, or the URL of a path", _path, path, api=False),
)
