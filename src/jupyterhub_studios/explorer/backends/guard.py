"""Which endpoints may be reached: what people type must not lead to the machine's own services.

An address counts, never a name alone: a name is resolved when an endpoint is added, and again at each
connection, where the very address that is about to be connected to is looked at. So neither a name that changes
its address nor a redirect leads past it.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Callable, Sequence
from typing import Any, TypedDict
from urllib.parse import urlsplit

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from ...models import StudiosError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str, int], "asyncio.Future[list[str]]"]

# The providers' own names may lead to private addresses: that is how private endpoints of a VPC work, and
# nobody but the provider and the network's administrator decides where they lead.
PROVIDERS = (
    ".amazonaws.com", ".amazonaws.com.cn", ".googleapis.com",
    ".core.windows.net", ".core.chinacloudapi.cn", ".core.usgovcloudapi.net",
)  # fmt: skip

_METADATA = (
    ipaddress.ip_network("fd00:ec2::/32"),  # AWS
    ipaddress.ip_network("fd20:ce::254/128"),  # Google
    ipaddress.ip_network("168.63.129.16/32"),  # Azure
    ipaddress.ip_network("100.100.100.200/32"),  # Alibaba
)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class Blocked(OSError):
    """A connection that the guard refused."""


class Connector(TypedDict):
    """Arguments of an aiohttp connector that looks at each address before it connects."""

    resolver: AbstractResolver
    socket_factory: Callable[[Any], socket.socket]


class Guard:
    """``allowed``: hosts, ``host:port``, addresses or CIDR networks that an administrator lets through; ``*``: all."""

    def __init__(self, allowed: Sequence[str] = ()):
        self.everything = "*" in allowed
        self._networks: list[tuple[Network, int | None]] = []
        self._names: set[tuple[str, int | None]] = set()
        for entry in allowed:
            if entry != "*":
                self._allow(entry)

    async def check(self, url: str, *, field: str = "endpoint") -> None:
        """A 400 that says why when ``url`` may not be used as an endpoint."""
        host, port = _host_and_port(url, field)
        if self.everything:
            return
        addresses = await _resolve(host, port)
        if not addresses:
            raise StudiosError(
                "The endpoint was not found",
                f"“{host}” has no address here",
                "Check its spelling",
                field=field,
            )
        if any(not self._may_reach(host, port, address) for address in addresses):
            raise refusal(field=field)

    def names(self, host: str, port: int) -> bool:
        """Whether an administrator named this very host, or everything is allowed."""
        host = host.lower().rstrip(".")
        if self.everything or {(host, None), (host, port)} & self._names:
            return True
        try:
            return self._lists(ipaddress.ip_address(host), port)
        except ValueError:
            return False

    def connector(self) -> Connector | None:
        """For a new HTTP client; None where everything is allowed."""
        if self.everything:
            return None
        watch = _Watch(self)
        return {"resolver": watch, "socket_factory": watch.socket}

    def _allow(self, entry: str) -> None:
        host, port = _split_port(entry)
        try:
            self._networks.append((ipaddress.ip_network(host, strict=False), port))
        except ValueError:
            self._names.add((host.lower().rstrip("."), port))

    def _may_reach(self, host: str, port: int, address: Address) -> bool:
        address = _innermost(address)
        if self.names(host, port) or self._may_connect(address, port):
            return True
        own = f".{host.lower().rstrip('.')}".endswith(PROVIDERS)
        return own and address.is_private and not _never(address)

    def _lists(self, address: Address, port: int) -> bool:
        return any(address in network and bound in (None, port) for network, bound in self._networks)

    def _may_connect(self, address: Address, port: int) -> bool:
        """Whether a bare address may be connected to, whatever name led to it."""
        address = _innermost(address)
        if self._lists(address, port):
            return True
        return address.is_global and not address.is_multicast and not _never(address)


class _Watch(AbstractResolver):
    """Resolves for one HTTP client, and opens its sockets: only to addresses that the guard lets through."""

    def __init__(self, guard: Guard):
        self._guard = guard
        self._by_name: set[tuple[str, int]] = set()  # let through because of the name that led there

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        results = await ThreadedResolver().resolve(host, port, family)
        passed = []
        for result in results:
            address = ipaddress.ip_address(result["host"].partition("%")[0])
            if self._guard._may_reach(host, port, address):
                passed.append(result)
                self._by_name.add((str(address), port))
        if not passed:
            raise Blocked("the address may not be reached")
        return passed

    def socket(self, addr_info: Any) -> socket.socket:
        family, kind, proto, _, sockaddr = addr_info
        address, port = ipaddress.ip_address(sockaddr[0].partition("%")[0]), sockaddr[1]
        if (str(address), port) not in self._by_name and not self._guard._may_connect(address, port):
            raise Blocked("the address may not be reached")
        return socket.socket(family, kind, proto)

    async def close(self) -> None:
        pass


def refusal(*, field: str | None = None) -> StudiosError:
    return StudiosError(
        "This endpoint may not be used",
        "it leads to an address inside the machine or its network",
        "Use another endpoint, or ask an administrator to allow this one",
        status=400 if field else 403,
        field=field,
    )


def blocked_in(error: BaseException) -> bool:
    """Whether the guard is what made ``error``, however deep the HTTP client has wrapped it."""
    seen: set[int] = set()
    queue: list[object] = [error]
    while queue:
        item = queue.pop()
        if not isinstance(item, BaseException) or id(item) in seen:
            continue
        if isinstance(item, Blocked):
            return True
        seen.add(id(item))
        queue += [item.__cause__, item.__context__, getattr(item, "os_error", None), *item.args]
        queue += [getattr(item, "inner_exception", None), *getattr(item, "exceptions", ())]
        queue += [getattr(item, "kwargs", {}).get("error")]
    return False


async def _resolve(host: str, port: int) -> list[Address]:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]


def _host_and_port(url: str, field: str) -> tuple[str, int]:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not host or parts.username is not None or parts.query:
        raise StudiosError(
            "This is not an endpoint",
            "an endpoint is the http or https URL of a store, without a user name or a query",
            "Write it as https://host or https://host:port",
            field=field,
        )
    return host.rstrip("."), port or (443 if parts.scheme == "https" else 80)


def _split_port(entry: str) -> tuple[str, int | None]:
    """``host``, ``host:port``, ``address``, ``[address]:port`` or ``network``."""
    host, colon, port = entry.rpartition(":")
    if colon and port.isdecimal() and (host.startswith("[") or ":" not in host):
        return host.strip("[]"), int(port)
    return entry.strip("[]"), None


def _innermost(address: Address) -> Address:
    """The IPv4 address inside an IPv6 one, where there is one."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    inner = address.ipv4_mapped or address.sixtofour
    if inner is None and address.teredo:
        inner = address.teredo[1]
    if inner is None and address in _NAT64:
        inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return inner or address


def _never(address: Address) -> bool:
    """What no name leads to unless an administrator says so."""
    return (
        address.is_loopback
        or address.is_link_local
        or address.is_unspecified
        or address.is_multicast
        or any(address in network for network in _METADATA)
    )
