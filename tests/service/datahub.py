"""A Hub whose service has data: a real store, what the configuration offers, people and their workspaces."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from ..hub import RealHub
from ..stores import SeaweedFS

CAP = 5

DATA = """
c.Studios.allowed_endpoints = [{host!r}]
c.Studios.archive_cap = {cap}
store = {{"provider": "s3", "endpoint": {endpoint!r}, "region": "us-east-1", "secret": {{
    "type": "access-key", "access_key_id": {key!r}, "secret_access_key": {secret!r}}}}}
c.Studios.data_credentials = {{
    "house": store,
    "listing": {{**store, "offer": "found", "allowed_users": ["finder"]}},
    "open": {{**store, "offer": "any", "allowed_users": ["trusted"], "writable": True}},
}}
c.Studios.data_links = {{
    "genomes": {{"name": "Genomes", "url": "s3://{bucket}/genomes/", "credential": "house", "why": "Kept as it is."}},
    "drop": {{"url": "s3://{bucket}/drop/", "credential": "house", "allowed_groups": ["team-write"],
              "role": "write", "writable": True}},
    "files": {{"url": {folder!r}, "role": "view"}},
}}
c.Studios.compute_environments["here"]["writable_buckets"] = ["s3://{bucket}/drop/"]
c.Studios.compute_environments["here"]["mounter"] = "mount-s3"
"""

ROLES = ("view", "download", "write")
MEMBERS = {"vera": "team-view", "dora": "team-download", "wendy": "team-write"}


@dataclass
class DataHub:
    hub: RealHub
    store: SeaweedFS
    bucket: str

    @property
    def credential(self) -> dict[str, Any]:
        """Somebody's own credential of the store."""
        return {
            "name": "My store",
            "provider": "s3",
            "endpoint": self.store.endpoint,
            "region": "us-east-1",
            "secret": {
                "type": "access-key",
                "access_key_id": self.store.access_key,
                "secret_access_key": self.store.secret_key,
            },
        }

    async def api(
        self, method: str, path: str, *, user: str | None = "alice", **options: Any
    ) -> httpx.Response:
        return await asyncio.to_thread(self.hub.api, method, path, user=user, **options)

    async def ok(self, method: str, path: str, *, user: str = "alice", **options: Any) -> Any:
        answer = await self.api(method, path, user=user, **options)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def put(self, key: str, body: bytes = b"hello") -> None:
        self.store.client().put_object(Bucket=self.bucket, Key=key, Body=body)

    def people(self) -> None:
        """Who is in which workspace; alice, who offers, is in all of them."""
        for name, group in MEMBERS.items():
            self.hub.token(name)
            self.hub.token("alice")
            self.hub.hub_api("POST", f"groups/{group}", ok=(201, 409))
            self.hub.hub_api("POST", f"groups/{group}/users", json={"users": [name, "alice"]})


def config(store: SeaweedFS, folder: Path) -> tuple[str, str]:
    """The configuration to add, and the bucket that it names."""
    (folder / "files").mkdir()
    (folder / "files" / "readme.txt").write_text("a file of the server")
    bucket = store.bucket()
    text = DATA.format(
        host=store.endpoint.removeprefix("http://"),
        endpoint=store.endpoint,
        key=store.access_key,
        secret=store.secret_key,
        bucket=bucket,
        folder=(folder / "files").as_uri(),
        cap=CAP,
    )
    return text, bucket
