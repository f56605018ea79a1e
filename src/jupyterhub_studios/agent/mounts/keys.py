"""Keys of S3 for the programs that mount: an address on loopback that they ask, and ask again before the keys end.

It is the way in which containers get their keys on AWS, so that the SDKs in rclone and Mountpoint know it. Whoever asks
must show a token that only the mount's program has, in its environment, which nobody in the session can read.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from aiohttp import web

from ...models import MountAccess, now

ENDLESS = timedelta(hours=1)  # after which keys that do not end are asked for again


class KeyServer:
    """Serves between :meth:`start` and :meth:`stop`, each mount's keys to that mount alone."""

    def __init__(self) -> None:
        self._access: dict[str, MountAccess] = {}
        self._tokens: dict[str, str] = {}
        self._runner: web.ServerRunner | None = None
        self._port = 0

    async def start(self) -> None:
        self._runner = web.ServerRunner(web.Server(self._serve, access_log=None))
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
        self._runner = None

    def put(self, access: MountAccess) -> None:
        """The keys that are given from now on."""
        self._access[access.name] = access

    def place(self, name: str) -> tuple[str, str]:
        """Where mount ``name`` asks, and what it shows."""
        token = self._tokens.setdefault(name, secrets.token_urlsafe(32))
        return f"http://127.0.0.1:{self._port}/{name}", token

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        name = request.path.lstrip("/")
        token, access = self._tokens.get(name, ""), self._access.get(name)
        shown = request.headers.get("Authorization", "")
        if access is None or access.keys is None or not token:
            return web.Response(status=404)
        if not secrets.compare_digest(shown.encode("utf-8", "surrogateescape"), token.encode()):
            return web.Response(status=403)
        document = {
            "AccessKeyId": access.keys.access_key_id,
            "SecretAccessKey": access.keys.secret_access_key,
            # Mountpoint takes no keys that say nothing of their end.
            "Expiration": _moment(access.expires_at or now() + ENDLESS),
        }
        if access.keys.session_token:
            document["Token"] = access.keys.session_token
        return web.json_response(document)


def _moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
