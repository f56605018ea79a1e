"""Run every bench, print a table and write ``bench/results.json``.

Each row is ``{name, ours, peer, unit, ratio, bar, holds}``: what was measured on both sides in this run, their
ratio, the bar it is held against, and whether it holds. Name modules to run only those::

    python -m bench.run checkpoints gate
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

MODULES = (
    "checkpoints", "gate", "start", "jobs", "scale", "adapt", "scrolling", "listing", "archive",
    "previews", "mounts",
)  # fmt: skip
RESULTS = Path(__file__).with_name("results.json")


def main(modules: list[str]) -> int:
    rows = []
    for name in modules or MODULES:
        print(f"… {name}", flush=True)
        rows += importlib.import_module(f"bench.{name}").rows()
    RESULTS.write_text(json.dumps(rows, indent=2) + "\n")
    width = max(len(row["name"]) for row in rows)
    print(f"{'':{width}}  {'ours':>10}  {'peer':>10}  {'ratio':>7}  bar")
    for row in rows:
        mark = "holds" if row["holds"] else "DOES NOT HOLD"
        print(
            f"{row['name']:{width}}  {row['ours']:>10.3g}  {row['peer']:>10.3g}  {row['ratio']:>7.2f}  "
            f"{row['bar']}  {mark}  ({row['unit']})"
        )
    return 0 if all(row["holds"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
