"""A studio as a container: the real Hub, service, engine and store."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from jupyterhub_studios.models import job_name
from tests.compute.studios import Person, configuration, on_docker, running_hub, try_mount
from tests.compute.studios import data as data_config
from tests.engine import Engine
from tests.stores import running as store_at

pytestmark = [pytest.mark.root, pytest.mark.docker, pytest.mark.slow]


@pytest.fixture(scope="module")
def person(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    """Hub and store listen where containers on the engine's own network reach this machine."""
    with store_at(engine.gateway) as store:
        extra = configuration(on_docker(engine, store), engine.studio_image())
        more, bucket = data_config(store)
        with running_hub(tmp_path_factory.mktemp("hub"), engine.gateway, extra + more, engine) as hub:
            yield Person(hub, lake=(store, bucket))


def test_what_a_person_did_is_back_after_a_stop(person: Person, engine: Engine) -> None:
    studio = person.create("Kept")
    person.start(studio["id"])
    shell = person.shell(studio)
    shell.run("echo work > /workspace/notes && mkdir /opt/made && rm /usr/bin/yes")
    shell.run("apt-get update -qq && apt-get install -y -qq --no-install-recommends hello")
    assert shell.run("id -u; hello | head -1").split("\n")[0] == "0"
    stopped = person.stop(studio["id"])
    assert stopped["saved"]["status"] == "finalised" and stopped["root_mode"] == "overlay"
    assert {"manager": "dpkg", "name": "hello"}.items() <= stopped["saved"]["installed"][0].items()
    assert stopped["saved"]["base"]["image"] == "studio-tiny:test"

    person.start(studio["id"])
    shell = person.shell(studio)
    assert shell.run("cat /workspace/notes; ls -d /opt/made; test -e /usr/bin/yes || echo gone").split() == [
        "work", "/opt/made", "gone",
    ]  # fmt: skip
    assert shell.run("hello") == "Hello, world!"
    person.stop(studio["id"])


def test_a_bucket_is_a_folder(person: Person) -> None:
    assert person.lake is not None
    try_mount(person, *person.lake)


def test_a_job_that_is_asked_to_end_saves_in_time(person: Person, engine: Engine) -> None:
    """As AWS Batch asks, and a machine that is shut down: SIGTERM, and SIGKILL half a minute later."""
    studio = person.create("Asked to end")
    session = person.start(studio["id"])["session"]["id"]
    person.shell(studio).run(
        "echo work > /workspace/notes; dd if=/dev/urandom of=/workspace/big bs=1M count=64"
    )
    engine.docker("stop", "--time", "30", job_name(session))
    assert engine.docker("inspect", "--format", "{{.State.ExitCode}}", job_name(session)) == "0"
    stopped = person.until(studio["id"], "stopped")
    assert stopped["saved"]["status"] == "finalised" and stopped["saved"]["size"] > 64 << 20
    assert "asked to end" in stopped["message"]


def test_what_takes_too_much_memory_is_ended_and_the_rest_goes_on(person: Person) -> None:
    studio = person.create("Greedy")
    session = person.start(studio["id"])["session"]["id"]
    shell = person.shell(studio)
    assert shell.run("tail /dev/zero 2>/dev/null || echo ended").endswith("ended")
    assert shell.run("echo still here") == "still here"
    log = person.call("GET", f"sessions/{session}/job-logs")
    assert "The control channel is up" in log["text"]
    assert person.call("GET", f"sessions/{session}/job-logs", params={"after": log["next"]})["text"] == ""
    person.stop(studio["id"])
