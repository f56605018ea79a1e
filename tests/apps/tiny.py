"""The smallest app a studio can run: answers on a unix socket and runs the shell lines it is posted."""

import http.server
import os
import socketserver
import subprocess
import sys


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.answer(b"tiny")

    def do_POST(self) -> None:
        line = self.rfile.read(int(self.headers["Content-Length"])).decode()
        done = subprocess.run(line, shell=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        self.answer(done.stdout, 200 if done.returncode == 0 else 422)

    def answer(self, body: bytes, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        return "gate"  # a unix socket has no peer address to log


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


if __name__ == "__main__":
    os.umask(0o177)
    with Server(sys.argv[1], Handler) as server:
        os.umask(0o022)
        server.serve_forever()
