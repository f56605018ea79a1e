"""Run every bench, print a table as it grows, and write ``bench/results.json``.

Each row is ``{name, ours, peer, unit, ratio, bar, holds}``: what was measured on both sides in this run, their
ratio, the bar it is held against, and whether it holds. Name modules to run only those::

    python -m bench.run checkpoints gate
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

MODULES = (
    "checkpoints", "gate", "start", "jobs", "scale", "adapt", "scrolling", "listing", "archive",
    "previews", "mounts",
)  # fmt: skip
WIDTH = 64  # of a name
RESULTS = Path(__file__).with_name("results.json")


def main(modules: list[str]) -> int:
    rows: list[dict[str, Any]] = []
    print(f"{'':{WIDTH}}  {'ours':>10}  {'peer':>10}  {'ratio':>7}  bar")
    for name in modules or MODULES:
        print(f"… {name}", flush=True)
        found = importlib.import_module(f"bench.{name}").rows()
        print("\n".join(map(_line, found)), flush=True)
        rows += found
    RESULTS.write_text(json.dumps(rows, indent=2) + "\n")
    return 0 if all(row["holds"] for row in rows) else 1


def _line(row: dict[str, Any]) -> str:
    mark = "holds" if row["holds"] else "DOES NOT HOLD"
    return (
        f"{row['name']:{WIDTH}}  {row['ours']:>10.3g}  {row['peer']:>10.3g}  {row['ratio']:>7.2f}  "
        f"{row['bar']}  {mark}  ({row['unit']})"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
