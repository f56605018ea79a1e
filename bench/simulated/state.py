"""The databases of a Hub and a service that were stopped while studios ran: what both find when they start again."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

from jupyterhub import orm
from sqlalchemy.orm import Session

from jupyterhub_studios.models import PHASES, Phase, SessionState, now
from jupyterhub_studios.service.database import Database, SessionRow, StudioRow
from jupyterhub_studios.service.keys import hashed

ENVIRONMENT, TEMPLATE = "cloud", "jupyter"
EACH = 2  # studios of one person


def write(folder: Path, count: int, gate_port: int) -> list[str]:
    """Makes ``count`` running studios in ``hub.sqlite`` and ``studios.sqlite``; their agents' tokens."""
    numbers = range(count)
    _hub(f"sqlite:///{folder}/hub.sqlite", numbers, gate_port)
    asyncio.run(_service(f"sqlite:///{folder}/studios.sqlite", numbers, gate_port))
    return [_token(n) for n in numbers]


def _owner(n: int) -> str:
    return f"person{n // EACH:04}"


def _server(n: int) -> str:
    return f"studio-{n % EACH}"


def _token(n: int) -> str:
    return f"token-of-{n:04}"


def _hub(url: str, numbers: range, gate_port: int) -> None:
    db = orm.new_session_factory(url)()
    people = {name: orm.User(name=name) for name in sorted({_owner(n) for n in numbers})}
    db.add_all(people.values())
    for n in numbers:
        name, owner = _server(n), _owner(n)
        server = orm.Server(
            proto="http", ip="127.0.0.1", port=gate_port, base_url=f"/user/{owner}/{name}/", cookie_name="x"
        )
        state = {
            "studio_id": f"st-{n:04}",
            "session_id": f"se-{n:04}",
            "compute_environment": ENVIRONMENT,
            "job_id": f"00000000-0000-0000-0000-{n:012}",
            "address": f"http://127.0.0.1:{gate_port}",
        }
        db.add(orm.Spawner(user=people[owner], name=name, server=server, state=state, started=_naive()))
    db.commit()
    db.close()


def _naive() -> object:
    return now().replace(tzinfo=None)


async def _service(url: str, numbers: range, gate_port: int) -> None:
    database = Database(url)
    await database.migrate()
    await database.run(_rows, numbers, gate_port)
    database.close()


def _rows(db: Session, numbers: range, gate_port: int) -> None:
    begun = now() - timedelta(minutes=5)
    phases = [
        Phase(name=name, status="done", started_at=begun, ended_at=begun).model_dump(mode="json")  # type: ignore[arg-type]
        for name in PHASES
    ]
    for n in numbers:
        db.add(
            StudioRow(
                id=f"st-{n:04}", owner=_owner(n), server_name=_server(n), name=f"Studio {n % EACH}",
                template=TEMPLATE, compute_environment=ENVIRONMENT, cpus=2, memory_mib=4096, gpus=0,
                lifespan_hours=8, environment={}, session_id=f"se-{n:04}", epoch=1, root_mode="overlay",
                created_at=begun,
            )
        )  # fmt: skip
    db.flush()
    for n in numbers:
        db.add(
            SessionRow(
                id=f"se-{n:04}", studio_id=f"st-{n:04}", owner=_owner(n), server_name=_server(n),
                prefix=f"/user/{_owner(n)}/{_server(n)}/", epoch=1, state=SessionState.RUNNING.value,
                phases=phases, started_at=begun, ready_at=begun, address=f"http://127.0.0.1:{gate_port}",
                agent_seen=True, routed=True, people=[], visitors=[], bootstrap_hash=hashed(f"code {n}"),
                control_hash=hashed(_token(n)),
            )
        )  # fmt: skip
