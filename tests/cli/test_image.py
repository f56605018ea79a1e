"""``studios image …`` against a real registry."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jupyterhub_studios.cli import main
from jupyterhub_studios.images.bundle import Bundle
from tests.images.conftest import maker, open_registry, tiny
from tests.images.making import Maker, layer

__all__ = ["maker", "open_registry", "tiny"]


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_adapt_and_resolve(maker: Maker, tiny: Bundle, capsys: pytest.CaptureFixture[str]) -> None:
    digest = maker.image("1", layer({"one": b"1"}))
    assert main(["image", "adapt", f"{maker.name}:1", "--bundle", str(tiny.folder)]) == 0
    told = capsys.readouterr()
    assert told.out.startswith(f"{maker.name}@sha256:") and " to 1 layers" in told.err
    assert main(["image", "adapt", f"{maker.name}:1", "--bundle", str(tiny.folder), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["cached"] and document["image"] == told.out.strip()
    assert main(["image", "resolve", f"{maker.name}:1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["digest"] == digest


def test_trouble_is_one_line(maker: Maker, tiny: Bundle, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["image", "adapt", f"{maker.name}:none", "--bundle", str(tiny.folder)]) == 1
    assert "studios: There is no image" in capsys.readouterr().err.splitlines()[-1]
    assert main(["image", "adapt", "a", "--bundle", str(tiny.folder / "none")]) == 1
    assert "is no agent bundle" in capsys.readouterr().err
