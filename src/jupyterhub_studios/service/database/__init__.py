"""The service's database: one thread does all the work, so the event loop never waits for a disk and no
two transactions of the service ever meet.

A commit waits for the disk. So what has come together while one was made shares the next, each piece of work in a
savepoint of its own: when a thousand agents connect again at once, they are not a thousand waits.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Concatenate, NamedTuple, ParamSpec, TypeVar

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, IntegrityError
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
    ShareLinkRow,
    ShareRow,
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
    "ShareLinkRow",
    "ShareRow",
    "StudioRow",
]

P = ParamSpec("P")
R = TypeVar("R")

TOGETHER = 50  # pieces of work that share a commit, at most: the first waits for the last


class _Waiting(NamedTuple):
    work: Callable[[Session], Any]
    answer: Future[Any]


class Database:
    def __init__(self, url: str) -> None:
        self.engine = _engine(url)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="database")
        self._queue: queue.SimpleQueue[_Waiting] = queue.SimpleQueue()

    async def migrate(self) -> None:
        """Bring the schema to this version's, from nothing or from any earlier one."""
        await asyncio.get_running_loop().run_in_executor(self._thread, _migrate, self.engine)

    async def run(self, work: Callable[Concatenate[Session, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run ``work(session, …)`` as one transaction in the database's thread. Rows that it returns are
        plain data: detached, with their columns loaded."""

        answer: Future[R] = Future()
        self._queue.put(_Waiting(lambda session: work(session, *args, **kwargs), answer))
        self._thread.submit(self._work_off)
        return await asyncio.wrap_future(answer)

    def _work_off(self) -> None:
        """What waits, as far as nobody has given it up."""
        batch = [one for one in self._taken() if one.answer.set_running_or_notify_cancel()]
        if not batch:
            return  # an earlier turn has done it
        try:
            with self.engine.begin() as connection:
                tellings = [_piece(connection, one) for one in batch]
        except BaseException as error:
            tellings = [partial(one.answer.set_exception, error) for one in batch]
        for tell in tellings:  # now that it is on the disk, or nowhere
            tell()

    def _taken(self) -> Iterator[_Waiting]:
        for _ in range(TOGETHER):
            try:
                yield self._queue.get_nowait()
            except queue.Empty:
                return

    def close(self) -> None:
        self._thread.shutdown()
        self.engine.dispose()


def _piece(connection: Connection, one: _Waiting) -> Callable[[], None]:
    """Does one piece of work; answers how to tell its outcome. Its fault is its own, unless the database itself has
    failed: that may have ended the transaction of all."""
    try:
        with (
            Session(connection, join_transaction_mode="create_savepoint", expire_on_commit=False) as session,
            session.begin(),
        ):
            result = one.work(session)
    except Exception as error:
        if isinstance(error, DBAPIError) and not isinstance(error, IntegrityError):
            raise
        return partial(one.answer.set_exception, error)
    return partial(one.answer.set_result, result)


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
