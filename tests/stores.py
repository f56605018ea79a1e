"""A real object store for tests: SeaweedFS on loopback, one for the whole run."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import BotoCoreError, ClientError

from jupyterhub_studios.checkpoints import Store

READY_SECONDS = 60


@dataclass
class SeaweedFS:
    """``weed mini`` in ``folder``; :meth:`stop` and :meth:`start` take it away and bring it back as it was."""

    folder: Path
    access_key: str = field(default_factory=lambda: secrets.token_hex(10))
    secret_key: str = field(default_factory=lambda: secrets.token_hex(20))
    ports: list[int] = field(default_factory=lambda: free_ports(11))
    process: subprocess.Popen[bytes] | None = None
    host: str = "127.0.0.1"  # or another address of this machine that no other machine reaches

    @property
    def endpoint(self) -> str:
        return f"http://{self.host}:{self.ports[0]}"

    @property
    def options(self) -> dict[str, str]:
        """obstore's options of any bucket here."""
        return {
            "endpoint": self.endpoint,
            "region": "us-east-1",
            "access_key_id": self.access_key,
            "secret_access_key": self.secret_key,
        }

    def start(self) -> None:
        names = (
            "s3.port", "master.port", "volume.port", "filer.port", "s3.port.grpc", "master.port.grpc",
            "volume.port.grpc", "filer.port.grpc", "admin.port", "admin.port.grpc", "s3.port.iceberg",
        )  # fmt: skip
        command = [
            str(Path(sys.executable).with_name("weed")), "-logtostderr", "mini", f"-dir={self.folder}",
            f"-ip={self.host}", f"-ip.bind={self.host}", "-webdav=false", "-admin.ui=false", "-s3.port.lance=0",
            "-s3.autoCreateBucket=false", "-master.telemetry=false",
            # Each bucket takes volumes of its own, empty files at first; left alone, free disk limits their number.
            "-volume.max=10000",
            *(f"-{name}={port}" for name, port in zip(names, self.ports, strict=True)),
        ]  # fmt: skip
        credentials = {"AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": self.secret_key}
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env=os.environ | credentials,
                start_new_session=True,
            )
        self._wait()

    @property
    def log_file(self) -> Path:
        return self.folder.with_suffix(".log")

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(20)
            self.end()

    def end(self) -> None:
        """At once, for good: what it holds is not needed any more."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def client(self) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            region_name="us-east-1",
        )

    def bucket(self) -> str:
        """The name of a new bucket."""
        name = f"b-{secrets.token_hex(6)}"
        self.client().create_bucket(Bucket=name)
        return name

    def store(self) -> Store:
        """A new, empty work dir."""
        return Store.open(f"s3://{self.bucket()}/work", self.options)

    def _wait(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            assert self.process is not None
            assert self.process.poll() is None, self._log()
            try:
                probe = self.bucket()
                self.client().put_object(Bucket=probe, Key="probe", Body=b"probe")
                return
            except (BotoCoreError, ClientError):
                time.sleep(0.2)
        raise AssertionError(f"SeaweedFS did not start: {self._log()}")

    def _log(self) -> str:
        return self.log_file.read_text(errors="replace")[-2000:]


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for probe in sockets:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in sockets]
    finally:
        for probe in sockets:
            probe.close()


@contextlib.contextmanager
def running(host: str = "127.0.0.1") -> Iterator[SeaweedFS]:
    with tempfile.TemporaryDirectory(prefix="studios-seaweed-") as folder:
        data = Path(folder, "data")
        data.mkdir()
        server = SeaweedFS(data, host=host)
        try:
            server.start()
            yield server
        finally:
            server.end()


@pytest.fixture(scope="session")
def seaweed() -> Iterator[SeaweedFS]:
    with running() as server:
        yield server
