"""``python -m jupyterhub_studios.service --config jupyterhub_config.py``, run by the Hub as its service."""

from __future__ import annotations

import argparse
import asyncio
import errno
import logging
import os
import signal
import socket
from pathlib import Path
from urllib.parse import urlsplit

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from traitlets import TraitError
from traitlets.config.loader import ConfigFileNotFound, PyFileConfigLoader

from ..config import Studios
from .app import application
from .core import Service, open_service
from .lifetime.keeper import Keeper
from .reaper import Reaper
from .watch import Watch

log = logging.getLogger("studios")

BODY_LIMIT = 4 * 1024 * 1024
BIND_PATIENCE = 60.0  # seconds: the service of a killed Hub leaves the port within two
NEEDED = ("JUPYTERHUB_API_TOKEN", "JUPYTERHUB_API_URL", "JUPYTERHUB_SERVICE_PREFIX", "JUPYTERHUB_SERVICE_URL")


def main() -> None:
    parser = argparse.ArgumentParser(prog="jupyterhub_studios.service", description=__doc__)
    parser.add_argument("--config", required=True, help="the Hub's own configuration file")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="[%(levelname).1s %(asctime)s %(name)s] %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    missing = [name for name in NEEDED if not os.environ.get(name)]
    if missing:
        raise SystemExit(f"This is started by a Hub, as its service: {', '.join(missing)} not set")
    os.umask(0o077)  # database and logs are nobody else's
    config = load_config(arguments.config)
    service = open_service(
        config,
        api_url=os.environ["JUPYTERHUB_API_URL"],
        token=os.environ["JUPYTERHUB_API_TOKEN"],
        base=os.environ.get("JUPYTERHUB_BASE_URL", "/"),
        prefix=os.environ["JUPYTERHUB_SERVICE_PREFIX"],
    )
    asyncio.run(serve(service, os.environ["JUPYTERHUB_SERVICE_URL"]))


def load_config(path: str) -> Studios:
    file = Path(path).absolute()
    try:
        return Studios(config=PyFileConfigLoader(file.name, path=str(file.parent)).load_config())
    except ConfigFileNotFound:
        raise SystemExit(f"There is no configuration file {path}") from None
    except TraitError as error:
        raise SystemExit(f"{path}: {error}") from None


async def serve(service: Service, url: str) -> None:
    await service.database.migrate()
    address = urlsplit(url)
    server = HTTPServer(application(service), xheaders=True, max_body_size=BODY_LIMIT)
    server.add_sockets(await _bind(address.hostname or "127.0.0.1", address.port or 80))
    log.info("Listening on %s", url)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    background = [
        asyncio.create_task(_parent_gone(stop)),
        asyncio.create_task(Watch(service).run()),
        asyncio.create_task(Keeper(service).run()),
        asyncio.create_task(Reaper(service).run()),
        asyncio.create_task(service.tunnel.run()),
    ]
    try:
        await stop.wait()
    finally:
        for task in background:
            task.cancel()
        server.stop()
        await service.close()


async def _bind(host: str, port: int) -> list[socket.socket]:
    """The sockets to listen on; a predecessor is given time to leave them."""
    deadline = asyncio.get_running_loop().time() + BIND_PATIENCE
    while True:
        try:
            return list(bind_sockets(port, host))
        except OSError as error:
            if error.errno != errno.EADDRINUSE or asyncio.get_running_loop().time() > deadline:
                raise SystemExit(f"Cannot listen on {host}:{port}: {error.strerror}") from None
        await asyncio.sleep(0.5)


async def _parent_gone(stop: asyncio.Event) -> None:
    """End with the Hub: a killed one's service would keep the port from its successor's."""
    parent = os.getppid()
    while os.getppid() == parent:  # noqa: ASYNC110 - nothing tells of it
        await asyncio.sleep(1)
    log.warning("The Hub is gone; ending")
    stop.set()


if __name__ == "__main__":
    main()
