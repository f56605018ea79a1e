"""What the explorer's routes work on in this host."""

from __future__ import annotations

from dataclasses import dataclass

from ...config import Studios
from ...explorer.engine import Engine
from ..database import Database
from ..hub import Hub
from ..keys import Keys
from .catalogue import ServiceCatalogue
from .offers import Offers, guard
from .vault import Vault


@dataclass
class Data:
    catalogue: ServiceCatalogue
    engine: Engine

    async def close(self) -> None:
        await self.engine.close()
        await self.catalogue.close()


def open_data(config: Studios, database: Database, hub: Hub, keys: Keys) -> Data:
    reachable = guard(config)
    catalogue = ServiceCatalogue(database, Vault(keys), Offers(config), hub, reachable)
    engine = Engine(catalogue, key=keys.explorer_key, guard=reachable, archive_cap=config.archive_cap)
    return Data(catalogue, engine)
