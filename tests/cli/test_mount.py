"""Mounts from a terminal: what is asked of the service, and paths inside a studio."""

from __future__ import annotations

import json
from typing import Any

import pytest

from jupyterhub_studios.agent.mounts import naming
from jupyterhub_studios.cli import mount
from jupyterhub_studios.models import MountAccess, StudiosError

from .server import Server, link, page, studio


def view(**changes: Any) -> dict[str, Any]:
    return {
        "name": "lake", "link": "dl-1", "path": "", "profile": "random", "folder": "/workspace/data/lake",
        "link_name": "Lake", "url": "s3://lake/", "provider": "s3", "region": None, "writable": False,
        "why": "You keep it read-only.", "available": True, "warning": "", "gigabyte_price": None, "status": None,
    } | changes  # fmt: skip


LAKE = {"link": "dl-1", "path": "", "name": "lake", "profile": "random"}


def test_create_takes_mounts(server: Server, run) -> None:
    server.on("GET /data-links", page(link(), link(id="dl-2", name="Lake: old")))
    server.on("POST /studios", studio())
    code, _, err = run(
        "create", "Atlas", "--mount", "Lake/in/deep:first", "--mount", "Lake: old", "--mount", "dl-1"
    )
    assert code == 0, err
    assert server.find("POST", "/studios").body["mounts"] == [
        {"link": "dl-1", "path": "in/deep", "name": "first"},
        {"link": "dl-2", "path": "", "name": None},
        {"link": "dl-1", "path": "", "name": None},
    ]


def test_mount_adds_to_what_is_there(server: Server, run) -> None:
    server.on("GET /data-links", page(link()))
    server.on("GET /studios", page(studio(mounts=[LAKE])))
    server.on("PUT /studios/st-1/mounts", {"items": [view(), view(name="in", folder="/workspace/data/in")]})
    code, out, err = run("mount", "Atlas", "Lake/in", "--profile", "stream")
    assert (code, err) == (0, "")
    assert out == "/workspace/data/in: s3://lake/. You keep it read-only.\n"
    sent = server.find("PUT", "/studios/st-1/mounts").body["mounts"]
    assert sent == [LAKE, {"link": "dl-1", "path": "in", "name": None, "profile": "stream"}]


def test_unmount(server: Server, run) -> None:
    server.on("GET /studios", page(studio(mounts=[LAKE, {**LAKE, "name": "other"}])))
    server.on("PUT /studios/st-1/mounts", {"items": [view()]})
    assert run("unmount", "Atlas", "other")[0] == 0
    assert server.find("PUT", "/studios/st-1/mounts").body == {"mounts": [LAKE]}
    assert run("unmount", "Atlas", "all")[0] == 0
    assert server.find("PUT", "/studios/st-1/mounts").body == {"mounts": []}
    code, _, err = run("unmount", "Atlas", "nothing")
    assert code == 1 and "it has lake, other" in err


def test_mounts_shows_how_they_are(server: Server, run) -> None:
    status = {
        "name": "lake",
        "state": "mounted",
        "message": "",
        "waiting_files": 2,
        "waiting_bytes": 5_000_000,
    }
    server.on("GET /studios", page(studio(mounts=[LAKE])))
    server.on("POST /studios/st-1/mounts/lake/refresh", {"items": []})
    server.on(
        "GET /studios/st-1/mounts",
        {"items": [view(status=status), view(name="off", available=False, why="Gone.")]},
    )
    code, out, _ = run("mounts", "Atlas", "--refresh", "lake")
    assert code == 0 and server.find("POST", "/studios/st-1/mounts/lake/refresh")
    assert "mounted" in out and "2 files, 5.0 MB" in out and "not mounted" in out and "Gone." in out


KNOWN = {
    "/workspace/data/lake": {"url": "s3://lake/", "writable": False},
    "/workspace/data/in": {"url": "s3://lake/in/", "writable": True},
}


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("s3://lake/a b/c", "/workspace/data/lake/a b/c"),
        ("s3://lake/in/x", "/workspace/data/in/x"),
        ("s3://lake/in", "/workspace/data/in"),
        ("s3://lake", "/workspace/data/lake"),
        ("/workspace/data/in/x", "s3://lake/in/x"),
        ("x/../y/", "s3://lake/here/y/"),
        ("/workspace/data/lake", "s3://lake/"),
    ],
)
def test_paths_both_ways(place: str, expected: str) -> None:
    assert mount.translated(place, KNOWN, "/workspace/data/lake/here") == expected


@pytest.mark.parametrize("place", ["s3://lakeside/x", "gs://lake/x", "/workspace/other", "../../.."])
def test_what_is_not_mounted_has_no_path(place: str) -> None:
    with pytest.raises(StudiosError, match="is not mounted here"):
        mount.translated(place, KNOWN, "/workspace/data/lake")


def test_path_reads_what_a_session_has(run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(mount.VARIABLE, raising=False)
    code, _, err = run("path", "s3://lake/x")
    assert code == 1 and "no mounts here" in err
    given = [
        MountAccess(name="lake", url="s3://lake/"),
        MountAccess(name="in", url="s3://lake/in/", writable=True),
        MountAccess(name="gone", url="s3://gone/", refusal="It is gone."),
    ]
    environment = {
        "REF": "s3://lake/in/hg38.fa",
        "OTHER": "s3://else/x",
        "KEPT": "s3://lake/k",
        "KEPT_PATH": "mine",
    }
    made = naming.variables(given, environment, "/workspace")
    assert made.keys() == {"REF_PATH", mount.VARIABLE} and made["REF_PATH"] == "/workspace/data/in/hg38.fa"
    assert json.loads(made[mount.VARIABLE]) == KNOWN
    assert naming.variables(given[2:], environment, "/workspace") == {}
    monkeypatch.setenv(mount.VARIABLE, made[mount.VARIABLE])
    assert run("path", "s3://lake/x") == (0, "/workspace/data/lake/x\n", "")
