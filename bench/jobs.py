"""A studio as an AWS Batch job: our share of its start, against the same container run by hand with ``docker run``.

The Hub, the service, the store and the containers are real; AWS Batch is moto's, on the same Docker engine, which has
the image already. Our share is all but what Batch does: from the click (POST start) until SubmitJob has reached Batch,
and from the start of the container (as Docker tells it) until the studio is ready. By hand it is from the start of the
container until its app answers. The sides in turns, medians. Bar: at most 2 s more than by hand.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.compute.studios import Person, configuration, containers, running_hub
from tests.engine import Engine
from tests.engine import running as running_engine
from tests.moto_server import REGION, Moto
from tests.moto_server import running as running_moto
from tests.registries import registry
from tests.stores import running as running_store

ROUNDS = 5
BEYOND = 2.0  # seconds
LOOK = 0.02  # seconds between two looks whether something is ready


def rows() -> list[dict[str, Any]]:
    with _deployed() as (person, moto, engine, image):
        submits, readies, hands = [], [], []
        for n in range(ROUNDS + 1):  # the first round has the image fetched, and warms both sides up
            submit, ready = _ours(person, moto, engine, f"Job {n}")
            hand = _by_hand(engine, image)
            if n:
                submits.append(submit)
                readies.append(ready)
                hands.append(hand)
    hand = statistics.median(hands)
    ours = statistics.median([a + b for a, b in zip(submits, readies, strict=True)])
    return [
        {
            "name": f"start of a job, our share / the container by hand + {BEYOND:.0f} s",
            "ours": ours,
            "peer": hand + BEYOND,
            "unit": "s, lower is better",
            "ratio": ours / (hand + BEYOND),
            "bar": "<= 1",
            "holds": ours <= hand + BEYOND,
        },
        _told("start of a job: from the click until SubmitJob is at Batch / by hand", submits, hand),
        _told("start of a job: from the container's start until ready / by hand", readies, hand),
    ]


def _told(name: str, ours: list[float], peer: float) -> dict[str, Any]:
    median = statistics.median(ours)
    return {
        "name": name,
        "ours": median,
        "peer": peer,
        "unit": "s, lower is better",
        "ratio": median / peer,
        "bar": "none",
        "holds": True,
    }


@contextlib.contextmanager
def _deployed() -> Iterator[tuple[Person, Moto, Engine, str]]:
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="studios-bench-")))
        engine = stack.enter_context(running_engine())
        moto = stack.enter_context(running_moto(engine))
        store = stack.enter_context(running_store())
        here = stack.enter_context(registry())
        image = f"{here.host}/studio:1"
        engine.docker("tag", engine.studio_image(), image)
        stack.callback(engine.docker, "rmi", image, check=False)
        engine.docker("push", "--quiet", image)
        (folder / "scratch").mkdir()
        environment = {
            "kind": "aws-batch",
            "region": REGION,
            "work_dir": f"s3://{store.bucket()}/work",
            "store_options": store.options,
            "scratch": str(folder / "scratch"),
            "gate_networks": ["127.0.0.0/8"],  # jobs share this machine's network
            "batch": {"queue": moto.queue()},
        }
        extra = configuration(environment, image)
        extra += f"import os\nos.environ |= {moto.environment()!r}\n"
        hub = stack.enter_context(running_hub(folder, "127.0.0.1", extra, engine))
        yield Person(hub), moto, engine, image


def _ours(person: Person, moto: Moto, engine: Engine, name: str) -> tuple[float, float]:
    """Seconds from the click to SubmitJob, and from the container's start until the studio is ready."""
    studio = person.create(name)["id"]
    clicked = time.time()
    person.call("POST", f"studios/{studio}/start")
    while (view := person.call("GET", f"studios/{studio}"))["state"] != "running":
        assert view["state"] != "errored", view["message"]
        time.sleep(LOOK)
    ready = time.time()
    submitted = _job(moto, view["session"]["id"])["createdAt"] / 1000
    (container,) = containers(engine, person.hub.url, view["session"]["id"])
    times = submitted - clicked, ready - _started(engine, container)
    person.stop(studio)
    return times


def _job(moto: Moto, session: str) -> dict[str, Any]:
    batch = moto.client("batch")
    listed = batch.list_jobs(jobQueue="studios", jobStatus="RUNNING")["jobSummaryList"]
    found = batch.describe_jobs(jobs=[one["jobId"] for one in listed])["jobs"]
    (job,) = [one for one in found if session in str(one["tags"])]
    return dict(job)


def _by_hand(engine: Engine, image: str) -> float:
    """Seconds from the container's start until the app in it answers."""
    with tempfile.TemporaryDirectory(prefix="studios-bench-") as folder:
        run = ["run", "--detach", "--rm", "--network", "host", "--volume", f"{folder}:/app"]
        container = engine.docker(
            *run, "--entrypoint", "python3", image, "/opt/studio/apps/tiny.py", "/app/socket"
        )
        wait_until = time.monotonic() + 60
        while not _answers(Path(folder) / "socket"):
            assert time.monotonic() < wait_until
            time.sleep(LOOK)
        ready = time.time()
        seconds = ready - _started(engine, container)
        engine.docker("kill", container)
        return seconds


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=5)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(self._path))


def _answers(path: Path) -> bool:
    connection = _UnixConnection(path)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def _started(engine: Engine, container: str) -> float:
    """Seconds since the epoch."""
    told = engine.docker("inspect", "--format", "{{.State.StartedAt}}", container)
    return datetime.fromisoformat(told).timestamp()
