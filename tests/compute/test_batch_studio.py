"""A studio as a job of AWS Batch: the real Hub, service, store and containers; AWS is moto's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from jupyterhub_studios.compute.batch_payloads import TAG
from tests.compute.studios import Person, configuration, running_hub, try_mount
from tests.compute.studios import data as data_config
from tests.demo import wait_for
from tests.engine import Engine
from tests.moto_server import REGION, Moto
from tests.registries import Registry
from tests.stores import SeaweedFS

pytestmark = [pytest.mark.root, pytest.mark.docker, pytest.mark.slow]


@pytest.fixture(scope="module")
def person(
    moto: Moto,
    engine: Engine,
    open_registry: Registry,
    seaweed: SeaweedFS,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Person]:
    image = f"{open_registry.host}/studio:1"
    engine.docker("tag", engine.studio_image(), image)
    engine.docker("push", "--quiet", image)
    folder = tmp_path_factory.mktemp("hub")
    environment = {
        "kind": "aws-batch",
        "region": REGION,
        "work_dir": f"s3://{seaweed.bucket()}/work",
        "store_options": seaweed.options,
        "scratch": str(folder / "scratch"),
        "gate_networks": [
            "127.0.0.0/8"
        ],  # the jobs share this machine's network, and the Hub listens on loopback
        "batch": {"queue": moto.queue(), "tags": {"cost-centre": "42"}},
    }
    (folder / "scratch").mkdir()
    extra = configuration(environment, image)
    extra += f"import os\nos.environ |= {moto.environment()!r}\n"
    more, bucket = data_config(seaweed)
    with running_hub(folder, "127.0.0.1", extra + more, engine) as hub:
        yield Person(hub, lake=(seaweed, bucket))
    engine.docker("rmi", image, check=False)


def test_what_a_person_did_is_back_after_a_stop(person: Person, moto: Moto, open_registry: Registry) -> None:
    studio = person.create("Kept")
    person.start(studio["id"])
    shell = person.shell(studio)
    shell.run("echo work > /workspace/notes && mkdir /opt/made && rm /usr/bin/yes")
    shell.run("apt-get update -qq && apt-get install -y -qq --no-install-recommends hello")
    stopped = person.stop(studio["id"])
    assert stopped["saved"]["status"] == "finalised" and stopped["root_mode"] == "overlay"
    base = stopped["saved"]["base"]
    assert base["image"].endswith("/studio:1") and base["digest"].startswith("sha256:")

    person.start(studio["id"])
    shell = person.shell(studio)
    assert shell.run("cat /workspace/notes; ls -d /opt/made; test -e /usr/bin/yes || echo gone").split() == [
        "work", "/opt/made", "gone",
    ]  # fmt: skip
    assert shell.run("hello") == "Hello, world!"
    assert shell.run("ls /.studio-scratch") == "", "sessions do not see the scratch folder of all"
    person.stop(studio["id"])

    batch = moto.client("batch")
    definitions = batch.describe_job_definitions(status="ACTIVE")["jobDefinitions"]
    images = [definition["containerProperties"]["image"] for definition in definitions]
    ours = (f"{open_registry.host}/studio:", f"{open_registry.host}/studio@")
    assert len([image for image in images if image.startswith(ours)]) == 1, f"one for both: {images}"

    def ended() -> list[dict[str, Any]]:
        found = batch.list_jobs(jobQueue="studios", jobStatus="SUCCEEDED")["jobSummaryList"]
        return list(found) if len(found) == 2 else []

    done = wait_for("both jobs to have ended well", ended)
    tags = batch.describe_jobs(jobs=[done[0]["jobId"]])["jobs"][0]["tags"]
    assert {"cost-centre": "42", f"{TAG}owner": "alice", f"{TAG}studio": studio["id"]}.items() <= tags.items()


def test_a_bucket_is_a_folder(person: Person) -> None:
    assert person.lake is not None
    try_mount(person, *person.lake)


def test_nothing_secret_can_be_read_about_a_job(person: Person, moto: Moto, seaweed: SeaweedFS) -> None:
    studio = person.create("Private", environment={"THEIR_PASSWORD": "of-a-database"})
    person.start(studio["id"])
    assert person.shell(studio).run("echo $THEIR_PASSWORD") == "of-a-database"
    said = moto.everything()
    assert "STUDIOS_BOOTSTRAP_CODE" in said
    hub = person.hub
    secrets = [seaweed.secret_key, seaweed.access_key, hub.service_token, hub.token("alice"), "of-a-database"]
    assert [secret for secret in secrets if secret in said] == []
    person.stop(studio["id"])


def test_a_start_can_be_cancelled_while_it_waits(person: Person, moto: Moto) -> None:
    studio = person.create("Impatient")
    moto.slow_down(5.0)
    try:
        person.start(studio["id"], "starting")

        def waits() -> bool:
            phases = person.call("GET", f"studios/{studio['id']}")["session"]["phases"]
            return bool(phases[0]["message"] == "waiting for capacity")

        wait_for("the page to say what it waits for", waits)
        stopped = person.stop(studio["id"])
    finally:
        moto.slow_down(0)
    assert "Cancelled before it came up" in stopped["message"]
    person.start(studio["id"])
    person.stop(studio["id"])


def test_a_session_gets_nothing_of_what_its_job_may(person: Person) -> None:
    """The job is privileged, because Batch knows nothing between that and not being able to mount."""
    studio = person.create("Confined")
    person.start(studio["id"])
    shell = person.shell(studio)
    devices = set(shell.run("ls /dev").split())
    assert devices <= {"console", "core", "fd", "full", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin",
                       "stdout", "tty", "urandom", "zero"}  # fmt: skip
    assert shell.run("mount -t tmpfs none /mnt 2>/dev/null || echo refused") == "refused"
    assert shell.run("mknod /tmp/disk b 254 0 2>/dev/null || echo refused") == "refused"
    assert "STUDIOS_BOOTSTRAP" not in shell.run("cat /proc/*/environ | tr '\\0' '\\n'")
    person.stop(studio["id"])
