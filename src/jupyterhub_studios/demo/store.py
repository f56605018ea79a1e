"""The demo's object store: SeaweedFS on loopback, its buckets, and who may do what there."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from .home import DATA_BUCKET, TEAM_BUCKET, WORK_BUCKET, DemoHome, write_private

ACCESS_KEY = "studios"
EXPLORER_KEY = "explorer"  # reads the data sets, writes to the team's bucket, sees no checkpoints


def store_options(home: DemoHome) -> dict[str, str]:
    """obstore options of the demo's store; they hold its secret key."""
    return {
        "endpoint": endpoint(home),
        "access_key_id": ACCESS_KEY,
        "secret_access_key": home.secret("store-key"),
        "region": "us-east-1",
        "allow_http": "true",
        "virtual_hosted_style_request": "false",
    }


def endpoint(home: DemoHome) -> str:
    return f"http://127.0.0.1:{home.port('s3')}"


def start_store(home: DemoHome) -> subprocess.Popen[bytes]:
    """Start SeaweedFS and wait until it answers.

    Everybody on this machine may read the bucket of data sets, as one may read a public bucket; the bucket
    of checkpoints needs the key.
    """
    identities = [
        {
            "name": "studios",
            "credentials": [{"accessKey": ACCESS_KEY, "secretKey": home.secret("store-key")}],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        },
        {
            "name": "explorer",
            "credentials": [{"accessKey": EXPLORER_KEY, "secretKey": home.secret("explorer-key")}],
            "actions": [
                *(
                    f"{action}:{bucket}"
                    for action in ("Read", "List")
                    for bucket in (DATA_BUCKET, TEAM_BUCKET)
                ),
                f"Write:{TEAM_BUCKET}",
            ],
        },
        {"name": "anonymous", "actions": [f"Read:{DATA_BUCKET}", f"List:{DATA_BUCKET}"]},
    ]
    config = home.path / "secrets" / "s3.json"
    write_private(config, json.dumps({"identities": identities}))
    ports = {name: home.port(name) for name in ("master", "volume", "filer", "s3")}
    grpc = {name: home.port(name + "-grpc") for name in ("master", "volume", "filer", "s3")}
    with (home.store / "weed.log").open("ab") as log:
        process = subprocess.Popen(
            [
                str(Path(sys.executable).with_name("weed")),
                "-logtostderr",
                "server",
                "-ip=127.0.0.1",
                "-ip.bind=127.0.0.1",
                f"-dir={home.store}",
                "-master.volumeSizeLimitMB=256",
                "-volume.max=0",
                "-volume.preStopSeconds=0",  # nobody else reads from it, who would have to hear first
                *(f"-{name}.port={port}" for name, port in ports.items()),
                *(f"-{name}.port.grpc={port}" for name, port in grpc.items()),
                "-s3.port.iceberg=0",
                "-s3.port.lance=0",
                f"-s3.localSocket={home.store / 's3.sock'}",
                f"-filer.localSocket={home.store / 'filer.sock'}",
                "-filer",
                "-s3",
                f"-s3.config={config}",
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    _wait_until_up(home, process)
    return process


def _wait_until_up(home: DemoHome, process: subprocess.Popen[bytes]) -> None:
    client = s3_client(home)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            existing = {bucket["Name"] for bucket in client.list_buckets()["Buckets"]}
            for bucket in {WORK_BUCKET, DATA_BUCKET, TEAM_BUCKET} - existing:
                client.create_bucket(Bucket=bucket)
            # Volumes are made after the first answers; only a write that succeeds means "up".
            client.put_object(Bucket=WORK_BUCKET, Key="ready", Body=b"")
            return
        except (BotoCoreError, ClientError):
            time.sleep(0.3)
    process.terminate()
    raise RuntimeError(f"The object store did not start. Its log is {home.store / 'weed.log'}")


def s3_client(home: DemoHome) -> Any:
    """With every right on every bucket."""
    return boto3.client(
        "s3",
        endpoint_url=endpoint(home),
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=home.secret("store-key"),
        region_name="us-east-1",
        config=Config(
            retries={"max_attempts": 1}, s3={"addressing_style": "path"}, connect_timeout=2, read_timeout=10
        ),
    )
