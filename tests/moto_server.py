"""AWS for tests: moto's server in a process of its own, whose Batch runs jobs as real containers on our engine.

What it cannot do, and tests make up for: it ends jobs by SIGKILL at once, knows no lost hosts, no capacity, no limits,
and writes logs when a job is over.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3
import httpx

from tests.engine import Engine
from tests.stores import free_ports

REGION = "eu-west-1"
KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing-not-a-secret"}
ASSUME = '{"Version": "2012-10-17", "Statement": []}'


@dataclass
class Moto:
    engine: Engine
    port: int = field(default_factory=lambda: free_ports(1)[0])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def environment(self, url: str | None = None) -> dict[str, str]:
        """For those who are to take this for AWS; ``url``: of something in front of it."""
        names = ("BATCH", "CLOUDWATCH_LOGS")
        return KEYS | {f"AWS_ENDPOINT_URL_{name}": url or self.url for name in names}

    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
        )

    def queue(self, name: str = "studios") -> str:
        """A job queue that takes jobs."""
        role = self.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=ASSUME)["Role"]["Arn"]
        batch = self.client("batch")
        made = batch.create_compute_environment(
            computeEnvironmentName=name, type="UNMANAGED", state="ENABLED", serviceRole=role
        )
        order = [{"order": 1, "computeEnvironment": made["computeEnvironmentArn"]}]
        batch.create_job_queue(jobQueueName=name, state="ENABLED", priority=1, computeEnvironmentOrder=order)
        return name

    def slow_down(self, seconds: float) -> None:
        """Jobs stay as long as this in each state before they run."""
        body = {
            "model_name": "batch::job",
            "transition": {"progression": "time", "seconds": seconds}
            if seconds
            else {"progression": "immediate"},
        }
        httpx.post(f"{self.url}/moto-api/state-manager/set-transition", json=body).raise_for_status()

    def everything(self) -> str:
        """All that may be read about jobs and their definitions, as text."""
        batch = self.client("batch")
        states = ("SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING", "SUCCEEDED", "FAILED")
        ids = {
            job["jobId"]
            for queue in batch.describe_job_queues()["jobQueues"]
            for state in states
            for job in batch.list_jobs(jobQueue=queue["jobQueueName"], jobStatus=state)["jobSummaryList"]
        }
        jobs = batch.describe_jobs(jobs=sorted(ids))["jobs"] if ids else []
        return str([jobs, batch.describe_job_definitions()["jobDefinitions"]])


@contextlib.contextmanager
def running(engine: Engine) -> Iterator[Moto]:
    moto = Moto(engine)
    process = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(moto.port)],
        env=os.environ | KEYS | {"DOCKER_HOST": engine.host, "MOTO_DOCKER_NETWORK_MODE": "host"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + 60
        while True:
            assert process.poll() is None and time.monotonic() < deadline, "moto's server did not start"
            with contextlib.suppress(httpx.TransportError):
                httpx.get(f"{moto.url}/moto-api/data.json", timeout=5)
                break
            time.sleep(0.1)
        yield moto
    finally:
        process.terminate()
        process.wait(30)
