"""The extension is installed with the package: a JupyterLab that is nobody's studio must not notice."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from pathlib import Path

import aiohttp
import pytest

from jupyterhub_studios.lab.identity import colour, initials
from tests.lab.plain import ALONE


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("ada", "A"),
        ("Ada King Lovelace", "AL"),
        ("ada.lovelace", "AL"),
        ("éva-nagy", "ÉN"),
        ("_", ""),
        ("a b", "AB"),
    ],
)
def test_initials(name: str, letters: str) -> None:
    assert initials(name) == letters


def test_colours_are_stable_and_spread() -> None:
    assert colour("ada") == colour("ada")
    assert len({colour(f"user{n}") for n in range(100)}) == 7


async def test_a_plain_jupyterlab_is_as_it_was(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("STUDIO")}
    environment |= {"HOME": str(tmp_path), "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime")}
    (tmp_path / "config.py").write_text(ALONE)
    socket, log = tmp_path / "s", tmp_path / "log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--ServerApp.sock={socket}",
            "--IdentityProvider.token=secret", f"--ServerApp.root_dir={tmp_path}", f"--config={tmp_path / 'config.py'}",
            env=environment, stderr=output,
        )  # fmt: skip
    try:
        connector = aiohttp.UnixConnector(str(socket))
        async with asyncio.timeout(60), aiohttp.ClientSession(connector=connector) as session:
            while not socket.exists():
                assert process.returncode is None, log.read_text()
                await asyncio.sleep(0.2)
            async with session.get("http://localhost/lab?token=secret") as answer:
                page = await answer.text()
                assert answer.status == 200
    finally:
        process.terminate()
        await process.wait()
    config = re.search(r'type="application/json">(.*?)</script>', page, re.S)
    assert config is not None
    assert "studioId" not in json.loads(config[1])
    assert not json.loads(config[1]).get("hubPrefix")
    text = log.read_text()
    assert "jupyterhub_studios.lab | extension was successfully loaded" in text
    assert "Traceback" not in text
