"""The notice that AWS gives before it takes a spot machine back: two minutes.

The machine's own metadata service tells it, at a link-local address. A container may be unable to reach that (a hop
limit of 1, on a network of its own): then nothing is known before the end, and the last interim save is what is kept.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Awaitable, Callable
from datetime import datetime

import aiohttp

from ..models import TAKEN_BACK, Checkpoint, Event, now

log = logging.getLogger(__name__)

# The variable is the one that AWS' own tools read.
METADATA = os.environ.get("AWS_EC2_METADATA_SERVICE_ENDPOINT") or "http://169.254.169.254"
POLL_SECONDS = 5.0  # as AWS recommends
TRIES = 3  # in vain, before the first answer: there is no metadata service for this job
ANSWER_SECONDS = 2.0
TOKEN_SECONDS = 21600  # that a token is good for: the longest possible
LEAVE_SECONDS = 60.0  # before the end: time for the app to end and for the last save


class Metadata:
    """What the metadata service (version 2, with its token) says of the machine."""

    def __init__(self, client: aiohttp.ClientSession, url: str) -> None:
        self._client, self._url = client, url.rstrip("/")
        self._token = ""

    async def taken_back_at(self) -> datetime | None:
        """When this machine ends or is stopped; None: nothing is planned. Raises ``aiohttp.ClientError``,
        ``TimeoutError`` or ``ValueError`` when it cannot be asked."""
        for _ in range(2):
            if not self._token:
                self._token = await self._new_token()
            headers = {"X-aws-ec2-metadata-token": self._token}
            async with self._client.get(
                f"{self._url}/latest/meta-data/spot/instance-action", headers=headers
            ) as answer:
                if answer.status == 404:
                    return None
                if answer.status != 401:
                    answer.raise_for_status()
                    return _time(await answer.text())
            self._token = ""  # it has expired
        raise ValueError("the metadata service takes none of its own tokens")

    async def _new_token(self) -> str:
        headers = {"X-aws-ec2-metadata-token-ttl-seconds": str(TOKEN_SECONDS)}
        async with self._client.put(f"{self._url}/latest/api/token", headers=headers) as answer:
            answer.raise_for_status()
            return await answer.text()


def _time(text: str) -> datetime:
    try:
        return datetime.fromisoformat(json.loads(text)["time"])
    except (TypeError, KeyError) as error:
        raise ValueError(f"not a notice: {text[:200]}") from error


async def notice(url: str = METADATA) -> datetime | None:
    """Waits for the notice: when the machine is taken back. None at once where nobody tells such things."""
    known, failures = False, 0
    timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout) as client:
        metadata = Metadata(client, url)
        while True:
            try:
                if (at := await metadata.taken_back_at()) is not None:
                    return at
                known = True
            except (aiohttp.ClientError, TimeoutError, ValueError, OSError) as error:
                failures += 1
                if not known and failures >= TRIES:
                    log.info(
                        "Notices of spot machines cannot be read here: %s", error or type(error).__name__
                    )
                    return None
            await asyncio.sleep(POLL_SECONDS)


async def leave_in_time(
    save: Callable[[], Awaitable[Checkpoint | None]],
    tell: Callable[[Event], None],
    end: Callable[[str], None],
) -> None:
    """Once the notice is there: a save at once, and the end while there is still time for the last one."""
    if (at := await notice()) is None:
        return
    log.warning("This machine is taken back at %s", at)
    tell(_event(words(at, None)))
    saving = asyncio.ensure_future(save())
    await asyncio.wait([saving], timeout=max(0.0, _until(at)))
    if saving.done() and (checkpoint := saving.result()) is not None:
        tell(_event(words(at, checkpoint.saved_at)))
    await asyncio.sleep(_until(at))
    end(words(at, None))
    await asyncio.wait([saving])  # the last save waits for it


def _until(at: datetime) -> float:
    """Seconds until the session has to end."""
    return (at - now()).total_seconds() - LEAVE_SECONDS


def _event(message: str) -> Event:
    return Event(at=now(), kind=TAKEN_BACK, message=message, level="warning")


def words(at: datetime, saved_at: datetime | None) -> str:
    """What people read."""
    saved = f"Saved at {saved_at:%H:%M:%S}; it" if saved_at else "It"
    return (
        f"AWS takes this machine back at {at:%H:%M:%S} UTC. {saved} is saved once more, and started again on another "
        "machine."
    )
