"""The explorer's routes as a host mounts them: a real server, the real engine, a folder of this machine."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

from jupyterhub_studios.explorer.api import ROUTES, handlers
from jupyterhub_studios.explorer.api.answers import LinkQuery
from jupyterhub_studios.explorer.api.changing import BODY
from jupyterhub_studios.explorer.api.filters import selected
from jupyterhub_studios.explorer.backends import Guard
from jupyterhub_studios.explorer.backends.parts import PART_SIZE
from jupyterhub_studios.explorer.engine import Engine
from jupyterhub_studios.models import CredentialSpec, DataRole, LinkView, Provider, StudiosError

PREFIX = "/@/odd base/jupyterhub-studios/"


def view(**fields: Any) -> LinkView:
    given: dict[str, Any] = {
        "id": "l", "name": "Link", "description": "", "provider": Provider.FOLDER, "url": "file:///x", "bucket": "/x",
        "prefix": "", "region": None, "endpoint": None, "source": "offered", "owner": None, "workspace": None,
        "workspace_role": None, "credential": None, "role": DataRole.WRITE, "writable": True, "why": "",
    }  # fmt: skip
    return LinkView(**{**given, **fields})


@dataclass(frozen=True)
class Person:
    name: str = "alpha"
    admin: bool = False
    groups: tuple[str, ...] = ()


class Catalogue:
    """One folder, and the same for looking alone."""

    def __init__(self, folder: Path) -> None:
        self._links = [
            view(id=role.value, name=role.value, bucket=str(folder), url=folder.as_uri(), role=role)
            for role in DataRole
        ]

    async def links(self, caller: Any) -> list[LinkView]:
        return self._links

    async def link(self, caller: Any, link_id: str) -> LinkView:
        for link in self._links:
            if link.id == link_id:
                return link
        raise StudiosError("There is no such link", "", "", status=404)

    async def credential_of(self, link: LinkView) -> CredentialSpec | None:
        return None


@dataclass
class Explorer:
    engine: Engine
    catalogue: Catalogue


class Host(RequestHandler):
    """A host that lets in whoever has a header, and checks nothing else."""

    async def authorise(self, access: str) -> Person:
        assert access == "person"
        if "X-Person" not in self.request.headers:
            raise StudiosError("You are not signed in", "", "", status=401)
        return Person()


@pytest_asyncio.fixture
async def http(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    catalogue = Catalogue(tmp_path)
    engine = Engine(catalogue, key=b"k" * 32, guard=Guard(["*"]), archive_cap=3)  # type: ignore[arg-type]
    rules = handlers(PREFIX.replace(" ", "%20"), Host, Explorer(engine, catalogue))
    # As a Jupyter server does; and a limit below the longest body that the routes take.
    server = HTTPServer(
        Application(rules, compress_response=True, log_function=lambda _: None), max_body_size=1024 * 1024
    )
    (socket,) = bind_sockets(0, "127.0.0.1")
    server.add_socket(socket)
    base = f"http://127.0.0.1:{socket.getsockname()[1]}{PREFIX}"
    async with httpx.AsyncClient(base_url=base, headers={"X-Person": "alpha"}, timeout=60) as client:
        yield client
    server.stop()
    await server.close_all_connections()
    await engine.close()


def lines(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.status_code == 200 and answer.headers["content-type"] == "application/x-ndjson", answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


async def test_a_stranger_gets_nothing(http: httpx.AsyncClient) -> None:
    del http.headers["X-Person"]
    for route in ROUTES:
        path = route.path.format(link_id="write", credential_id="x")
        answer = await http.request(route.method, path, content=b"{}" if route.body or route.takes else None)
        assert answer.status_code == 401, route
        assert answer.headers["content-type"] == "application/problem+json"


async def test_looking(http: httpx.AsyncClient, tmp_path: Path) -> None:
    for name in ("a.txt", "b.txt", "deep/c.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    assert {one["id"] for one in (await http.get("data-links")).json()["items"]} == {
        "view",
        "download",
        "write",
    }
    first = (await http.get("data-links/view/browse?limit=1")).json()
    assert [one["path"] for one in first["items"]] == ["a.txt"] and first["next"]
    more = await http.get("data-links/view/browse", params={"limit": 5, "after": first["next"]})
    assert [one["path"] for one in more.json()["items"]] == ["deep/", "b.txt"]
    narrowed = (await http.get("data-links/view/browse?search=b")).json()
    assert [one["name"] for one in narrowed["items"]] == ["b.txt"]
    assert (await http.get("data-links/view/entry?path=deep")).json()["kind"] == "folder"
    preview = (await http.get("data-links/view/preview?path=deep/c.txt")).json()
    assert preview["view"] == "text" and preview["text"] == "deep/c.txt"
    found = lines(await http.get("data-links/view/search?path=&q=c.t"))
    assert [one["entry"]["path"] for one in found if one["entry"]] == ["deep/c.txt"] and found[-1]["complete"]
    assert lines(await http.get("data-links/view/total?path="))[-1] == {
        "files": 3,
        "bytes": 20,
        "complete": True,
    }
    assert (await http.get("data-links/view/snippets?path=a.txt")).json()["items"]
    for path in ("browse?after=forged", "browse?path=../", "entry?path=deep/../a.txt"):
        refused = await http.get(f"data-links/view/{path}")
        assert refused.status_code == 400 and refused.json()["field"], path
    assert (await http.get("data-links/nonsense/browse")).status_code == 404


async def test_downloads(http: httpx.AsyncClient, tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("0123456789" * 1000)
    where = "data-links/download/download?path=text.txt"
    whole = await http.get(where)
    assert whole.text == "0123456789" * 1000 and "content-encoding" not in whole.headers
    assert whole.headers["content-disposition"] == 'attachment; filename="text.txt"'
    head = await http.head(where)
    assert head.status_code == 200 and head.content == b""
    same = ("content-length", "etag", "last-modified", "content-type", "content-disposition", "accept-ranges")
    assert [head.headers.get(name) for name in same] == [whole.headers.get(name) for name in same]
    part = await http.get(where, headers={"Range": "bytes=10-14", "If-Range": whole.headers["etag"]})
    assert part.status_code == 206 and part.text == "01234"
    assert part.headers["content-range"] == "bytes 10-14/10000"
    stale = await http.get(where, headers={"Range": "bytes=10-14", "If-Range": '"another"'})
    assert stale.status_code == 200 and len(stale.content) == 10_000
    beyond = await http.get(where, headers={"Range": "bytes=10000-"})
    assert beyond.status_code == 416 and beyond.headers["content-range"] == "bytes */10000"
    assert (await http.get(where.replace("download/", "view/", 1))).status_code == 403


async def test_archives(http: httpx.AsyncClient, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for number in range(3):
        (tmp_path / "folder" / f"{number}.txt").write_text(str(number))
    head = await http.head("data-links/download/archive?path=folder/")
    answer = await http.get("data-links/download/archive?path=folder/")
    assert head.headers["content-length"] == answer.headers["content-length"] == str(len(answer.content))
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert len([name for name in archive.namelist() if not name.endswith("/")]) == 3
    (tmp_path / "folder" / "one more").write_text("x")
    assert (await http.head("data-links/download/archive?path=folder/")).status_code == 413
    told = await http.get("data-links/download/archive?path=folder/")
    assert told.status_code == 413 and "3" in told.text
    assert (await http.get("data-links/download/archive")).status_code == 422


async def test_changes(http: httpx.AsyncClient, tmp_path: Path) -> None:
    base = "data-links/write"
    put = await http.put(f"{base}/upload?path=new.txt", content=b"one")
    assert put.status_code == 200 and put.json()["size"] == 3
    assert (await http.put(f"{base}/upload?path=new.txt", content=b"two")).status_code == 409
    assert (await http.put(f"{base}/upload?path=new.txt&replace=true", content=b"two")).status_code == 200
    large = bytes(PART_SIZE + 5)
    begun = (await http.post(f"{base}/uploads", json={"path": "large", "size": len(large)})).json()
    assert begun["part_size"] == PART_SIZE <= BODY
    parts = []
    for number, body in ((1, large[:PART_SIZE]), (2, large[PART_SIZE:])):
        sent = await http.put(
            f"{base}/uploads/part", params={"id": begun["id"], "number": number}, content=body
        )
        assert sent.status_code == 200, sent.text
        parts.append(sent.json())
    assert not (tmp_path / "large").exists()
    forged = await http.post(
        f"{base}/uploads/finish", params={"id": begun["id"][:-4] + "AAAA"}, json={"parts": parts}
    )
    assert forged.status_code == 400
    done = await http.post(f"{base}/uploads/finish", params={"id": begun["id"]}, json={"parts": parts})
    assert done.status_code == 200 and (tmp_path / "large").stat().st_size == len(large)
    begun = (await http.post(f"{base}/uploads", json={"path": "given up", "size": 5})).json()
    assert (await http.delete(f"{base}/uploads", params={"id": begun["id"]})).status_code == 204
    assert (await http.post(f"{base}/folders", json={"path": "folder"})).json()["path"] == "folder/"
    moved = lines(await http.post(f"{base}/move", json={"source": "new.txt", "target": "folder/moved.txt"}))
    assert moved[-1]["complete"] and (tmp_path / "folder" / "moved.txt").read_text() == "two"
    gone = lines(await http.post(f"{base}/delete", json={"paths": ["folder/", "large"]}))
    assert gone[-1]["complete"] and not (tmp_path / "folder").exists() and not (tmp_path / "large").exists()


@pytest.mark.parametrize(
    "name",
    [
        " both ends ",
        "100%",
        "a+b",
        "tab\there",
        "new\nline",
        'quo"te',
        "ünï-中-🧬",
        "; rm",
        "&q=1",
        "#x",
        "?",
    ],
)
async def test_odd_names(http: httpx.AsyncClient, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(name)
    listed = (await http.get("data-links/view/browse")).json()["items"]
    assert [one["path"] for one in listed] == [name]
    assert (await http.get("data-links/view/preview", params={"path": name})).json()["text"] == name
    answer = await http.get("data-links/download/download", params={"path": name})
    assert answer.content == name.encode() and "\n" not in answer.headers["content-disposition"]


WORDS = st.sampled_from(["alpha", "beta", "Gamma", "provider:s3", "provider:gcs", "region:eu-west-1", "x:y"])


@given(words=st.lists(WORDS, max_size=4), hidden=st.sampled_from(["no", "only", "all"]))
def test_every_word_narrows_the_list(words: list[str], hidden: Any) -> None:
    links = [
        view(
            id=f"{name} {provider} {dark}",
            name=name,
            provider=provider,
            region=region,
            hidden=dark,
            url="s3://x/",
        )
        for name in ("Alpha one", "beta alpha", "gamma x:y")
        for provider, region in ((Provider.S3, "eu-west-1"), (Provider.GCS, None))
        for dark in (False, True)
    ]

    def shown(text: str) -> set[str]:
        return {one.id for one in selected(links, LinkQuery(q=text, hidden=hidden))}

    each = [shown(word) for word in words] or [shown("")]
    assert shown(" ".join(words)) == set.intersection(*each)
    assert all(one.hidden == (hidden == "only") for one in links if one.id in shown("")) or hidden == "all"
