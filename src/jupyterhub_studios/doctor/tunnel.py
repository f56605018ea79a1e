"""Looking at the tunnel, from where the Hub is: what lies between it and the jobs is not seen."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncssh

from ..config import Studios
from ..tunnel.keys import HOST_KEY, host_key, public_line
from . import verdicts
from .checks import Check, Found
from .findings import Result


def checks(studios: Studios) -> list[Check]:
    """None where no compute environment uses it."""
    used = any(env.connect == "tunnel" for env in studios.compute_environments.values())
    return [Check("Hub", "tunnel", lambda: _tunnel(studios))] if used else []


async def _tunnel(studios: Studios) -> Result:
    host, port = studios.tunnel_place()
    address, state_dir = f"{host}:{port}", Path(studios.state_dir)
    try:
        found = await asyncssh.get_server_host_key(host, port, config=None)
    except (OSError, asyncssh.Error) as error:
        raise Found("tunnel-silent", address=address, reason=str(error) or type(error).__name__) from None
    shown = found.export_public_key("openssh").decode() if found else ""
    return verdicts.tunnel(address, shown, await asyncio.to_thread(_ours, state_dir))


def _ours(state_dir: Path) -> str | None:
    """The key that it should have; None where the doctor runs in another folder than the Hub."""
    return public_line(host_key(state_dir)) if (state_dir / HOST_KEY).exists() else None
