"""VS Code in Chromium: a terminal, an extension, a web app; stopped, started, and all is there.

On this machine, as a container, and as a job of AWS Batch (moto's). Screenshots go to ``test-results/vscode``; those
of this machine's, copied to ``docs/images``, are the documentation's.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from jupyterhub_studios.images.bundle import Bundle
from tests.compute.conftest import moto
from tests.compute.studios import Person as Client
from tests.compute.studios import on_docker, running_hub
from tests.demo import PASSWORD, ROOT, running
from tests.docker.building import vscode_image
from tests.engine import Engine
from tests.hub import PASSWORD as HUB_PASSWORD
from tests.images.conftest import bundle
from tests.moto_server import REGION, Moto
from tests.stores import SeaweedFS
from tests.stores import running as store_at
from tests.stories.browser import chromium
from tests.stories.vscode import Coder

__all__ = ["bundle", "moto"]

pytestmark = [
    pytest.mark.root,
    pytest.mark.browser,
    pytest.mark.docker,
    pytest.mark.slow,
    pytest.mark.timeout(900),
]

SHOTS = ROOT / "test-results" / "vscode"
OWNER, GUEST = "alpha", "demo"  # the demo's; the guest is an administrator, who may go in everywhere
ROLE = "arn:aws:iam::123456789012:role/studios-job"

Step = Callable[[Coder], None]


@pytest.fixture(scope="module")
def image(engine: Engine, bundle: Bundle) -> str:
    return vscode_image(engine, bundle)


def test_on_this_machine() -> None:
    with running("vscode") as demo, chromium() as browser:
        api = demo.api(OWNER)
        studio = api.create("Pipelines", template="vscode")
        owner = Coder(browser, f"{demo.url}/", f"{demo.url}{studio['url']}", SHOTS)
        owner.sign_in(OWNER, PASSWORD)
        api.wait_state(studio["id"], "running")
        first_day(owner)
        together(browser, owner, GUEST, PASSWORD)

        api.call("POST", f"/studios/{studio['id']}/stop", json={})
        api.wait_state(studio["id"], "stopped")
        api.call("POST", f"/studios/{studio['id']}/start")
        api.wait_state(studio["id"], "running")
        next_day(owner)


def test_as_a_container(engine: Engine, image: str, tmp_path: Path) -> None:
    with store_at(engine.gateway) as store:
        extra = configuration(on_docker(engine, store), image)
        with running_hub(tmp_path, engine.gateway, extra, engine) as hub:
            two_days(Client(hub))


def test_as_a_job_of_aws_batch(
    engine: Engine, image: str, moto: Moto, seaweed: SeaweedFS, tmp_path: Path
) -> None:
    # Of a registry that the Hub cannot ask: the machines have the image already.
    name = f"127.0.0.1:1/{image}:story"
    engine.docker("tag", image, name)
    (tmp_path / "scratch").mkdir()
    work_dir = f"s3://{seaweed.bucket()}/work"
    environment = {
        "kind": "aws-batch",
        "region": REGION,
        "work_dir": work_dir,
        "store_options": seaweed.options,
        "scratch": str(tmp_path / "scratch"),
        "gate_networks": [
            "127.0.0.0/8"
        ],  # jobs share this machine's network, and the Hub listens on loopback
        "batch": {"queue": moto.queue("vscode"), "job_role": ROLE},
    }
    wanted = (
        "process.executor = 'awsbatch'",
        "process.queue = 'vscode'",
        f"aws.region = '{REGION}'",
        f"aws.batch.jobRole = '{ROLE}'",
        f"workDir = '{work_dir}/nextflow'",
        "process.executor = 'local'",
    )

    def nextflow_is_at_hand(owner: Coder) -> None:
        said = owner.run("cat ~/.nextflow/config")
        assert [line for line in wanted if line not in said] == []
        owner.run("echo '// a line of mine' >> ~/.nextflow/config")

    def nextflow_is_as_they_left_it(owner: Coder) -> None:
        assert owner.run("tail -1 ~/.nextflow/config") == "// a line of mine\n"

    extra = configuration(environment, name) + f"import os\nos.environ |= {moto.environment()!r}\n"
    try:
        with running_hub(tmp_path, "127.0.0.1", extra, engine) as hub:
            two_days(Client(hub), nextflow_is_at_hand, nextflow_is_as_they_left_it)
    finally:
        engine.docker("rmi", name, check=False)


def configuration(environment: dict[str, Any], image: str) -> str:
    return (
        'c.JupyterHub.spawner_class = "studios"\n'
        "c.BatchSpawner.poll_interval = 1\n"
        f'c.Studios.compute_environments = {{"there": {environment!r}}}\n'
        f'c.Studios.templates = {{"vscode": {{"image": {image!r}}}}}\n'
    )


def two_days(client: Client, at_first: Step = lambda owner: None, at_last: Step = lambda owner: None) -> None:
    studio = client.create("Pipelines", template="vscode", cpus=2, memory_mib=2048)
    client.start(studio["id"])
    hub = client.hub.url
    with chromium() as browser:
        owner = Coder(browser, hub, hub.rstrip("/") + studio["url"], SHOTS)
        owner.sign_in(client.name, HUB_PASSWORD)
        first_day(owner)
        at_first(owner)
        client.stop(studio["id"])
        client.start(studio["id"])
        next_day(owner)
        at_last(owner)
        client.stop(studio["id"])


def first_day(owner: Coder) -> None:
    owner.open()
    owner.terminal()
    owner.unpack()
    owner.start_app()
    assert owner.run("pwd && id -u") == "/workspace\n0\n"

    owner.run("code-server --install-extension tiny.vsix", "successfully installed")
    greet(owner)
    owner.shot("extension")

    # The same app as its terminal's person sees it, with its WebSocket, through gate and Hub.
    visitor = owner.context.new_page()
    visitor.goto(f"{owner.app}page.html")
    expect(visitor.get_by_role("heading", name="A web app of mine")).to_be_visible()
    assert visitor.evaluate(ECHO, owner.app) == "hello"
    assert visitor.evaluate(ECHO, owner.app.replace("/proxy/", "/absproxy/")) == "hello"
    visitor.close()

    expect(owner.workbench).not_to_have_class(DARK)
    owner.theme("Dark Modern")
    expect(owner.workbench).to_have_class(DARK)
    owner.run("echo written on the first day > notes.txt")
    owner.edit("notes.txt")
    expect(owner.text).to_contain_text("written on the first day")
    owner.shot("vscode")


def next_day(owner: Coder) -> None:
    owner.open()
    expect(owner.workbench).to_have_class(DARK)
    owner.terminal()
    owner.start_app()
    greet(owner)
    assert "written on the first day" in owner.run("cat notes.txt")


def greet(person: Coder) -> None:
    """The extension's command, which writes a file."""
    person.command("Tiny: Greet")
    person.until("greeting", "from tiny")
    person.run("rm greeting")


def together(browser: Browser, owner: Coder, name: str, password: str) -> None:
    """Two people in one session: what one writes, the other sees in the file that is open."""
    guest = Coder(browser, owner.hub, owner.studio, SHOTS)
    guest.sign_in(name, password)
    guest.open()
    guest.edit("notes.txt")
    owner.run("echo and by another person >> notes.txt")
    expect(guest.text).to_contain_text("and by another person")
    guest.context.close()


DARK = re.compile(r"\bvs-dark\b")
ECHO = """
url => new Promise((answer, fail) => {
    const socket = new WebSocket(url.replace(/^http/, "ws"));
    socket.onopen = () => socket.send("hello");
    socket.onmessage = event => answer(event.data);
    socket.onerror = () => fail(new Error("the WebSocket was refused"));
})
"""
