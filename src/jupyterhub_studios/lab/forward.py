"""In a studio: the session's agent passes data requests on to the studios service.

Credentials never enter a session. What is asked for here goes, after Jupyter's own checks, to the agent's socket, and
from there with the session's token, which stays with the agent, to the service, which answers as to the studio's owner.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
from tornado.iostream import StreamClosedError
from tornado.web import HTTPError, stream_request_body
from yarl import URL

from ..models import StudiosError
from ..web import ProblemAnswers
from .handlers import Mounted, Rule, marked

CHUNK = 64 * 1024
BODY_MAX = (
    64 * 1024 * 1024
)  # twice the longest part that the service takes: its own refusal is the better one
SENT = ("Range", "If-Range", "Content-Type", "Content-Length", "Accept")
# Of the connection itself, or said by this server in its own way.
NOT_PASSED = {
    "connection", "keep-alive", "transfer-encoding", "upgrade", "trailer", "server", "date", "set-cookie",
}  # fmt: skip


class Agent:
    """The agent's socket as an HTTP client; opened at the first request."""

    def __init__(self, socket: str) -> None:
        self._socket = socket
        self._session: aiohttp.ClientSession | None = None

    async def request(
        self, method: str, target: str, headers: dict[str, str], body: AsyncIterator[bytes] | None
    ) -> aiohttp.ClientResponse:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.UnixConnector(self._socket, limit=0),
                auto_decompress=False,
                skip_auto_headers=("User-Agent", "Accept-Encoding", "Content-Type"),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=10),
                read_bufsize=CHUNK,
            )
        url = URL(f"http://agent/{target}", encoded=True)
        return await self._session.request(method, url, headers=headers, data=body, allow_redirects=False)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


@stream_request_body
class ForwardHandler(ProblemAnswers, Mounted):
    """Whatever is below our prefix; bodies are streamed both ways."""

    def initialize(self, agent: Agent) -> None:
        self.agent = agent
        self._chunks: asyncio.Queue[bytes | None] = asyncio.Queue(2)
        self._work: asyncio.Task[None] | None = None
        self._refusal: Exception | None = None
        self._gone = False

    async def prepare(self) -> None:  # type: ignore[override]
        self.request.connection.set_max_body_size(BODY_MAX)  # type: ignore[union-attr]
        try:
            await super().prepare()
            await self.authorise("person")
        except (HTTPError, StudiosError) as error:
            # Told when the body has come and gone: told now, the connection would break before it arrives.
            self._refusal = error
            return
        # Begun before the body has come, which is passed on while it arrives.
        self._work = asyncio.create_task(self._forward())
        self._work.add_done_callback(lambda work: work.cancelled() or work.exception())

    async def data_received(self, chunk: bytes) -> None:
        if self._refusal is None:
            await self._put(chunk)

    async def serve(self, _: str) -> None:
        if self._refusal is not None:
            raise self._refusal
        assert self._work is not None
        await self._put(None)
        try:
            await self._work
        except asyncio.CancelledError:
            if not self._gone:
                raise

    get = head = post = put = patch = delete = options = serve

    async def _put(self, chunk: bytes | None) -> None:
        """Waits for room, but not for an answer that is over: a refusal comes before the end of a body."""
        assert self._work is not None
        putting = asyncio.ensure_future(self._chunks.put(chunk))
        await asyncio.wait({putting, self._work}, return_when=asyncio.FIRST_COMPLETED)
        putting.cancel()

    async def _body(self) -> AsyncIterator[bytes]:
        while (chunk := await self._chunks.get()) is not None:
            yield chunk

    async def _forward(self) -> None:
        given = self.request.headers
        headers = {name: given[name] for name in SENT if name in given}
        has_body = given.get("Content-Length", "0") != "0" or "Transfer-Encoding" in given
        # As it was sent, below our prefix: nothing in it is decoded and encoded anew.
        slashes = self.base_url.count("/") + 1
        target = (self.request.uri or "").split("/", slashes)[slashes]
        body = self._body() if has_body else None
        try:
            answer = await self.agent.request(self.request.method or "", target, headers, body)
        except (aiohttp.ClientError, OSError):
            raise unreachable() from None
        async with answer:
            await self._relay(answer)

    async def _relay(self, answer: aiohttp.ClientResponse) -> None:
        self.set_status(answer.status, answer.reason)
        # As it came: compressed anew it would lose its length and its ranges.
        self._transforms = []
        for name, value in answer.headers.items():
            if name.lower() not in NOT_PASSED:
                self.set_header(name, value)
        try:
            async for chunk in answer.content.iter_any():
                self.write(chunk)
                await self.flush()
        except (aiohttp.ClientError, OSError):
            # A half must not be taken for the whole.
            self.request.connection.stream.close()  # type: ignore[union-attr]
            return
        except StreamClosedError:
            return
        self.finish()

    def on_connection_close(self) -> None:
        super().on_connection_close()
        self._gone = True
        if self._work is not None:
            self._work.cancel()


def unreachable() -> StudiosError:
    return StudiosError(
        "Data cannot be reached from this studio",
        "the studio's agent does not answer",
        "Try again in a minute; stop the studio and start it again if it stays so",
        status=503,
    )


def handlers(prefix: str, agent: Agent) -> list[Rule]:
    return marked([(f"{prefix}(.*)", ForwardHandler, {"agent": agent})])
