"""Studios: made, forked and changed, as far as the configuration and the caller's rights allow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jupyterhub.slugs import is_valid_display_name, normalise_unicode
from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from ..models import (
    ComputeEnvironment,
    Kind,
    LaunchRequest,
    RootMode,
    StudiosError,
    StudioSpec,
    Template,
    new_id,
    now,
    server_name_for,
)
from ..web import problems
from . import bucket
from .core import Service
from .database import CheckpointRow, StudioRow
from .database import queries as q
from .lifetime.choice import choose
from .mounts import core as mounts
from .permissions import Person

RESOURCES = ("cpus", "memory_mib", "gpus", "lifespan_hours", "environment")


async def create(
    service: Service,
    spec: StudioSpec,
    owner: str,
    groups: Sequence[str],
    admin: bool,
    server: str | None = None,
) -> StudioRow:
    """A new studio; a fork when ``spec`` names a checkpoint. ``server``: the named server that it is,
    None: one is named after it."""
    name = check_name(spec.name)
    template = service.config.template(spec.template)
    environment = service.config.environment_for(spec.compute_environment, template.id, owner, groups, admin)
    check_resources(environment, spec.cpus, spec.memory_mib)
    _check_image(environment, spec.image)
    policy = service.config.lifetime_of(template.id, environment.id)
    spec = spec.model_copy(update={"lifespan_hours": choose(policy, spec.lifespan_hours, admin=admin)})
    if spec.mounts:
        caller = Person(owner, owner, admin=False, groups=tuple(groups))
        chosen = await mounts.choose(service, caller, environment, spec.mounts)
        spec = spec.model_copy(update={"mounts": chosen})
    fork = spec.from_checkpoint
    row = await service.database.run(_insert, service, spec, name, environment, owner, admin, server)
    if fork:
        try:
            await ensure_forked(service, row)
        except BaseException:
            await service.database.run(_drop, row.id)
            raise
    return row


async def for_server(service: Service, request: LaunchRequest) -> StudioRow:
    """The studio of a named server that the Hub starts; made from its options when it is new."""
    row = await service.database.run(q.find_studio, request.owner, request.server_name)
    if row is not None:
        return row
    options = {"name": request.display_name or request.server_name, **request.user_options}
    try:
        spec = StudioSpec.model_validate(options)
    except ValidationError as error:
        raise problems.from_validation(error, "The description of the studio") from None
    admin = await _is_admin(service, request.owner)
    return await create(service, spec, request.owner, request.owner_groups, admin, request.server_name)


def _insert(
    db: Session,
    service: Service,
    spec: StudioSpec,
    name: str,
    environment: ComputeEnvironment,
    owner: str,
    admin: bool,
    server: str | None,
) -> StudioRow:
    check_free(db, owner, name)
    if spec.from_checkpoint:
        _check_source(db, service, spec.from_checkpoint, environment, owner, admin)
    taken = set(db.scalars(select(StudioRow.server_name).filter_by(owner=owner)))
    row = StudioRow(
        id=new_id("st"),
        owner=owner,
        server_name=server or server_name_for(name, taken),
        name=name,
        description=spec.description,
        template=spec.template,
        compute_environment=environment.id,
        image=spec.image,
        from_checkpoint=spec.from_checkpoint,
        mounts=[one.model_dump(mode="json") for one in spec.mounts],
        created_at=now(),
        **{field: getattr(spec, field) for field in RESOURCES},
    )
    db.add(row)
    return row


def check_free(db: Session, owner: str, name: str, besides: str | None = None) -> None:
    row = db.scalar(select(StudioRow).filter_by(owner=owner, name=name))
    if row is not None and row.id != besides:
        raise StudiosError(
            f"The name “{name}” is taken",
            f"another studio of {owner} has it",
            "Choose another name",
            status=409,
            field="name",
        )


def _check_source(
    db: Session, service: Service, checkpoint_id: str, target: ComputeEnvironment, owner: str, admin: bool
) -> None:
    checkpoint = db.get(CheckpointRow, checkpoint_id)
    source = db.get(StudioRow, checkpoint.studio_id) if checkpoint else None
    if source is None or not (admin or source.owner == owner):
        raise problems.no_such("checkpoint", "from_checkpoint")
    origin = service.environment_of(source.compute_environment)
    if origin.work_dir.rstrip("/") != target.work_dir.rstrip("/"):
        raise StudiosError(
            "A fork has to stay with its layers",
            f"they lie in the work dir of “{origin.title}”, “{target.title}” has another",
            f"Choose “{origin.title}”, or one with the same work dir",
            field="compute_environment",
        )


def _drop(db: Session, studio_id: str) -> None:
    db.delete(q.studio(db, studio_id))


async def ensure_forked(service: Service, studio: StudioRow) -> None:
    """Give a fork its first checkpoint, which names the source's layers. Done at its making, and once
    more at a start should the service have died between the two."""
    if studio.from_checkpoint is None or studio.checkpoint_id is not None:
        return
    source = await service.database.run(q.checkpoint, studio.from_checkpoint)
    found = await bucket.fork(service, studio, source.checkpoint)

    def note(db: Session) -> None:
        q.index_checkpoint(db, found, current=True)
        q.studio(db, studio.id).root_mode = RootMode(found.root_mode).value

    await service.database.run(note)
    service.changes.announce(studio.id)


async def change(service: Service, studio: StudioRow, fields: dict[str, Any], *, admin: bool) -> None:
    """Set ``fields``. What a running session was started with can be changed when it has stopped."""
    if "name" in fields:
        fields["name"] = check_name(fields["name"])
    cpus, memory = fields.get("cpus", studio.cpus), fields.get("memory_mib", studio.memory_mib)
    if fields.keys() & set(RESOURCES):
        check_resources(service.environment_of(studio.compute_environment), cpus, memory)
    if fields.get("lifespan_hours", studio.lifespan_hours) != studio.lifespan_hours:
        policy = service.config.lifetime_of(studio.template, studio.compute_environment)
        fields["lifespan_hours"] = choose(policy, fields["lifespan_hours"], admin=admin)

    def write(db: Session) -> None:
        row = q.studio(db, studio.id)
        if fixed := sorted(fields.keys() & set(RESOURCES)):
            q.check_over(db, row.id, ", ".join(fixed), fixed[0])
        if "name" in fields:
            check_free(db, row.owner, fields["name"], besides=row.id)
        for name, value in fields.items():
            setattr(row, name, value)
        row.version += 1

    await service.database.run(write)
    service.changes.announce(studio.id)


# --- what is allowed --------------------------------------------------------------------------------


def check_name(name: str) -> str:
    """The name as the Hub, which shows it too, accepts it."""
    name = normalise_unicode(" ".join(name.split()))
    if not is_valid_display_name(name):
        raise StudiosError(
            "This name cannot be used",
            "it holds characters that cannot be shown",
            "Use letters, digits, punctuation and single spaces",
            field="name",
        )
    return name


def check_resources(environment: ComputeEnvironment, cpus: float, memory_mib: int) -> None:
    for field, asked, limit in (
        ("cpus", cpus, environment.max_cpus),
        ("memory_mib", memory_mib, environment.max_memory_mib),
    ):
        if limit is not None and asked > limit:
            raise StudiosError(
                f"“{environment.title}” offers at most {limit:g} {field}",
                f"{asked:g} were asked for",
                "Ask for less, or choose another compute environment",
                field=field,
            )


def _check_image(environment: ComputeEnvironment, image: str | None) -> None:
    if image is not None and environment.kind == Kind.LOCAL:
        raise StudiosError(
            f"“{environment.title}” runs no images",
            "a local compute environment runs the programs of its own machine",
            "Leave the image out, or choose another compute environment",
            field="image",
        )


async def check_runnable(
    service: Service, studio: StudioRow, groups: Sequence[str]
) -> tuple[ComputeEnvironment, Template]:
    """What was allowed when the studio was made may not be any more."""
    template = service.config.template(studio.template)
    service.environment_of(studio.compute_environment)
    admin = await _is_admin(service, studio.owner)
    environment = service.config.environment_for(
        studio.compute_environment, template.id, studio.owner, groups, admin
    )
    check_resources(environment, studio.cpus, studio.memory_mib)
    return environment, template


async def _is_admin(service: Service, name: str) -> bool:
    model = await service.hub.person(name)
    return bool(model and model.get("admin"))
