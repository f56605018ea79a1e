"""The arguments of ``studios data …``."""

from __future__ import annotations

import argparse
import re

from . import data
from .command import Command

GROUPS = {
    "data": "data links, and what lies behind them",
    "data link": "add and remove data links",
}

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def _seconds(text: str) -> int:
    """``90s``, ``15m``, ``1h``, ``7d``."""
    match = re.fullmatch(r"(\d+)([smhd])", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"“{text}” is not a time: say 90s, 15m, 1h or 7d")
    return int(match[1]) * _UNITS[match[2]]


def _place(parser: argparse.ArgumentParser, name: str = "place", help: str = "") -> None:
    where = "LINK, LINK:PATH or LINK/PATH; a link's name or id"
    parser.add_argument(name, metavar=name.upper(), help=f"{help}: {where}" if help else where)


def _replace(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--replace", action="store_true", help="replace what is there")


def _recursive(parser: argparse.ArgumentParser, what: str) -> None:
    parser.add_argument("--recursive", "-r", action="store_true", help=what)


def _yes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--yes", "-y", action="store_true", help="do not ask")


def _links(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--search", metavar="TEXT", help="words of name, address or description")
    parser.add_argument("--provider", help="s3, gcs, azure, folder or other")
    parser.add_argument("--region")
    parser.add_argument("--all", action="store_true", help="hidden ones as well")


def _link_add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name")
    parser.add_argument("target", metavar="URL", help="s3://bucket/prefix/, gs://… or az://…")
    parser.add_argument("--credential", metavar="NAME", help="name or id (default: public access)")
    parser.add_argument("--writable", action="store_true")
    parser.add_argument("--description")
    parser.add_argument("--workspace", metavar="GROUP", help="offer it to a group of the Hub that you are in")
    parser.add_argument(
        "--role", choices=("view", "download", "write"), default="download", help="what its members may do"
    )


def _link_remove(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("link", metavar="LINK", help="name or id")
    _yes(parser)


def _get(parser: argparse.ArgumentParser) -> None:
    _place(parser)
    parser.add_argument("target", nargs="?", help="file or folder of this machine (default: here)")
    _replace(parser)


def _put(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", metavar="FILE")
    _place(parser, help="a folder, ending with /, or the new name of one file")
    _recursive(parser, "send folders with all that is in them")
    _replace(parser)


def _remove(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("places", nargs="+", metavar="PLACE", help="LINK:PATH or LINK/PATH")
    _recursive(parser, "delete folders with all that is in them")
    _yes(parser)


def _move(parser: argparse.ArgumentParser) -> None:
    _place(parser, "source")
    _place(parser, "target", "in the same link")
    _replace(parser)


def _find(parser: argparse.ArgumentParser) -> None:
    _place(parser)
    parser.add_argument("text", help="what the path holds, or a pattern with *")


def _presign(parser: argparse.ArgumentParser) -> None:
    _place(parser)
    parser.add_argument(
        "--for",
        dest="seconds",
        type=_seconds,
        default=3600,
        metavar="TIME",
        help="90s, 15m, 1h (default), 7d",
    )


def _snippet(parser: argparse.ArgumentParser) -> None:
    _place(parser)
    parser.add_argument(
        "--tool", help="aws, gcloud, azcopy, rclone, python or pandas (default: all that fit)"
    )


COMMANDS = (
    Command("data links", "list data links", _links, data.links),
    Command("data link add", "add a bucket or a part of one, under a name", _link_add, data.link_add),
    Command("data link rm", "remove a link; its data stays", _link_remove, data.link_remove),
    Command("data ls", "list a folder", _place, data.list_),
    Command("data cat", "write a file to the output", _place, data.cat),
    Command("data get", "fetch a file, or a folder as a zip", _get, data.get),
    Command("data put", "send files", _put, data.put),
    Command("data rm", "delete files and folders", _remove, data.remove),
    Command("data mv", "rename or move a file or a folder", _move, data.move),
    Command("data mkdir", "make a folder", _place, data.make_folder),
    Command("data du", "count the files and bytes below a folder", _place, data.usage),
    Command("data find", "find by name below a folder", _find, data.find),
    Command("data presign", "make an address that reads a file until it expires", _presign, data.presign),
    Command("data snippet", "show code that fetches a place with other tools", _snippet, data.snippet),
)
