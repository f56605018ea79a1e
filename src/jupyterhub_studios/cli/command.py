"""What a subcommand is."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Command:
    """``run`` gets the parsed arguments; its answer is the exit code, None for 0. A name of several words lies in
    groups: ``data ls``."""

    name: str
    help: str
    arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int | None]
    api: bool = True  # takes --url, --token-file and --json
