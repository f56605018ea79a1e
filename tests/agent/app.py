"""The app of these tests: answers on a unix socket, and runs what it is told to inside its session."""

from __future__ import annotations

import http.server
import os
import socketserver
import subprocess
import sys
from pathlib import Path


class Handler(http.server.BaseHTTPRequestHandler):
    def address_string(self) -> str:
        return "app"

    def do_GET(self) -> None:
        self._answer(200, b"hello")

    def do_POST(self) -> None:
        script = self.rfile.read(int(self.headers["Content-Length"]))
        if script == b"exit":
            os._exit(7)
        done = subprocess.run(["/bin/sh", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self._answer(200 if done.returncode == 0 else 418, done.stdout)

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


if __name__ == "__main__":
    Path(sys.argv[1]).unlink(missing_ok=True)
    print("the app is up", flush=True)
    Server(sys.argv[1], Handler).serve_forever()
