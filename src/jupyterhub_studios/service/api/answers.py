"""Bodies and answers that only the API knows; the rest are the project's own models."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import Field

from ...models import Kind, LifetimeOffer, Model, Name, StudiosError, StudioState, StudioView


class PageQuery(Model):
    limit: int = Field(default=100, ge=1, le=1000)
    after: str | None = Field(default=None, description="`next` of the page before")


def cursor(*key: str | int) -> str:
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


def read_cursor(text: str, size: int) -> list[Any]:
    try:
        key = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if not isinstance(key, list) or len(key) != size:
            raise ValueError
        return key
    except ValueError:
        raise _no_such_page() from None


def number(text: str) -> int:
    """The number that is all of a cursor."""
    (key,) = read_cursor(text, 1)
    if not isinstance(key, int):
        raise _no_such_page()
    return key


def time_cursor(at: datetime, ident: str) -> str:
    return cursor(at.astimezone(UTC).isoformat(), ident)


def moment(text: str) -> tuple[datetime, str]:
    """The time and id of a cursor."""
    at, ident = read_cursor(text, 2)
    try:
        return datetime.fromisoformat(str(at)), str(ident)
    except ValueError:
        raise _no_such_page() from None


def _no_such_page() -> StudiosError:
    return StudiosError(
        "This page does not exist", "“after” is not a value of “next”", "Begin without it", field="after"
    )


class Me(Model):
    name: str
    display_name: str
    admin: bool
    groups: list[str]


class TemplateView(Model):
    id: str
    title: str
    description: str
    icon: str
    image: str | None


class ComputeEnvironmentView(Model):
    id: str
    title: str
    kind: Kind
    description: str
    work_dir: str
    region: str | None
    templates: list[str] | None
    max_cpus: float | None
    max_memory_mib: int | None
    price_per_hour: float | None
    lifetime: dict[str, LifetimeOffer] = Field(default={}, description="by template: what may be chosen")


class StudioQuery(PageQuery):
    owner: str | None = Field(default=None, description="administrators: a person's name, or `*` for all")
    state: StudioState | None = None
    q: str | None = Field(default=None, max_length=200, description="text in name or description")
    shared: bool = Field(default=False, description="instead, others' studios that the caller may open")


class CreateQuery(Model):
    start: bool = False


class StudioPatch(Model):
    """What may be changed; all but name and description only while the studio is stopped."""

    name: Name | None = None
    description: str | None = Field(default=None, max_length=2048)
    cpus: float | None = Field(default=None, gt=0, le=1024)
    memory_mib: int | None = Field(default=None, ge=256, le=24 * 1024 * 1024)
    gpus: int | None = Field(default=None, ge=0, le=64)
    lifespan_hours: int | None = Field(default=None, ge=0, le=120)
    environment: dict[str, str] | None = None


class StopRequest(Model):
    force: bool = False
    notice_seconds: int = Field(
        default=0, ge=0, le=300, description="tell those inside, and give them so long before it stops"
    )


class ProgressQuery(Model):
    after: int = Field(default=0, ge=0, description="the `version` known already")
    wait: float = Field(default=20, ge=0, le=60, description="seconds to wait for a later one")


class Progress(Model):
    version: int
    studio: StudioView


class SaveRequest(Model):
    name: Name


class CheckpointPatch(Model):
    name: Name


class LogQuery(Model):
    offset: Annotated[int, Field(ge=0, description="byte to read from: `next_offset` of the page before")] = 0


class LogPage(Model):
    text: str
    offset: int
    next_offset: int
    ended: bool  # the session is over and this is the log's end


class JobLogQuery(Model):
    after: str | None = Field(default=None, max_length=4096, description="`next` of the page before")


class JobLogPage(Model):
    text: str
    next: str | None  # ask with it for what was printed since


class SweepReport(Model):
    removed: int
    freed_bytes: int
    kept: int
