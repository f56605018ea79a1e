"""``studios doctor``: what is wrong with a deployment, and how to mend it. Run on the Hub's machine, as its account."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..doctor.findings import Result

MARKS = {"ok": "✓", "warn": "!", "fail": "✗"}


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--config", default="jupyterhub_config.py", metavar="FILE", help="the Hub's (default: %(default)s)"
    )
    parser.add_argument("--environment", metavar="ID", help="only this compute environment, and not the Hub")
    parser.add_argument("--json", action="store_true", help="print all findings as a document")


def doctor(args: argparse.Namespace) -> int:
    """Tries what studios need: Hub, service, buckets, machines, images. Exit code 1 when something would fail."""
    from ..doctor import run

    config, studios = run.load(args.config)
    total = len(run.plan(config, studios, args.environment))
    results = run.examine(config, studios, args.environment, _progress(total))
    failed = any(result.status == "fail" for result in results)
    if args.json:
        document = {"ok": not failed, "results": [result.model_dump() for result in results]}
        print(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        print(report(results))
    return 1 if failed else 0


def _progress(total: int) -> Callable[[Result], None]:
    done = 0

    def count(_: Result) -> None:
        nonlocal done
        done += 1
        if sys.stderr.isatty():
            end = "\r" if done < total else "\r\033[K"
            print(f"{done} of {total} checks done", end=end, file=sys.stderr, flush=True)

    return count


def report(results: Sequence[Result]) -> str:
    lines: list[str] = []
    for subject, group in groupby(results, key=lambda result: result.subject):
        found = list(group)
        width = max(len(result.check) for result in found)
        lines.append(subject)
        told: set[tuple[str, str]] = set()
        for result in found:
            lines += _lines(result, width, again=(result.what, result.why) in told)
            told.add((result.what, result.why))
        lines.append("")
    counts = Counter(result.status for result in results)
    words = [f"{counts['ok']} fine", _count(counts["warn"], "warning"), _count(counts["fail"], "failure")]
    return "\n".join([*lines, ", ".join(words)])


def _lines(result: Result, width: int, again: bool) -> list[str]:
    """``again``: the reason is that of an earlier check, and told there."""
    indent = " " * (width + 6)
    lines = [f"  {MARKS[result.status]} {result.check:<{width}}  {result.what}"]
    if again:
        return lines
    if result.why:
        lines.append(f"{indent}{result.why}")
    if result.action:
        lines.append(f"{indent}→ {result.action}")
    return lines


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
