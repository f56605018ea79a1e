"""What goes wrong with registries: one clear message each, and never half an image under a name."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from jupyterhub_studios.images import transfer
from jupyterhub_studios.images.adapt import adapt, resolve
from jupyterhub_studios.images.bundle import Bundle
from jupyterhub_studios.images.faults import refused
from jupyterhub_studios.images.reference import Reference
from jupyterhub_studios.models import StudiosError
from tests.demo import free_port
from tests.images.conftest import make_tiny
from tests.images.making import Maker, digest_of, layer
from tests.registries import Registry, registry

ONE = layer({"one": b"1" * 5000})


class Cutter:
    """Passes connections on to a registry, and cuts the first ``times`` that carry ``request``: when ``after`` bytes of
    it, or of its answer, have passed."""

    def __init__(
        self, target: Registry, request: bytes, after: int, times: int = 1, answer: bool = False
    ) -> None:
        self._target, self._request, self._after, self._answer = target, request, after, answer
        self.left, self.cut = times, 0
        self._server = socket.create_server(("127.0.0.1", 0))
        self.host = f"127.0.0.1:{self._server.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._server.accept()
                upstream = socket.create_connection(("127.0.0.1", self._target.port))
                armed = threading.Event()
                for args in ((client, upstream, armed, False), (upstream, client, armed, True)):
                    threading.Thread(target=self._pass, args=args, daemon=True).start()

    def _pass(
        self, source: socket.socket, target: socket.socket, armed: threading.Event, answer: bool
    ) -> None:
        budget = self._after
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                if not answer and self.left and data.startswith(self._request):
                    self.left -= 1
                    armed.set()
                if armed.is_set() and answer == self._answer:
                    data, budget = data[:budget], budget - len(data)
                target.sendall(data)
                if budget <= 0:
                    self.cut += 1
                    break
        for one in (source, target):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._server.close()


@pytest.fixture
def large(tmp_path: Path) -> Bundle:
    """Of more than one chunk, also when it is packed."""
    return make_tiny(tmp_path / "large", os.urandom(3 << 20))


@pytest.mark.parametrize(("times", "after"), [(1, 500_000), (2, 300)])
async def test_an_upload_that_breaks_goes_on(
    times: int, after: int, open_registry: Registry, maker: Maker, large: Bundle, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(transfer, "CHUNK", 1 << 20)
    maker.image("1", ONE)
    cutter = Cutter(open_registry, b"PATCH", after, times)
    try:
        done = await adapt(f"{cutter.host}/{maker.repository}:1", large, cache=tmp_path)
    finally:
        cutter.close()
    assert cutter.cut == times
    for entry in maker.get(done.tag)[0]["layers"]:
        assert digest_of(maker._ask("GET", f"blobs/{entry['digest']}").content) == entry["digest"]


async def test_a_download_that_breaks_is_repeated(
    open_registry: Registry, tiny: Bundle, maker: Maker, tmp_path: Path
) -> None:
    content = os.urandom(2 << 20)
    maker.image("1", layer({"big": content}))
    big = maker.get("1")[0]["layers"][0]["digest"]
    request = f"GET /v2/{maker.repository}/blobs/{big}".encode()
    cutter = Cutter(open_registry, request, 1_000_000, answer=True)
    try:
        with registry() as other:
            target = Maker(other, "copy")
            done = await adapt(f"{cutter.host}/{maker.repository}:1", tiny, target.name, cache=tmp_path)
            assert digest_of(target._ask("GET", f"blobs/{big}").content) == big
            assert cutter.cut == 1 and done.tag in other.tags("copy")
    finally:
        cutter.close()


async def test_a_registry_that_is_down(tiny: Bundle) -> None:
    host = f"127.0.0.1:{free_port()}"
    for work in (adapt(f"{host}/a", tiny), resolve(f"{host}/a")):
        with pytest.raises(StudiosError, match=rf"The registry {host} cannot be reached"):
            await work


async def test_a_registry_that_goes_away_meanwhile(maker: Maker, tiny: Bundle, cache: Path) -> None:
    maker.image("1", ONE)
    with registry() as other:
        other.stop()
        with pytest.raises(StudiosError, match=rf"The registry {other.host} cannot be reached"):
            await adapt(f"{maker.name}:1", tiny, f"{other.host}/copy", cache=cache)
        other.start()
        assert other.tags("copy") == []


@pytest.fixture
def small_disk() -> Iterator[Registry]:
    """A registry whose disk holds 2 MB."""
    with registry() as found:
        found.data.mkdir(exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(found.data)], check=True)
        try:
            yield found
        finally:
            found.stop()
            subprocess.run(["umount", str(found.data)], check=True)


@pytest.mark.root
async def test_a_registry_without_room(small_disk: Registry, large: Bundle, tmp_path: Path) -> None:
    maker = Maker(small_disk, "full")
    maker.image("1", ONE)
    with pytest.raises(
        StudiosError, match=r"has no room for the image.*no space left.*nothing was published"
    ):
        await adapt(f"{maker.name}:1", large, cache=tmp_path)
    assert small_disk.tags("full") == ["1"]


@pytest.mark.root
async def test_no_room_for_the_layer_here(maker: Maker, large: Bundle, tmp_path: Path) -> None:
    maker.image("1", ONE)
    place = tmp_path / "small"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(place)], check=True)
    try:
        with pytest.raises(StudiosError, match="The agent's layer cannot be written"):
            await adapt(f"{maker.name}:1", large, cache=place)
        assert list(place.iterdir()) == []
    finally:
        subprocess.run(["umount", str(place)], check=True)


async def test_a_damaged_layer_is_not_copied(
    open_registry: Registry, maker: Maker, tiny: Bundle, cache: Path
) -> None:
    maker.image("1", ONE)
    digest = maker.get("1")[0]["layers"][0]["digest"].removeprefix("sha256:")
    blob = open_registry.data / "docker/registry/v2/blobs/sha256" / digest[:2] / digest / "data"
    whole = blob.read_bytes()
    blob.write_bytes(b"x" * len(whole))
    try:
        with registry() as other:
            with pytest.raises(StudiosError, match="is not what its name says"):
                await adapt(f"{maker.name}:1", tiny, f"{other.host}/copy", cache=cache)
            assert other.tags("copy") == []
    finally:
        blob.write_bytes(whole)


IMAGE = Reference.parse("registry.example.org/team/app:1")


@pytest.mark.parametrize(
    ("doing", "status", "said", "title"),
    [
        ("pull", 404, "manifest unknown", "There is no image registry.example.org/team/app:1"),
        ("push", 404, "repository name not known", "There is no repository registry.example.org/team/app"),
        ("pull", 401, "denied", "does not let you pull team/app"),
        ("push", 403, "denied", "does not let you push to team/app"),
        ("push", 403, "adding 25 MB would exceed the project's storage quota", "has no room for the image"),
        ("push", 413, "", "has no room for the image"),
        ("pull", 429, "too many requests", "limits how much may be asked"),
        ("push", 500, "unknown error", "The registry registry.example.org failed"),
    ],
)
def test_each_refusal_says_what_and_why(doing: str, status: int, said: str, title: str) -> None:
    body = {"errors": [{"code": "X", "message": said}]} if said else None
    error = refused(doing, IMAGE, httpx.Response(status, json=body) if body else httpx.Response(status))  # type: ignore[arg-type]
    assert title in error.problem.title and error.problem.action
    assert (said or str(status)) in error.problem.detail


def test_debian_packages_without_apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from jupyterhub_studios.images.building import build

    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(StudiosError, match=r"(?i)apt-get is not there.*Debian 12"):
        build(tmp_path / "bundle", print)
    assert list(tmp_path.iterdir()) == []


def test_debian_packages_that_are_not_offered(tmp_path: Path) -> None:
    from jupyterhub_studios.images.building import build

    sources = tmp_path / "none.list"
    sources.write_text("")
    with pytest.raises(StudiosError, match=r"cannot be made of this machine's packages.*--sources"):
        build(tmp_path / "bundle", print, sources)
    assert list(tmp_path.iterdir()) == [sources]


def test_a_folder_that_is_something_else_is_not_replaced(tmp_path: Path) -> None:
    from jupyterhub_studios.images.building import build

    (tmp_path / "mine").write_text("keep")
    with pytest.raises(StudiosError, match="exists and is no agent bundle"):
        build(tmp_path, print)
    assert (tmp_path / "mine").read_text() == "keep"
