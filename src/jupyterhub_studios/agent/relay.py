"""An answer passed on as it comes: head first, then bytes, no more of them held than the other side takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import aiohttp
from aiohttp import web

BUFFER = 256 * 1024  # bytes that wait in each direction of a body
LINE = 64 * 1024  # longest request line, and longest header


async def relay(
    request: web.BaseRequest,
    answer: aiohttp.ClientResponse,
    headers: Mapping[str, str] | Iterable[tuple[str, str]],
) -> web.StreamResponse:
    """Answers ``request`` with status and body of ``answer`` and with ``headers``."""
    response = web.StreamResponse(status=answer.status, reason=answer.reason, headers=headers)
    try:
        await response.prepare(request)
        async for data in answer.content.iter_any():
            await response.write(data)
        await response.write_eof()
    except (aiohttp.ClientError, ConnectionError):
        # One side is gone. Who asked, if still there, must not take a half for the whole.
        if request.transport is not None:
            request.transport.abort()
    return response
