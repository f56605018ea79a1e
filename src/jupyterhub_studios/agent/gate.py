"""The gate: the only listener of a session. Lets in whom the service sent, and passes them on to the app.

A visitor without a cookie is sent to the service, which knows the Hub's users and who may enter; they come
back with a ticket that works once, and get a cookie for this session's path. The app has no password and is
told in a signed header who is asking. Nothing in the session holds a Hub token, and no visitor's token
reaches it.
"""

from __future__ import annotations

import asyncio
import base64
import errno
import random
import time
from datetime import datetime
from urllib.parse import parse_qs, urlencode, urljoin

from aiohttp import web

from ..models import LaunchSpec, StudiosError, now
from .activity.use import Use
from .gate_auth import COOKIE_TTL, Door, Visitor, Withdrawn
from .gate_headers import below, is_navigation, request_headers, same_origin, scheme
from .gate_pages import problem, redirect
from .gate_proxy import Proxy, is_websocket
from .inside import ADDRESSES, Inside
from .relay import BUFFER, LINE
from .towards import address_towards
from .upstream import Upstream

PRESENT = 60.0  # seconds after their last request that a person without open sockets still counts as there


class Gate:
    """Listens between :meth:`start` and :meth:`stop`."""

    def __init__(
        self,
        spec: LaunchSpec,
        app: Upstream,
        identity_key: bytes,
        use: Use | None = None,
        inside: Inside | None = None,
    ) -> None:
        self.active_at: datetime | None = None
        self._spec = spec
        self._app = app
        self._use = use or Use()
        self._inside = inside
        self._door = Door(spec.session_id, spec.owner, base64.b64decode(spec.ticket_key), identity_key)
        self._open: dict[asyncio.Transport, Visitor] = {}  # connections with a request under way
        self._seen: dict[str, float] = {}
        self._proxy: Proxy | None = None
        self._web: web.Server | None = None
        self._server: asyncio.Server | None = None

    # --- what the agent does -----------------------------------------------------------------------

    async def start(self) -> str:
        """Opens the gate; answers the address that the Hub's proxy is to dial."""
        self._proxy = Proxy(self._app, self._spec.prefix if self._spec.template.strip_prefix else None)
        self._web = web.Server(
            self._serve,
            handler_cancellation=True,  # a visitor who goes away ends the app's work for them
            access_log=None,  # tickets are in addresses
            auto_decompress=False,
            read_bufsize=BUFFER,
            max_line_size=LINE,
            max_field_size=LINE,
        )
        self._server = await self._listen(self._web)
        host, port = self._server.sockets[0].getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    async def _listen(self, protocols: web.Server) -> asyncio.Server:
        host = self._spec.gate_host or await asyncio.to_thread(address_towards, self._spec.control_url)
        first, last = self._spec.gate_ports
        ports = random.sample(range(first, last + 1), last + 1 - first)
        loop = asyncio.get_running_loop()
        for port in ports:
            try:
                return await loop.create_server(protocols, host, port)
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
        raise StudiosError(
            "No port is free for the studio", f"ports {first} to {last} of {host} are taken",
            "Ask an administrator to widen the range of ports", status=503,
        )  # fmt: skip

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for transport in list(self._open):
            transport.abort()
        if self._web is not None:
            await self._web.shutdown(1.0)
        if self._proxy is not None:
            await self._proxy.close()

    def revoke(self, user: str | None) -> None:
        """Takes back what ``user`` (None: all but the owner) was given, and cuts what they have open."""
        self._door.revoke(user)
        for transport, visitor in list(self._open.items()):
            if self._door.revokes(user, visitor.user):
                transport.abort()
        self._seen = {name: at for name, at in self._seen.items() if not self._door.revokes(user, name)}

    def people(self) -> list[str]:
        """Who is here: with a connection open, or seen a moment ago."""
        since = time.monotonic() - PRESENT
        self._seen = {name: at for name, at in self._seen.items() if at > since}
        return sorted(self._connected() | self._seen.keys())

    def _connected(self) -> set[str]:
        return {visitor.user for transport, visitor in self._open.items() if not transport.is_closing()}

    # --- requests ----------------------------------------------------------------------------------

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        response = await self._answer(request)
        if "Upgrade" in request.headers:
            # Declined or tunnelled: what follows on this connection is not a request we should read.
            response.force_close()
        return response

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        prefix, path = self._spec.prefix, request.raw_path
        if not path.startswith(prefix):
            if path == prefix[:-1] and request.method in ("GET", "HEAD"):
                return redirect(prefix)
            return problem(request, 404, "Not found", f"This studio answers below {prefix} only.")
        if "#" in path or request.method in ("CONNECT", "TRACE"):
            return problem(request, 400, "Not a request that a studio understands")
        if path.startswith(f"{prefix}_studio/"):
            return self._own(request, path[len(prefix) + 8 :].partition("?")[0])
        try:
            visitor = self._door.visitor(request.headers.getall("Cookie", ()))
        except Withdrawn:
            if is_navigation(request.method, request.headers):
                return redirect(self._enter_place(request))  # it may be shared with them again
            return self._withdrawn(request)
        if visitor is None:
            return self._stranger(request)
        if is_websocket(request) and not same_origin(request.headers):
            return problem(request, 403, "Refused", "A page of another site tried to connect to this studio.")
        return await self._pass(request, visitor)

    async def _pass(self, request: web.BaseRequest, visitor: Visitor) -> web.StreamResponse:
        transport = request.transport
        if transport is None or self._proxy is None:
            raise ConnectionResetError
        self._seen[visitor.user] = time.monotonic()
        if request.method not in ("GET", "HEAD", "OPTIONS") or is_navigation(request.method, request.headers):
            self._input()
        path = request.raw_path.partition("?")[0][len(self._spec.prefix) :]
        if not is_websocket(request):
            navigation = is_navigation(request.method, request.headers)
            self._use.request(request.method, path, navigation=navigation)
        headers = request_headers(
            request.headers,
            self._door.identity(visitor),
            request.remote or "",
            self._spec.prefix if self._spec.template.strip_prefix else None,
        )

        def message(size: int) -> None:
            self._input()
            self._use.message(id(transport), path, size)

        self._open[transport] = visitor
        try:
            return await self._proxy.forward(request, headers, message)
        finally:
            self._open.pop(transport, None)
            self._seen[visitor.user] = time.monotonic()

    def _input(self) -> None:
        """A person did something: opened a page, changed something, sent a message."""
        self.active_at = now()

    # --- coming and going --------------------------------------------------------------------------

    def _own(self, request: web.BaseRequest, what: str) -> web.Response:
        if self._inside is not None and what in ADDRESSES:
            return self._answer_inside(request, what, self._inside)
        if request.method != "GET" or what not in ("enter", "leave"):
            return problem(request, 404, "Not found")
        return self._enter(request) if what == "enter" else self._leave(request)

    def _enter(self, request: web.BaseRequest) -> web.Response:
        query = parse_qs(request.raw_path.partition("?")[2])
        place = query.get("next", [""])[0]
        if not below(self._spec.prefix, place) or place.startswith(f"{self._spec.prefix}_studio/"):
            place = self._spec.prefix + self._spec.template.default_path.lstrip("/")
        try:
            visitor = self._door.admit(query.get("ticket", [""])[0])
        except Withdrawn:
            return self._withdrawn(request)
        except ValueError as error:
            return problem(
                request, 403, "This way in is closed", f"It works once and for a minute only ({error}).",
                "Open the studio again.", link=(place, "Open the studio"),
            )  # fmt: skip
        response = redirect(place)
        self._set_cookie(request, response, visitor.cookie, int(COOKIE_TTL))
        return response

    def _answer_inside(self, request: web.BaseRequest, what: str, inside: Inside) -> web.Response:
        try:
            visitor = self._door.visitor(request.headers.getall("Cookie", ()))
        except Withdrawn:
            return self._withdrawn(request)
        return self._stranger(request) if visitor is None else inside.answer(request, visitor, what)

    def _leave(self, request: web.BaseRequest) -> web.Response:
        """Signs out of this studio, and then of the Hub."""
        try:
            visitor = self._door.visitor(request.headers.getall("Cookie", ()))
        except Withdrawn:
            visitor = None
        if visitor is not None:
            self._door.leave(visitor)
        response = redirect(self._at_hub(f"{self._spec.hub_prefix}logout"))
        self._set_cookie(request, response, "", 0)
        return response

    def _set_cookie(self, request: web.BaseRequest, response: web.Response, value: str, age: int) -> None:
        response.set_cookie(
            self._door.cookie_name, value, max_age=age, path=self._spec.prefix, httponly=True,
            samesite="Lax", secure=scheme(request.headers) == "https",
        )  # fmt: skip

    def _enter_place(self, request: web.BaseRequest) -> str:
        spec = self._spec
        place = request.raw_path if is_navigation(request.method, request.headers) else spec.prefix
        if place.startswith(f"{spec.prefix}_studio/"):
            place = spec.prefix
        query = urlencode({"server": f"{spec.owner}/{spec.server_name}", "next": place}, safe="/")
        return self._at_hub(f"{spec.enter_url}?{query}")

    def _at_hub(self, place: str) -> str:
        """Without a public URL the Hub is on the visitor's own origin."""
        return urljoin(self._spec.public_url, place) if self._spec.public_url else place

    def _stranger(self, request: web.BaseRequest) -> web.Response:
        if is_navigation(request.method, request.headers):
            return redirect(self._enter_place(request))
        return problem(
            request, 403, "You are not signed in to this studio", "The request came without a valid cookie.",
            "Open the studio in the browser, or reload its page.",
        )  # fmt: skip

    def _withdrawn(self, request: web.BaseRequest) -> web.Response:
        return problem(
            request, 403, "Your access to this studio was withdrawn",
            "Its owner or an administrator took it back.",
            "Ask the owner to share it with you again.", link=(self._enter_place(request), "Try again"),
        )  # fmt: skip
