"""A small client of the studios REST API, for the command line and for scripts.

    client = Client("http://127.0.0.1:8000", token)
    studio = client.find("Atlas")
    client.call("POST", f"/studios/{studio['id']}/start")

Answers are the API's own JSON documents. Every failure is a :class:`StudiosError` that says what, why and what to do.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

from ..models import Problem, StudiosError

Json = dict[str, Any]

API = "services/studios/api/v1"
WAIT = 20  # seconds of one long poll
PATIENCE = 120.0  # seconds that a watch bears a service that is away: it may be restarting


class Unreachable(StudiosError):
    """Nobody answered."""


def _told(given: Problem) -> StudiosError:
    """A problem of the service's, as it was told."""
    error = StudiosError(given.title, given.detail, given.action, status=given.status)
    error.problem = given
    return error


def _checked(url: str) -> str:
    try:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https") and parts.hostname:
            return url
        reason = "it has to begin with http:// or https://, and name a host"
    except ValueError as error:
        reason = str(error)
    raise StudiosError(
        f"“{url}” is not an address", reason, "Give the Hub's address with --url or STUDIOS_URL"
    )


class Client:
    """``url`` is the Hub's address, with its base URL."""

    def __init__(self, url: str, token: str) -> None:
        self.url = _checked(url).rstrip("/") + "/"
        self.token = token
        self._http = httpx.Client(
            base_url=self.url + API,
            headers={"Authorization": f"token {token}", "Accept": "application/json"},
            timeout=httpx.Timeout(60, connect=10),
        )

    def call(
        self,
        method: str,
        path: str,
        body: Json | None = None,
        params: Json | None = None,
        timeout: float | None = 60,
    ) -> Any:
        """The answer's document; None when there is none."""
        with self._reached():
            answer = self._http.request(
                method, path, json=body, params=params, timeout=httpx.Timeout(timeout, connect=10)
            )
        if not answer.is_success:
            raise self._problem(answer)
        try:
            return answer.json() if answer.content else None
        except ValueError:
            raise self._stranger(answer) from None

    def send(self, method: str, path: str, content: bytes, params: Json) -> Any:
        """Raw bytes; the answer's document."""
        with self._reached():
            answer = self._http.request(method, path, content=content, params=params, timeout=600)
        if not answer.is_success:
            raise self._problem(answer)
        return answer.json()

    @contextmanager
    def stream(
        self,
        method: str,
        path: str,
        *,
        body: Json | None = None,
        params: Json | None = None,
        headers: dict[str, str] | None = None,
    ) -> Iterator[httpx.Response]:
        """An answer that is read while it comes. One that breaks off is :class:`Unreachable`."""
        with (
            self._reached(),
            self._http.stream(
                method,
                path,
                json=body,
                params=params,
                headers=headers,
                timeout=httpx.Timeout(300, connect=10),
            ) as answer,
        ):
            if not answer.is_success:
                answer.read()
                raise self._problem(answer)
            yield answer

    def lines(
        self, method: str, path: str, *, body: Json | None = None, params: Json | None = None
    ) -> Iterator[Json]:
        """The documents of a streamed answer; a fault on its way is raised when it comes."""
        with self.stream(method, path, body=body, params=params) as answer:
            for line in answer.iter_lines():
                found = json.loads(line)
                if "problem" in found:
                    raise _told(Problem.model_validate(found["problem"]))
                yield found

    @contextmanager
    def _reached(self) -> Iterator[None]:
        try:
            yield
        except httpx.TimeoutException:
            raise Unreachable(
                f"{self.url} does not answer in time",
                "the Hub is very busy, or a firewall drops the connection",
                "Try again in a minute",
                status=503,
            ) from None
        except httpx.RemoteProtocolError:
            raise Unreachable(
                "The answer broke off",
                "the server or the store behind it ended the connection",
                "Try again",
                status=503,
            ) from None
        except httpx.TransportError as error:
            raise Unreachable(
                f"Nothing answers at {self.url}",
                str(error),
                "Check that the Hub runs, and the address that --url or STUDIOS_URL gives",
                status=503,
            ) from None

    def _problem(self, answer: httpx.Response) -> StudiosError:
        kind = answer.headers.get("Content-Type", "")
        if "problem+json" in kind:
            try:
                given = Problem.model_validate(answer.json())
            except ValueError:
                pass
            else:
                return _told(given)
        if answer.status_code in (502, 503, 504):
            return Unreachable(
                "The studios service does not answer",
                f"the Hub's proxy at {self.url} reaches nobody behind it",
                "It may be restarting: try again in a minute, else look at the Hub's log",
                status=answer.status_code,
            )
        return self._stranger(answer)

    def _stranger(self, answer: httpx.Response) -> StudiosError:
        return StudiosError(
            f"There is no studios service at {self.url}",
            f"something else answers there (HTTP {answer.status_code})",
            "Give the Hub's address, with its base URL, with --url or STUDIOS_URL",
            status=answer.status_code,
        )

    def pages(self, path: str, **params: str | None) -> list[Json]:
        """All items of a list."""
        asked = {name: value for name, value in params.items() if value is not None}
        items: list[Json] = []
        while True:
            page = self.call("GET", path, params=asked)
            items += page["items"]
            if page.get("next") is None:
                return items
            asked["after"] = page["next"]

    def find(self, word: str) -> Json:
        """The studio of this id, server name or name; ``owner/server`` for another's."""
        if word.startswith("st-"):
            try:
                return self.call("GET", f"/studios/{quote(word, safe='')}")
            except StudiosError as error:
                if error.problem.status != 404:
                    raise
        owner, slash, server = word.partition("/")
        if slash:
            mine = self.pages("/studios", owner=owner)
            found = [s for s in mine if s["server_name"] == server]
        else:
            mine = self.pages("/studios")
            found = [s for s in mine if word in (s["name"], s["server_name"])]
        if len(found) == 1:
            return found[0]
        if found:
            raise StudiosError(
                f"“{word}” may be one of several studios",
                "one has it as its name, another as its server name",
                f"Say which by id: {', '.join(s['id'] for s in found)}",
                status=409,
            )
        names = ", ".join(f"“{s['name']}”" for s in mine[:5]) + (", …" if len(mine) > 5 else "")
        whose = f"{owner} has" if slash else "you have"
        raise StudiosError(
            f"There is no studio “{word}”",
            f"{whose} {names}" if names else f"{whose} none",
            "`studios list` shows them",
            status=404,
        )

    def watch(self, studio_id: str, on_lost: Callable[[StudiosError], None]) -> Iterator[Json]:
        """The studio now and after each change, for ever. A service that restarts is waited for;
        ``on_lost`` hears when that begins."""
        after, wait, lost_at = 0, 0, None
        while True:
            try:
                progress = self.call(
                    "GET",
                    f"/studios/{quote(studio_id, safe='')}/progress",
                    params={"after": after, "wait": wait},
                    timeout=WAIT + 30,
                )
            except Unreachable as error:
                if lost_at is None:
                    lost_at = time.monotonic()
                    on_lost(error)
                if time.monotonic() - lost_at > PATIENCE:
                    raise
                after, wait = 0, 0
                time.sleep(1)
                continue
            after, wait, lost_at = progress["version"], WAIT, None
            yield progress["studio"]
