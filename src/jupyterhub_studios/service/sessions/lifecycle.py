"""A session's launch, stop and end: the shell around ``state``, for the spawner's requests and the API's."""

from __future__ import annotations

import asyncio
import base64
import tempfile
from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from ...compute import batch_payloads
from ...models import (
    PHASES,
    SCRATCH,
    Checkpoint,
    CheckpointStatus,
    Command,
    ComputeEnvironment,
    Job,
    JobStatus,
    Kind,
    Launch,
    LaunchRequest,
    LaunchSpec,
    NextflowAccess,
    Phase,
    SessionEnded,
    SessionProgress,
    SessionState,
    StoreAccess,
    StudiosError,
    job_name,
    new_id,
    now,
)
from .. import bucket, making, studios
from ..core import Service
from ..database import CheckpointRow, CommandRow, SessionRow, StudioRow
from ..database import queries as q
from ..keys import hashed, new_secret
from ..mounts import core as mounts
from ..mounts.deciding import mounted_by
from . import state

AGAIN_PAUSES = (0.0, 2.0, 5.0, 15.0)  # seconds before each try to start what lost its machine

# --- launch -----------------------------------------------------------------------------------------


async def launch(service: Service, request: LaunchRequest) -> Launch:
    """The Hub starts a named server: find or make its studio, and open a session for it."""
    studio = await making.for_server(service, request)
    if service.busy.get(studio.id) == studios.DELETING:
        raise StudiosError(f"“{studio.name}” is being deleted", "", "Make a new studio", status=409)
    environment, template = await making.check_runnable(service, studio, request.owner_groups)
    await service.tunnel.check(environment)
    studio = await _refresh(service, studio)
    await making.ensure_forked(service, studio)
    image = studio.image or template.image
    digest = await service.database.run(_built_on, studio.checkpoint_id, image)
    code = new_secret()
    policy = service.config.lifetime_of(studio.template, studio.compute_environment)
    row = await service.database.run(_open_session, studio.id, request.prefix, hashed(code), now())
    service.changes.announce(studio.id)
    job = Job(
        session_id=row.id,
        name=job_name(row.id),
        image=image,
        digest=digest,
        timeout_seconds=batch_payloads.backstop(policy.in_band(studio.lifespan_hours), policy.max_hours),
        cpus=studio.cpus,
        memory_mib=studio.memory_mib,
        gpus=studio.gpus,
        environment={
            "STUDIOS_BOOTSTRAP_URL": _public(service, "agent/bootstrap"),
            "STUDIOS_BOOTSTRAP_CODE": code,
        },
        tags={
            "studio": studio.id,
            "session": row.id,
            "owner": studio.owner,
            "server": studio.server_name,
            "hub": service.keys.installation,
        },
    )
    return Launch(session_id=row.id, studio_id=studio.id, compute_environment=environment.id, job=job)


def _built_on(db: Session, checkpoint_id: str | None, image: str | None) -> str | None:
    """The bytes of ``image`` below what the studio has saved: it goes on with these until its owner moves it."""
    row = db.get(CheckpointRow, checkpoint_id) if checkpoint_id else None
    base = row.checkpoint.base if row else None
    return base.digest if base is not None and image is not None and base.image == image else None


async def _refresh(service: Service, studio: StudioRow) -> StudioRow:
    """Learn from the bucket what a session saved without being able to tell: a start restores the latest.
    A studio whose checkpoints cannot be read does not start, rather than to start empty."""
    if studio.epoch == 0 and studio.from_checkpoint is None:
        return studio
    environment = service.environment_of(studio.compute_environment)
    try:
        head = await bucket.refresh(service, studio.id)
    except StudiosError as error:
        raise StudiosError(
            f"The studio's checkpoints cannot be read from {environment.work_dir}",
            error.problem.detail or error.problem.title,
            "Nothing is lost; try again when the work dir can be reached",
            status=424,
        ) from None
    if head is None and studio.checkpoint_id is not None:
        raise StudiosError(
            f"The studio's checkpoints are gone from {environment.work_dir}",
            "it was saved there, and nothing of it is there now",
            "Have them put back, or make a new studio",
            status=409,
        )
    return await service.database.run(q.studio, studio.id)


def _open_session(db: Session, studio_id: str, prefix: str, code_hash: str, at: datetime) -> SessionRow:
    studio = q.studio(db, studio_id)
    if q.unended_sessions(db, studio_id):
        raise StudiosError(
            f"“{studio.name}” has a session already",
            "a studio runs once at a time",
            "Wait until it has stopped",
            status=409,
        )
    studio.epoch += 1
    phases = [Phase(name=name) for name in PHASES]  # type: ignore[arg-type]
    phases[0] = Phase(name="queued", status="running", started_at=at)
    row = SessionRow(
        id=new_id("se"),
        studio_id=studio.id,
        owner=studio.owner,
        server_name=studio.server_name,
        prefix=prefix,
        epoch=studio.epoch,
        state=SessionState.STARTING.value,
        phases=[phase.model_dump(mode="json") for phase in phases],
        started_at=at,
        people=[],
        visitors=[],
        bootstrap_hash=code_hash,
        version=1,
    )
    db.add(row)
    db.flush()
    studio.session_id, studio.message = row.id, ""
    q.add_event(db, row, at, "phase", "Waiting for compute.")
    q.touch(db, row)
    return row


async def job_says(service: Service, session_id: str, status: JobStatus) -> None:
    """Show what the compute environment says of a job whose agent is not there yet."""

    def note(db: Session) -> SessionRow:
        row = q.session(db, session_id)
        if row.state == SessionState.STARTING.value and not row.agent_seen:
            at, before = now(), row.phase_list
            working = any(phase.name == "image" and phase.status == "running" for phase in before)
            for phase in state.job_phases(before, status, at):
                if phase not in before:
                    q.set_phase(row, phase)
                    # How far the image is changes each second: that it is worked on is enough for the history.
                    if (
                        phase.status == "running"
                        and phase.message
                        and not (working and phase.name == "image")
                    ):
                        q.add_event(db, row, at, "phase", f"{phase.name}: {phase.message}")
            if row.phase_list != before:
                q.touch(db, row)
        return row

    row = await service.database.run(note)
    service.changes.announce(row.id, row.studio_id)


# --- bootstrap --------------------------------------------------------------------------------------


async def redeem(service: Service, code: str) -> LaunchSpec:
    """The agent's one-time code for everything that it needs."""
    token = new_secret()
    await service.tunnel.reserve(hashed(code))
    row, studio, checkpoint = await service.database.run(_redeem, hashed(code), hashed(token), now())
    service.changes.announce(row.id, studio.id)
    environment = service.environment_of(studio.compute_environment)
    scheme_less = _public(service, "agent/control").removeprefix("http")
    through_tunnel = environment.connect == "tunnel"
    return LaunchSpec(
        session_id=row.id,
        studio_id=studio.id,
        studio_name=studio.name,
        owner=studio.owner,
        server_name=studio.server_name,
        prefix=row.prefix,
        hub_prefix=service.address.hub,
        kind=environment.kind,
        template=service.config.template(studio.template),
        environment=studio.environment,
        control_url=f"ws{scheme_less}",
        control_token=token,
        ticket_key=base64.b64encode(service.keys.ticket_key(row.id)).decode(),
        enter_url=f"{service.address.prefix}enter",
        epoch=row.epoch,
        checkpoint=checkpoint,
        store=StoreAccess(url=environment.work_dir, options=environment.store_options),
        mounts=[mounted_by(one, environment) for one in await mounts.accesses(service, studio)],
        nextflow=nextflow_access(environment),
        hide=environment.hide,
        scratch=_scratch(environment),
        save_interval=service.config.save_interval,
        report_seconds=service.config.lifetime_of(studio.template, studio.compute_environment).report_seconds,
        gate_host="127.0.0.1" if environment.kind == Kind.LOCAL or through_tunnel else None,
        gate_ports=(0, 0) if through_tunnel else environment.gate_ports,
        tunnel=service.tunnel.access(row, environment),
    )


def nextflow_access(environment: ComputeEnvironment) -> NextflowAccess | None:
    """For pipelines that are started in the studio; None where their tasks cannot be jobs beside it."""
    batch, region = environment.batch, environment.region
    if environment.kind != Kind.AWS_BATCH or batch is None or region is None:
        return None
    work_dir = f"{environment.work_dir.rstrip('/')}/nextflow"
    return NextflowAccess(queue=batch.queue, region=region, work_dir=work_dir, job_role=batch.job_role)


def _scratch(environment: ComputeEnvironment) -> str:
    """Where the job finds room for its files."""
    if environment.kind != Kind.LOCAL:
        return SCRATCH
    return environment.scratch or str(Path(tempfile.gettempdir()) / "jupyterhub-studios")


def _redeem(
    db: Session, code_hash: str, token_hash: str, at: datetime
) -> tuple[SessionRow, StudioRow, Checkpoint | None]:
    row = db.query(SessionRow).filter_by(bootstrap_hash=code_hash).one_or_none()
    if row is None:
        raise StudiosError("This bootstrap code is not known", "", "Start the studio again", status=403)
    if row.agent_seen or SessionState(row.state).ended:
        raise StudiosError(
            "This bootstrap code was used already, or its session is over",
            "a code works once",
            "Start the studio again",
            status=410,
        )
    row.agent_seen, row.control_hash = True, token_hash
    for phase in row.phase_list:
        if phase.name in ("queued", "host"):
            phase.status, phase.started_at = "done", phase.started_at or at
            phase.ended_at = phase.ended_at or at
            q.set_phase(row, phase)
    q.add_event(db, row, at, "phase", "host: the agent is up")
    q.touch(db, row)
    studio = q.studio(db, row.studio_id)
    current = db.get(CheckpointRow, studio.checkpoint_id) if studio.checkpoint_id else None
    return row, studio, current.checkpoint if current else None


def _public(service: Service, path: str) -> str:
    return f"{service.config.public_url.rstrip('/')}/services/studios/{path}"


# --- stop and end -----------------------------------------------------------------------------------


async def stop(service: Service, session_id: str, reason: str, notice: float = 0.0) -> None:
    """Ask the session's agent to save and end, ``notice`` seconds after it has told those inside. Asking twice is
    asking once."""

    def ask(db: Session) -> tuple[SessionRow, Command | None]:
        row = q.session(db, session_id)
        change = state.on_stop(q.facts(row), reason)
        if change:
            q.change_state(db, row, change, now())
        if SessionState(row.state).ended or any(c.kind == "stop" for c in q.open_commands(db, row.id)):
            return row, None
        return row, add_command(db, row, Command(id=new_id("co"), kind="stop", reason=reason, notice=notice))

    row, command = await service.database.run(ask)
    service.changes.announce(row.id, row.studio_id)
    if command:
        send(service, row.id, command)


def add_command(db: Session, row: SessionRow, command: Command) -> Command:
    db.add(
        CommandRow(
            id=command.id,
            session_id=row.id,
            kind=command.kind,
            command=command.model_dump(mode="json"),
            created_at=now(),
        )
    )
    return command


def send(service: Service, session_id: str, command: Command) -> None:
    """Hand a stored command to the agent; one that is away gets it when it is back."""
    channel = service.channels.get(session_id)
    if channel:
        channel.command(command)


async def ended(service: Service, session_id: str, report: SessionEnded) -> None:
    """The job is over. Whether its work was saved is for the bucket to say, not for whoever reports."""
    row = await service.database.run(q.session, session_id)
    saved = row.durable
    if row.agent_seen and not SessionState(row.state).ended and not saved:
        saved = await _found_saved(service, row)

    def close(db: Session) -> bool:
        """Whether the session was in use until its machine was lost: told twice at the same time, it was so once."""
        row = q.session(db, session_id)
        lost = report.host_lost and row.state == SessionState.RUNNING.value
        change = state.on_job_ended(q.facts(row), report, saved)
        if change:
            q.change_state(db, row, change, now())
        return lost or q.taken_back(db, row)

    lost = await service.database.run(close)
    service.tunnel.look()
    service.changes.announce(row.id, row.studio_id)
    if lost:
        service.keep(asyncio.ensure_future(_start_again(service, row)))


async def _start_again(service: Service, row: SessionRow) -> None:
    """Its machine was taken away under a session that was in use: it goes on elsewhere, with what was saved."""
    studio = await service.database.run(q.studio, row.studio_id)
    message = ""
    for pause in AGAIN_PAUSES:  # the Hub may still be busy with the end
        await asyncio.sleep(pause)
        try:
            await studios.start(service, studio)
            return
        except StudiosError as error:
            if error.problem.status == 409:
                return  # somebody started or deletes it meanwhile
            message = f"Its machine was lost, and starting it again failed: {error}"
    await service.database.run(studios.tell, studio.id, message)
    service.changes.announce(studio.id)


async def _found_saved(service: Service, row: SessionRow) -> bool:
    try:
        current = await bucket.refresh(service, row.studio_id)
    except StudiosError:
        return False  # the next start looks again
    return (
        current is not None and current.session_id == row.id and current.status == CheckpointStatus.FINALISED
    )


# --- what is going on -------------------------------------------------------------------------------


async def progress(service: Service, session_id: str, after: int, wait: float) -> SessionProgress:
    """The session's progress, as soon as it has passed version ``after`` or ``wait`` seconds are over."""

    async def read() -> SessionProgress | None:
        row = await service.database.run(q.session, session_id)
        return _progress(service, row) if row.version > after else None

    found = await service.changes.until(session_id, wait, read) if wait > 0 else None
    return found or _progress(service, await service.database.run(q.session, session_id))


def _progress(service: Service, row: SessionRow) -> SessionProgress:
    return SessionProgress(
        version=row.version,
        state=SessionState(row.state),
        message=row.message,
        phases=row.phase_list,
        address=row.address,
        agent_seen=row.agent_seen,
        connected=service.connected(row.id),
        durable=row.durable,
        force=row.force,
    )
