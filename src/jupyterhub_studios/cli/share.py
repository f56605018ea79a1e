"""``studios share …``: whom a studio is shared with, by name and by links."""

from __future__ import annotations

import argparse
from urllib.parse import quote, urljoin

from ..models import LINK_HOURS
from . import commands, text
from .client import Client, Json
from .command import Command
from .commands import connect, path_of, show

LINK = "sl-"  # ids of links begin with it
GROUPS = {"share": "let others into a studio"}


def _studio(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("studio", help="name, server name or id; owner/server for another's")


def _with_arguments(parser: argparse.ArgumentParser) -> None:
    _studio(parser)
    whom = parser.add_mutually_exclusive_group(required=True)
    whom.add_argument("--user", metavar="NAME", help="a person who has signed in before")
    whom.add_argument("--group", metavar="NAME", help="a group that you are in")
    _may_start(parser)


def _link_arguments(parser: argparse.ArgumentParser) -> None:
    _studio(parser)
    parser.add_argument(
        "--hours",
        type=int,
        default=LINK_HOURS,
        help="after which it ends (default: %(default)s, which is 7 days)",
    )
    _may_start(parser)


def _end_arguments(parser: argparse.ArgumentParser) -> None:
    _studio(parser)
    parser.add_argument("what", help="user:NAME, group:NAME or a link's id, as “share list” shows them")


def _may_start(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--may-start", action="store_true", help="they may also start the studio")


def list_(args: argparse.Namespace) -> None:
    """Who may open a studio besides its owner, and the links that lead into it."""
    client = connect(args)
    studio = client.find(args.studio)
    shares = client.pages(path_of("studios", studio, "/shares"))
    links = client.pages(path_of("studios", studio, "/share-links"))
    show(args, {"shares": shares, "links": links}, _words(client, shares, links))


def _words(client: Client, shares: list[Json], links: list[Json]) -> str:
    people = [
        [
            share["id"],
            f"link {share['link_id']}" if share["link_id"] else "named",
            "may start" if share["may_start"] else "",
            "here now" if share["here"] else "",
        ]
        for share in shares
    ]
    addresses = [
        [link["id"], text.local(link["expires_at"]), urljoin(client.url, link["url"])] for link in links
    ]
    parts = [
        text.table(["WHO", "HOW", "START", "NOW"], people) if people else "Shared with nobody.",
        text.table(["LINK", "ENDS", "ADDRESS"], addresses) if addresses else "No links.",
    ]
    return "\n\n".join(parts)


def with_(args: argparse.Namespace) -> None:
    """Let a person or a group open a studio. In it they act with its owner's rights."""
    client = connect(args)
    studio = client.find(args.studio)
    spec = {"user": args.user, "group": args.group, "may_start": args.may_start}
    body = {key: value for key, value in spec.items() if value is not None}
    share = client.call("POST", path_of("studios", studio, "/shares"), body)
    show(
        args,
        share,
        f"“{studio['name']}” is shared with {share['name']}, who acts there as {studio['owner']}.",
    )


def link(args: argparse.Namespace) -> None:
    """Make a link that lets in whoever follows it. In the studio they act with its owner's rights."""
    client = connect(args)
    studio = client.find(args.studio)
    body = {"expires_in_hours": args.hours, "may_start": args.may_start}
    made = client.call("POST", path_of("studios", studio, "/share-links"), body)
    commands.tell(f"Ends {text.local(made['expires_at'])}. Whoever comes by it acts as {studio['owner']}.")
    show(args, made, urljoin(client.url, made["url"]))


def end(args: argparse.Namespace) -> None:
    """Take somebody out, or end a link: whoever is in by it alone is shown out at once."""
    client = connect(args)
    studio = client.find(args.studio)
    kind = "share-links" if args.what.startswith(LINK) else "shares"
    client.call("DELETE", path_of("studios", studio, f"/{kind}/{quote(args.what, safe='')}"))
    show(args, {"ended": args.what}, f"{args.what} is ended.")


COMMANDS = (
    Command("share list", "who may open a studio", _studio, list_),
    Command("share with", "let a person or a group in", _with_arguments, with_),
    Command("share link", "make a link that lets in", _link_arguments, link),
    Command("share end", "take somebody out, or end a link", _end_arguments, end),
)
