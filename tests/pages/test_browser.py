"""What a person does on the pages, against the real service."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from jupyterhub_studios.models import Phase

from ..hub import RealHub
from ..service.conftest import Play
from ..service.player import Agent

pytestmark = pytest.mark.browser

AXE = Path(__file__).parent.parent.parent / "labextension" / "node_modules" / "axe-core" / "axe.min.js"


async def start_from_page(page: Page, play: Play, name: str) -> Agent:
    """Make and start a studio with the form; the played agent is not up yet."""
    await page.get_by_role("link", name="New studio").click()
    await page.get_by_role("radio", name="Box").check(force=True)
    await page.get_by_role("textbox", name="Name", exact=True).fill(name)
    await page.get_by_role("checkbox", name="Open it when it is ready").uncheck()
    await page.get_by_role("button", name="Create and start").click()
    await page.get_by_role("heading", name=name, level=1).wait_for()
    studio_id = page.url.rpartition("/")[2]
    return Agent((await play.job(await play.show(studio_id))).job)


async def test_a_studio_from_making_to_deleting(page: Page, hub: RealHub, play: Play) -> None:
    await expect(page.get_by_role("heading", name="You have no studio yet")).to_be_visible()
    async with await start_from_page(page, play, "Äpfel & <b>Birnen</b>") as agent:
        queued = page.locator('[data-phase="queued"]')
        await expect(queued).to_have_attribute("data-status", "running")
        await agent.bootstrap()
        await expect(queued).to_have_attribute("data-status", "done")
        await agent.connect()
        await agent.send("phase", phase=Phase(name="restore", status="running", message="1 of 3 layers"))
        await expect(page.locator('[data-phase="restore"]')).to_contain_text("1 of 3 layers")
        await agent.send("saved", checkpoint=await agent.save(name="21:30"))
        await agent.send("log", log="hello from the app\n")
        await agent.send("address", address=agent.address, root_mode="overlay")
        await expect(page.get_by_role("link", name="Open", exact=True)).to_be_focused()

        await page.get_by_role("tab", name="Sessions").click()
        await page.get_by_role("button", name=re.compile("Running.*so far")).click()
        await expect(page.get_by_role("region", name="Log text")).to_contain_text("hello from the app")

        await page.get_by_role("button", name="Stop").click()
        await expect(page.get_by_role("heading", name="Saving and stopping…")).to_be_visible()
        assert (await agent.command())["kind"] == "stop"
        await agent.finish()
        await expect(page.get_by_role("button", name="Start and open")).to_be_visible()

    await page.get_by_role("tab", name="Checkpoints").click()
    await expect(page.locator("[data-status=finalised]")).to_be_visible()
    await page.get_by_role("button", name=re.compile("^Rename")).click()
    await page.keyboard.type("ripe")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="ripe")).to_be_visible()

    await page.get_by_role("link", name="Fork ripe").click()
    await expect(page.get_by_role("region", name="Made from")).to_contain_text(
        "ripe of Äpfel & <b>Birnen</b>"
    )
    await page.get_by_role("checkbox", name="Start now").uncheck()
    await page.get_by_role("button", name="Fork", exact=True).click()
    await expect(page.get_by_role("heading", name="Äpfel & <b>Birnen</b> fork", level=1)).to_be_visible()
    await expect(page.get_by_text("Current")).to_be_visible()

    await page.get_by_role("button", name="Delete", exact=True).click()
    await page.get_by_role("button", name="Delete “Äpfel & <b>Birnen</b> fork”").click()
    await expect(page.get_by_role("link", name="Äpfel & <b>Birnen</b>", exact=True)).to_be_visible()
    await expect(page.get_by_role("listitem").filter(has_text="fork")).to_have_count(0)
    assert page.url == f"{hub.url}services/studios/"


async def test_a_taken_name_is_told_at_its_field(page: Page, play: Play) -> None:
    await play.create(name="taken name")
    await page.get_by_role("link", name="New studio").click()
    name = page.get_by_role("textbox", name="Name", exact=True)
    await name.fill("taken name")
    await expect(page.get_by_text("You have a studio of this name already")).to_be_visible()
    await page.get_by_role("button", name="Create and start").click()
    await expect(page.get_by_text("another studio of alice has it", exact=False)).to_be_visible()
    await expect(name).to_be_focused()


async def test_a_start_opens_the_studio_when_it_is_ready(page: Page, play: Play) -> None:
    studio = await play.create()
    await page.goto(page.url + f"studios/{studio['id']}")
    await page.get_by_role("button", name="Start and open").click()
    await expect(page.get_by_role("switch", name="Open it when it is ready")).to_be_checked()
    async with Agent((await play.job(studio)).job) as agent:
        await agent.come_up()
        await expect(page).to_have_url(re.compile(f"/user/alice/{studio['server_name']}/"))
        await page.go_back()
        # Spent: coming back stays here.
        await expect(page.get_by_role("link", name="Open", exact=True)).to_be_visible()
        await asyncio.gather(play.api("POST", f"studios/{studio['id']}/stop", json={}), agent.finish())


async def test_a_killed_job_is_told_with_what_is_kept(page: Page, play: Play) -> None:
    studio = await play.create()
    async with await play.start(studio) as agent:
        await agent.come_up()
        await page.goto(page.url + f"studios/{studio['id']}")
        await expect(page.get_by_role("link", name="Open", exact=True)).to_be_visible()
        play.end_job(agent.spec.session_id, reason="killed by signal 9")
        await expect(page.get_by_role("heading", name="The session ended with an error")).to_be_visible()
        await expect(page.get_by_text("killed by signal 9").first).to_be_visible()
        await expect(page.get_by_role("button", name="Start and open")).to_be_visible()


async def test_while_nobody_answers_the_page_says_so_and_comes_back(page: Page, play: Play) -> None:
    studio = await play.create()
    await page.reload()
    link = page.get_by_role("link", name=studio["name"], exact=True)
    await expect(link).to_be_visible()
    banner = page.get_by_text("The studios service cannot be reached")
    await page.context.set_offline(True)
    await expect(banner).to_be_visible(timeout=30_000)
    await expect(link).to_be_visible()
    await page.context.set_offline(False)
    await page.get_by_role("button", name="Try again now").click()
    await expect(banner).to_have_count(0)


async def test_a_page_outlives_a_restart_of_the_service(page: Page, hub: RealHub, play: Play) -> None:
    studio = await play.create()
    await page.goto(page.url + f"studios/{studio['id']}")
    await expect(page.get_by_role("button", name="Start and open")).to_be_visible()
    await asyncio.to_thread(hub.kill_service)
    await play.api("PATCH", f"studios/{studio['id']}", json={"name": "after the restart"})
    await expect(page.get_by_role("heading", name="after the restart", level=1)).to_be_visible(timeout=60_000)


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_no_accessibility_faults_that_can_be_found_by_machine(
    page: Page, hub: RealHub, play: Play, theme: str
) -> None:
    studio = await play.create()
    await page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    async with await play.start(studio) as agent:
        await agent.come_up()
        at = f"studios/{studio['id']}"
        for path in (
            "",
            "new",
            at,
            f"{at}?tab=sessions&session={agent.spec.session_id}",
            f"{at}?tab=settings",
        ):
            await page.goto(f"{hub.url}services/studios/{path}")
            await page.get_by_role("heading", level=1).wait_for()
            await expect(page.locator(".st-skeleton")).to_have_count(0)
            await page.evaluate(AXE.read_text())
            faults = await page.evaluate(
                "axe.run().then(({violations}) => violations.map((v) => [v.id, v.nodes.map((n) => n.html)]))"
            )
            assert faults == [], (path, faults)
        play.end_job(agent.spec.session_id)
        await play.until(studio["id"], "errored")


async def test_dark_mode_is_the_hubs_own(page: Page, hub: RealHub) -> None:
    await page.get_by_role("button", name="Toggle dark mode").click()
    await expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    await page.goto(f"{hub.url}hub/home")
    await expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    await page.get_by_role("button", name="Toggle dark mode").click()
    await page.goto(f"{hub.url}services/studios/")
    await expect(page.locator("html")).to_have_attribute("data-bs-theme", "light")
