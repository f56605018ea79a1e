"""Studios behind the tunnel, with the real Hub, its proxy, the service, containers and a store."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from jupyterhub_studios.models import job_name
from tests.compute.studios import Person, Shell, configuration, on_docker, running_hub
from tests.demo import wait_for
from tests.engine import Engine
from tests.hub import free_ports
from tests.stores import running as store_at

from .world import LOCK, end_process

pytestmark = [pytest.mark.root, pytest.mark.docker, pytest.mark.slow]


@pytest.fixture(scope="module")
def ports() -> tuple[int, int]:
    first = free_ports(1)[0]
    return first, min(first + 20, 65535)


@pytest.fixture(scope="module")
def person(
    engine: Engine, ports: tuple[int, int], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Person]:
    """Containers dial the Hub, the tunnel and the store; the Hub dials nobody but the tunnel."""
    folder = tmp_path_factory.mktemp("hub")
    with store_at(engine.gateway) as store:
        extra = configuration(on_docker(engine, store, connect="tunnel"), engine.studio_image())
        extra += f'c.Studios.tunnel_bind = "{engine.gateway}:{free_ports(1)[0]}"\n'
        extra += f"c.Studios.tunnel_ports = {ports!r}\n"
        try:
            with running_hub(folder, engine.gateway, extra, engine) as hub:
                yield Person(hub)
        finally:
            end_process(folder / "state")


def pid(person: Person) -> int:
    return int((person.hub.folder / "state" / LOCK).read_text() or 0)


def told(person: Person, session: str) -> str:
    events = person.call("GET", f"sessions/{session}/events")["items"]
    return " ".join(event["message"] for event in events if event["kind"] == "tunnel")


def works(shell: Shell) -> bool:
    """Whether the app answers, by the Hub's proxy."""
    try:
        return shell.client.get(shell.url).text == "tiny"
    except httpx.HTTPError:
        return False


def test_a_studio_is_opened_through_the_tunnel_and_outlives_its_restarts(
    person: Person, engine: Engine, ports: tuple[int, int]
) -> None:
    studio = person.create("Behind")
    session = person.start(studio["id"])["session"]["id"]
    progress = person.hub.internal("GET", f"sessions/{session}").json()
    address = urlsplit(progress["address"])
    assert address.hostname == "127.0.0.1" and ports[0] <= (address.port or 0) <= ports[1]
    table = engine.docker("exec", job_name(session), "cat", "/proc/1/net/tcp").splitlines()[1:]
    listening = [line.split()[1] for line in table if line.split()[3] == "0A"]
    assert listening and all(place.startswith("0100007F:") for place in listening), "on loopback alone"
    assert "OPENSSH" not in engine.docker("inspect", job_name(session))

    shell = person.shell(studio)
    assert shell.run("echo work > /workspace/notes; cat /workspace/notes") == "work"

    before = pid(person)
    person.hub.kill_service()
    assert works(shell) and pid(person) == before, "it does not need the service"

    end_process(person.hub.folder / "state")
    wait_for("the tunnel and the studio to be back", lambda: pid(person) != before and works(shell), 60)
    assert person.hub.internal("GET", f"sessions/{session}").json()["address"] == progress["address"]
    wait_for("its history to tell", lambda: "is there again" in told(person, session), 60)

    assert person.stop(studio["id"])["saved"]["status"] == "finalised"
    wait_for("its place to be closed", lambda: not _listens(address.port or 0), 20)
    said = (person.hub.folder / "state" / "tunnel.log").read_text()
    assert f"Session {session}: its place is closed" in said


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
