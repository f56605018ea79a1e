"""A store that answers what a test says: for what real servers here do not do."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from jupyterhub_studios.models import AccessKey, AzureKey, CredentialSpec, ServiceAccount

from . import stores

SECRET = "c2VjcmV0LXNlY3JldC1zZWNyZXQ="  # base64, as a key of Azure's must be


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes


@dataclass
class Answer:
    status: int = 200
    body: str | bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    wait: float = 0


@dataclass
class Stub:
    port: int
    requests: list[Request] = field(default_factory=list)
    answer: Callable[[Request], Answer] = lambda _: Answer(500)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextlib.contextmanager
def running_stub() -> Iterator[Stub]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            request = Request(self.command, parts.path, parse_qs(parts.query), dict(self.headers), body)
            stub.requests.append(request)
            answer = stub.answer(request)
            time.sleep(answer.wait)
            text = answer.body.encode() if isinstance(answer.body, str) else answer.body
            with contextlib.suppress(OSError):  # who asked may have gone away
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(text)

        do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = handle_any

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    stub = Stub(server.server_port)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield stub
    finally:
        server.shutdown()
        server.server_close()


def specs(endpoint: str, token_uri: str = "https://oauth2.googleapis.com/token") -> dict[str, CredentialSpec]:
    """A credential of each kind of store for one endpoint, all with the same secret where they have a say."""
    key = AccessKey(access_key_id="AKIDEXAMPLE", secret_access_key=SECRET, session_token=f"token-{SECRET}")
    account = ServiceAccount(key_json=stores.service_account(token_uri))
    return {
        "s3": CredentialSpec(name="s3", provider="s3", endpoint=endpoint, secret=key),
        "gcs": CredentialSpec(name="gcs", provider="gcs", endpoint=endpoint, secret=account),
        "azure": CredentialSpec(
            name="azure",
            provider="azure",
            endpoint=f"{endpoint}/account",
            secret=AzureKey(account="account", key=SECRET),
        ),
    }
