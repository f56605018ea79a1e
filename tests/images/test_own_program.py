"""An image's own program, run as the image says: by its account, in its folder, on the port that it always takes."""

from __future__ import annotations

import base64
import http.server
import os
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from jupyterhub_studios import tickets
from jupyterhub_studios.agent.account import Account, account, text_of
from jupyterhub_studios.images.adapt import adapt
from jupyterhub_studios.images.bundle import Bundle
from jupyterhub_studios.models import SCRATCH, Kind, RootMode, StudiosError
from tests.agent.harness import Session
from tests.demo import free_port
from tests.engine import Engine
from tests.images.making import Maker, layer
from tests.images.test_run import BUSYBOX, Contained, studio

__all__ = ["studio"]

TOOLS = ("sh", "cat", "id", "echo", "pwd", "wget")
# Says who it is and where, and keeps what it is told.
WHO = b"""#!/bin/sh
echo; echo "$(id -u):$(id -g):$(id -G) $(cat /workspace/where) $HOME $USER $GREETING"
echo "$QUERY_STRING" >> /workspace/notes && cat /workspace/notes
"""
START = "#!/bin/sh\npwd > /workspace/where; exec httpd -f -p PORT -h /srv/www\n"
OUT = b"#!/bin/sh\necho; exec wget -q -O - http://$QUERY_STRING/\n"
PASSWD = b"root:x:0:0:root:/root:/bin/sh\nweb:x:1234:1235:Web:/home/web:/bin/sh\n"
GROUP = b"root:x:0:\nwww:x:1235:\nstaff:x:50:web\n"


def web_image(maker: Maker, port: int) -> None:
    """A web server of its own account, in its own folder, which no argument moves from its port."""
    links: dict[str, bytes | Path] = {f"@bin/{tool}": b"busybox" for tool in (*TOOLS, "httpd")}
    files: dict[str, bytes | Path] = {
        "bin/": b"", "bin/busybox": BUSYBOX, **links, "etc/": b"", "etc/passwd": PASSWD, "etc/group": GROUP,
        "home/": b"", "home/web/": b"", "start": START.replace("PORT", str(port)).encode(),
    }  # fmt: skip
    pages = {"": b"", "who": WHO, "out": OUT}
    maker.image(
        "1", layer(files),
        layer({"srv/": b"", "srv/www/": b"", **{f"srv/www/cgi-bin/{name}": text for name, text in pages.items()}}),
        Entrypoint=["/bin/sh"], Cmd=["/start"], User="web", WorkingDir="/srv/made",
        Env=["PATH=/bin", "GREETING=hello"],
    )  # fmt: skip


@asynccontextmanager
async def visitor(session: Session, address: str) -> AsyncIterator[aiohttp.ClientSession]:
    """Somebody whom the gate has let in."""
    claims = {"aud": session.spec.session_id, "sub": "ada", "name": "Ada", "own": True}
    ticket = tickets.sign(base64.b64decode(session.spec.ticket_key), claims, 60)
    jar = aiohttp.CookieJar(unsafe=True)  # of addresses too
    async with aiohttp.ClientSession(address, cookie_jar=jar) as client:
        entered = await client.get(f"/user/ada/test/_studio/enter?ticket={ticket}", allow_redirects=False)
        assert entered.status == 302, await entered.text()
        yield client


async def ask(client: aiohttp.ClientSession, words: str, what: str = "who") -> list[str]:
    async with client.get(f"/user/ada/test/cgi-bin/{what}?{words}") as answer:
        text = await answer.text()
        assert answer.status == 200, text
        return text.split("\n")


@contextmanager
def outside(host: str) -> Iterator[str]:
    """Somebody else on the network."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"outside")

    with http.server.ThreadingHTTPServer((host, 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"{host}:{server.server_port}"
        server.shutdown()


def spec_of(port: int, **template: Any) -> dict[str, Any]:
    fields = {"id": "t", "title": "T", "command": [], "strip_prefix": True, "ready_seconds": 30, "port": port}
    return {"kind": Kind.DOCKER, "scratch": SCRATCH, "template": {**fields, **template}}


# What the kinds of compute give an agent's container; see compute/containers.py and compute/batch_payloads.py.
DOCKER = (
    "--cap-add=SYS_ADMIN", "--device=/dev/fuse", "--security-opt=seccomp=unconfined",
    "--security-opt=apparmor=unconfined",
)  # fmt: skip


@pytest.mark.root
@pytest.mark.docker
@pytest.mark.slow
@pytest.mark.parametrize("rights", [("--privileged",), DOCKER], ids=["aws-batch", "docker"])
async def test_an_image_runs_as_it_says_and_its_port_is_nobody_elses(
    rights: tuple[str, ...], studio: Contained, engine: Engine, maker: Maker, bundle: Bundle, cache: Path
) -> None:
    studio.rights = rights
    port = free_port()
    web_image(maker, port)
    studio.image = (await adapt(f"{maker.name}:1", bundle, cache=cache)).image
    first = await studio.start(**spec_of(port))
    ready = await first.ready()
    assert ready.root_mode == RootMode.OVERLAY and ready.address, first.output.read_text()
    async with visitor(first, ready.address) as client:
        assert await ask(client, "one") == ["1234:1235:1235 50 /srv/made /home/web web hello", "one", ""]
        # Containers here share the machine's network, and nothing listens on the app's port there.
        with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), 5):
            raise AssertionError("the app can be reached past the gate")
        with outside(engine.gateway) as place:
            assert await ask(client, place, "out") == ["outside"], "the app reaches the world"
    saved = await first.stop()
    second = await studio.start(saved, **spec_of(port))
    address = (await second.ready()).address
    assert address
    async with visitor(second, address) as client:
        assert (await ask(client, "two"))[1:] == ["one", "two", ""]
    await second.stop()


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        ("", Account(0, 0, (), "root", "/root")),
        ("0", Account(0, 0, (), "root", "/root")),
        ("web", Account(1234, 1235, (50,), "web", "/home/web")),
        ("1234", Account(1234, 1235, (50,), "web", "/home/web")),
        ("web:staff", Account(1234, 50, (), "web", "/home/web")),
        ("1234:7", Account(1234, 7, (), "web", "/home/web")),
        ("65532", Account(65532, 0, (), "65532", "")),
        ("65532:65532", Account(65532, 65532, (), "65532", "")),
    ],
)
def test_accounts_are_those_of_the_image(user: str, expected: Account) -> None:
    assert account(user, PASSWD.decode(), GROUP.decode()) == expected


@pytest.mark.parametrize("user", ["nobody", "web:nobody", "-1"])
def test_an_account_that_the_image_does_not_have_is_told(user: str) -> None:
    with pytest.raises(StudiosError, match="which it does not have") as fault:
        account(user, PASSWD.decode(), GROUP.decode())
    assert fault.value.problem.action


def test_only_plain_files_of_a_sensible_size_are_read(tmp_path: Path) -> None:
    for name in ("pipe", "link", "folder", "large"):
        place = tmp_path / name
        match name:
            case "pipe":
                os.mkfifo(place)
            case "link":
                place.symlink_to("/etc/passwd")
            case "folder":
                place.mkdir()
            case "large":
                place.write_bytes(b"x" * (2 << 20))
        assert text_of(place) == ""
    (tmp_path / "file").write_text("x")
    assert text_of(tmp_path / "file") == "x"
