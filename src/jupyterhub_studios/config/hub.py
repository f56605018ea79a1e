"""What belongs into the Hub's own configuration, and what its spawners read there."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from traitlets.config import Config

from .traits import Studios

SERVICE_NAME = "studios"


def service_definition(config_file: str, url: str, token: str, keep: Sequence[str] = ()) -> dict[str, Any]:
    """The entry of ``c.JupyterHub.services`` that runs the studios service, listening on ``url``.

    The Hub gives its services a fresh environment; ``keep`` names the variables that the configuration file
    needs there too.
    """
    return {
        "name": SERVICE_NAME,
        "url": url,
        "api_token": token,
        "command": [sys.executable, "-m", "jupyterhub_studios.service", "--config", config_file],
        # People pass through to the pages without an "authorize" page; see the gate for why that is safe.
        "oauth_no_confirm": True,
        "environment": {name: os.environ[name] for name in keep if name in os.environ},
        "oauth_client_allowed_scopes": ["access:servers"],
        "display": True,
    }


def service_role() -> dict[str, Any]:
    """The entry of ``c.JupyterHub.load_roles`` with exactly what the service does at the Hub."""
    return {
        "name": "studios-service",
        "services": [SERVICE_NAME],
        # servers: start, stop, remove · users:activity: report a session's · shares, read:groups:name: who may enter
        "scopes": ["servers", "read:users", "users:activity", "shares", "read:groups:name"],
    }


_configured: dict[int, tuple[Config, Studios]] = {}


def studios_of(config: Config) -> Studios:
    """The settings of all studios: read once for all spawners of one configuration, not once for each."""
    if id(config) not in _configured:
        # with the object itself: its id stays its own
        _configured[id(config)] = (config, Studios(config=config))
    return _configured[id(config)][1]


def listens_beyond_loopback(config: Config) -> bool:
    """Whether the Hub of this configuration can be reached from other machines."""
    address = urlsplit(config.JupyterHub.get("bind_url", "")).hostname or config.JupyterHub.get("ip", "")
    try:
        return not ip_address(address).is_loopback
    except ValueError:
        return bool(address != "localhost")  # no address at all means every interface
