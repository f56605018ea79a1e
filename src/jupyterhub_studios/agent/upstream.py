"""Where the app of a session listens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from socket import socket as Socket
from typing import Any

import aiohttp

# Node closes idle connections after 5 s: a pooled one is given up before that, because a POST that meets
# the closing could not be sent again.
IDLE_SECONDS = 3.0


@dataclass(frozen=True)
class Upstream:
    """The app's 0600 unix socket, or its port on loopback."""

    socket: Path | None = None
    port: int | None = None
    sockets: Callable[[tuple[Any, ...]], Socket] | None = None  # makes those to its port; None: anybody can

    def __post_init__(self) -> None:
        if (self.socket is None) == (self.port is None):
            raise ValueError("an app listens either on a socket or on a port")

    @property
    def base(self) -> str:
        return "http://127.0.0.1" if self.port is None else f"http://127.0.0.1:{self.port}"

    def connector(self) -> aiohttp.BaseConnector:
        if self.socket is not None:
            return aiohttp.UnixConnector(str(self.socket), limit=0, keepalive_timeout=IDLE_SECONDS)
        return aiohttp.TCPConnector(
            limit=0, keepalive_timeout=IDLE_SECONDS, use_dns_cache=False, socket_factory=self.sockets
        )
