"""A demo whose studios are jobs of AWS Batch: moto's, in real containers on the tests' engine."""

from __future__ import annotations

import contextlib
import json
import shutil
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from jupyterhub_studios.images.bundle import Bundle
from tests.compute.studios import containers, nothing_left
from tests.demo import ROOT, Demo, free_port, running
from tests.engine import Engine
from tests.faults.store_proxy import Request, StoreProxy
from tests.moto_server import REGION, Moto
from tests.registries import Registry

SAVE_SECONDS = "5"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
WEB_PORT = 8080

CONFIG = """
import os
from jupyterhub_studios.compute.aws_batch import BatchCompute

load_subconfig({demo!r})
c = get_config()
BatchCompute.poll_interval = 1.0  # moto has no limits, and the story sees each state
os.environ |= {environment!r}
c.JupyterHub.services[0]["command"][-1] = __file__
bucket = c.Studios.compute_environments["local"]
c.Studios.compute_environments = {{
    "aws": {{
        "title": "AWS Batch",
        "kind": "aws-batch",
        "description": "Studios run as jobs, on machines that are there when they are needed.",
        "region": {region!r},
        "work_dir": bucket["work_dir"],
        "store_options": bucket["store_options"],
        "scratch": {scratch!r},
        "gate_networks": ["127.0.0.0/8"],  # the jobs share this machine's network, and the Hub listens on loopback
        "price_per_hour": 0.1,
        "batch": {{"queue": {queue!r}, "adapt": {{"bundle": {bundle!r}}}}},
    }},
}}
jupyter = c.Studios.templates["jupyter"]
c.Studios.templates = {{
    "jupyter": {{**jupyter, "image": {jupyter!r}, "skeleton": "/opt/examples"}},
    "web": {{"title": "Notice board", "image": {web!r}, "command": [], "port": {port},
            "strip_prefix": True, "default_path": "/cgi-bin/board"}},
}}
"""

NOTEBOOK = [
    "import csv, io, os, urllib.request\n"
    "url = f\"{os.environ['AWS_ENDPOINT_URL_S3']}/demo-data/penguins/penguins.csv\"\n"
    "rows = list(csv.DictReader(io.TextIOWrapper(urllib.request.urlopen(url))))",
    "from collections import Counter\nCounter(row['species'] for row in rows)",
]
# A web page that tells who runs it, and keeps what it is told.
BOARD = r"""#!/bin/sh
printf "Content-Type: text/plain\n\n%s\n" "$(id -un) in $(cat where): $HOME"
[ -z "$QUERY_STRING" ] || echo "$QUERY_STRING" >> notes
cat notes
"""
WEB = f"""
FROM debian:bookworm-slim
COPY busybox /usr/local/bin/busybox
COPY board /srv/board/cgi-bin/board
RUN useradd --create-home --uid 1234 board && chown -R board /srv/board && chmod +x /srv/board/cgi-bin/board
USER board
WORKDIR /srv/board
CMD ["sh", "-c", "pwd > cgi-bin/where; touch cgi-bin/notes; exec busybox httpd -f -p {WEB_PORT}"]
"""


@dataclass
class Aws:
    """What the story may do to its AWS."""

    demo: Demo
    moto: Moto
    engine: Engine
    lost: set[str] = field(default_factory=set)  # sessions whose machine went away

    def lose_machine(self, session: str) -> None:
        """The machine under a session is gone, without a word; Batch notices, and says so."""
        self.lost.add(f"studio-{session}")
        (container,) = containers(self.engine, self.demo.url, session)
        self.engine.docker("kill", container)

    def tell(self, request: Request, content: bytes) -> bytes:
        """moto loses no machines: it is made to say so."""
        if not request.path.endswith("describejobs"):
            return content
        answer = json.loads(content)
        for job in answer.get("jobs", []):
            if job["jobName"] in self.lost and job["status"] == "FAILED":
                job["statusReason"] = "Host EC2 (instance i-0123456789abcdef0) terminated."
        return json.dumps(answer).encode()


@contextlib.contextmanager
def aws_demo(
    engine: Engine, moto: Moto, registry: Registry, bundle: Bundle, folder: Path, name: str
) -> Iterator[Aws]:
    proxy = StoreProxy(("127.0.0.1", moto.port))
    jupyter, web = jupyter_image(engine, registry, folder), web_image(engine, registry, folder)
    (folder / "scratch").mkdir()
    config = folder / "jupyterhub_config.py"
    config.write_text(
        CONFIG.format(
            demo=str(ROOT / "jupyterhub_config.py"), environment=moto.environment(proxy.endpoint),
            region=REGION, scratch=str(folder / "scratch"), queue=moto.queue(f"story-{free_port()}"),
            bundle=str(bundle.folder), jupyter=jupyter, web=web, port=WEB_PORT,
        )
    )  # fmt: skip
    environment = {"STUDIOS_SAVE_INTERVAL": SAVE_SECONDS}
    try:
        with contextlib.ExitStack() as stack:
            port = free_port()
            stack.enter_context(nothing_left(engine, f"http://127.0.0.1:{port}/"))
            demo = stack.enter_context(running(name, environment=environment, config=config, port=port))
            aws = Aws(demo, moto, engine)
            proxy.change = aws.tell
            yield aws
    finally:
        proxy.close()
        for image in (jupyter, web):
            engine.docker("rmi", "--force", image, check=False)


def jupyter_image(engine: Engine, registry: Registry, folder: Path) -> str:
    """Ours, with an example, and with this machine's certificates: `pip install` may have to go through its proxy."""
    context = folder / "jupyter"
    context.mkdir()
    shutil.copy(CERTIFICATES, context)
    cells = [
        {"cell_type": "code", "id": f"c{n}", "metadata": {}, "execution_count": None, "outputs": [], "source": text}
        for n, text in enumerate(NOTEBOOK)
    ]  # fmt: skip
    kernel = {"kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}}
    document = {"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
    (context / "penguins.ipynb").write_text(json.dumps(document))
    (context / "Dockerfile").write_text(
        f"FROM {engine.jupyter_image()}\nCOPY penguins.ipynb /opt/examples/\n"
        f"COPY {CERTIFICATES.name} {CERTIFICATES}\nENV PIP_CERT={CERTIFICATES}\n"
    )
    return _pushed(engine, f"{registry.host}/studio-jupyter:1", context)


def web_image(engine: Engine, registry: Registry, folder: Path) -> str:
    """Nothing of ours: a web app with an account, a folder and a port of its own."""
    engine.base_image()
    context = folder / "web"
    context.mkdir()
    shutil.copy("/bin/busybox", context)
    (context / "board").write_text(BOARD)
    (context / "Dockerfile").write_text(textwrap.dedent(WEB))
    return _pushed(engine, f"{registry.host}/team/board:2", context)


def _pushed(engine: Engine, tag: str, context: Path) -> str:
    engine.docker("build", "-q", "-t", tag, str(context))
    engine.docker("push", "--quiet", tag)
    return tag
