"""Between the service and the tunnel's process: a unix socket in the state folder, one JSON document a line."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

SOCKET = "tunnel.sock"
LOCK = "tunnel.lock"  # held, and with the process id inside, by the process that lives
LOG = "tunnel.log"
LINE = 16 << 20  # longest document


@contextlib.contextmanager
def socket_path(state_dir: Path) -> Iterator[str]:
    """A path of the socket that is short enough for one, however long the folder's is."""
    folder = os.open(state_dir, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{SOCKET}"
    finally:
        os.close(folder)
