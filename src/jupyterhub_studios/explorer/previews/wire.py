"""How the explorer and a preview worker talk: frames of one JSON document and bytes, over a socket pair."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from typing import Any

_LENGTHS = struct.Struct("<II")
DOCUMENT_MAX = 64 << 10
BYTES_MAX = 16 << 20


class Ended(Exception):
    """The other side is gone."""


def frame(document: dict[str, Any], data: bytes = b"") -> bytes:
    text = json.dumps(document).encode()
    return _LENGTHS.pack(len(text), len(data)) + text + data


def _lengths(head: bytes) -> tuple[int, int]:
    text, data = _LENGTHS.unpack(head)
    if text > DOCUMENT_MAX or data > BYTES_MAX:
        raise Ended("a frame that is too long")
    return text, data


def send(sock: socket.socket, document: dict[str, Any], data: bytes = b"") -> None:
    sock.sendall(frame(document, data))


def receive(sock: socket.socket) -> tuple[dict[str, Any], bytes]:
    text, data = _lengths(_exactly(sock, _LENGTHS.size))
    return json.loads(_exactly(sock, text)), _exactly(sock, data)


def _exactly(sock: socket.socket, size: int) -> bytes:
    parts = []
    while size:
        part = sock.recv(min(size, 1 << 20))
        if not part:
            raise Ended
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


async def drain(writer: asyncio.StreamWriter) -> None:
    """Waits until what was written has left; the other side may die meanwhile."""
    try:
        await writer.drain()
    except ConnectionError:
        raise Ended from None


async def receive_async(reader: asyncio.StreamReader) -> tuple[dict[str, Any], bytes]:
    """As receive; what comes from a worker is not to be trusted either."""
    try:
        text, data = _lengths(await reader.readexactly(_LENGTHS.size))
        document = json.loads(await reader.readexactly(text))
        body = await reader.readexactly(data)
    except (asyncio.IncompleteReadError, ConnectionError, ValueError, RecursionError):
        raise Ended from None
    if not isinstance(document, dict):
        raise Ended("a frame that is no document")
    return document, body
