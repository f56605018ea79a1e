"""The command against a real Hub and service, below an odd base URL; sessions are played."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Iterator

import pytest

from ..hub import RealHub
from ..service.conftest import Play, make_hub
from ..service.player import Agent


@pytest.fixture
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealHub]:
    found = make_hub(tmp_path_factory.mktemp("hub"), base="/@/space%20word/")
    found.start()
    try:
        yield found
    finally:
        found.close()


async def studios(hub: RealHub, *argv: str, token: str | None = None) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "import sys; from jupyterhub_studios.cli import main; sys.exit(main())",
        *argv,
        env={**os.environ, "STUDIOS_URL": hub.url, "STUDIOS_TOKEN": token or hub.token("alice")},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def test_a_studio_from_making_to_deleting(hub: RealHub) -> None:
    play = Play(hub)
    code, out, err = await studios(hub, "create", "Äpfel", "--template", "box", "--json")
    assert code == 0, err
    studio = json.loads(out)

    starting = asyncio.create_task(studios(hub, "start", "Äpfel", "--wait"))
    while (await play.show(studio["id"]))["session"] is None:
        await asyncio.sleep(0.1)
    async with Agent((await play.job(studio)).job) as agent:
        await agent.come_up()
        await agent.send("log", log="hello\n")
        code, out, err = await starting
        assert code == 0, err
        assert out == f"“Äpfel” is running: {hub.url}user/alice/{studio['server_name']}/\n"
        assert "✓ queued" in err and "✓ app" in err
        assert await studios(hub, "logs", studio["server_name"]) == (0, "hello\n", "")
        code, _, err = await studios(hub, "delete", "Äpfel", "--yes")
        assert code == 1 and err.startswith("studios: “Äpfel” runs already"), err
        stopping = asyncio.create_task(studios(hub, "stop", "Äpfel", "--wait"))
        assert (await agent.command())["kind"] == "stop"
        await agent.finish()
        code, out, err = await stopping
        assert (code, out) == (0, "“Äpfel” is stopped\n"), err
        assert "saved as" in err

    code, out, _ = await studios(hub, "checkpoints", "Äpfel", "--json")
    checkpoint = json.loads(out)["items"][0]["id"]
    assert (await studios(hub, "rename", checkpoint, "ripe"))[0] == 0
    code, out, err = await studios(hub, "fork", checkpoint, "Birnen")
    assert (code, out) == (0, "“Birnen” is stopped\n"), err
    code, _, err = await studios(hub, "delete", checkpoint, "--yes")
    assert code == 1 and err, "the current checkpoint stays"
    for name in ("Birnen", "Äpfel"):
        assert (await studios(hub, "delete", name, "--yes"))[0] == 0
    assert await studios(hub, "list") == (0, "No studios.\n", "")


async def test_what_is_for_administrators(hub: RealHub) -> None:
    code, _, err = await studios(hub, "sweep")
    assert code == 1 and "administrators" in err
    # An administrator's goes through to the buckets, of which this Hub has one that is down.
    code, _, err = await studios(hub, "sweep", token=hub.token("admin"))
    assert code == 1 and "s3://nowhere cannot be read" in err and err.count("\n") == 1
    code, _, err = await studios(hub, "list", "--all")
    assert code == 1 and err.count("\n") == 1
    code, _, err = await studios(hub, "list", token="not-a-token")
    assert code == 1 and err.count("\n") == 1 and "not-a-token" not in err
    code, _, err = await studios(hub, "list", "--state", "sleeping")
    assert code == 1 and err.count("\n") == 1
    code, _, err = await studios(hub, "create", "x" * 81)
    assert code == 1 and err.count("\n") == 1
