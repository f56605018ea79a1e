"""A real JupyterLab, started as the template says, behind a real gate, with two people at it."""

from __future__ import annotations

import asyncio
import base64
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from jupyterhub_studios import tickets
from jupyterhub_studios.agent.gate import Gate
from jupyterhub_studios.agent.upstream import Upstream
from jupyterhub_studios.config import JUPYTER
from jupyterhub_studios.models import Kind, LaunchSpec, StoreAccess

from ..stores import SeaweedFS
from .plain import Api, PlainLab, settings

TICKET_KEY = b"t" * 32
IDENTITY_KEY = b"i" * 32
PREFIX = "/base/user/ada/lab/"


@dataclass
class Lab:
    url: str  # of the gate, with the prefix
    socket: Path
    workdir: Path
    log: Path

    async def visitor(self, user: str, name: str) -> aiohttp.ClientSession:
        """Somebody's browser, signed in and with JupyterLab's page open."""
        session = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
        claims = {"aud": "ss-lab", "sub": user, "name": name, "own": user == "ada"}
        params = {"ticket": tickets.sign(TICKET_KEY, claims, 60), "next": PREFIX + "lab"}
        async with session.get(self.url + "_studio/enter", params=params) as answer:
            assert answer.status == 200, await answer.text()
        xsrf = next(cookie.value for cookie in session.cookie_jar if cookie.key == "_xsrf")
        session.headers["X-XSRFToken"] = xsrf
        return session


def environment(home: Path) -> dict[str, str]:
    """What the agent gives the app."""
    return {
        **{name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ},
        "HOME": str(home),
        "STUDIO_ID": "st-1",
        "STUDIO_NAME": "Ada's lab",
        "STUDIO_OWNER": "ada",
        "STUDIO_SERVER_NAME": "lab",
        "STUDIO_PREFIX": PREFIX,
        "STUDIO_HUB_PREFIX": "/base/hub/",
        "STUDIO_IDENTITY_KEY": base64.b64encode(IDENTITY_KEY).decode(),
    }


def filled(text: str, words: dict[str, str]) -> str:
    """As the agent does it: other braces stay."""
    for name, value in words.items():
        text = text.replace(f"{{{name}}}", value)
    return text


async def start_jupyter(folder: Path, **more: str) -> tuple[asyncio.subprocess.Process, Lab]:
    lab = Lab("", folder / "app.sock", folder / "work", folder / "log")
    lab.workdir.mkdir()
    words = {
        "socket": str(lab.socket),
        "prefix": PREFIX,
        "workdir": str(lab.workdir),
        "python": sys.executable,
    }
    command = [filled(word, words) for word in JUPYTER.command]
    with lab.log.open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *command, env=environment(folder) | more, cwd=lab.workdir, stdout=log, stderr=log
        )
    async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(lab.socket))) as probe:
        async with asyncio.timeout(60):
            while True:
                assert process.returncode is None, lab.log.read_text()
                try:
                    async with probe.get(f"http://app{PREFIX.rstrip('/')}{JUPYTER.ready_path}") as answer:
                        assert answer.status == 200
                        break
                except aiohttp.ClientConnectorError:
                    await asyncio.sleep(0.2)
    return process, lab


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lab() -> AsyncIterator[Lab]:
    with tempfile.TemporaryDirectory() as folder:
        process, lab = await start_jupyter(Path(folder))
        spec = LaunchSpec(
            session_id="ss-lab", studio_id="st-1", studio_name="Ada's lab", owner="ada", server_name="lab",
            prefix=PREFIX, hub_prefix="/base/hub/", kind=Kind.LOCAL, template=JUPYTER, control_url="",
            control_token="", ticket_key=base64.b64encode(TICKET_KEY).decode(), epoch=1,
            enter_url="/base/services/studios/enter", store=StoreAccess(url="memory:///"), scratch=folder,
        )  # fmt: skip
        gate = Gate(spec, Upstream(socket=lab.socket), IDENTITY_KEY)
        lab.url = await gate.start() + PREFIX
        yield lab
        await gate.stop()
        process.terminate()
        await process.wait()


@pytest_asyncio.fixture(loop_scope="module")
async def ada(lab: Lab) -> AsyncIterator[aiohttp.ClientSession]:
    async with await lab.visitor("ada", "Ada King Lovelace") as session:
        yield session


@pytest_asyncio.fixture(loop_scope="module")
async def bob(lab: Lab) -> AsyncIterator[aiohttp.ClientSession]:
    async with await lab.visitor("bob", "") as session:
        yield session


# --- a JupyterLab that is nobody's studio ----------------------------------------------------------------


@dataclass
class Data:
    """What the links of the plain JupyterLab lead to."""

    seaweed: SeaweedFS
    bucket: str
    folder: Path

    def put(self, key: str, body: bytes | str) -> None:
        text = body.encode() if isinstance(body, str) else body
        self.seaweed.client().put_object(Bucket=self.bucket, Key=key, Body=text)

    def get(self, key: str) -> bytes:
        body: bytes = self.seaweed.client().get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return body

    def keys(self, prefix: str = "") -> list[str]:
        found = self.seaweed.client().list_objects_v2(Bucket=self.bucket, Prefix=prefix)
        return [one["Key"] for one in found.get("Contents", [])]


@pytest.fixture(scope="session")
def data(seaweed: SeaweedFS, tmp_path_factory: pytest.TempPathFactory) -> Data:
    found = Data(seaweed, seaweed.bucket(), tmp_path_factory.mktemp("scratch"))
    found.put("reference/genes.txt", "BRCA1\n")
    return found


@pytest.fixture(scope="session")
def plain_lab(data: Data, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlainLab]:
    """One for all tests, below an odd base URL. What a kernel reads there needs keys of its own: those of the
    environment, which are also found as a credential of the machine."""
    environment = {
        "AWS_ACCESS_KEY_ID": data.seaweed.access_key,
        "AWS_SECRET_ACCESS_KEY": data.seaweed.secret_key,
        "AWS_ENDPOINT_URL": data.seaweed.endpoint,
        "AWS_REGION": "us-east-1",
    }
    text = settings(data.bucket, data.seaweed, data.folder)
    lab = PlainLab(tmp_path_factory.mktemp("lab"), settings=text, environment=environment)
    with lab.running():
        yield lab


@pytest.fixture(scope="session")
def api(plain_lab: PlainLab) -> Api:
    return Api(plain_lab)
