"""The process that reads untrusted files: it has no credentials, no network and little memory and time.

It imports the formats once, gives up what rights it has, and forks a fresh child for each file, so that no file
sees anything of another. A child gets bytes only by asking for ranges over its socket, whose other end is the
explorer's. Run as ``python -I -m …``, with a socket as standard input.
"""

from __future__ import annotations

import codecs
import ctypes
import os
import resource
import signal
import socket
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path

from . import wire
from .ask import Ask
from .source import Source

MEMORY = 1 << 30  # beyond what is mapped already
CPU_SECONDS = 10
WALL_SECONDS = 60
FILE_MAX = 8 << 20  # of the one temporary file that htslib reads from
NOBODY = 65534
_NEW_NET, _NEW_USER, _NO_NEW_PRIVS = 0x40000000, 0x10000000, 38


def main() -> None:
    control = socket.socket(fileno=os.dup(0))
    leave_network()  # first: libraries start threads, and a process with threads may not do it
    import_module(".inspect", __package__)
    for encoding in ("utf-8", "utf-16-le", "utf-16-be", "latin-1", "ascii", "cp437"):
        codecs.lookup(encoding)  # loaded now: later its file may be out of reach
    give_up_rights()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, 1, 1)
        if not message:
            return
        if not descriptors:
            continue
        if os.fork() == 0:
            control.close()
            _child(socket.socket(fileno=descriptors[0]))
        os.close(descriptors[0])


def leave_network() -> None:
    """A namespace without any network, where the machine lets us: no metadata service, nothing to send to."""
    if sys.platform == "linux":
        flags = _NEW_NET if os.geteuid() == 0 else _NEW_NET | _NEW_USER
        ctypes.CDLL(None).unshare(flags)


def give_up_rights() -> None:
    """No root, no more rights ever, no big files."""
    if os.geteuid() == 0:
        with suppress(OSError):
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_NO_NEW_PRIVS, 1, 0, 0, 0)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_MAX, FILE_MAX))


def _child(sock: socket.socket) -> None:
    """One file; never returns."""
    status = 1
    with suppress(BaseException):
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.alarm(WALL_SECONDS)
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 1))
        if sys.platform == "linux":
            pages = int(Path("/proc/self/statm").read_text().split()[0])
            limit = pages * resource.getpagesize() + MEMORY
            resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        wire.send(sock, {"pid": os.getpid()})
        _serve(sock)
        status = 0
    os._exit(status)


def _serve(sock: socket.socket) -> None:
    from .inspect import hexdump, inspect

    job, _ = wire.receive(sock)
    only_bytes = job.pop("only_bytes")
    ask = Ask(**job)

    def fetch(start: int, length: int) -> bytes:
        wire.send(sock, {"read": [start, length]})
        return wire.receive(sock)[1]

    source = Source(ask.size, fetch)
    preview = hexdump(source, ask) if only_bytes else inspect(source, ask)
    wire.send(sock, {"done": True}, preview.model_dump_json().encode())


if __name__ == "__main__":
    main()
