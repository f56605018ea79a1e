"""The agent in images that have nothing of ours: its own root, a save, and all of it back, without their help."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from jupyterhub_studios.images.adapt import adapt
from jupyterhub_studios.images.bundle import COMMAND, ENVIRONMENT, PLACE, Bundle
from jupyterhub_studios.models import SCRATCH, Checkpoint, Kind, RootMode, StoreAccess
from tests.agent.harness import Service, Session, Studio
from tests.engine import CLI, Engine
from tests.images.making import Maker, layer

pytestmark = [pytest.mark.root, pytest.mark.docker, pytest.mark.slow]

BUSYBOX = Path("/bin/busybox")
TOOLS = ("sh", "cat", "rm", "ls", "mkdir", "httpd")
# Counts its sessions, deletes a file of the image, and answers.
SCRIPT = "echo session >> /workspace/sessions; rm -f /data/unwanted; exec {0}httpd -f -p 127.0.0.1:{{port}} -h /data"


def alpine_like(maker: Maker) -> None:
    """A shell and its tools, and no libraries at all."""
    links: dict[str, bytes | Path] = {f"@bin/{tool}": b"busybox" for tool in TOOLS}
    files = {
        "bin/": b"",
        "bin/busybox": BUSYBOX,
        **links,
        "etc/": b"",
        "etc/passwd": b"root:x:0:0::/:/bin/sh\n",
    }
    maker.image("1", layer(files), layer({"data/": b"", "data/unwanted": b"x"}), Cmd=["/bin/sh"])


def from_scratch(maker: Maker) -> None:
    """One program, no shell, no folders that systems have. Its variables would break any other program."""
    files: dict[str, bytes | Path] = {"busybox": BUSYBOX, "data/": b"", "data/unwanted": b"x"}
    broken = [
        "LD_PRELOAD=/data/unwanted",
        "LD_LIBRARY_PATH=/data",
        "PYTHONHOME=/data",
        "PYTHONPATH=/data",
        "PATH=/none",
    ]
    maker.image("1", layer(files), Entrypoint=["/busybox"], Env=broken, User="33", StopSignal="SIGQUIT")


IMAGES: dict[str, tuple[Callable[[Maker], None], list[str]]] = {
    "alpine-like": (alpine_like, ["/bin/sh", "-c", SCRIPT.format("")]),
    "scratch": (
        from_scratch,
        ["/busybox", "sh", "-c", SCRIPT.format("/busybox ").replace("rm", "/busybox rm")],
    ),
}


@dataclass
class Contained(Studio):
    """Runs its sessions as containers."""

    engine: Engine | None = None
    image: str = ""
    rights: tuple[str, ...] = ("--privileged",)  # as AWS Batch has it
    options: tuple[str, ...] = ()
    command: tuple[str, ...] = ()

    async def launch(self, service: Service) -> Session:
        assert service.spec is not None and self.engine is not None
        output = self.home / f"{service.spec.session_id}.log"
        with output.open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                CLI, "-H", self.engine.host, "run", "--rm", *self.rights, "--network=host",
                f"--volume={self.home}/scratch:{SCRATCH}", f"--volume={self.home}/bucket:/bucket",
                f"--env=STUDIOS_BOOTSTRAP_URL=http://127.0.0.1:{service.port}/agent/bootstrap",
                "--env=STUDIOS_BOOTSTRAP_CODE=the-code", *self.options, self.image, *self.command,
                stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=asyncio.subprocess.STDOUT,
            )  # fmt: skip
        session = Session(service, service.spec, process, output)
        self.running.append(session)
        return session


@pytest.fixture
async def studio(engine: Engine) -> AsyncIterator[Contained]:
    home = Path(tempfile.mkdtemp(prefix="studios-images-", dir="/var/tmp"))
    for name in ("scratch", "bucket"):
        (home / name).mkdir()
    found = Contained(home=home, store=StoreAccess(url="file:///bucket"), hide=["/bucket"], engine=engine)
    yield found
    await found.close()
    engine.docker("rmi", "--force", found.image, check=False)
    shutil.rmtree(home)


def inside(studio: Contained, checkpoint: Checkpoint, name: str) -> list[str]:
    """The lines of a session's file in a checkpoint's uppermost layer."""
    file = studio.home / "bucket" / ".studios/layers" / f"{checkpoint.layers[-1].digest}.sqsh"
    told = subprocess.run(["unsquashfs", "-cat", str(file), name], capture_output=True, text=True, check=True)
    return told.stdout.split()


def deleted(studio: Contained, checkpoint: Checkpoint, name: str) -> bool:
    file = studio.home / "bucket" / ".studios/layers" / f"{checkpoint.layers[0].digest}.sqsh"
    told = subprocess.run(["unsquashfs", "-lln", str(file), name], capture_output=True, text=True, check=True)
    return any(line.startswith("c") and line.endswith(name) for line in told.stdout.splitlines())


def spec_of(command: list[str]) -> dict[str, Any]:
    template = {"id": "t", "title": "T", "command": command, "ready_seconds": 30}
    return {"kind": Kind.DOCKER, "scratch": SCRATCH, "template": template}


async def run_twice(studio: Contained, command: list[str]) -> None:
    spec = spec_of(command)
    first = await studio.start(**spec)
    assert (await first.ready()).root_mode == RootMode.OVERLAY, first.output.read_text()
    saved = await first.stop()
    assert inside(studio, saved, "workspace/sessions") == ["session"]
    assert deleted(studio, saved, "data/unwanted")
    second = await studio.start(saved, **spec)
    assert (await second.ready()).root_mode == RootMode.OVERLAY
    saved = await second.stop()
    assert inside(studio, saved, "workspace/sessions") == ["session", "session"]


@pytest.mark.parametrize("kind", IMAGES)
async def test_an_adapted_image(
    kind: str, studio: Contained, maker: Maker, bundle: Bundle, engine: Engine, cache: Path
) -> None:
    make, command = IMAGES[kind]
    make(maker)
    studio.image = (await adapt(f"{maker.name}:1", bundle, cache=cache)).image
    await run_twice(studio, command)


@pytest.mark.parametrize("kind", IMAGES)
async def test_an_image_with_the_bundle_from_the_host(
    kind: str, studio: Contained, maker: Maker, bundle: Bundle
) -> None:
    make, command = IMAGES[kind]
    make(maker)
    studio.image = f"{maker.name}:1"
    studio.command = COMMAND[1:]
    studio.options = (
        f"--volume={bundle.folder}:{PLACE}:ro", f"--entrypoint={COMMAND[0]}", "--user=0:0",
        *(f"--env={name}={value}" for name, value in ENVIRONMENT.items()),
    )  # fmt: skip
    await run_twice(studio, command)


async def test_where_only_the_home_directory_can_be_kept(
    studio: Contained, maker: Maker, bundle: Bundle, cache: Path
) -> None:
    from_scratch(maker)
    studio.image = (await adapt(f"{maker.name}:1", bundle, cache=cache)).image
    studio.options = ("--env=STUDIOS_ROOT_MODE=home",)
    script = "echo session >> /workspace/sessions; exec /busybox httpd -f -p 127.0.0.1:{port} -h /workspace"
    saved = None
    for count in (1, 2):
        session = await studio.start(saved, **spec_of(["/busybox", "sh", "-c", script]))
        assert (await session.ready()).root_mode == RootMode.HOME, session.output.read_text()
        saved = await session.stop()
        assert inside(studio, saved, "workspace/sessions") == ["session"] * count


async def test_debian(studio: Contained, engine: Engine, maker: Maker, bundle: Bundle, cache: Path) -> None:
    """An image with libraries of its own, built and pushed by Docker; the session uses them, and apt."""
    context = studio.home / "context"
    context.mkdir()
    shutil.copy(BUSYBOX, context)
    (context / "Dockerfile").write_text(
        f"FROM {engine.base_image()}\nCOPY busybox /opt/busybox\nRUN mkdir /data && touch /data/unwanted\n"
        'ENV LD_PRELOAD=/lib/x86_64-linux-gnu/libm.so.6 GREETING="hello world"\n'
    )
    engine.docker("build", "-q", "-t", f"{maker.name}:1", str(context))
    engine.docker("push", "-q", f"{maker.name}:1")
    engine.docker("rmi", f"{maker.name}:1")
    studio.image = (await adapt(f"{maker.name}:1", bundle, cache=cache)).image
    script = SCRIPT.format("/opt/busybox ").replace("echo session", "perl -e 'print qq(session\\n)'")
    await run_twice(studio, ["bash", "-c", f'test "$GREETING" = "hello world" && {script}'])
