"""For sites that run jupyterhub-idle-culler: its ``cull_arbiter_hook``, answered by the studios service.

The culler's own rule sees requests alone: it ends long silent computations, and never an open tab. This one asks the
service, which decides by evidence and asks people first. In the culler's configuration file::

    from jupyterhub_studios.culling import arbiter

    c.IdleCuller.cull_arbiter_hook = arbiter("http://127.0.0.1:8081/services/studios/")

The culler is a service of the Hub; its own token is used, and its role needs the scope
``access:services!service=studios`` beside its own. Servers that are no studios go by the culler's own rule.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import aiohttp

log = logging.getLogger("studios.culling")

PATIENCE = aiohttp.ClientTimeout(total=30)

Arbiter = Callable[..., Awaitable[bool]]


def arbiter(service_url: str, token: str | None = None) -> Arbiter:
    """The hook. ``token``: the culler's own from its environment where it is None."""
    address = f"{service_url.rstrip('/')}/api/v1/culling"

    async def cull(
        *, inactive: timedelta | None, inactive_limit: float, server: dict[str, Any], **_: Any
    ) -> bool:
        headers = {"Authorization": f"token {token or os.environ['JUPYTERHUB_API_TOKEN']}"}
        body = {"server": server["full_name"], "idle_seconds": inactive_limit}
        try:
            async with (
                aiohttp.ClientSession(timeout=PATIENCE) as client,
                client.post(address, json=body, headers=headers) as answer,
            ):
                if answer.status == 404:
                    return inactive is not None and inactive.total_seconds() >= inactive_limit
                document = await answer.json(content_type=None)
                if answer.status != 200:
                    raise ValueError(f"status {answer.status}: {document.get('detail', '')}")
                return document["cull"] is True
        except (aiohttp.ClientError, TimeoutError, ValueError, AttributeError) as error:
            log.warning("Whether %s is idle is not known, so it is kept: %s", body["server"], error)
            return False

    return cull
