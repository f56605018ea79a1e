"""Which of this machine's addresses others reach it by."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

from ..models import StudiosError


def address_towards(url: str) -> str:
    """This machine's address on the way to ``url``: the one that the other side can dial back, as long as nothing
    between the two translates addresses. Nothing is sent."""
    place = urlsplit(url)
    port = place.port or (443 if place.scheme in ("https", "wss") else 80)
    fault: OSError | None = None
    try:
        for family, kind, protocol, _, target in socket.getaddrinfo(
            place.hostname, port, type=socket.SOCK_DGRAM
        ):
            try:
                with socket.socket(family, kind, protocol) as probe:
                    probe.connect(target)
                    return str(probe.getsockname()[0])
            except OSError as error:
                fault = error
    except OSError as error:
        fault = error
    raise StudiosError(
        "The studio cannot find out its own address", f"no way to {place.hostname}: {fault}",
        "Check the job's network", status=503,
    )  # fmt: skip
