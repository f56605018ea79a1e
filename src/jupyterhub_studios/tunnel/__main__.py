"""``python -m jupyterhub_studios.tunnel STATE_DIR SETTINGS``, started by the studios service."""

from __future__ import annotations

import logging
import logging.handlers
import os
import resource
import sys
from pathlib import Path

import asyncssh

from ..models import StudiosError, TunnelSettings
from .control import LOG
from .process import run

LOG_BYTES = 1 << 20


def main(state_dir: Path, settings: TunnelSettings) -> int:
    os.umask(0o077)  # its socket is nobody else's
    # A port for each session, and a file for each connection of a visitor.
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    handler = logging.handlers.RotatingFileHandler(state_dir / LOG, maxBytes=LOG_BYTES, backupCount=1)
    form = "[%(levelname).1s %(asctime)s %(name)s] %(message)s"
    logging.basicConfig(level=logging.INFO, format=form, handlers=[handler])
    asyncssh.set_log_level(logging.ERROR)  # it has two lines for each request of a visitor
    try:
        run(state_dir, settings)
    except StudiosError as error:
        logging.getLogger("studios.tunnel").error("%s", error)
        return 1
    except Exception:
        logging.getLogger("studios.tunnel").exception("The tunnel failed")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), TunnelSettings.model_validate_json(sys.argv[2])))
