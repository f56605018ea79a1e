"""What `studios doctor` says of the tunnel."""

from __future__ import annotations

from pathlib import Path

from jupyterhub_studios.config import Studios
from jupyterhub_studios.doctor import batch, checks, tunnel
from jupyterhub_studios.doctor.findings import Result
from jupyterhub_studios.models import ComputeEnvironment
from tests.hub import free_ports
from tests.tunnel.conftest import world
from tests.tunnel.world import World

__all__ = ["world"]


def studios(folder: Path, port: int, connect: str = "tunnel") -> Studios:
    away = {"kind": "docker", "work_dir": "file:///work", "connect": connect}
    return Studios(
        compute_environments={"away": away}, tunnel_address=f"127.0.0.1:{port}", state_dir=str(folder)
    )


async def look(config: Studios) -> Result:
    [result] = await checks.run(tunnel.checks(config), lambda result: None)
    return result


async def test_the_tunnel_is_known_by_its_key(world: World, tmp_path: Path) -> None:
    assert (await look(studios(tmp_path, world.port))).finding == "tunnel-ok"
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert (await look(studios(elsewhere, world.port))).finding == "tunnel-ok", "no key to compare with"
    other = World(tmp_path / "elsewhere")
    try:
        await other.up()
        assert (await look(studios(elsewhere, world.port))).finding == "tunnel-stranger"
    finally:
        other.close()


async def test_a_tunnel_that_does_not_answer(tmp_path: Path) -> None:
    result = await look(studios(tmp_path, free_ports(1)[0]))
    assert (result.finding, result.status) == ("tunnel-silent", "fail")


async def test_what_nobody_uses_is_not_looked_at(tmp_path: Path) -> None:
    assert tunnel.checks(studios(tmp_path, 1, connect="direct")) == []
    given = {"id": "x", "title": "X", "kind": "aws-batch", "work_dir": "s3://x/", "region": "eu-west-1"}
    for connect, looked in (("direct", True), ("tunnel", False)):
        env = ComputeEnvironment.model_validate({**given, "batch": {"queue": "q"}, "connect": connect})
        assert ("gates" in [check.name for check in batch.Looker(env).checks()]) is looked
