"""``studios extend`` and ``studios keep``: how long a running studio goes on."""

from __future__ import annotations

import argparse

from . import text
from .command import Command
from .commands import connect, path_of, show


def _extend_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("studio", help="name, server name or id; owner/server for another's")
    parser.add_argument("--hours", type=int, default=1, metavar="N", help="by how many hours (default: 1)")


def _keep_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("studio", help="name, server name or id; owner/server for another's")


def extend(args: argparse.Namespace) -> None:
    client = connect(args)
    path = path_of("studios", client.find(args.studio), "/extend")
    studio = client.call("POST", path, {"hours": args.hours})
    show(args, studio, f"“{studio['name']}” {text.ends(studio['lifetime'])}.")


def keep(args: argparse.Namespace) -> None:
    client = connect(args)
    studio = client.call("POST", path_of("studios", client.find(args.studio), "/keep"), {})
    until = text.local(studio["lifetime"]["kept_until"])
    show(args, studio, f"“{studio['name']}” is kept until {until}, whether somebody is there or not.")


COMMANDS = [
    Command("extend", "let a running studio's lifespan end later", _extend_arguments, extend),
    Command("keep", "answer “still there?”: keep a running studio for an hour", _keep_arguments, keep),
]
