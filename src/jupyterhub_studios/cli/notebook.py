"""Running code in a studio's Jupyter from outside: the way in that a browser takes, with a token instead of a person.

The Hub's token goes to the studios service alone. The session sees the ticket that the service gives for it.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

import aiohttp

from ..models import StudiosError

Json = dict[str, Any]

SHELL = """
import subprocess
done = subprocess.run({line!r}, shell=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
print(done.stdout, end="")
if done.returncode:
    raise SystemExit(f"exit code {{done.returncode}}")
"""


class Notebook:
    """One kernel of a running studio."""

    def __init__(self, http: aiohttp.ClientSession, prefix: str, headers: dict[str, str]) -> None:
        self._http, self._prefix, self._headers = http, prefix, headers
        self._kernel = ""

    async def begin(self) -> None:
        body = {"name": "python3"}
        async with self._http.post(f"{self._prefix}api/kernels", json=body, headers=self._headers) as answer:
            if answer.status != 201:
                raise _no_jupyter(f"it answers a request for a kernel with HTTP status {answer.status}")
            self._kernel = str((await answer.json())["id"])

    async def shell(self, line: str, seconds: float = 300) -> str:
        """What a shell line prints; :class:`StudiosError` when it fails."""
        return await self.run(SHELL.format(line=line), line, seconds)

    async def run(self, code: str, title: str, seconds: float = 300) -> str:
        """What Python code prints."""
        session, message = uuid.uuid4().hex, uuid.uuid4().hex
        url = f"{self._prefix}api/kernels/{self._kernel}/channels?session_id={session}"
        output, failure = "", ""
        async with self._http.ws_connect(url, headers=self._headers, timeout=_patience(seconds)) as socket:
            await socket.send_json(_request(code, session, message))
            while True:
                told = await socket.receive_json()
                if told["parent_header"].get("msg_id") != message:
                    continue
                content = told["content"]
                match told["msg_type"]:
                    case "stream":
                        output += content["text"]
                    case "error":
                        failure = f"{content['ename']}: {content['evalue']}"
                    case "status" if content["execution_state"] == "idle":
                        break
        if failure:
            raise StudiosError(f"“{title}” failed in the studio", f"{failure}\n{output}".strip(), "")
        return output


@asynccontextmanager
async def notebook(hub: str, token: str, studio: Json) -> AsyncIterator[Notebook]:
    """A kernel in ``studio``, which runs a Jupyter. ``hub``: its URL, with a slash at the end."""
    jar = aiohttp.CookieJar(unsafe=True)  # of addresses too
    async with aiohttp.ClientSession(cookie_jar=jar, timeout=aiohttp.ClientTimeout(total=120)) as http:
        place = urlsplit(studio["url"]).path
        query = urlencode({"server": f"{studio['owner']}/{studio['server_name']}", "next": place})
        asked = {"Authorization": f"token {token}", "Accept": "text/html"}
        enter = urljoin(hub, f"services/studios/enter?{query}")
        async with http.get(enter, headers=asked, allow_redirects=False) as answer:
            ticket = answer.headers.get("Location", "")
            if answer.status != 302 or "_studio/enter?ticket=" not in ticket:
                raise StudiosError(
                    "The studio cannot be entered",
                    f"the studios service answers with HTTP status {answer.status}",
                    "Use a token of the studio's owner",
                )
        # Its cookies are the studio's, and the page's own has to be repeated in a header.
        async with http.get(urljoin(hub, ticket)) as page:
            if page.status != 200:
                raise _no_jupyter(f"its page answers with HTTP status {page.status}")
        prefix = urljoin(hub, ticket.partition("_studio/")[0])
        cookies = jar.filter_cookies(aiohttp.client.URL(f"{prefix}api"))
        known = cookies.get("_xsrf")
        found = Notebook(http, prefix, {"X-XSRFToken": known.value} if known else {})
        await found.begin()
        yield found


def _request(code: str, session: str, message: str) -> Json:
    """Jupyter's messaging protocol, version 5.3, as JSON over a WebSocket."""
    header = {
        "msg_id": message,
        "session": session,
        "username": "",
        "msg_type": "execute_request",
        "version": "5.3",
    }
    content = {
        "code": code,
        "silent": False,
        "store_history": False,
        "user_expressions": {},
        "allow_stdin": False,
    }
    return {
        "channel": "shell",
        "header": header,
        "parent_header": {},
        "metadata": {},
        "content": content,
        "buffers": [],
    }


def _patience(seconds: float) -> aiohttp.ClientWSTimeout:
    return aiohttp.ClientWSTimeout(ws_receive=seconds, ws_close=10)


def _no_jupyter(why: str) -> StudiosError:
    return StudiosError("There is no Jupyter in the studio", why, "Choose a template that runs JupyterLab")
