"""Transactions that share a commit: each for itself, and told only when it is on the disk."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from jupyterhub_studios.service.database import Database, MarkRow


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    found = Database(f"sqlite:///{tmp_path}/own.sqlite")
    await found.migrate()
    yield found
    found.close()


def mark(db: Session, name: str) -> str:
    db.add(MarkRow(person=name, link_id="dl"))
    db.flush()
    return name


def marks(db: Session) -> list[str]:
    return sorted(db.scalars(text("SELECT person FROM data_marks")))


class Held:
    """Keeps the database's thread busy until all that a test wants at once is waiting."""

    def __init__(self, database: Database) -> None:
        self._begun, self._go = threading.Event(), threading.Event()
        self._done = asyncio.ensure_future(database.run(self._wait))

    def _wait(self, _: Session) -> None:
        self._begun.set()
        assert self._go.wait(30)

    async def begun(self) -> Held:
        assert await asyncio.to_thread(self._begun.wait, 30)
        return self

    async def release(self) -> None:
        await asyncio.sleep(0)  # whoever was started has put its work down
        self._go.set()
        await self._done


async def test_what_comes_together_is_committed_together(database: Database) -> None:
    held, commits = await Held(database).begun(), []
    event.listen(database.engine, "commit", commits.append)
    working = [asyncio.ensure_future(database.run(mark, f"p{n:02}")) for n in range(40)]
    await held.release()
    assert await asyncio.gather(*working) == [f"p{n:02}" for n in range(40)]
    assert len(commits) <= 3, "the one that was held, and one or two for all others"
    assert len(await database.run(marks)) == 40


async def test_a_fault_is_of_one_alone(database: Database) -> None:
    def half(db: Session) -> None:
        mark(db, "half")
        raise LookupError("in the middle")

    held = await Held(database).begun()
    wanted = [(mark, "a"), (mark, "a"), (mark, "b")]
    working = [asyncio.ensure_future(database.run(work, name)) for work, name in wanted]
    working.append(asyncio.ensure_future(database.run(half)))
    working.append(asyncio.ensure_future(database.run(mark, "c")))
    await held.release()
    first, again, other, broken, last = await asyncio.gather(*working, return_exceptions=True)
    assert (first, other, last) == ("a", "b", "c")
    assert isinstance(again, IntegrityError) and isinstance(broken, LookupError)
    assert await database.run(marks) == ["a", "b", "c"]


async def test_when_the_database_fails_nobody_is_told_that_it_is_stored(database: Database) -> None:
    def lost(db: Session) -> None:
        db.execute(text("ROLLBACK"))  # as SQLite does by itself when the disk is full
        raise OperationalError("INSERT", {}, Exception("database or disk is full"))

    held = await Held(database).begun()
    before = asyncio.ensure_future(database.run(mark, "before"))
    failing = asyncio.ensure_future(database.run(lost))
    after = asyncio.ensure_future(database.run(mark, "after"))
    await held.release()
    told = await asyncio.gather(before, failing, after, return_exceptions=True)
    stored = await database.run(marks)
    assert isinstance(told[1], OperationalError)
    assert stored == [name for name, one in zip(("before", "", "after"), told, strict=True) if one == name]


async def test_a_commit_that_fails_is_told_to_all(database: Database) -> None:
    def refuse(_connection: object) -> None:
        raise OperationalError("COMMIT", {}, Exception("disk I/O error"))

    held = await Held(database).begun()
    working = [asyncio.ensure_future(database.run(mark, name)) for name in "ab"]
    event.listen(database.engine, "commit", refuse)
    await asyncio.gather(held.release(), return_exceptions=True)
    told = await asyncio.gather(*working, return_exceptions=True)
    event.remove(database.engine, "commit", refuse)
    assert [type(one) for one in told] == [OperationalError, OperationalError]
    assert await database.run(marks) == []


async def test_what_was_given_up_is_not_done(database: Database) -> None:
    held = await Held(database).begun()
    given_up = asyncio.ensure_future(database.run(mark, "nobody"))
    await asyncio.sleep(0)
    given_up.cancel()
    await held.release()
    with pytest.raises(asyncio.CancelledError):
        await given_up
    assert await database.run(marks) == []
