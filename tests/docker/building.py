"""The images below docker/, as people build them, each made once for the sources that it is made of.

Their context is a folder beside the engine's data that holds what ``docker/build`` prepares in a checkout.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from jupyterhub_studios.images.bundle import Bundle
from tests.engine import ROOT, Engine, _digest, _run

CODE_SERVER = Path(sys.prefix) / "share" / "code-server"  # `make test` puts it there
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"


def agent_image(engine: Engine, bundle: Bundle) -> str:
    return _image(engine, "agent", {"agent": bundle.folder}, key=bundle.about.digest)


def vscode_image(engine: Engine, bundle: Bundle) -> str:
    agent_image(engine, bundle)
    ready = ["--build-arg", "CODE_SERVER=ready"]
    version = (ROOT / "docker" / "vscode" / "build").read_text()
    return _image(engine, "vscode", {"code-server": CODE_SERVER}, ready, key=version + bundle.about.digest)


def desktop_image(engine: Engine, bundle: Bundle) -> str:
    agent_image(engine, bundle)
    return _image(engine, "desktop", {}, key=bundle.about.digest)


def hub_image(engine: Engine) -> str:
    """With the wheel of the sources as they are now."""
    sources = _digest(ROOT / "src")
    wheels = engine.folder / "wheel"
    with engine._locked("wheel"):
        if not (wheels / sources).exists():
            shutil.rmtree(wheels, ignore_errors=True)
            _run(
                sys.executable,
                "-m",
                "pip",
                "wheel",
                "--quiet",
                "--no-deps",
                "--wheel-dir",
                str(wheels),
                str(ROOT),
            )
            (wheels / sources).touch()
        (wheel,) = wheels.glob("*.whl")
        return _image(engine, "hub", {wheel.name: wheel}, key=sources, image="studios-hub")


def store_image(engine: Engine) -> str:
    return _image(engine, "store", {}, image="studios-store")


def _image(
    engine: Engine,
    name: str,
    parts: dict[str, Path],
    options: Sequence[str] = (),
    key: str = "",
    image: str | None = None,
) -> str:
    """``docker/NAME`` with ``parts`` in its dist/. ``key``: of what the parts are made of."""
    engine.base_image()
    image = image or f"studio-{name}"
    context = engine.folder / f"image-{name}"
    with engine._locked(f"image-{name}"):
        shutil.rmtree(context, ignore_errors=True)
        (context / "dist").mkdir(parents=True)
        for one in ("constraints.txt", "pyproject.toml"):
            shutil.copy(ROOT / one, context)
        shutil.copytree(ROOT / "docker" / name, context / "docker" / name)
        (context / "key").write_text(key)
        tag = f"{image}:{_digest(context)}"
        if not engine.has(tag):
            for part, place in parts.items():
                _run("cp", "-al", str(place), str(context / "dist" / part))
            engine.docker(
                "build", "-q", "-t", tag, "-f", str(context / "docker" / name / "Dockerfile"), *options,
                "--secret", f"id=ca,src={CERTIFICATES}", str(context),
            )  # fmt: skip
        engine._only(tag, f"{image}:latest")
    return image
