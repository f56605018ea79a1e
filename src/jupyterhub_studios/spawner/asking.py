"""What the spawner asks of the studios service, and tells it: HTTP, for neither imports the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import aiohttp
from pydantic import BaseModel, ValidationError

from ..models import (
    Alive,
    JobStatus,
    Launch,
    LaunchRequest,
    Problem,
    SessionEnded,
    SessionProgress,
    SessionStop,
    StudiosError,
)

LONG_POLL_SECONDS = 10


class Service:
    """The service at its direct address. Its problems become StudiosError, its absence an aiohttp.ClientError."""

    def __init__(self, url: str, token: str) -> None:
        self.url = f"{url.rstrip('/')}/internal/"
        self.token = token

    async def launch(self, request: LaunchRequest) -> Launch:
        return Launch.model_validate(await self._ask("POST", "launches", request))

    async def progress(self, session: str, after: int, wait: int) -> SessionProgress:
        """The session's progress once its version is above ``after``, or after ``wait`` seconds as it is."""
        path = f"sessions/{session}?after={after}&wait={wait}"
        return SessionProgress.model_validate(await self._ask("GET", path))

    async def tell_job(self, session: str, status: JobStatus) -> None:
        await self._ask("POST", f"sessions/{session}/job", status)

    async def tell_alive(self, sessions: Sequence[str]) -> None:
        await self._ask("POST", "alive", Alive(sessions=list(sessions)))

    async def stop(self, session: str) -> None:
        await self._ask("POST", f"sessions/{session}/stop", SessionStop())

    async def tell_ended(self, session: str, status: JobStatus) -> None:
        await self._ask("POST", f"sessions/{session}/ended", SessionEnded.model_validate(status.model_dump()))

    async def _ask(self, method: str, path: str, body: BaseModel | None = None) -> Any:
        timeout = aiohttp.ClientTimeout(total=LONG_POLL_SECONDS + 20)
        headers = {"Authorization": f"token {self.token}"}
        json = body.model_dump(mode="json") if body else None
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, headers=headers) as client,
                client.request(method, self.url + path, json=json) as answer,
            ):
                if answer.status >= 500:
                    raise aiohttp.ClientError(f"status {answer.status}")
                if answer.status >= 400:
                    raise _problem(await answer.text(), answer.status)
                return None if answer.status == 204 or answer.content_length == 0 else await answer.json()
        except TimeoutError as error:
            raise aiohttp.ClientError("no answer in time") from error


def _problem(text: str, status: int) -> StudiosError:
    try:
        problem = Problem.model_validate_json(text)
    except ValidationError:
        return StudiosError("The studios service refused the request", f"status {status}", status=502)
    return StudiosError(
        problem.title, problem.detail, problem.action, status=problem.status, field=problem.field
    )
