"""A Hub whose spawner is tiny, whose jobs are played by tests, and whose work dir is a folder."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyterhub_studios.config import Studios
from jupyterhub_studios.models import Launch, StudioSpec
from jupyterhub_studios.service.core import Service, open_service

from ..hub import RealHub
from ..stores import SeaweedFS
from . import datahub
from .datahub import DataHub
from .player import Agent

SECRET = "store-secret-0xCAFE"
CULLER = "culler-token-for-tests-only"

EXTRA = """
sys.path.insert(0, {tests!r})
from tiny_spawner import TinySpawner

c.JupyterHub.spawner_class = TinySpawner
c.TinySpawner.service_url = c.BatchSpawner.service_url
c.TinySpawner.service_token = c.BatchSpawner.service_token
c.TinySpawner.jobs = {jobs!r}
c.TinySpawner.poll_interval = 1
c.JupyterHub.services.append({{"name": "culler", "api_token": {culler!r}}})
c.JupyterHub.load_roles.append({{
    "name": "culler",
    "services": ["culler"],
    "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers",
               "access:services!service=studios"],
}})
c.Studios.force_after = {force_after}
c.Studios.sweep_grace = 0
c.Studios.templates = {{"box": {{"title": "Box", "command": ["box"], "image": "example/box:1"}}}}
work = {{"work_dir": {work!r}, "store_options": {{}}}}
c.Studios.compute_environments = {{
    "here": {{"title": "Here", "kind": "local", "templates": ["jupyter", "box"], "max_cpus": 8, **work}},
    "patient": {{"title": "Patient", "kind": "local", "lifetime": {{"idle_minutes": 0}}, "allowed_users": ["patty"],
                **work}},
    "images": {{"title": "Images", "kind": "docker", "max_memory_mib": 65536, **work}},
    "apart": {{"title": "Apart", "kind": "docker", "work_dir": {apart!r}}},
    "club": {{"title": "Club", "kind": "docker", "allowed_groups": ["members"], **work}},
    "cloud": {{
        "title": "Cloud",
        "kind": "docker",
        "work_dir": "s3://nowhere/",
        "store_options": {{"access_key_id": "AKIANOBODY", "secret_access_key": {secret!r}, "endpoint": "http://127.0.0.1:9",
                           "allow_http": "true", "region": "x"}},
    }},
}}
"""


def make_hub(folder: Path, force_after: float = 0.0, base: str = "/", more: str = "") -> RealHub:
    for name in ("jobs", "work", "apart"):
        (folder / name).mkdir()
    extra = EXTRA.format(
        tests=str(Path(__file__).parent),
        jobs=str(folder / "jobs"),
        work=(folder / "work").as_uri(),
        apart=(folder / "apart").as_uri(),
        force_after=force_after,
        secret=SECRET,
        culler=CULLER,
    )
    return RealHub(folder, extra + more, base)


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealHub]:
    """One Hub for all tests that kill nothing."""
    found = make_hub(tmp_path_factory.mktemp("hub"))
    found.start()
    try:
        yield found
    finally:
        found.close()


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory, seaweed: SeaweedFS) -> Iterator[DataHub]:
    """One Hub with data links, for all tests of them."""
    folder = tmp_path_factory.mktemp("data")
    more, bucket = datahub.config(seaweed, folder)
    hub = make_hub(folder, more=more)
    hub.start()
    try:
        found = datahub.DataHub(hub, seaweed, bucket)
        found.people()
        yield found
    finally:
        hub.close()


@pytest.fixture
def own_hub(tmp_path: Path) -> Iterator[RealHub]:
    """A Hub of the test's own, to be killed."""
    found = make_hub(tmp_path)
    found.start()
    try:
        yield found
    finally:
        found.close()


def opened(hub: RealHub | None, folder: Path) -> Service:
    """The service without its process, on what ``folder`` holds, beside the one that the Hub runs. ``hub`` None: one
    that does not answer."""
    config = Studios(
        database_url=f"sqlite:///{folder}/own.sqlite",
        state_dir=str(folder),
        compute_environments={"here": {"kind": "local", "work_dir": (folder / "work").as_uri()}},
    )
    api_url, token = (f"{hub.url}hub/api", hub.service_token) if hub else ("http://127.0.0.1:9", "none")
    return open_service(config, api_url=api_url, token=token, base="/", prefix="/services/studios/")


@pytest.fixture
async def service(hub: RealHub, tmp_path: Path) -> AsyncIterator[Service]:
    """One of the test's own, which also knows alice."""
    hub.token("alice")
    found = opened(hub, tmp_path)
    await found.database.migrate()
    yield found
    await found.close()


_names = iter(range(1, 10_000))


class Play:
    """What tests do with a studio, through the API, off the event loop."""

    def __init__(self, hub: RealHub) -> None:
        self.hub = hub

    async def api(self, method: str, path: str, **options: Any) -> Any:
        return await asyncio.to_thread(self.hub.api, method, path, **options)

    async def create(self, user: str = "alice", **fields: Any) -> dict[str, Any]:
        body = {"name": f"studio {next(_names)}", "template": "box", "compute_environment": "here", **fields}
        StudioSpec.model_validate(body)
        answer = await self.api("POST", "studios", user=user, json=body)
        assert answer.status_code == 201, answer.text
        studio: dict[str, Any] = answer.json()
        return studio

    async def start(self, studio: dict[str, Any], user: str = "alice") -> Agent:
        """Have it started; the played agent is not up yet."""
        answer = await self.api("POST", f"studios/{studio['id']}/start", user=user)
        assert answer.status_code == 202, answer.text
        return Agent((await self.job(studio, user)).job)

    async def job(self, studio: dict[str, Any], user: str = "alice") -> Launch:
        file = self.hub.folder / "jobs" / f"{studio['server_name']}.json"
        wanted = (await self.show(studio["id"], user))["session"]["id"]
        async with asyncio.timeout(30):
            while True:
                if file.exists() and (text := file.read_text()) and json.loads(text)["session_id"] == wanted:
                    return Launch.model_validate_json(text)
                await asyncio.sleep(0.05)

    async def show(self, studio_id: str, user: str = "alice") -> dict[str, Any]:
        answer = await self.api("GET", f"studios/{studio_id}", user=user)
        assert answer.status_code == 200, answer.text
        studio: dict[str, Any] = answer.json()
        return studio

    async def until(self, studio_id: str, state: str, user: str = "alice") -> dict[str, Any]:
        """Follow the studio by long polls until it is in ``state``."""
        version = 0
        async with asyncio.timeout(60):
            while True:
                answer = await self.api(
                    "GET", f"studios/{studio_id}/progress?after={version}&wait=5", user=user
                )
                progress = answer.json()
                version = progress["version"]
                if progress["studio"]["state"] == state:
                    studio: dict[str, Any] = progress["studio"]
                    return studio

    def end_job(self, session_id: str, **fields: Any) -> None:
        """The job is over, and the spawner's next poll sees it."""
        report = {"state": "failed", "reason": "killed", **fields}
        (self.hub.folder / "jobs" / f"{session_id}.ended").write_text(json.dumps(report))


@pytest.fixture
def play(hub: RealHub) -> Play:
    return Play(hub)
