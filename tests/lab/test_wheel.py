"""The built wheel in an environment of its own: `pip install` gives a plain JupyterLab the panel."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from playwright.async_api import expect

from .conftest import Data
from .panel import Panel, chromium
from .plain import PlainLab, settings

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The Python of a fresh environment with the wheel and what it asks for."""
    built, place = tmp_path_factory.mktemp("wheel"), tmp_path_factory.mktemp("venv")
    uv("build", "--wheel", "--out-dir", str(built), str(ROOT))
    uv("venv", "--clear", "--python", sys.executable, str(place))
    (wheel,) = built.glob("*.whl")
    own = str(place / "bin/python")
    uv("pip", "install", "--python", own, "--constraint", str(ROOT / "constraints.txt"), str(wheel))
    return own


def uv(*arguments: str) -> None:
    """pip's work, without waiting for it: packages are linked from a cache that all environments share."""
    done = subprocess.run([sys.executable, "-m", "uv", "--quiet", *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_the_wheel_brings_the_panel(python: str, data: Data, tmp_path: Path) -> None:
    data.put("birds.csv", "species\nAdelie\n")
    (data.folder / "from the folder.txt").write_text("a text of this machine\n")
    lab = PlainLab(tmp_path, python=python, settings=settings(data.bucket, data.seaweed, data.folder))
    with lab.running():
        async with chromium() as page:
            panel = Panel(page, lab)
            await panel.open()
            for link, name, text in (
                ("Results", "birds.csv", "Adelie"),
                ("Scratch", "from the folder.txt", "a text of this machine"),
            ):
                await panel.enter(link)
                await panel.click(name)
                await expect(page.locator(".jp-DataPreview:visible").get_by_text(text)).to_be_visible(
                    timeout=30_000  # the first preview starts its process
                )
    assert "Traceback" not in lab.log
