"""Answers that are sent piece by piece: no faster than the client reads, and no longer than it listens."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator

from pydantic import BaseModel
from tornado.iostream import StreamClosedError
from tornado.web import RequestHandler

from ..models import Problem, StudiosError
from . import problems
from .routing import Content
from .streams import closing

log = logging.getLogger("studios.http")


class ClientGone(Exception):
    """Nobody waits for the answer any more."""


async def send_lines(handler: RequestHandler, lines: AsyncIterator[BaseModel]) -> None:
    """One document in each line. A fault before the first is the answer; a later one is its last line."""
    async with closing(lines):
        line = await anext(lines, None)
        handler.set_header("X-Accel-Buffering", "no")  # proxies hand each line on at once
        while line is not None:
            handler.write(line.model_dump_json() + "\n")
            await _flush(handler)
            try:
                line = await anext(lines, None)
            except Exception as error:
                handler.write(f'{{"problem":{_told(error).model_dump_json(exclude_none=True)}}}\n')
                break
        handler.finish()


async def send_bytes(handler: RequestHandler, content: Content) -> None:
    """A fault in the middle cuts the connection: the client sees that something is missing."""
    handler.set_status(content.status)
    for name, value in content.headers.items():
        handler.set_header(name, value)
    # As they are: a host that compresses its answers would take their length and ranges away.
    handler._transforms = []
    async with closing(content.chunks):
        if handler.request.method == "HEAD":
            handler.finish()
            return
        try:
            async for chunk in content.chunks:
                handler.write(chunk)
                await _flush(handler)
        except ClientGone:
            raise
        except Exception as error:
            if not handler._headers_written:
                raise
            _told(error)
            handler.request.connection.close()  # type: ignore[union-attr]
            raise ClientGone from None
        handler.finish()


def _told(error: Exception) -> Problem:
    if isinstance(error, StudiosError):
        log.info("An answer was cut short: %s", error)
        return error.problem
    log.error("An answer was cut short", exc_info=error)
    return problems.unexpected()


async def _flush(handler: RequestHandler) -> None:
    try:
        await handler.flush()
    except StreamClosedError:
        raise ClientGone from None
