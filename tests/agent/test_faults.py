"""What goes wrong in a session, and what people are told."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from jupyterhub_studios.models import Checkpoint, Command, StoreAccess, Template, new_id

from ..stores import SeaweedFS
from .harness import Service, Studio, left_overs

pytestmark = pytest.mark.root


def template(**fields: object) -> Template:
    return Template.model_validate({"id": "test", "title": "Test", "command": ["true"]} | fields)


async def test_sigterm_saves(root_studio: Studio) -> None:
    session = await root_studio.start()
    await session.ready()
    await session.sh("echo kept > /workspace/file")
    session.process.send_signal(signal.SIGTERM)
    saved = await session.stopped()
    assert "asked to end" in session.service.of("stopped")[0].message
    again = await root_studio.start(saved)
    await again.ready()
    assert await again.sh("cat file") == "kept\n"
    await again.stop()


async def test_an_app_that_ends_is_saved_and_told(root_studio: Studio) -> None:
    session = await root_studio.start()
    await session.ready()
    await session.sh("echo kept > /workspace/file")
    with pytest.raises(Exception, match="disconnected"):
        await session.sh("exit")
    saved = await session.stopped()
    assert session.service.of("stopped")[0].message == "the app ended with code 7"
    assert saved.layers


async def test_the_app_is_ended_gently(root_studio: Studio) -> None:
    script = "trap 'echo bye > /workspace/bye; exit 0' TERM; python3 -c 'pass'; exec 3<>/dev/null; "
    script += "{python} " + str(Path(__file__).with_name("app.py")) + " {socket} & wait"
    session = await root_studio.start(template=template(command=["/bin/bash", "-c", script]))
    await session.ready()
    saved = await session.stop()
    again = await root_studio.start(saved)
    await again.ready()
    assert await again.sh("cat bye") == "bye\n"
    await again.stop()


async def test_an_app_that_ignores_the_end_is_killed(
    root_studio: Studio,
) -> None:
    script = "trap '' TERM; {python} " + str(Path(__file__).with_name("app.py")) + " {socket}"
    session = await root_studio.start(template=template(command=["/bin/bash", "-c", script]))
    await session.ready()
    await session.stop()
    assert left_overs(root_studio.home) == ""


async def test_an_app_that_dies_at_once_is_told_with_its_last_words(root_studio: Studio) -> None:
    session = await root_studio.start(
        template=template(command=["/bin/sh", "-c", "echo no licence >&2; exit 3"])
    )
    message = await session.failed()
    assert "ended before it was ready, with code 3" in message
    assert "no licence" in message
    assert [m.phase.status for m in session.service.of("phase") if m.phase and m.phase.name == "app"][
        -1
    ] == "failed"
    assert left_overs(root_studio.home) == ""


async def test_an_app_that_never_answers_is_told(root_studio: Studio) -> None:
    command = ["/bin/sh", "-c", "echo thinking; sleep 1000"]
    message = await (await root_studio.start(template=template(command=command, ready_seconds=1))).failed()
    assert "did not become ready within 1 s" in message
    assert "thinking" in message


async def test_a_command_that_is_not_there_is_told(root_studio: Studio) -> None:
    message = await (await root_studio.start(template=template(command=["no-such-app", "{socket}"]))).failed()
    assert "“no-such-app” was not found" in message


async def test_a_port_app_is_reached_on_loopback(root_studio: Studio) -> None:
    command = ["{python}", "-m", "http.server", "--bind", "127.0.0.1", "{port}"]
    session = await root_studio.start(template=template(command=command, strip_prefix=True))
    await session.ready()
    await session.stop()


async def test_stopping_while_it_starts(root_studio: Studio) -> None:
    session = await root_studio.start(template=template(command=["sleep", "1000"]))
    await session.service.wait(lambda m: m.phase is not None and m.phase.name == "app")
    await session.stop()
    assert left_overs(root_studio.home) == ""


async def test_nothing_is_lost_or_doubled_when_the_service_restarts(root_studio: Studio) -> None:
    session = await root_studio.start()
    await session.ready()
    service = session.service
    service.silent = True  # what comes now is stored, but its sender does not know
    await session.save("one")
    stored = len(service.messages)
    await service.down()
    await session.sh("echo while it was away > /workspace/file")
    frames = service.frames
    service.silent = False
    await service.up()
    await service.command(Command(id=new_id("co"), kind="save", name="two", author="ada"))
    await service.wait(lambda m: m.checkpoint is not None and m.checkpoint.name == "two")
    assert service.frames - frames == len(service.messages) - stored  # nothing was sent again that was stored
    assert [m.seq for m in service.messages] == list(range(1, len(service.messages) + 1))
    assert [m.checkpoint.name for m in service.of("saved") if m.request and m.checkpoint] == ["one", "two"]
    await session.stop()


async def test_a_job_waits_for_a_service_that_is_down(root_studio: Studio) -> None:
    session = await root_studio.start()
    await session.kill()  # it shall have had no service from its beginning
    service = session.service
    service.redeemed, service.messages = False, []
    await service.down()
    later = await root_studio.launch(_again(service))
    while "does not answer" not in later.output.read_text():
        await asyncio.sleep(0.1)
    await service.up()
    await later.ready()
    await later.stop()


async def test_the_code_works_once(root_studio: Studio) -> None:
    session = await root_studio.start()
    await session.ready()
    second = await root_studio.launch(_again(session.service))
    assert await second.ended() == 1
    assert "used already" in second.output.read_text()
    assert "the-code" not in second.output.read_text()
    await session.stop()


def _again(service: Service) -> Service:
    assert service.spec is not None
    epoch = service.spec.epoch + 1
    service.spec = service.spec.model_copy(update={"session_id": new_id("se"), "epoch": epoch})
    return service


async def test_a_newer_session_fences_the_older(root_studio: Studio) -> None:
    old = await root_studio.start()
    await old.ready()
    await old.sh("echo mine > /workspace/unsaved")
    new = await root_studio.start(old.service.of("saved")[0].checkpoint)
    await new.ready()
    await old.service.command(Command(id=new_id("co"), kind="stop"))
    message = await old.failed()
    assert "Another session has taken over" in message
    assert (old.folder / "upper" / "workspace" / "unsaved").read_text() == "mine\n"
    assert str(old.folder / "upper") in message
    await new.stop()


async def test_what_the_service_does_not_know_is_restored_too(root_studio: Studio) -> None:
    """The last session saved, but the service was away and never heard of it."""
    first = await root_studio.start()
    await first.ready()
    known = first.service.of("saved")[0].checkpoint
    await first.sh("echo saved > /workspace/file")
    await first.service.down()
    first.process.send_signal(signal.SIGTERM)
    while not (first.folder / "saved").exists():
        if not (first.folder / "upper" / "workspace").exists():
            break
        await asyncio.sleep(0.1)
        bucket = [
            path for path in (root_studio.home / "bucket").rglob("*.json") if "finalised" in path.read_text()
        ]
        if bucket:
            break
    await first.kill()
    second = await root_studio.start(known)
    await second.ready()
    assert await second.sh("cat file") == "saved\n"
    assert "saved last" in str([m.event.message for m in second.service.of("event") if m.event])
    await second.stop()


async def test_a_damaged_layer_is_told(root_studio: Studio) -> None:
    first = await root_studio.start()
    await first.ready()
    await first.sh("head -c 100000 /dev/urandom > /workspace/file")
    saved = await first.stop()
    for layer in (root_studio.home / "bucket").rglob("*.sqsh"):
        data = bytearray(layer.read_bytes())
        data[len(data) // 2] ^= 1
        layer.write_bytes(data)
    second = await root_studio.start(saved)
    message = await second.failed()
    assert f"“{saved.name}” cannot be restored" in message
    assert saved.layers[0].digest[:12] in message
    assert "earlier checkpoint" in message
    assert second.service.of("saved")[-1].checkpoint == _invalid(
        saved, second.service.of("saved")[-1].checkpoint
    )


def _invalid(saved: Checkpoint, told: Checkpoint | None) -> Checkpoint:
    assert told is not None
    return saved.model_copy(update={"status": "invalid", "message": told.message})


async def test_a_bucket_that_is_gone_delays_a_stop_and_costs_nothing(root_studio: Studio) -> None:
    session = await root_studio.start()
    await session.ready()
    await session.sh("echo kept > /workspace/file")
    bucket = root_studio.home / "bucket"
    bucket.rename(root_studio.home / "gone")
    bucket.write_text("a file where the bucket was")
    await session.service.command(Command(id=new_id("co"), kind="stop"))
    failed = await session.service.wait(lambda m: m.event is not None and m.event.kind == "save-failed")
    assert failed.event is not None
    assert failed.event.level == "error"
    bucket.unlink()
    (root_studio.home / "gone").rename(bucket)
    saved = await session.stopped()
    again = await root_studio.start(saved)
    await again.ready()
    assert await again.sh("cat file") == "kept\n"
    await again.stop()


async def test_an_object_store_that_is_down_at_the_stop(root_studio: Studio, seaweed: SeaweedFS) -> None:
    root_studio.store = StoreAccess(url=f"s3://{seaweed.bucket()}/work", options=seaweed.options)
    session = await root_studio.start()
    await session.ready()
    await session.sh("echo kept > /workspace/file")
    await asyncio.to_thread(seaweed.stop)
    await session.service.command(Command(id=new_id("co"), kind="stop"))
    failed = await session.service.wait(lambda m: m.event is not None and m.event.kind == "save-failed")
    assert seaweed.secret_key not in str(failed)
    await asyncio.to_thread(seaweed.start)
    saved = await session.stopped()
    again = await root_studio.start(saved)
    await again.ready()
    assert await again.sh("cat file") == "kept\n"
    await again.stop()
    assert seaweed.secret_key not in again.output.read_text() + session.output.read_text()
