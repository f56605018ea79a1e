"""An S3 endpoint in front of the real one that lets a test act at the Nth request, or take the store away."""

from __future__ import annotations

import http.client
import http.server
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding"}


@dataclass(frozen=True)
class Request:
    method: str
    path: str

    @property
    def writes(self) -> bool:
        return self.method in ("PUT", "POST", "DELETE")


class StoreProxy:
    """Forwards to ``target`` (host, port). ``before`` and ``after`` see each request; an answer of ``before`` that
    is an int is the status the client gets instead of the store's own. ``change`` may alter what an answer says."""

    def __init__(self, target: tuple[str, int]) -> None:
        self.target = target
        self.down = False
        self.before: Callable[[Request], int | None] = lambda request: None
        self.after: Callable[[Request], None] = lambda request: None
        self.change: Callable[[Request, bytes], bytes] = lambda request, content: content
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                proxy._handle(self)

            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_any

            def log_message(self, *args: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.endpoint = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def _handle(self, client: http.server.BaseHTTPRequestHandler) -> None:
        if self.down:
            client.connection.shutdown(socket.SHUT_RDWR)
            client.close_connection = True
            return
        body = client.rfile.read(int(client.headers.get("Content-Length") or 0))
        request = Request(client.command, client.path)
        if (status := self.before(request)) is not None:
            client.send_response(status)
            client.send_header("Content-Length", "0")
            client.end_headers()
            return
        upstream = http.client.HTTPConnection(*self.target, timeout=60)
        # The Host header is part of the signature, so it stays what the client sent.
        upstream.putrequest(client.command, client.path, skip_host=True, skip_accept_encoding=True)
        for name, value in client.headers.items():
            upstream.putheader(name, value)
        upstream.endheaders(body)
        answer = upstream.getresponse()
        content = self.change(request, answer.read())
        upstream.close()
        self.after(request)
        client.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in HOP_BY_HOP | {"content-length", "date", "server"}:
                client.send_header(name, value)
        length = answer.getheader("Content-Length") if client.command == "HEAD" else str(len(content))
        client.send_header("Content-Length", length or "0")
        client.end_headers()
        client.wfile.write(content)
