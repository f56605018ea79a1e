"""The service's database: one thread does all the work, so the event loop never waits for a disk and no
two transactions of the service ever meet."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.orm import Session

from .tables import (
    Base,
    CheckpointRow,
    CommandRow,
    CredentialRow,
    EventRow,
    LinkRow,
    MarkRow,
    SessionRow,
    StudioRow,
)

__all__ = [
    "Base",
    "CheckpointRow",
    "CommandRow",
    "CredentialRow",
    "Database",
    "EventRow",
    "LinkRow",
    "MarkRow",
    "SessionRow",
    "StudioRow",
]

P = ParamSpec("P")
R = TypeVar("R")


class Database:
    def __init__(self, url: str) -> None:
        self.engine = _engine(url)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="database")

    async def migrate(self) -> None:
        """Bring the schema to this version's, from nothing or from any earlier one."""
        await asyncio.get_running_loop().run_in_executor(self._thread, _migrate, self.engine)

    async def run(self, work: Callable[Concatenate[Session, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run ``work(session, …)`` as one transaction in the database's thread. Rows that it returns are
        plain data: detached, with their columns loaded."""

        def transaction() -> R:
            with Session(self.engine, expire_on_commit=False) as session, session.begin():
                return work(session, *args, **kwargs)

        return await asyncio.get_running_loop().run_in_executor(self._thread, transaction)

    def close(self) -> None:
        self._thread.shutdown()
        self.engine.dispose()


def _engine(url: str) -> Engine:
    engine = create_engine(url, pool_pre_ping=True)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _sqlite_connected)
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    return engine


def _sqlite_connected(connection: sqlite3.Connection, _record: Any) -> None:
    # Python's driver begins transactions late, and a savepoint before that would commit by itself: half a
    # message could be stored. So the driver is told to keep out, and every transaction begins with BEGIN.
    connection.isolation_level = None
    # FULL: what was acknowledged to an agent also survives the machine's death.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=30000"):
        connection.execute(f"PRAGMA {pragma}")


def _migrate(engine: Engine) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
