"""The Data Explorer of a plain JupyterLab: its own engine, its own catalogue."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_core.paths import jupyter_data_dir

from ..explorer import api
from ..explorer.backends import Guard
from ..explorer.engine import Engine
from .catalogue import LabCatalogue
from .handlers import Mounted, Rule, marked
from .kept import KeptFile

if TYPE_CHECKING:
    from .app import DataExplorer


class Explorer:
    """What the routes work with in a plain JupyterLab."""

    def __init__(self, settings: DataExplorer, root: str) -> None:
        file = KeptFile(Path(jupyter_data_dir()) / "jupyterhub-studios")
        guard = Guard(["*"])  # who is let in here can reach whatever this machine can
        self.catalogue = LabCatalogue(
            credentials=settings.credentials,
            links=settings.links,
            ambient=settings.ambient,
            root=root,
            file=file,
            guard=guard,
        )
        # Cursors and uploads live no longer than this server.
        self.engine = Engine(
            self.catalogue, key=os.urandom(32), guard=guard, archive_cap=settings.archive_cap
        )

    async def close(self) -> None:
        await self.engine.close()
        await self.catalogue.close()


def handlers(prefix: str, explorer: Explorer) -> list[Rule]:
    return marked(api.handlers(prefix, Mounted, explorer))
