"""Real servers of every kind of store, and new buckets on them."""

from __future__ import annotations

import contextlib
import json
import secrets
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import boto3
import httpx
from azure.storage.blob import BlobServiceClient
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from fsspec.implementations.memory import MemoryFileSystem
from moto.server import ThreadedMotoServer

from jupyterhub_studios.demo import clouds
from jupyterhub_studios.explorer.backends import Backend, Guard, open_backend
from jupyterhub_studios.models import (
    AccessKey,
    Ambient,
    Anonymous,
    AzureKey,
    CredentialSpec,
    Provider,
    ServiceAccount,
)

from ..stores import SeaweedFS, free_ports

LOOPBACK = Guard(["127.0.0.1"])


@dataclass(frozen=True)
class Place:
    """A new, empty bucket on a server, and how to open it."""

    provider: Provider
    bucket: str
    spec: CredentialSpec
    guard: Guard = LOOPBACK

    async def open(self) -> Backend:
        return await open_backend(self.spec, self.provider, self.bucket, guard=self.guard)


@dataclass(frozen=True)
class Server:
    """A store with a credential for it."""

    spec: CredentialSpec
    make_bucket: Callable[[str], object]

    def place(self) -> Place:
        name = f"b-{secrets.token_hex(6)}"
        return Place(self.spec.provider, str(self.make_bucket(name) or name), self.spec)

    @property
    def endpoint(self) -> str:
        assert self.spec.endpoint
        return self.spec.endpoint

    @property
    def secrets(self) -> list[str]:
        """What must never be in an answer or a log."""
        found = self.spec.secret.model_dump().values()
        return [value.get_secret_value() for value in found if hasattr(value, "get_secret_value")]


def of_seaweed(server: SeaweedFS) -> Server:
    key = AccessKey(access_key_id=server.access_key, secret_access_key=server.secret_key)
    spec = CredentialSpec(name="SeaweedFS", provider="s3", endpoint=server.endpoint, secret=key)
    return Server(spec, lambda name: server.client().create_bucket(Bucket=name) and None)


@contextlib.contextmanager
def running_moto() -> Iterator[Server]:
    """moto does not look at signatures: any key will do."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    key = AccessKey(access_key_id="moto", secret_access_key=secrets.token_hex(16))
    client = boto3.client(
        "s3",
        endpoint_url=endpoint,
        aws_access_key_id="moto",
        aws_secret_access_key="moto",
        region_name="us-east-1",
    )
    try:
        yield Server(
            CredentialSpec(name="moto", provider="s3", endpoint=endpoint, secret=key),
            lambda name: client.create_bucket(Bucket=name) and None,
        )
    finally:
        server.stop()


@contextlib.contextmanager
def running_azurite() -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="studios-azurite-") as folder:
        (port,) = free_ports(1)
        key = clouds.azure_key(secrets.token_hex(32))
        process = clouds.start_azurite(port, Path(folder), key)
        endpoint = clouds.azure_endpoint(port)
        client = BlobServiceClient(
            endpoint, credential={"account_name": clouds.AZURE_ACCOUNT, "account_key": key}
        )
        secret = AzureKey(account=clouds.AZURE_ACCOUNT, key=key)
        spec = CredentialSpec(name="Azurite", provider="azure", endpoint=endpoint, secret=secret)
        try:
            yield Server(spec, lambda name: client.create_container(name) and None)
        finally:
            client.close()
            process.terminate()
            process.wait(20)


@contextlib.contextmanager
def running_gcs() -> Iterator[Server]:
    """fake-gcs-server, and a server that hands out tokens as Google does to a service account."""
    with tempfile.TemporaryDirectory(prefix="studios-gcs-") as folder, running_tokens() as token_uri:
        (port,) = free_ports(1)
        process = clouds.start_gcs(port, Path(folder), in_memory=True)
        endpoint = clouds.gcs_endpoint(port)
        secret = ServiceAccount(key_json=service_account(token_uri))
        spec = CredentialSpec(name="fake-gcs-server", provider="gcs", endpoint=endpoint, secret=secret)
        try:
            yield Server(spec, lambda name: make_gcs_bucket(endpoint, name))
        finally:
            process.terminate()
            process.wait(20)


def make_gcs_bucket(endpoint: str, name: str) -> None:
    httpx.post(f"{endpoint}/storage/v1/b?project=studios", json={"name": name}).raise_for_status()


def service_account(token_uri: str) -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    account = {
        "type": "service_account",
        "project_id": "studios",
        "private_key_id": secrets.token_hex(20),
        "private_key": pem.decode(),
        "client_email": "explorer@studios.iam.gserviceaccount.com",
        "client_id": "1",
        "token_uri": token_uri,
    }
    return json.dumps(account)


@contextlib.contextmanager
def running_tokens() -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            answer = {"access_token": secrets.token_hex(16), "expires_in": 3600, "token_type": "Bearer"}
            body = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/token"
    finally:
        server.shutdown()
        server.server_close()


def local_folder(path: Path) -> Server:
    """Folders below ``path`` as buckets."""

    def make(name: str) -> str:
        (path / name).mkdir()
        return str(path / name)

    return Server(CredentialSpec(name="folder", provider="folder", secret=Ambient()), make)


def in_memory() -> Server:
    """fsspec's own filesystem in memory, as one of "any other"."""
    spec = CredentialSpec(name="memory", provider="other", secret=Ambient())

    def make(name: str) -> str:
        MemoryFileSystem(skip_instance_cache=True).mkdir(f"/{name}")
        return f"memory://{name}"

    return Server(spec, make)


def anonymous(spec: CredentialSpec) -> CredentialSpec:
    account = spec.secret.account if isinstance(spec.secret, AzureKey) else None
    return spec.model_copy(update={"secret": Anonymous(), "account": account})
