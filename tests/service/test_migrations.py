"""A database of an earlier version, with rows in it, is brought up to date and keeps them."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import select

from jupyterhub_studios.models import CredentialSpec, LinkMarks, StudiosError, now
from jupyterhub_studios.service import database as package
from jupyterhub_studios.service.data import rows
from jupyterhub_studios.service.data.vault import Vault
from jupyterhub_studios.service.database import CredentialRow, Database, SessionRow, StudioRow
from jupyterhub_studios.service.keys import Keys
from jupyterhub_studios.service.permissions import Person

ALICE = Person("alice", "alice", admin=False)

STUDIO = {
    "id": "st-old", "owner": "alice", "server_name": "old", "name": "Old", "description": "", "template": "box",
    "compute_environment": "here", "cpus": 1.0, "memory_mib": 512, "gpus": 0, "lifespan_hours": 8,
    "environment": '{"A": "1"}', "epoch": 1, "message": "", "version": 3, "created_at": "2026-11-20 10:00:00.000000",
    "session_id": "se-old",
}  # fmt: skip
SESSION = {
    "id": "se-old", "studio_id": "st-old", "owner": "alice", "server_name": "old", "prefix": "/user/alice/old/",
    "epoch": 1, "state": "running", "message": "", "phases": "[]", "started_at": "2026-11-20 10:00:00.000000",
    "agent_seen": 1, "routed": 1, "durable": 0, "force": 0, "acked": 7, "log_size": 0, "version": 5, "people": "[]",
    "visitors": '["bob"]', "bootstrap_hash": "b", "control_hash": "c",
}  # fmt: skip


def first_version(path: Path) -> None:
    """A database as revision 0001 left it, with a studio that runs."""
    config = Config()
    config.set_main_option("script_location", str(Path(package.__file__).parent / "migrations"))
    database = Database(f"sqlite:///{path}")
    with database.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    database.close()
    with sqlite3.connect(path) as connection:
        for table, row in (("studios", STUDIO), ("sessions", SESSION)):
            names, marks = ", ".join(row), ", ".join("?" * len(row))
            connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(row.values()))


async def test_an_old_database_keeps_its_rows_and_gets_data(tmp_path: Path) -> None:
    first_version(tmp_path / "old.sqlite")
    database = Database(f"sqlite:///{tmp_path}/old.sqlite")
    await database.migrate()
    studio = await database.run(lambda db: db.get(StudioRow, "st-old"))
    session = await database.run(lambda db: db.scalar(select(SessionRow)))
    assert (
        studio is not None
        and studio.name == "Old"
        and studio.environment == {"A": "1"}
        and studio.version == 3
    )
    assert session is not None and session.acked == 7 and session.visitors == ["bob"]
    assert session.ends_at is None and session.lifetime is None, "as if nothing was seen of it yet"
    await database.run(rows.mark, "alice", "ol-any", LinkMarks(starred=True))
    assert (await database.run(rows.known, ALICE)).marks["ol-any"].starred
    database.close()


async def test_a_credential_is_its_owners_and_its_rows_alone(tmp_path: Path) -> None:
    """Also for somebody who can write to the database."""
    vault = Vault(Keys(tmp_path))
    spec = CredentialSpec.model_validate(
        {
            "name": "Mine",
            "provider": "s3",
            "secret": {"type": "access-key", "access_key_id": "id", "secret_access_key": "a-secret"},
        }
    )
    sealed = vault.seal("alice", "dc-1", spec)
    assert b"a-secret" not in sealed and vault.open("alice", "dc-1", sealed) == spec
    (tmp_path / "other").mkdir()
    other = Vault(Keys(tmp_path / "other"))
    for attempt in (
        lambda: vault.open("bob", "dc-1", sealed),
        lambda: vault.open("alice", "dc-2", sealed),
        lambda: vault.open("alice", "dc-1", sealed[:-4] + b"AAA="),
        lambda: other.open("alice", "dc-1", sealed),
    ):
        with pytest.raises(StudiosError, match="another signing key"):
            attempt()


async def test_limits_per_person(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/new.sqlite")
    await database.migrate()

    def row(number: int) -> CredentialRow:
        return CredentialRow(
            id=f"dc-{number}",
            owner="alice",
            name=f"{number}",
            provider="s3",
            type="x",
            sealed=b"",
            created_at=now(),
        )

    for number in range(rows.MOST_CREDENTIALS):
        await database.run(rows.add_credential, row(number))
    with pytest.raises(StudiosError, match="the most"):
        await database.run(rows.add_credential, row(rows.MOST_CREDENTIALS))
    database.close()
