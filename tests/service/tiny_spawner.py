"""A spawner that speaks to the service as BatchSpawner does, and whose jobs are files that a test plays:
`<server>.json` is the submitted job, `<session>.ended` its end."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import aiohttp
from jupyterhub.spawner import Spawner, SpawnException
from traitlets import Unicode


class TinySpawner(Spawner):
    service_url = Unicode().tag(config=True)
    service_token = Unicode().tag(config=True)
    jobs = Unicode().tag(config=True)

    def get_state(self) -> dict[str, Any]:
        return {**super().get_state(), "session": getattr(self, "session", "")}

    def load_state(self, state: dict[str, Any]) -> None:
        super().load_state(state)
        self.session = state.get("session", "")

    async def start(self) -> str:
        request = {
            "owner": self.user.name,
            "owner_groups": [group.name for group in self.user.groups],
            "server_name": self.name,
            "display_name": self.orm_spawner.display_name or "",
            "prefix": self.server.base_url,
            "user_options": self.user_options,
        }
        launch = await self.ask("POST", "launches", request)
        self.session = launch["session_id"]
        (Path(self.jobs) / f"{self.name}.json").write_text(json.dumps(launch))
        while True:
            progress = await self.progress_of(launch["session_id"])
            if progress["state"] == "running":
                return str(progress["address"])
            if progress["state"] != "starting" or self.ended() is not None:
                raise SpawnException(progress["message"] or "ended early", reason="test")

    async def stop(self, now: bool = False) -> None:
        await self.ask("POST", f"sessions/{self.session}/stop", {})
        while True:
            progress = await self.progress_of(self.session)
            if progress["durable"] or progress["state"] in ("stopped", "errored"):
                return
            if progress["force"] or not progress["agent_seen"]:
                await self.ask(
                    "POST", f"sessions/{self.session}/ended", {"state": "failed", "reason": "terminated"}
                )
                return

    async def poll(self) -> int | None:
        if not getattr(self, "session", ""):
            return 0
        return None if self.ended() is None else 1

    async def run_post_stop_hook(self) -> None:
        """As BatchSpawner: the service knows of an end when the Hub has dealt with it, so that the next start is no
        longer stopped along with it."""
        if (ended := self.ended()) is not None:
            await self.ask("POST", f"sessions/{self.session}/ended", ended)

    def ended(self) -> dict[str, Any] | None:
        file = Path(self.jobs) / f"{self.session}.ended"
        return json.loads(file.read_text()) if file.exists() else None

    async def progress_of(self, session: str) -> dict[str, Any]:
        known = getattr(self, "_version", {}).get(session, 0)
        try:
            progress = await self.ask("GET", f"sessions/{session}?after={known}&wait=1")
        except aiohttp.ClientError:
            await asyncio.sleep(0.2)
            return {"state": "starting", "durable": False, "force": False, "agent_seen": True, "message": ""}
        self._version = {session: progress["version"]}
        return progress

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"token {self.service_token}"}
        url = f"{self.service_url}internal/{path}"
        async with (
            aiohttp.ClientSession(headers=headers) as client,
            client.request(method, url, json=body) as answer,
        ):
            content = await answer.json()
            if answer.status >= 400:
                text = ". ".join(content[k] for k in ("title", "detail", "action") if content.get(k))
                raise SpawnException(text, reason="test", status_code=answer.status)
            return content
