"""Credentials that end are fetched anew: when, and how."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from urllib.parse import urljoin

import aiohttp
from pydantic import ValidationError

from ...models import LaunchSpec, MountAccess, MountAnswer, MountRequest, now
from ..data import data_address
from ..root.mounts import MountFault

LONGEST = 600.0  # seconds between two looks at what expires
AGAIN = 60.0  # after a try that brought nothing new


class Renewal:
    """When what is due. Half of a credential's life is left when a new one is fetched: a service that is away for a
    while costs nobody their mount."""

    def __init__(self, spec: LaunchSpec) -> None:
        self._since: dict[str, tuple[datetime, datetime]] = {}  # by mount: expiry, and when it was first seen
        for access in spec.mounts:
            self._see(access)

    def _see(self, access: MountAccess) -> datetime | None:
        """When ``access`` is renewed."""
        if access.expires_at is None:
            return None
        expires, seen = self._since.get(access.name, (None, now()))
        if expires != access.expires_at:
            seen = now()
            self._since[access.name] = (access.expires_at, seen)
        return seen + max((access.expires_at - seen) / 2, timedelta(0))

    def due(self, accesses: Sequence[MountAccess]) -> list[str]:
        at = now()
        return [one.name for one in accesses if (when := self._see(one)) is not None and when <= at]

    def pause(self, accesses: Sequence[MountAccess]) -> float:
        """Seconds until the next look."""
        times = [when for one in accesses if (when := self._see(one)) is not None]
        return max(0.05, min([LONGEST, *((when - now()).total_seconds() for when in times)]))


async def renew(spec: LaunchSpec, names: Sequence[str]) -> list[MountAccess]:
    """Asks the service. :class:`MountFault` when it does not answer."""
    url = urljoin(data_address(spec.control_url), "../mounts")
    headers = {"Authorization": f"Bearer {spec.control_token}"}
    body = MountRequest(names=list(names)).model_dump(mode="json")
    timeout = aiohttp.ClientTimeout(total=60)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as client,
            client.post(url, json=body, headers=headers) as answer,
        ):
            if answer.status != 200:
                raise MountFault(f"HTTP status {answer.status}")
            return MountAnswer.model_validate_json(await answer.read()).mounts
    except ValidationError:
        raise MountFault("the service's answer is of another version") from None
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise MountFault(str(error) or type(error).__name__) from None
