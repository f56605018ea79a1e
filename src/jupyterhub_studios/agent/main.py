"""From a job's environment to a running session."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys

from ..models import StudiosError
from .bootstrap import redeem
from .control import Control
from .root.namespaces import Namespace
from .session import Session

log = logging.getLogger(__name__)


def main(namespace: Namespace, why: str) -> int:
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s")
    try:
        return asyncio.run(_run(namespace, why))
    except StudiosError as error:
        log.error("%s", error)
        return 1


async def _run(namespace: Namespace, why: str) -> int:
    # The code works once, yet nothing that the agent starts should see it.
    url = os.environ.pop("STUDIOS_BOOTSTRAP_URL", "")
    code = os.environ.pop("STUDIOS_BOOTSTRAP_CODE", "")
    if not url or not code:
        raise StudiosError(
            "The agent has nothing to run",
            "STUDIOS_BOOTSTRAP_URL or STUDIOS_BOOTSTRAP_CODE is not set",
            "Jobs are started by the Hub",
        )
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    spec = await redeem(url, code, stop)
    control = Control(spec.control_url, spec.control_token)
    session = Session(spec, control, namespace, why)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, session.end_soon)
    if stop.is_set():
        session.end_soon()
    connection = asyncio.create_task(control.run(session.command, session.unknown))
    try:
        return await session.run()
    finally:
        connection.cancel()
        await asyncio.gather(connection, return_exceptions=True)
