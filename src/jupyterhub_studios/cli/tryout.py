"""``studios tryout``: the whole life of a studio, played on a compute environment, with a report at the end.

For whoever has just set one up, on AWS above all: it makes studios of its own, works in them as a person would, and
removes them again, whatever fails on the way.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..models import StudiosError
from .client import Client
from .commands import connect, path_of, tell, wait_running, wait_stopped
from .text import size
from .tryout_report import Report, Step, markdown, start_of

Json = dict[str, Any]

BASE_FILE = "/etc/issue.net"  # a file of every Debian
PACKAGE = "cowsay"  # small, and needs nothing else
LOG_SECONDS = 120.0  # until what a job printed is to be read: CloudWatch takes its time


def arguments(parser: argparse.ArgumentParser) -> None:
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--compute-environment", metavar="ID", help="default: the first that is offered to you"
    )
    where.add_argument("--forge", metavar="NAME", help="the machines on demand of this forge")
    parser.add_argument(
        "--template", default="jupyter", help="one that runs JupyterLab (default: %(default)s)"
    )
    parser.add_argument("--cpus", type=float, default=1)
    parser.add_argument("--memory", type=int, default=2048, metavar="MIB")
    parser.add_argument("--no-install", action="store_true", help="install nothing: there is no way to PyPI")
    parser.add_argument(
        "--report", type=Path, metavar="FILE", help="write the report there: FILE.md or FILE.json"
    )


def tryout(args: argparse.Namespace) -> int:
    """Plays a studio's whole life on a compute environment: start, work, save, stop, start again, fork. Writes a
    report, and removes what it made. Exit code 1 when something failed."""
    client = connect(args)
    environment = _environment(client, args)
    report = Report(
        hub=client.url,
        compute_environment=environment["id"],
        kind=environment["kind"],
        template=args.template,
    )
    play = Play(client, args, report)
    try:
        play.all()
    except (StudiosError, KeyboardInterrupt) as error:
        tell(f"  {error or 'interrupted'}")
    finally:
        play.clean_up()
        document = json.dumps(
            report.model_dump(mode="json") | {"ok": report.ok}, indent=2, ensure_ascii=False
        )
        words = markdown(report)
        if args.report:
            args.report.write_text(f"{document}\n" if args.report.suffix == ".json" else words)
        print(document if args.json else words, end="\n" if args.json else "", flush=True)
    return 0 if report.ok else 1


def _environment(client: Client, args: argparse.Namespace) -> Json:
    offered = client.pages("/compute-environments")
    wanted = f"{args.forge}-on-demand" if args.forge else args.compute_environment
    found = [one for one in offered if wanted in (None, one["id"])]
    if not found:
        raise StudiosError(
            f"The compute environment “{wanted}” is not offered to you",
            f"yours are: {', '.join(one['id'] for one in offered) or 'none'}",
            "Choose one of them, or put the forge's lines into the Hub's configuration",
            status=404,
        )
    return found[0]


class Play:
    def __init__(self, client: Client, args: argparse.Namespace, report: Report) -> None:
        self._client, self._args, self._report = client, args, report
        self._mark = secrets.token_hex(3)
        self._made: list[Json] = []

    def all(self) -> None:
        studio = self._make("first start", f"Tryout {self._mark}")
        self._step("work in it", lambda: self._inside(studio, self._work()))
        self._step("save on request", lambda: self._save(studio))
        self._step("stop saves", lambda: self._stop(studio))
        self._step("the job's own log", lambda: self._job_log(studio))
        self._start("start again", studio)
        self._step("everything is there", lambda: self._inside(studio, self._look()))
        self._step("stop again", lambda: self._stop(studio))
        fork = self._make("fork", f"Tryout {self._mark} fork", from_checkpoint=self._saved(studio)["id"])
        self._step("the fork has it all", lambda: self._inside(fork, self._look()))

    # --- steps ---

    def _step(self, name: str, work: Callable[[], str]) -> None:
        with self._noted(name) as say:
            say(work())

    @contextmanager
    def _noted(self, name: str) -> Iterator[Callable[[str], None]]:
        """One step of the report, however it ends."""
        began, said = time.monotonic(), [""]
        tell(f"· {name}")
        try:
            yield said.append
        except (StudiosError, KeyboardInterrupt) as error:
            words = str(error) or "interrupted"
            self._report.steps.append(Step(name=name, ok=False, seconds=_since(began), detail=words))
            raise
        self._report.steps.append(Step(name=name, ok=True, seconds=_since(began), detail=said[-1]))

    def _make(self, step: str, name: str, **fields: Any) -> Json:
        spec = {
            "name": name, "template": self._args.template, "cpus": self._args.cpus,
            "memory_mib": self._args.memory, "compute_environment": self._report.compute_environment,
            "lifespan_hours": 1, **fields,
        }  # fmt: skip
        with self._noted(f"{step}: make it"):
            studio: Json = self._client.call("POST", "/studios", spec)
            self._made.append(studio)
        self._start(step, studio)
        return studio

    def _start(self, step: str, studio: Json) -> None:
        with self._noted(step) as say:
            self._client.call("POST", path_of("studios", studio, "/start"), {}, timeout=120)
            running = wait_running(self._client, studio)
            start = start_of(running)
            self._report.starts.append(start)
            say(f"ready after {start.seconds:.1f} s, keeps {running['root_mode']}")

    def _inside(self, studio: Json, lines: list[str]) -> str:
        from .notebook import notebook  # aiohttp, which no other command needs

        async def run() -> str:
            async with notebook(self._client.url, self._client.token, studio) as jupyter:
                return "; ".join(filter(None, [(await jupyter.shell(line)).strip() for line in lines]))

        return asyncio.run(run())

    def _work(self) -> list[str]:
        lines = [
            f"echo {self._mark} > /workspace/tryout && echo {self._mark} > /etc/tryout",
            f"rm -f {BASE_FILE}; mkdir -p /opt/tryout/deep && head -c 5000000 /dev/urandom > /opt/tryout/deep/file",
            "sha256sum /opt/tryout/deep/file > /workspace/sum",
        ]
        return lines if self._args.no_install else [*lines, f"python3 -m pip install --quiet {PACKAGE}"]

    def _look(self) -> list[str]:
        lines = [
            f'test "$(cat /workspace/tryout /etc/tryout | sort -u)" = {self._mark}',
            f"test ! -e {BASE_FILE} && sha256sum --check --quiet /workspace/sum",
        ]
        return lines if self._args.no_install else [*lines, f"python3 -c 'import {PACKAGE}'"]

    def _save(self, studio: Json) -> str:
        path = path_of("studios", studio, "/checkpoints")
        saved = self._client.call("POST", path, {"name": "on request"}, timeout=None)
        return f"{size(saved['size'])} in {len(saved['layers'])} layers"

    def _stop(self, studio: Json) -> str:
        self._client.call("POST", path_of("studios", studio, "/stop"), {}, timeout=120)
        wait_stopped(self._client, studio)
        saved = self._saved(studio)
        if saved["status"] != "finalised":
            raise StudiosError(
                "The last checkpoint is not final", f"it is {saved['status']}", "See the session's log"
            )
        return f"{size(saved['size'])} in {len(saved['layers'])} layers, {len(saved['installed'])} packages changed"

    def _saved(self, studio: Json) -> Json:
        found: Json = self._client.call("GET", path_of("studios", studio))["saved"]
        return found

    def _job_log(self, studio: Json) -> str:
        session = self._client.call("GET", path_of("studios", studio))["session"]
        if self._report.kind == "local":
            return "a process of the Hub's machine has none"
        deadline = time.monotonic() + LOG_SECONDS
        while not (said := self._client.call("GET", path_of("sessions", session, "/job-logs"))["text"]):
            if time.monotonic() > deadline:
                raise StudiosError(
                    "Nothing is to be read of what the job printed",
                    "",
                    "Check the log group, and the Hub's right to it",
                )
            time.sleep(2)
        return f"{len(said.splitlines())} lines"

    # --- the end ---

    def clean_up(self) -> None:
        """Removes every studio that was made, saved or not. What cannot be removed is told."""
        for studio in reversed(self._made):
            try:
                with self._noted(f"remove “{studio['name']}”"):
                    self._remove(studio)
            except (StudiosError, KeyboardInterrupt) as error:
                tell(f"  {error or 'interrupted'}. Remove it by hand: studios delete {studio['id']}")

    def _remove(self, studio: Json) -> None:
        state = self._client.call("GET", path_of("studios", studio))["state"]
        if state in ("starting", "running"):
            self._client.call("POST", path_of("studios", studio, "/stop"), {}, timeout=120)
        for current in self._client.watch(studio["id"], lambda error: None):
            if current["state"] in ("stopped", "errored"):
                break
        self._client.call("DELETE", path_of("studios", studio), timeout=600)


def _since(began: float) -> float:
    return round(time.monotonic() - began, 1)
