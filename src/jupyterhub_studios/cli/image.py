"""``studios image …``: images that have nothing of ours in them, and the agent that goes into them."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from . import text
from .commands import show, tell


def arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(metavar="ACTION", required=True, dest="action")
    adapt = actions.add_parser("adapt", help="put the agent into an image, inside its registry")
    resolve = actions.add_parser("resolve", help="tell which bytes a name means now")
    bundle = actions.add_parser("bundle", help="make the agent bundle of Debian's packages")
    for sub in (adapt, resolve):
        sub.add_argument("image", help="such as registry.example.org/team/image:tag")
        sub.add_argument(
            "--docker-config", type=Path, metavar="FILE",
            help="credentials, as `docker login` writes them (default: your own)",
        )  # fmt: skip
    adapt.add_argument(
        "--to",
        metavar="REPOSITORY",
        help="where the result goes (default: beside the image, in its repository)",
    )
    adapt.add_argument(
        "--bundle",
        type=Path,
        metavar="DIR",
        help="the agent bundle (default: one that is made when it is needed)",
    )
    bundle.add_argument("folder", metavar="DIR", type=Path, help="DIR.tar.zst is made beside it")
    bundle.add_argument(
        "--sources", type=Path, metavar="FILE", help="apt sources of Debian 12 (default: this machine's own)"
    )
    for sub in (adapt, resolve, bundle):
        sub.add_argument("--json", action="store_true", help="print a document")


def image(args: argparse.Namespace) -> None:
    """Images that have nothing of ours in them, and the agent that goes into them."""
    {"adapt": _adapt, "resolve": _resolve, "bundle": _bundle}[args.action](args)


def _adapt(args: argparse.Namespace) -> None:
    from ..images.adapt import adapt
    from ..images.building import default_bundle
    from ..images.bundle import Bundle
    from ..images.credentials import Logins

    bundle = Bundle.open(args.bundle) if args.bundle else default_bundle(_say)
    logins = Logins(file=args.docker_config)
    done = asyncio.run(adapt(args.image, bundle, args.to, logins=logins, say=_say))
    _say(
        f"{text.size(done.sent)} sent, {text.size(done.received)} received, {done.mounted} layers taken over"
    )
    show(args, done.model_dump(), done.image)


def _resolve(args: argparse.Namespace) -> None:
    from ..images.adapt import resolve
    from ..images.credentials import Logins

    found = asyncio.run(resolve(args.image, Logins(file=args.docker_config)))
    show(args, {"image": str(found), "digest": found.digest}, str(found))


def _bundle(args: argparse.Namespace) -> None:
    from ..images.building import archive_of, build

    made = build(args.folder, _say, args.sources)
    archive = archive_of(args.folder)
    document = {"folder": str(args.folder), "archive": str(archive), **made.about.model_dump()}
    show(args, document, f"{args.folder} and {archive}\n{made.about.digest}")


def _say(line: str) -> None:
    tell(f"  {line}")
