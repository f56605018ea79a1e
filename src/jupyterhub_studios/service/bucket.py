"""Checkpoints in their buckets: the truth, of which the database is an index. Bucket first, then index."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..checkpoints import catalogue
from ..checkpoints.store import Store
from ..models import Checkpoint, ComputeEnvironment, StudiosError
from .database import StudioRow
from .database import queries as q

if TYPE_CHECKING:
    from .core import Service


class Buckets:
    """Open stores, one for each work dir."""

    def __init__(self) -> None:
        self._open: dict[str, Store] = {}

    def store(self, environment: ComputeEnvironment) -> Store:
        if environment.id not in self._open:
            self._open[environment.id] = Store.open(environment.work_dir, environment.store_options)
        return self._open[environment.id]


def _store(service: Service, studio: StudioRow) -> Store:
    return service.buckets.store(service.environment_of(studio.compute_environment))


async def refresh(service: Service, studio_id: str) -> Checkpoint | None:
    """Bring the index up to what the bucket holds, and answer the studio's current checkpoint."""
    studio = await service.database.run(q.studio, studio_id)
    store = _store(service, studio)
    found = await catalogue.list_checkpoints(store, studio.id)
    head = await catalogue.current(store, studio.id)
    await service.database.run(q.index_all, studio_id, found, head)
    service.changes.announce(studio_id)
    return head


async def fork(service: Service, studio: StudioRow, source: Checkpoint) -> Checkpoint:
    return await catalogue.fork(_store(service, studio), source, studio.id, author=studio.owner)


async def rename(service: Service, studio: StudioRow, checkpoint_id: str, name: str) -> Checkpoint:
    return await catalogue.rename(_store(service, studio), studio.id, checkpoint_id, name)


async def delete(service: Service, studio: StudioRow, checkpoint_id: str) -> None:
    await catalogue.delete(_store(service, studio), studio.id, checkpoint_id)


async def delete_studio(service: Service, studio: StudioRow) -> None:
    """All that the bucket holds of a studio, but layers: those go with the next sweep."""
    await catalogue.delete_studio(_store(service, studio), studio.id)


async def sweep(service: Service) -> tuple[int, int, int]:
    """Remove layers that nothing names, once in each work dir: how many, their bytes, how many stay."""
    removed = freed = kept = 0
    failures: list[str] = []
    environments = {one.work_dir: one for one in service.config.compute_environments.values()}
    for environment in environments.values():
        try:
            report = await catalogue.sweep(service.buckets.store(environment), service.config.sweep_grace)
        except StudiosError as error:
            failures.append(str(error))
            continue
        removed, freed, kept = removed + report.removed, freed + report.freed_bytes, kept + report.kept
    if failures:
        raise StudiosError(
            f"{len(failures)} of {len(environments)} work dirs could not be swept",
            "; ".join(failures),
            f"Sweep again when this is mended. The others were swept: {removed} layers, {freed} bytes",
            status=503,
        )
    return removed, freed, kept
