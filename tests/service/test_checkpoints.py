"""Checkpoints of a real bucket (a folder): rename, fork, delete, sweep, and what a lost message does not lose."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Any

from jupyterhub_studios.checkpoints import catalogue
from jupyterhub_studios.checkpoints.bucket import layer_key
from jupyterhub_studios.checkpoints.store import Store
from jupyterhub_studios.models import CheckpointStatus, LayerRef, now

from .conftest import Play
from .test_api import problem


async def stopped_with_layer(
    play: Play, tmp_path: Path, content: bytes = b"bytes of a layer"
) -> dict[str, Any]:
    """A stopped studio whose checkpoint has one layer (not a real squashfs: nobody mounts it here)."""
    studio = await play.create()
    async with await play.start(studio) as agent:
        await agent.come_up()
        await play.until(studio["id"], "running")
        layer = LayerRef(
            digest=hashlib.sha256(content).hexdigest(), size=len(content), files=1, created_at=now()
        )
        file = tmp_path / layer.digest
        file.write_bytes(content)
        await Store.open(agent.spec.store.url).put_file(layer_key(layer.digest), file)
        await agent.send("stopped", checkpoint=await agent.save(CheckpointStatus.FINALISED, layers=[layer]))
        play.end_job(agent.spec.session_id, state="succeeded")
        return await play.until(studio["id"], "stopped")


def bucket(play: Play) -> Store:
    return Store.open((play.hub.folder / "work").as_uri())


async def test_rename_reaches_the_bucket(play: Play, tmp_path: Path) -> None:
    studio = await stopped_with_layer(play, tmp_path)
    path = f"checkpoints/{studio['saved']['id']}"
    renamed = await play.api("PATCH", path, json={"name": "The good one"})
    assert (
        renamed.status_code == 200 and renamed.json()["name"] == "The good one" and renamed.json()["current"]
    )
    stored = await catalogue.current(bucket(play), studio["id"])
    assert stored is not None and stored.name == "The good one"
    assert (await play.show(studio["id"]))["saved"]["name"] == "The good one"
    assert (await problem(play, 422, "PATCH", path, json={"name": ""})).field == "name"


async def test_a_fork_has_the_same_layers_and_a_line_of_its_own(play: Play, tmp_path: Path) -> None:
    studio = await stopped_with_layer(play, tmp_path)
    fork = await play.create(from_checkpoint=studio["saved"]["id"])
    assert fork["forked_from"] == studio["saved"]["id"] and fork["root_mode"] == "overlay"
    assert (
        fork["saved"]["layers"] == studio["saved"]["layers"] and fork["saved"]["id"] != studio["saved"]["id"]
    )
    assert fork["saved"]["parent"] == studio["saved"]["id"] and fork["saved"]["current"]
    gone = await play.api("DELETE", f"studios/{studio['id']}")
    assert gone.status_code == 204
    async with await play.start(fork) as agent:
        await agent.come_up()
        assert agent.spec.checkpoint is not None and agent.spec.checkpoint.id == fork["saved"]["id"]
        play.end_job(agent.spec.session_id)
        await play.until(fork["id"], "errored")


async def test_a_fork_has_to_be_possible(play: Play, tmp_path: Path) -> None:
    studio = await stopped_with_layer(play, tmp_path)
    source = {"name": "f", "template": "box", "from_checkpoint": studio["saved"]["id"]}
    told = await problem(
        play, 404, "POST", "studios", user="bob", json={**source, "compute_environment": "here"}
    )
    assert told.field == "from_checkpoint"
    told = await problem(play, 400, "POST", "studios", json={**source, "compute_environment": "apart"})
    assert told.field == "compute_environment" and "work dir" in told.detail
    other = await play.create(user="admin", from_checkpoint=studio["saved"]["id"])
    assert other["owner"] == "admin"
    # A fork that fails leaves nothing behind.
    layer = studio["saved"]["layers"][0]["digest"]
    (play.hub.folder / "work" / ".studios" / layer_key(layer)).unlink()
    await problem(
        play, 410, "POST", "studios", json={**source, "name": "No fork", "compute_environment": "here"}
    )
    assert not (await play.api("GET", "studios?q=No fork")).json()["items"]


async def test_delete_and_sweep(play: Play, tmp_path: Path) -> None:
    studio = await stopped_with_layer(play, tmp_path, b"only here")
    current = studio["saved"]["id"]
    assert (await problem(play, 409, "DELETE", f"checkpoints/{current}")).action
    async with await play.start(studio) as agent:
        await agent.come_up()
        await play.until(studio["id"], "running")
        play.end_job(agent.spec.session_id)
        await play.until(studio["id"], "errored")
    # The new session's checkpoint is the current one now; nothing names the layer after this.
    assert (await play.api("DELETE", f"checkpoints/{current}")).status_code == 204
    await problem(play, 404, "GET", f"checkpoints/{current}")
    assert [one.id for one in await catalogue.list_checkpoints(bucket(play), studio["id"])] != []
    layer = play.hub.folder / "work" / ".studios" / layer_key(studio["saved"]["layers"][0]["digest"])
    assert layer.exists()
    # The work dir that cannot be reached is told; the others were swept.
    told = await problem(play, 503, "POST", "sweep", user="admin")
    assert "s3://nowhere" in told.detail and "file://" not in told.detail
    assert not layer.exists()


async def test_deleting_a_studio_empties_its_folder_in_the_bucket(play: Play, tmp_path: Path) -> None:
    studio = await stopped_with_layer(play, tmp_path)
    assert await catalogue.list_checkpoints(bucket(play), studio["id"])
    assert (await play.api("DELETE", f"studios/{studio['id']}")).status_code == 204
    assert await catalogue.list_checkpoints(bucket(play), studio["id"]) == []
    assert await catalogue.current(bucket(play), studio["id"]) is None


async def test_a_deletion_that_fails_is_told_and_can_be_repeated(play: Play, tmp_path: Path) -> None:
    studio = await play.create(compute_environment="cloud")
    told = await problem(play, 502, "DELETE", f"studios/{studio['id']}")
    assert "could not be deleted" in told.title
    left = await play.show(studio["id"])
    assert left["message"].startswith("Deleting it failed: ") and "delete" in left["may"]


async def test_a_last_save_that_was_never_told_is_found(play: Play) -> None:
    """The agent finalised its checkpoint while the service was away, and its machine is gone."""
    studio = await play.create()
    async with await play.start(studio) as agent:
        await agent.come_up()
        await play.until(studio["id"], "running")
        await agent.disconnect()
        await agent.save(CheckpointStatus.FINALISED)
        play.end_job(agent.spec.session_id, state="lost", reason="the machine is gone")
        stopped = await play.until(studio["id"], "stopped")
        assert stopped["saved"]["status"] == "finalised"


async def test_an_interim_save_that_was_never_told_is_restored(play: Play) -> None:
    studio = await play.create()
    async with await play.start(studio) as agent:
        await agent.come_up()
        await play.until(studio["id"], "running")
        await agent.disconnect()
        newer = await agent.save(name="newer than the service knows")
        play.end_job(agent.spec.session_id)
        await play.until(studio["id"], "errored")
    async with await play.start(studio) as again:
        await again.bootstrap()
        assert again.spec.checkpoint == newer
        play.end_job(again.spec.session_id)
        await play.until(studio["id"], "errored")


async def test_a_studio_never_starts_empty_when_its_checkpoints_are_gone(play: Play, tmp_path: Path) -> None:
    studio = await stopped_with_layer(play, tmp_path)
    folder = play.hub.folder / "work" / ".studios" / "studios" / studio["id"]
    kept = shutil.move(folder, tmp_path / "kept")
    answer = await play.api("POST", f"studios/{studio['id']}/start")
    assert answer.status_code == 409 and "gone from" in answer.text
    shutil.move(kept, folder)
    async with await play.start(studio) as agent:
        await agent.bootstrap()
        assert agent.spec.checkpoint is not None
        play.end_job(agent.spec.session_id)
        await play.until(studio["id"], "errored")


async def test_a_zombies_checkpoint_never_becomes_current(play: Play) -> None:
    studio = await play.create()
    async with await play.start(studio) as zombie:
        await zombie.come_up()
        await play.until(studio["id"], "running")
        play.end_job(zombie.spec.session_id)  # so the Hub thinks
        await play.until(studio["id"], "errored")
        async with await play.start(studio) as agent:
            await agent.come_up()
            running = await play.until(studio["id"], "running")
            await zombie.send("saved", checkpoint=zombie.checkpoint(name="from the grave"))
            assert (await play.show(studio["id"]))["saved"]["id"] == running["saved"]["id"]
            play.end_job(agent.spec.session_id)
            await play.until(studio["id"], "errored")


async def test_a_zombie_is_told_to_stop(play: Play) -> None:
    studio = await play.create()
    async with await play.start(studio) as zombie:
        await zombie.come_up()
        await play.until(studio["id"], "running")
        await zombie.disconnect()
        play.end_job(zombie.spec.session_id, state="lost", reason="it seems gone")
        errored = await play.until(studio["id"], "errored")
        assert "it seems gone" in errored["message"]
        await zombie.connect()
        assert (await zombie.command())["kind"] == "stop"
        await zombie.finish()
        saved = await play.until(studio["id"], "stopped")
        assert saved["saved"]["status"] == "finalised"


async def test_a_message_with_another_studios_checkpoint_is_refused_and_noted(play: Play) -> None:
    mine, other = await play.create(), await play.create()
    async with await play.start(mine) as agent:
        await agent.come_up()
        await play.until(mine["id"], "running")
        await agent.send("saved", checkpoint=agent.checkpoint(id="cp-x", studio_id=other["id"]))
        await problem(play, 404, "GET", "checkpoints/cp-x")
        listed = (await play.api("GET", f"sessions/{agent.spec.session_id}/events")).json()["items"]
        assert [one for one in listed if one["level"] == "error" and "another studio" in one["message"]]
        play.end_job(agent.spec.session_id)
        await play.until(mine["id"], "errored")
