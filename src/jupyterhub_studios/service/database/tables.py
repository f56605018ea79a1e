"""The tables. What is written here is what survives a kill of the service.

Nothing that opens a door is stored: codes and tokens as hashes, ticket keys not at all.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, DateTime, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from ...models import Checkpoint, Phase


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC datetimes, also on SQLite, which knows no time zones."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.astimezone(UTC).replace(tzinfo=None) if value else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.replace(tzinfo=UTC) if value else None


class Base(DeclarativeBase):
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UtcDateTime,
        dict[str, Any]: JSON,
        list[Any]: JSON,
        str: String(255),
    }


class StudioRow(Base):
    __tablename__ = "studios"
    __table_args__ = (
        UniqueConstraint("owner", "server_name", name="uq_studios_server"),
        UniqueConstraint("owner", "name", name="uq_studios_name"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str] = mapped_column(index=True)
    server_name: Mapped[str]
    name: Mapped[str]
    description: Mapped[str] = mapped_column(Text, default="")
    template: Mapped[str]
    compute_environment: Mapped[str]
    cpus: Mapped[float]
    memory_mib: Mapped[int]
    gpus: Mapped[int]
    lifespan_hours: Mapped[int]
    image: Mapped[str | None] = mapped_column(String(512))
    environment: Mapped[dict[str, Any]]
    mounts: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")  # models.MountSpec
    from_checkpoint: Mapped[str | None]
    checkpoint_id: Mapped[str | None]  # current: what the next start restores
    session_id: Mapped[str | None]  # latest
    epoch: Mapped[int] = mapped_column(default=0)
    root_mode: Mapped[str | None]
    message: Mapped[str] = mapped_column(Text, default="")  # of what was tried outside a session
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]


class SessionRow(Base):
    __tablename__ = "sessions"

    id: Mapped[str] = mapped_column(primary_key=True)
    studio_id: Mapped[str] = mapped_column(ForeignKey("studios.id", ondelete="CASCADE"), index=True)
    owner: Mapped[str]
    server_name: Mapped[str]
    prefix: Mapped[str] = mapped_column(Text)
    epoch: Mapped[int]
    state: Mapped[str] = mapped_column(index=True)
    message: Mapped[str] = mapped_column(Text, default="")
    phases: Mapped[list[Any]]
    started_at: Mapped[datetime]
    ready_at: Mapped[datetime | None]
    stopping_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    address: Mapped[str | None]
    agent_seen: Mapped[bool] = mapped_column(default=False)
    routed: Mapped[bool] = mapped_column(default=False)  # the Hub's proxy leads to it
    durable: Mapped[bool] = mapped_column(default=False)
    force: Mapped[bool] = mapped_column(default=False)
    acked: Mapped[int] = mapped_column(default=0)  # high-water mark of the agent's messages
    log_size: Mapped[int] = mapped_column(default=0)  # bytes of the log that belong to acked messages
    version: Mapped[int] = mapped_column(default=1)
    people: Mapped[list[Any]]
    visitors: Mapped[list[Any]]  # who, beside the owner, was let in and not cut off since
    active_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]  # the end of an extended lifespan; None: as long as the studio's
    lifetime: Mapped[dict[str, Any] | None]  # service.lifetime.memory.Memory
    mounts: Mapped[list[Any] | None]  # models.MountStatus, as the agent told last
    bootstrap_hash: Mapped[str] = mapped_column(unique=True)
    control_hash: Mapped[str | None] = mapped_column(unique=True)

    @property
    def phase_list(self) -> list[Phase]:
        return [Phase.model_validate(phase) for phase in self.phases]


class CommandRow(Base):
    """What the agent is asked, until it has answered."""

    __tablename__ = "commands"

    id: Mapped[str] = mapped_column(primary_key=True)
    session_id: Mapped[str] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str]
    command: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    done: Mapped[bool] = mapped_column(default=False)
    checkpoint_id: Mapped[str | None]
    error: Mapped[str] = mapped_column(Text, default="")


class EventRow(Base):
    __tablename__ = "events"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    session_id: Mapped[str] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"))
    at: Mapped[datetime]
    kind: Mapped[str]
    message: Mapped[str] = mapped_column(Text)
    level: Mapped[str]


Index("ix_events_session", EventRow.session_id, EventRow.id)


class ShareLinkRow(Base):
    """A link that lets its bearer in, as long as it lasts. Its code is derived from the signing key, see ``keys``."""

    __tablename__ = "share_links"

    id: Mapped[str] = mapped_column(primary_key=True)
    studio_id: Mapped[str] = mapped_column(ForeignKey("studios.id", ondelete="CASCADE"), index=True)
    code_hash: Mapped[str] = mapped_column(unique=True)
    may_start: Mapped[bool]
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class ShareRow(Base):
    """One reason why somebody may open a studio. The Hub's own share is there as long as a row has not ended;
    ended ones stay, to tell who was taken out."""

    __tablename__ = "shares"

    id: Mapped[str] = mapped_column(primary_key=True)
    studio_id: Mapped[str] = mapped_column(ForeignKey("studios.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str]  # user or group
    name: Mapped[str]
    link_id: Mapped[str | None] = mapped_column(ForeignKey("share_links.id", ondelete="CASCADE"))
    may_start: Mapped[bool]
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    taken_out: Mapped[bool] = mapped_column(default=False)
    settled: Mapped[bool] = mapped_column(default=False, index=True)  # the Hub knows


class CheckpointRow(Base):
    """Index of the checkpoints in the bucket, which is the truth."""

    __tablename__ = "checkpoints"

    id: Mapped[str] = mapped_column(primary_key=True)
    studio_id: Mapped[str] = mapped_column(ForeignKey("studios.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime]
    document: Mapped[dict[str, Any]]

    @property
    def checkpoint(self) -> Checkpoint:
        return Checkpoint.model_validate(self.document)


class CredentialRow(Base):
    """A credential that somebody added. All but its kind is encrypted, see ``service.data.vault``."""

    __tablename__ = "data_credentials"
    __table_args__ = (UniqueConstraint("owner", "name", name="uq_data_credentials_name"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str]
    name: Mapped[str]
    provider: Mapped[str]
    type: Mapped[str]
    sealed: Mapped[bytes]
    created_at: Mapped[datetime]


class LinkRow(Base):
    """A data link that somebody added, or a found one that was given settings of its own."""

    __tablename__ = "data_links"
    __table_args__ = (UniqueConstraint("owner", "name", name="uq_data_links_name"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str]
    name: Mapped[str]
    description: Mapped[str] = mapped_column(Text)
    url: Mapped[str] = mapped_column(Text)
    provider: Mapped[str]
    bucket: Mapped[str] = mapped_column(Text)
    prefix: Mapped[str] = mapped_column(Text)
    region: Mapped[str | None]
    credential_id: Mapped[str | None] = mapped_column(index=True)  # may be one of the configuration
    writable: Mapped[bool]
    workspace: Mapped[str | None] = mapped_column(index=True)
    workspace_role: Mapped[str]
    created_at: Mapped[datetime]


class MarkRow(Base):
    """What a person marked on a link, their own or not."""

    __tablename__ = "data_marks"

    person: Mapped[str] = mapped_column(primary_key=True)
    link_id: Mapped[str] = mapped_column(primary_key=True)
    starred: Mapped[bool] = mapped_column(default=False)
    hidden: Mapped[bool] = mapped_column(default=False)
