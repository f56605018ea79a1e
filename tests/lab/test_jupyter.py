from __future__ import annotations

import asyncio
import base64
import hashlib
import html
import json
import os
import re
import stat
import uuid
from typing import Any

import aiohttp
import pytest

from jupyterhub_studios import tickets

from .conftest import IDENTITY_KEY, PREFIX, Lab

pytestmark = pytest.mark.asyncio(loop_scope="module")
Session = aiohttp.ClientSession


async def get(session: Session, url: str) -> Any:
    async with session.get(url) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json()


async def execute(session: Session, lab: Lab, code: str) -> tuple[str, str]:
    """What ``code`` prints in a new kernel, over JupyterLab's own WebSocket protocol; and the kernel's id."""
    async with session.post(lab.url + "api/kernels", json={"name": "python3"}) as answer:
        assert answer.status == 201, await answer.text()
        kernel = (await answer.json())["id"]
    url = f"{lab.url}api/kernels/{kernel}/channels?session_id={uuid.uuid4().hex}"
    header = {"msg_id": "m1", "msg_type": "execute_request", "session": "s", "username": "", "version": "5.3"}
    content = {
        "code": code,
        "silent": False,
        "store_history": True,
        "user_expressions": {},
        "allow_stdin": False,
    }
    message = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
    output = ""
    async with session.ws_connect(url, headers={"Origin": lab.url.partition(PREFIX)[0]}) as socket:
        await socket.send_str(json.dumps(message))
        async with asyncio.timeout(60):
            while True:
                said = await socket.receive_json()
                if said["parent_header"].get("msg_id") != "m1":
                    continue
                if said["msg_type"] == "stream":
                    output += said["content"]["text"]
                elif said["msg_type"] == "error":
                    output += "\n".join(said["content"]["traceback"])
                elif said["msg_type"] == "status" and said["content"]["execution_state"] == "idle":
                    break
    async with session.delete(f"{lab.url}api/kernels/{kernel}") as answer:
        assert answer.status == 204
    return output, kernel


async def test_two_people_with_their_names(lab: Lab, ada: Session, bob: Session) -> None:
    me = await get(ada, lab.url + "api/me")
    other = (await get(bob, lab.url + "api/me"))["identity"]
    assert me["permissions"]["updatable_fields"] == []
    identity = me["identity"]
    assert (identity["username"], identity["name"], identity["display_name"], identity["initials"]) == (
        "ada", "Ada King Lovelace", "Ada King Lovelace", "AL",
    )  # fmt: skip
    assert (other["username"], other["name"], other["initials"]) == ("bob", "bob", "B")
    assert re.fullmatch(r"var\(--jp-collaborator-color[1-7]\)", identity["color"])
    assert (await get(ada, lab.url + "api/me"))["identity"]["color"] == identity["color"]


async def test_names_are_the_hubs(lab: Lab, ada: Session) -> None:
    async with ada.patch(lab.url + "api/me", json={"color": "red"}) as answer:
        assert answer.status == 400


async def test_a_kernel_runs_code(lab: Lab, ada: Session) -> None:
    output, _ = await execute(ada, lab, "print(6 * 7)")
    assert output == "42\n"


async def test_kernels_do_not_inherit_the_key(lab: Lab, ada: Session) -> None:
    output, _ = await execute(
        ada, lab, "import os; print(sorted(n for n in os.environ if n.startswith('STUDIO')))"
    )
    assert output.strip() == str(
        [
            "STUDIO_HUB_PREFIX",
            "STUDIO_ID",
            "STUDIO_NAME",
            "STUDIO_OWNER",
            "STUDIO_PREFIX",
            "STUDIO_SERVER_NAME",
        ]
    )


async def test_a_large_file_up_and_parts_of_it_down(lab: Lab, ada: Session) -> None:
    data = os.urandom(20_000_000)
    body = {"type": "file", "format": "base64", "content": base64.b64encode(data).decode()}
    async with ada.put(lab.url + "api/contents/large.bin", json=body) as answer:
        assert answer.status == 201, await answer.text()
    assert hashlib.sha256((lab.workdir / "large.bin").read_bytes()).digest() == hashlib.sha256(data).digest()
    async with ada.get(lab.url + "files/large.bin") as answer:
        assert await answer.read() == data
    headers = {"Range": "bytes=10000000-10000099"}
    async with ada.get(lab.url + "files/large.bin", headers=headers) as answer:
        assert answer.status == 206
        assert await answer.read() == data[10_000_000:10_000_100]


async def test_xsrf_protection_stays(lab: Lab, ada: Session) -> None:
    del ada.headers["X-XSRFToken"]
    async with ada.post(lab.url + "api/kernels", json={"name": "python3"}) as answer:
        assert answer.status == 403
        assert "_xsrf" in (await answer.json())["message"]


async def test_what_jupyterlabs_menus_need(lab: Lab, ada: Session, bob: Session) -> None:
    pages = []
    for person in (ada, bob):
        async with person.get(lab.url + "lab") as answer:
            page = await answer.text()
        config = re.search(
            r'<script id="jupyter-config-data" type="application/json">(.*?)</script>', page, re.S
        )
        assert config is not None
        pages.append(json.loads(html.unescape(config[1])))
    for page, user in zip(pages, ("ada", "bob"), strict=True):
        assert page["hubPrefix"] == "/base/hub/"
        assert (page["hubHost"], page["hubUser"]) == ("", user)
        assert (page["hubServerUser"], page["hubServerName"]) == ("ada", "lab")
        assert (page["studioId"], page["studioName"]) == ("st-1", "Ada's lab")
        assert page["token"] == ""
        assert page["quitButton"] is False


async def test_log_out_leaves_the_studio_and_the_hub(lab: Lab, ada: Session) -> None:
    async with ada.get(lab.url + "logout", allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (302, PREFIX + "_studio/leave")
    async with ada.get(lab.url + "_studio/leave", allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (302, "/base/hub/logout")
    async with ada.get(lab.url + "api/me") as answer:
        assert answer.status == 403


@pytest.mark.parametrize("identity", ["", "garbage", "old", "audience", "key"])
@pytest.mark.parametrize("path", ["", "lab", "login", "api/me", "api/contents", "files/x", "api/kernels"])
async def test_past_the_gate_nobody_is_known(lab: Lab, path: str, identity: str) -> None:
    claims = {"sub": "ada", "name": "Ada", "own": True}
    header = {
        "old": tickets.sign(IDENTITY_KEY, {"aud": "app", **claims}, -1),
        "audience": tickets.sign(IDENTITY_KEY, {"aud": "ss-lab", **claims}, 60),
        "key": tickets.sign(b"o" * 32, {"aud": "app", **claims}, 60),
    }.get(identity, identity)
    headers = {"X-Studio-Identity": header} if header else {}
    async with (
        Session(connector=aiohttp.UnixConnector(str(lab.socket)), headers=headers) as session,
        session.get(f"http://app{PREFIX}{path}") as answer,
    ):
        assert answer.status == 403


async def test_the_socket_is_the_users_alone(lab: Lab) -> None:
    assert stat.S_IMODE(lab.socket.stat().st_mode) == 0o600


async def test_the_log_holds_no_secret(lab: Lab, ada: Session) -> None:
    async with ada.get(lab.url + "files/nothing-here") as answer:
        assert answer.status == 404
    text = lab.log.read_text()
    assert "Jupyter Server" in text
    for word in ("token=", base64.b64encode(IDENTITY_KEY).decode(), "All authentication is disabled"):
        assert word not in text
    assert not re.search(r"password", text, re.I)
