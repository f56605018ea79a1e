"""Pages and the way into a studio, with a browser's cookies and the Hub's real login."""

from __future__ import annotations

import asyncio
import base64
import html
import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from jupyterhub_studios import tickets

from ..hub import RealHub
from .conftest import Play, make_hub
from .test_access import share

PAGE = "services/studios/"


async def test_the_shell_of_the_pages(play: Play) -> None:
    async with play.hub.browser("alice") as browser:
        for path in ("", "new", "studios/st-any"):
            page = await browser.get(PAGE + path)
            assert page.status_code == 200, page.text
            config = json.loads(html.unescape(re.search(r'data-config="([^"]+)"', page.text)[1]))  # type: ignore[index]
            assert config["base"] == "/services/studios/" and config["api"] == "/services/studios/api/v1"
            assert config["user"] == {"name": "alice", "display_name": "alice", "admin": False}
        policy = page.headers["content-security-policy"]
        assert (
            "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
        )
        nonce = re.search(r"'nonce-([^']+)'", policy)[1]  # type: ignore[index]
        assert len(re.findall(rf'<script nonce="{nonce}"', page.text)) == 1
        assert "onclick" not in page.text and "style=" not in page.text
        sheet = re.search(r'<link rel="stylesheet" href="([^"]+style.min.css)"', page.text)[1]  # type: ignore[index]
        style = await browser.get(sheet)
        assert style.status_code == 200 and style.headers["content-type"].startswith("text/css")
        missing = await browser.get(PAGE + "nonsense")
        assert missing.status_code == 404 and "There is no such page" in missing.text


async def test_a_stranger_is_sent_to_the_login(play: Play) -> None:
    async with httpx.AsyncClient(base_url=play.hub.url, follow_redirects=True) as browser:
        page = await browser.get(PAGE)
        assert page.url.path == "/hub/login"


async def test_no_authorize_page_is_shown(play: Play) -> None:
    async with play.hub.browser("fresh") as browser:
        page = await browser.get(PAGE)
        assert 'id="root"' in page.text
        assert not [one for one in page.history if one.status_code != 302]


async def test_the_cookie_writes_only_with_its_xsrf_token(play: Play) -> None:
    async with play.hub.browser("alice") as browser:
        await browser.get(PAGE)
        xsrf = browser.cookies.get("_xsrf", path="/services/studios/")
        assert xsrf
        # What browsers add to a page's own requests.
        fetch = {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "same-origin"}
        body = {"name": "By cookie", "template": "box", "compute_environment": "here"}
        api = PAGE + "api/v1/"
        for headers in (
            fetch,
            {},
            {**fetch, "X-XSRFToken": "guessed"},
            {**fetch, "Sec-Fetch-Site": "cross-site"},
        ):
            refused = await browser.post(api + "studios", json=body, headers=headers)
            assert refused.status_code == 401, headers
            assert "XSRF" in refused.json()["detail"]
        good = {**fetch, "X-XSRFToken": xsrf}
        made = await browser.post(api + "studios", json=body, headers=good)
        assert made.status_code == 201, made.text
        assert (await browser.get(api + "me", headers=good)).json()["name"] == "alice"
        assert (await browser.get(api + "me", headers=fetch)).status_code == 401
        gone = await browser.delete(f"{api}studios/{made.json()['id']}", headers=good)
        assert gone.status_code == 204


async def enter(browser: httpx.AsyncClient, studio: dict, following: str = "") -> httpx.Response:
    """Follow redirects as far as the studio's own gate, which the played agent has none of."""
    query = {"server": f"alice/{studio['server_name']}", "next": following}
    answer = await browser.get(PAGE + "enter", params=query, follow_redirects=False)
    while answer.is_redirect and "/_studio/enter" not in answer.headers["location"]:
        answer = await browser.get(answer.headers["location"], follow_redirects=False)
    return answer


async def test_who_gets_a_ticket(play: Play) -> None:
    studio = await play.create()
    async with await play.start(studio) as agent:
        await agent.come_up()
        await play.until(studio["id"], "running")
        key = base64.b64decode(agent.spec.ticket_key)
        session, prefix = agent.spec.session_id, agent.spec.prefix

        def claims(answer: httpx.Response) -> dict:
            assert answer.status_code == 302, answer.text
            target = urlsplit(answer.headers["location"])
            assert target.path == f"{prefix}_studio/enter"
            query = parse_qs(target.query)
            assert query["next"] == [f"{prefix}lab?x=1"]
            return tickets.verify(key, query["ticket"][0], audience=session)

        following = f"{prefix}lab?x=1"
        async with play.hub.browser("alice") as browser:
            found = claims(await enter(browser, studio, following))
            assert (found["sub"], found["name"], found["own"]) == ("alice", "alice", True)
            elsewhere = await enter(browser, studio, "https://evil.example/")
            assert parse_qs(urlsplit(elsewhere.headers["location"]).query)["next"] == [prefix]
        async with play.hub.browser("admin") as browser:
            assert claims(await enter(browser, studio, following))["own"] is False
        async with play.hub.browser("dave") as browser:
            refused = await enter(browser, studio, following)
            assert refused.status_code == 404 and "shared with you" in refused.text
            await asyncio.to_thread(share, play, studio["server_name"], "dave")
            found = claims(await enter(browser, studio, following))
            assert (found["sub"], found["own"]) == ("dave", False)
            # Taken back: the agent is told to cut whoever had got in.
            revoked = {"user": "dave"}
            play.hub.hub_api("PATCH", f"shares/alice/{studio['server_name']}", json=revoked)
            assert (await enter(browser, studio, following)).status_code == 404
            command = await agent.command()
            assert (command["kind"], command["user"]) == ("revoke", "dave")
        play.end_job(session)
        await play.until(studio["id"], "errored")
        async with play.hub.browser("alice") as browser:
            stopped = await enter(browser, studio, following)
            assert stopped.status_code == 200 and 'id="root"' in stopped.text
    async with play.hub.browser("alice") as browser:
        nothing = await enter(browser, {"server_name": "nonsense"})
        assert nothing.status_code == 404


@pytest.fixture
def based_hub(tmp_path: Path) -> Iterator[RealHub]:
    found = make_hub(tmp_path, base="/x/")
    found.start()
    try:
        yield found
    finally:
        found.close()


@pytest.mark.slow
async def test_a_hub_below_a_prefix(based_hub: RealHub) -> None:
    play = Play(based_hub)
    studio = await play.create()
    assert studio["url"] == f"/x/user/alice/{studio['server_name']}/"
    async with await play.start(studio) as agent:
        await agent.come_up()
        await play.until(studio["id"], "running")
        assert agent.spec.enter_url == "/x/services/studios/enter" and agent.spec.hub_prefix == "/x/hub/"
        async with based_hub.browser("alice") as browser:
            page = await browser.get("services/studios/")
            assert "/x/hub/static/css/style.min.css" in page.text
            answer = await enter(browser, studio)
            assert answer.headers["location"].startswith(
                f"/x/user/alice/{studio['server_name']}/_studio/enter?"
            )
        play.end_job(agent.spec.session_id)
        await play.until(studio["id"], "errored")
