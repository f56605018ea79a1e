"""The command ``studios``: what the pages do, from a terminal.

Each subcommand is one row of :data:`COMMANDS`. Exit codes: 0 done, 1 a problem, 2 wrong usage, 130 interrupted.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Any

from .. import __version__
from ..models import StudiosError
from . import commands, data_arguments, doctor, forge, image, lifetime, mount, share, text, tryout
from .command import Command
from .commands import DEFAULT_URL, tell

# --- arguments --------------------------------------------------------------------------------------


def _memory(text: str) -> int:
    """``8G``, ``512M``, or a number of MiB."""
    factor = {"G": 1024, "M": 1}.get(text[-1:].upper())
    try:
        return round(float(text[:-1]) * factor) if factor else int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"“{text}” is not an amount of memory: say 8G, 512M or MiB"
        ) from None


def _variable(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise argparse.ArgumentTypeError(f"“{text}” is not NAME=VALUE")
    return name, value


def _studio(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("studio", help="name, server name or id; owner/server for another's")


def _wait(parser: argparse.ArgumentParser, until: str) -> None:
    parser.add_argument("--wait", action="store_true", help=f"wait until {until}")


def _list_arguments(parser: argparse.ArgumentParser) -> None:
    whose = parser.add_mutually_exclusive_group()
    whose.add_argument("--all", action="store_true", help="everybody's (administrators)")
    whose.add_argument("--owner", help="another person's (administrators)")
    whose.add_argument("--shared", action="store_true", help="others' that are shared with you")
    parser.add_argument("--state", help="only those in this state")
    parser.add_argument("--search", metavar="TEXT", help="only those with this in name or description")


def _create_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name")
    parser.add_argument("--template", default="jupyter", help="what runs in it (default: %(default)s)")
    parser.add_argument(
        "--compute-environment", metavar="ID", help="where it runs (default: the first you may use)"
    )
    parser.add_argument("--description")
    parser.add_argument("--cpus", type=float)
    parser.add_argument("--memory", type=_memory, metavar="AMOUNT", help="8G, 512M or MiB")
    parser.add_argument("--lifespan", type=int, metavar="HOURS", help="1 to 120; 0 for no end")
    parser.add_argument(
        "--env", type=_variable, action="append", metavar="NAME=VALUE", help="may be repeated"
    )
    parser.add_argument(
        "--mount",
        action="append",
        metavar="LINK[/FOLDER][:NAME]",
        help="a data link, or a folder in it, as a folder of the studio; may be repeated",
    )
    _start_arguments(parser)


def _start_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--start", action="store_true", help="start it as well")
    _wait(parser, "it runs (starts it)")


def _fork_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("checkpoint", help="id of the checkpoint")
    parser.add_argument("name", help="name of the new studio")
    _start_arguments(parser)


def _start_studio(parser: argparse.ArgumentParser) -> None:
    _studio(parser)
    _wait(parser, "it runs; its phases are told on stderr")


def _stop_arguments(parser: argparse.ArgumentParser) -> None:
    _studio(parser)
    parser.add_argument(
        "--force", action="store_true", help="give up a save that takes too long: its work is lost"
    )
    parser.add_argument(
        "--notice", type=int, default=0, metavar="SECONDS", help="tell those inside, and give them so long"
    )
    _wait(parser, "everything is saved")


def _save_arguments(parser: argparse.ArgumentParser) -> None:
    _studio(parser)
    parser.add_argument("name", help="name of the checkpoint")


def _logs_arguments(parser: argparse.ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("studio", nargs="?", help="of its latest session")
    which.add_argument("--session", metavar="ID", help="of this session")
    parser.add_argument(
        "--job", action="store_true", help="what its job itself printed: why an agent did not come up"
    )
    parser.add_argument("--follow", "-f", action="store_true", help="go on until the session ends")


def _rename_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("target", help="a studio, or a checkpoint's id")
    parser.add_argument("name")


def _delete_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("target", help="a studio, or a checkpoint's id")
    parser.add_argument("--yes", "-y", action="store_true", help="do not ask")


def _nothing(parser: argparse.ArgumentParser) -> None:
    pass


COMMANDS = (
    Command("list", "list studios", _list_arguments, commands.list_),
    Command("show", "show one studio", _studio, commands.show_),
    Command("create", "make a studio", _create_arguments, commands.create),
    Command("start", "start a studio", _start_studio, commands.start),
    Command("stop", "save and stop a studio", _stop_arguments, commands.stop),
    Command("save", "save a running studio now, as a named checkpoint", _save_arguments, commands.save),
    Command("logs", "show the log of a session", _logs_arguments, commands.logs),
    Command("checkpoints", "list a studio's checkpoints", _studio, commands.checkpoints),
    Command("fork", "make a studio from a checkpoint", _fork_arguments, commands.fork),
    Command("rename", "rename a studio or a checkpoint", _rename_arguments, commands.rename),
    *mount.COMMANDS,
    *share.COMMANDS,
    *lifetime.COMMANDS,
    Command("delete", "delete a stopped studio, or a checkpoint", _delete_arguments, commands.delete),
    Command("sweep", "remove layers that no checkpoint names (administrators)", _nothing, commands.sweep),
    Command(
        "doctor",
        "what is wrong with a deployment (administrators)",
        doctor.arguments,
        doctor.doctor,
        api=False,
    ),
    Command("tryout", "play a studio's whole life on a compute environment", tryout.arguments, tryout.tryout),
    Command(
        "image", "put the agent into any image (administrators)", image.arguments, image.image, api=False
    ),
    Command(
        "forge", "make, show or remove the AWS side (administrators)", forge.arguments, forge.forge, api=False
    ),
    *data_arguments.COMMANDS,
)


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="studios", description="Studios on JupyterHub, from a terminal.")
    top.add_argument("--version", action="version", version=f"studios {__version__}")
    common = argparse.ArgumentParser(add_help=False)
    group = common.add_argument_group("connection and output")
    group.add_argument("--url", help=f"address of the Hub (STUDIOS_URL; default: {DEFAULT_URL})")
    group.add_argument(
        "--token-file", metavar="FILE", help="Hub token (or STUDIOS_TOKEN; default: $STUDIOS_HOME/token)"
    )
    group.add_argument("--json", action="store_true", help="print the API's documents")
    groups = {"": top.add_subparsers(metavar="COMMAND", required=True)}
    for command in COMMANDS:
        *path, name = command.name.split()
        parents = [common] if command.api else []
        sub = _group(groups, path).add_parser(
            name, help=command.help, description=command.run.__doc__, parents=parents
        )
        command.arguments(sub)
        sub.set_defaults(run=command.run)
    return top


def _group(groups: dict[str, Any], path: list[str]) -> Any:
    """The subparsers that the last word of a command belongs to: ``data link add`` is below ``data link``."""
    key = " ".join(path)
    if key not in groups:
        above = _group(groups, path[:-1])
        words = {**data_arguments.GROUPS, **share.GROUPS}[key]
        groups[key] = above.add_parser(path[-1], help=words, description=words).add_subparsers(
            metavar="COMMAND", required=True
        )
    return groups[key]


def main(argv: Sequence[str] | None = None) -> int:
    try:
        args = parser().parse_args(argv)
        return args.run(args) or 0
    except SystemExit as error:  # argparse has said what is wrong, or printed what was asked for
        return error.code if isinstance(error.code, int) else 2
    except StudiosError as error:
        tell(f"studios: {text.problem(error.problem)}")
        return 1
    except KeyboardInterrupt:
        tell("studios: interrupted; what was asked for goes on.")
        return 130
    except BrokenPipeError:
        # The reader (head, less) has enough. Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
