"""How many kernels of a Jupyter app are busy, by their execution state: a silent one counts as much as a loud one."""

from __future__ import annotations

import aiohttp

from ... import tickets
from ...models import LaunchSpec
from ..upstream import Upstream

PATIENCE = aiohttp.ClientTimeout(total=10)
IDENTITY = "X-Studio-Identity"


class Unknown(Exception):
    """The app is a Jupyter server, and does not tell."""


class Kernels:
    def __init__(self, spec: LaunchSpec, app: Upstream, key: bytes) -> None:
        self._owner, self._key, self._app = spec.owner, key, app
        self._base = app.base + ("/" if spec.template.strip_prefix else spec.prefix)
        self._jupyter: bool | None = None  # None: not known yet

    async def busy(self) -> int | None:
        """None: the app is no Jupyter server, and has no kernels that it could tell of. Raises Unknown."""
        if self._jupyter is False:
            return None
        try:
            async with aiohttp.ClientSession(connector=self._app.connector(), timeout=PATIENCE) as client:
                if self._jupyter is None:
                    self._jupyter = await self._is_jupyter(client)
                    if not self._jupyter:
                        return None
                return await self._count(client)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError, LookupError, TypeError) as error:
            raise Unknown(str(error)) from error

    async def _is_jupyter(self, client: aiohttp.ClientSession) -> bool:
        async with client.get(f"{self._base}api", allow_redirects=False) as answer:
            if answer.status != 200 or "json" not in answer.headers.get("Content-Type", ""):
                return False
            document = await answer.json()
            return isinstance(document, dict) and "version" in document

    async def _count(self, client: aiohttp.ClientSession) -> int:
        claims = {"aud": "app", "sub": self._owner, "name": self._owner, "own": True}
        headers = {IDENTITY: tickets.sign(self._key, claims, 60)}
        # Asking is not using: Jupyter does not count it either.
        url = f"{self._base}api/kernels?no_track_activity=1"
        async with client.get(url, headers=headers, allow_redirects=False) as answer:
            if answer.status != 200:
                raise ValueError(f"status {answer.status}")
            return sum(kernel["execution_state"] == "busy" for kernel in await answer.json())
