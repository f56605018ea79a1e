"""What all parts of the service share: configuration, database, Hub, keys, and who is connected."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ..config import Studios
from ..models import ComputeEnvironment, StudiosError
from .alive import Rolls
from .bucket import Buckets
from .changes import Changes
from .data.core import Data, open_data
from .database import Database
from .hub import Hub
from .keys import Keys
from .logs import Logs
from .sessions.inbox import Inbox
from .tunnel import Tunnel

if TYPE_CHECKING:
    from .control import ControlHandler


@dataclass(frozen=True)
class Address:
    """Where the service and the Hub are, as browsers and jobs see them."""

    base: str  # the Hub's base URL: "/" or "/x/"
    prefix: str  # "/services/studios/"

    @property
    def hub(self) -> str:
        return f"{self.base}hub/"

    def server(self, owner: str, server_name: str) -> str:
        return f"{self.base}user/{quote(owner, safe='@~')}/{quote(server_name)}/"


@dataclass
class Service:
    config: Studios
    address: Address
    token: str = field(repr=False)
    hub: Hub
    database: Database
    keys: Keys
    logs: Logs
    data: Data
    tunnel: Tunnel
    buckets: Buckets = field(default_factory=Buckets)
    changes: Changes = field(default_factory=Changes)
    channels: dict[str, ControlHandler] = field(default_factory=dict)  # by session
    alive: Rolls = field(default_factory=Rolls)
    reported: dict[str, float] = field(default_factory=dict)  # by session: when the Hub heard of activity
    tasks: set[asyncio.Future[Any]] = field(default_factory=set)
    busy: dict[str, str] = field(default_factory=dict)  # studios being started or deleted, and which

    @property
    def inbox(self) -> Inbox:
        return Inbox(self.logs, self.config.compute_environments, self.config)

    def keep(self, task: asyncio.Future[Any]) -> None:
        """Hold a background task until it is done: the loop itself does not."""
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def close(self) -> None:
        await self.data.close()
        await self.hub.close()
        # Their connections end with this process, which says nothing of them: they dial again.
        self.channels.clear()
        self.database.close()

    def connected(self, session_id: str | None) -> bool:
        return session_id in self.channels

    def environment_of(self, name: str) -> ComputeEnvironment:
        """A compute environment that a studio uses already, offered to anybody now or not."""
        try:
            return self.config.compute_environments[name]
        except KeyError:
            raise StudiosError(
                f"The compute environment “{name}” is no longer configured",
                "the studio and its checkpoints belong to it",
                "Ask an administrator to bring it back",
                status=409,
                field="compute_environment",
            ) from None

    @contextmanager
    def occupied(self, studio_id: str, what: str) -> Iterator[None]:
        """Keep two long operations on one studio apart."""
        if studio_id in self.busy:
            raise StudiosError(
                f"The studio is being {self.busy[studio_id]} already",
                "two requests came at the same time",
                "Wait for the first",
                status=409,
            )
        self.busy[studio_id] = what
        try:
            yield
        finally:
            del self.busy[studio_id]


def open_service(config: Studios, *, api_url: str, token: str, base: str, prefix: str) -> Service:
    state_dir = Path(config.state_dir).absolute()
    state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    hub, database, keys = Hub(api_url, token), Database(config.database_url), Keys(state_dir)
    return Service(
        config=config,
        address=Address(base=base, prefix=prefix),
        token=token,
        hub=hub,
        database=database,
        keys=keys,
        logs=Logs(state_dir / "logs"),
        data=open_data(config, database, hub, keys),
        tunnel=Tunnel(config, database, keys, state_dir),
    )
