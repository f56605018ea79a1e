"""`studios data` against a real Hub, service and store."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import zipfile
from pathlib import Path

import pytest
import pytest_asyncio

from jupyterhub_studios.cli import main

from ..service.conftest import data
from ..service.datahub import CAP, DataHub

__all__ = ["data"]

MIB = 1024 * 1024


class Command:
    """The command, in this process."""

    def __init__(self, captured: pytest.CaptureFixture[bytes]) -> None:
        self._captured = captured

    async def raw(self, *argv: str) -> tuple[int, bytes, str]:
        code = await asyncio.to_thread(main, argv)
        out, err = self._captured.readouterr()
        return code, out, err.decode()

    async def __call__(self, *argv: str) -> tuple[int, str, str]:
        code, out, err = await self.raw(*argv)
        return code, out.decode(), err

    async def ok(self, *argv: str) -> str:
        code, out, err = await self(*argv)
        assert code == 0, err
        return out


@pytest.fixture
def studios(capsysbinary: pytest.CaptureFixture[bytes]) -> Command:
    return Command(capsysbinary)


@pytest_asyncio.fixture
async def link(data: DataHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, studios: Command) -> str:
    """A writable link of carla's to an empty prefix, by name; commands run in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STUDIOS_URL", data.hub.url)
    monkeypatch.setenv("STUDIOS_TOKEN", data.hub.token("carla"))
    name = f"My: data/{secrets.token_hex(4)}"  # names may hold what separates a path
    spec = {**data.credential, "name": f"of {name}"}
    await data.ok("POST", "data-credentials", user="carla", json=spec)
    url = f"s3://{data.bucket}/{secrets.token_hex(4)}/"
    code, out, err = await studios(
        "data",
        "link",
        "add",
        name,
        url,
        "--credential",
        spec["name"],
        "--writable",
        "--description",
        "of a test",
    )
    assert code == 0 and "You allowed writing." in out, err
    return name


async def test_files_there_and_back(studios: Command, link: str, tmp_path: Path) -> None:
    small, big = tmp_path / "small file.txt", tmp_path / "big.bin"
    small.write_bytes(b"hello\n")
    big.write_bytes(os.urandom(40 * MIB + 5))
    assert await studios.ok("data", "put", str(small), f"{link}:") == "“small file.txt”, 6 B\n"
    await studios.ok("data", "put", str(big), f"{link}/below/renamed.bin")
    assert [line[31:] for line in (await studios.ok("data", "ls", link)).splitlines()] == [
        "below/",
        "small file.txt",
    ]
    assert (await studios.ok("data", "ls", f"{link}:below")).split()[-1] == "renamed.bin"
    assert (await studios.raw("data", "cat", f"{link}:small file.txt"))[1] == b"hello\n"
    assert await studios.ok("data", "get", f"{link}:below/renamed.bin") == "“renamed.bin”, 42 MB\n"
    assert (tmp_path / "renamed.bin").read_bytes() == big.read_bytes()
    assert not list(tmp_path.glob("*.part"))
    # Nothing is replaced unless it is said, here or there.
    code, _, err = await studios("data", "get", f"{link}:below/renamed.bin")
    assert code == 1 and "exists already" in err and err.count("\n") == 1
    code, _, err = await studios("data", "put", str(small), f"{link}:small file.txt")
    assert code == 1 and "exists already" in err and err.count("\n") == 1
    small.write_bytes(b"hello again\n")
    await studios.ok("data", "put", str(small), f"{link}:small file.txt", "--replace")
    assert await studios.ok("data", "cat", f"{link}:small file.txt") == "hello again\n"


async def test_folders(studios: Command, link: str, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.txt").write_text("a")
    (folder / "deep" / "b.txt").write_text("bb")
    code, _, err = await studios("data", "put", str(folder), f"{link}:in/")
    assert code == 1 and "--recursive" in err
    await studios.ok("data", "put", "-r", str(folder), f"{link}:in/")
    assert await studios.ok("data", "du", f"{link}:in") == "2 files, 3 B\n"
    assert await studios.ok("data", "find", link, "b.t") == "in/run/deep/b.txt\n"
    await studios.ok("data", "mkdir", f"{link}:empty")
    await studios.ok("data", "mv", f"{link}:in/run/", f"{link}:moved/")
    assert (await studios.ok("data", "find", link, "*.txt")).split() == ["moved/a.txt", "moved/deep/b.txt"]
    assert "moved.zip" in await studios.ok("data", "get", f"{link}:moved")
    with zipfile.ZipFile(tmp_path / "moved.zip") as found:
        names = {name: found.read(name) for name in found.namelist() if not name.endswith("/")}
    assert sorted(names.values()) == [b"a", b"bb"]
    for number in range(CAP):
        (folder / f"{number}").write_text("x")
    await studios.ok("data", "put", "-r", str(folder), f"{link}:many/")
    code, _, err = await studios("data", "get", f"{link}:many/", "too-many.zip")
    assert code == 1 and str(CAP) in err and not (tmp_path / "too-many.zip").exists()
    # Deleting is asked for.
    code, _, err = await studios("data", "rm", f"{link}:moved/")
    assert code == 1 and "--recursive" in err
    code, _, err = await studios("data", "rm", "-r", f"{link}:moved/")
    assert code == 2 and "--yes" in err
    assert "deleted." in await studios.ok("data", "rm", "-ry", f"{link}:moved/", f"{link}:many/")
    assert await studios.ok("data", "find", link, "txt") == ""


async def test_links(studios: Command, link: str, data: DataHub) -> None:
    table = await studios.ok("data", "links", "--search", "My: data", "--provider", "s3")
    assert link in table and "writable" in table and "Genomes" not in table
    listed = json.loads(await studios.ok("data", "links", "--json"))["items"]
    ident = next(one["id"] for one in listed if one["name"] == link)
    assert await studios.ok("data", "ls", ident) == ""
    data.put("genomes/chr1.fa", b">1\nACGT\n")
    assert (await studios.raw("data", "cat", "Genomes/chr1.fa"))[1] == b">1\nACGT\n"
    url = await studios.ok("data", "presign", "ol-genomes:chr1.fa", "--for", "5m")
    assert url.startswith(data.store.endpoint)
    assert "aws s3" in await studios.ok("data", "snippet", "Genomes:chr1.fa", "--tool", "aws")
    code, _, err = await studios("data", "rm", "-y", "Genomes:chr1.fa")
    assert code == 1 and "may not change" in err and err.count("\n") == 1
    code, _, err = await studios("data", "ls", "Nonsense:x")
    assert code == 1 and "There is no data link “Nonsense”" in err and "`studios data links`" in err
    code, _, err = await studios("data", "cat", f"{link}:nothing")
    assert code == 1 and err.count("\n") == 1
    code, _, err = await studios("data", "link", "add", "x", "s3://bucket/", "--credential", "nonsense")
    assert code == 1 and "no credential “nonsense”" in err
    assert (await studios("data", "link", "rm", link))[0] == 2
    assert await studios.ok("data", "link", "rm", "-y", link) == f"“{link}” is removed.\n"


async def test_keys_with_odd_names(studios: Command, link: str, data: DataHub, tmp_path: Path) -> None:
    client = data.store.client()
    prefix = json.loads(await studios.ok("data", "links", "--json", "--search", link.partition("/")[2]))[
        "items"
    ][0]["prefix"]
    odd = [" both ends ", "100%+1", "tab\there", "a//b", "ünï/中"]
    for key in odd:
        client.put_object(Bucket=data.bucket, Key=prefix + key, Body=key.encode())
    for key in odd:
        assert (await studios.raw("data", "cat", f"{link}:{key}"))[1] == key.encode()
    assert "tab\\there" in await studios.ok("data", "ls", link)
    await studios.ok("data", "get", f"{link}:a//b")
    assert (tmp_path / "b").read_bytes() == b"a//b"
