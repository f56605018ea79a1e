"""The record of what people wrote together, which lies beside their files and comes back with the checkpoint."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path


def set_aside_if_damaged(file: Path) -> bool:
    """Whether the SQLite database ``file`` was damaged and is now called ``….damaged``.

    A session that was killed may come back with a half-written one, and jupyter-collaboration then opens no document
    any more. The files themselves are complete without it: only who wrote what is lost.
    """
    if not file.exists():
        return False
    try:
        # Not read-only: what a killed session had begun to write is rolled back first.
        with contextlib.closing(sqlite3.connect(file)) as database:
            if database.execute("PRAGMA quick_check").fetchone()[0] == "ok":
                return False
    except sqlite3.OperationalError:  # locked, or the disk's own trouble: it may be good
        return False
    except sqlite3.DatabaseError:
        pass
    file.replace(file.with_name(f"{file.name}.damaged"))
    file.with_name(f"{file.name}-journal").unlink(missing_ok=True)
    return True
