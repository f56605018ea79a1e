"""A spot machine that is taken back with two minutes' notice; a job that is killed before its last save is done."""

from __future__ import annotations

import asyncio
import signal
import threading
from datetime import UTC, datetime, timedelta

import pytest

from jupyterhub_studios.agent import spot
from jupyterhub_studios.models import TAKEN_BACK, Kind, StoreAccess

from ..faults.store_proxy import Request, StoreProxy
from ..stores import SeaweedFS
from .harness import Studio
from .metadata import Metadata

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spot, "POLL_SECONDS", 0.02)


@pytest.mark.usefixtures("_often")
async def test_the_notice_is_waited_for_through_faults() -> None:
    async with Metadata() as machine:
        waiting = asyncio.create_task(spot.notice(machine.url))

        async def asked(times: int) -> None:
            before = machine.asked
            while machine.asked < before + times:
                await asyncio.sleep(0.01)
            assert not waiting.done()

        await asked(2)
        machine.tokens.clear()  # they have expired
        await asked(3)
        machine.broken = True
        await asked(2 * spot.TRIES)
        machine.broken = False
        machine.taken_back_at = AT
        assert await asyncio.wait_for(waiting, 30) == AT


@pytest.mark.usefixtures("_often")
async def test_a_container_that_reaches_no_metadata_service_goes_on_without() -> None:
    assert await asyncio.wait_for(spot.notice("http://127.0.0.1:9"), 30) is None
    async with Metadata() as machine:
        machine.broken = True
        assert await asyncio.wait_for(spot.notice(machine.url), 30) is None


def test_people_read_when_and_what_becomes_of_their_work() -> None:
    assert "takes this machine back at 12:00:00 UTC. It is saved" in spot.words(AT, None)
    assert "Saved at 11:58:30; it" in spot.words(AT, AT - timedelta(seconds=90))


@pytest.mark.root
async def test_a_session_leaves_its_machine_in_time(root_studio: Studio) -> None:
    async with Metadata() as machine:
        root_studio.environment["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = machine.url
        session = await root_studio.start(kind=Kind.AWS_BATCH)
        await session.ready()
        await session.sh("echo kept > /workspace/file")
        machine.taken_back_at = datetime.now(UTC) + timedelta(seconds=spot.LEAVE_SECONDS + 8)
        told = await session.service.wait(
            lambda m: m.event is not None and m.event.kind == TAKEN_BACK and "Saved at" in m.event.message
        )
        assert told.event is not None and told.event.level == "warning"
        saved = [m for m in session.service.of("saved") if m.seq < told.seq][-1].checkpoint
        assert saved is not None and saved.layers, "at once, before the end"
        assert session.service.of("stopping") == []
        last = await session.stopped()
    assert "takes this machine back" in session.service.of("stopped")[0].message
    assert datetime.now(UTC) < machine.taken_back_at
    again = await root_studio.start(last)
    await again.ready()
    assert await again.sh("cat file") == "kept\n"
    await again.stop()


@pytest.mark.root
async def test_other_jobs_ask_no_metadata_service(root_studio: Studio) -> None:
    async with Metadata() as machine:
        machine.taken_back_at = datetime.now(UTC)
        root_studio.environment["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = machine.url
        session = await root_studio.start(kind=Kind.DOCKER)
        await session.ready()
        await session.save("one")
        assert machine.asked == 0 and session.service.of("stopping") == []
        await session.stop()


@pytest.mark.root
async def test_what_is_killed_before_the_last_save_keeps_all_but_the_largest(
    root_studio: Studio, seaweed: SeaweedFS
) -> None:
    """SIGTERM; a file too large for the half minute that is left, to a store that takes it too slowly; SIGKILL."""
    proxy = StoreProxy(("127.0.0.1", seaweed.ports[0]))
    slow, over = threading.Event(), threading.Event()

    def delay(request: Request) -> None:
        if slow.is_set() and request.writes and "layers" in request.path:
            over.wait(60)

    def note(request: Request) -> None:
        if request.writes and "layers" in request.path:
            slow.set()  # the quick save's one layer is there

    proxy.before, proxy.after = delay, note
    options = {**seaweed.options, "endpoint": proxy.endpoint}
    root_studio.store = StoreAccess(url=f"s3://{seaweed.bucket()}/work", options=options)
    try:
        session = await root_studio.start()
        await session.ready()
        await session.sh("echo kept > /workspace/small; truncate -s 300M /workspace/large")
        session.process.send_signal(signal.SIGTERM)
        told = await session.service.wait(lambda m: m.event is not None and m.event.kind == "save-late")
        assert told.event is not None and "/workspace/large" in told.event.message
        quick = session.service.of("saved")[-1].checkpoint
        assert quick is not None and "workspace/large" in quick.message
        await session.kill()
    finally:
        slow.clear()
        over.set()
    again = await root_studio.start(quick)
    await again.ready()
    assert await again.sh("cat small; ls") == "kept\nsmall\n"
    await again.stop()
    proxy.close()
