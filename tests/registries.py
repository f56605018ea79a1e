"""Real registries for tests: Debian's docker-registry on loopback, open, with a password, or with tokens."""

from __future__ import annotations

import base64
import contextlib
import datetime
import http.server
import json
import secrets
import subprocess
import tempfile
import threading
import time
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from tests.demo import free_port

USER, PASSWORD = "robot", "p@ss:word"
PROGRAM = "/usr/bin/docker-registry"


@dataclass
class Registry:
    """``host`` is how images here are named; ``log`` what was asked of it."""

    folder: Path
    auth: dict[str, Any] = field(default_factory=dict)
    data: Path = field(init=False)
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.host}"

    def __post_init__(self) -> None:
        self.data = self.folder / "data"

    def start(self) -> None:
        config = {
            "version": "0.1",
            "log": {"level": "info", "accesslog": {"disabled": False}},
            "storage": {"filesystem": {"rootdirectory": str(self.data)}, "delete": {"enabled": True}},
            "http": {"addr": self.host},
            "auth": self.auth,
        }
        file = self.folder / "config.yml"
        file.write_text(json.dumps(config))  # which is YAML too
        with (self.folder / "log").open("ab") as log:
            command = [PROGRAM, "serve", str(file)]
            self.process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        deadline = time.monotonic() + 30
        while True:
            with contextlib.suppress(httpx.TransportError):
                httpx.get(f"{self.url}/v2/", verify=False)
                return
            said = (self.folder / "log").read_text()[-2000:]
            assert self.process.poll() is None and time.monotonic() < deadline, said
            time.sleep(0.05)

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    @contextlib.contextmanager
    def unguarded(self) -> Iterator[Registry]:
        """The same images, for anybody."""
        folder = self.folder / "unguarded"
        folder.mkdir(exist_ok=True)
        door = Registry(folder)
        door.data = self.data
        door.start()
        try:
            yield door
        finally:
            door.stop()

    def requests(self) -> list[str]:
        """``METHOD /path?query`` of every request so far."""
        lines = (self.folder / "log").read_text().splitlines()
        return [line.split('"')[1].rpartition(" ")[0] for line in lines if '"' in line and " HTTP/1." in line]

    def tags(self, repository: str) -> list[str]:
        place = self.data / "docker/registry/v2/repositories" / repository / "_manifests/tags"
        return sorted(entry.name for entry in place.iterdir()) if place.exists() else []


@contextlib.contextmanager
def registry(auth: dict[str, Any] | None = None) -> Iterator[Registry]:
    with tempfile.TemporaryDirectory(prefix="studios-registry-") as folder:
        found = Registry(Path(folder), auth or {})
        found.start()
        try:
            yield found
        finally:
            found.stop()


@contextlib.contextmanager
def registry_with_password() -> Iterator[Registry]:
    with tempfile.TemporaryDirectory(prefix="studios-registry-") as folder:
        file = Path(folder) / "htpasswd"
        made = subprocess.run(["htpasswd", "-Bbn", USER, PASSWORD], capture_output=True, check=True)
        file.write_bytes(made.stdout)
        with registry({"htpasswd": {"realm": "tests", "path": str(file)}}) as found:
            yield found


# --- tokens ---


class TokenServer:
    """Gives tokens for what the caller may: all but ``closed/…`` to the robot, pulling ``public/…`` to anybody."""

    issuer, service = "tests", "registry"

    def __init__(self, folder: Path) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tests")])
        now = datetime.datetime.now(datetime.UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self._key.public_key())
            .serial_number(1)
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .sign(self._key, hashes.SHA256())
        )
        self.bundle = folder / "tokens.pem"
        self.bundle.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        self._chain = base64.b64encode(certificate.public_bytes(serialization.Encoding.DER)).decode()
        self.asked: list[list[str]] = []
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def auth(self) -> dict[str, Any]:
        return {
            "token": {
                "realm": f"http://127.0.0.1:{self._server.server_port}/token",
                "service": self.service,
                "issuer": self.issuer,
                "rootcertbundle": str(self.bundle),
            }
        }

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[http.server.BaseHTTPRequestHandler]:
        tokens = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                scopes = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query).get("scope", [])
                tokens.asked.append(scopes)
                basic = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
                given = self.headers.get("Authorization")
                robot = given == f"Basic {basic}"
                self.send_response(200 if robot or given is None else 401)
                self.end_headers()
                self.wfile.write(json.dumps({"token": tokens.token(scopes, robot)}).encode())

            def log_message(self, *_: Any) -> None:
                pass

        return Handler

    def token(self, scopes: list[str], robot: bool) -> str:
        access = []
        for one in scopes:
            kind, name, actions = one.split(":")
            allowed = actions.split(",") if robot else ["pull"] if name.startswith("public/") else []
            allowed = [] if name.startswith("closed/") else allowed
            access.append({"type": kind, "name": name, "actions": allowed})
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": self.service,
            "sub": "",
            "jti": secrets.token_hex(8),
            "iat": now,
            "nbf": now - 60,
            "exp": now + 300,
            "access": access,
        }
        head = {"typ": "JWT", "alg": "RS256", "x5c": [self._chain]}
        body = b".".join(_encoded(json.dumps(part).encode()) for part in (head, claims))
        signature = self._key.sign(body, padding.PKCS1v15(), hashes.SHA256())
        return (body + b"." + _encoded(signature)).decode()


def _encoded(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


@contextlib.contextmanager
def registry_with_tokens() -> Iterator[tuple[Registry, TokenServer]]:
    with tempfile.TemporaryDirectory(prefix="studios-tokens-") as folder:
        server = TokenServer(Path(folder))
        try:
            with registry(server.auth) as found:
                yield found, server
        finally:
            server.close()


@pytest.fixture(scope="session")
def open_registry() -> Iterator[Registry]:
    with registry() as found:
        yield found
