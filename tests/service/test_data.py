"""Data links in the service: whose they are, what they find, what happens to what people do with them."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from jupyterhub_studios.models import Problem

from .datahub import CAP, DataHub

_names = iter(range(1, 10_000))


async def problem(data: DataHub, status: int, method: str, path: str, **options: Any) -> Problem:
    answer = await data.api(method, path, **options)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return Problem.model_validate_json(answer.text)


async def credential(data: DataHub, user: str = "alice", **changes: Any) -> dict[str, Any]:
    body = {**data.credential, "name": f"credential {next(_names)}", **changes}
    found: dict[str, Any] = await data.ok("POST", "data-credentials", user=user, json=body)
    return found


async def link(data: DataHub, user: str = "alice", **fields: Any) -> dict[str, Any]:
    body = {"name": f"link {next(_names)}", "url": f"s3://{data.bucket}/", **fields}
    found: dict[str, Any] = await data.ok("POST", "data-links", user=user, json=body)
    return found


async def links(data: DataHub, user: str, query: str = "") -> dict[str, dict[str, Any]]:
    answer = await data.ok("GET", f"data-links{query}", user=user)
    return {one["id"]: one for one in answer["items"]}


async def test_a_link_from_adding_to_removing(data: DataHub) -> None:
    data.put("own/a.txt", b"hello")
    mine = await credential(data)
    assert mine["status"] == "valid" and mine["may_edit"] and mine["source"] == "added"
    made = await link(data, url=f"s3://{data.bucket}/own", credential=mine["id"], writable=True)
    assert made["prefix"] == "own/" and made["owner"] == "alice" and made["role"] == "write"
    assert made["writable"] and made["why"] == "You allowed writing." and made["credential"] == mine["name"]
    page = await data.ok("GET", f"data-links/{made['id']}/browse?path=")
    assert [one["path"] for one in page["items"]] == ["a.txt"]
    changed = await data.ok("PATCH", f"data-links/{made['id']}", json={"name": "Renamed", "writable": False})
    assert changed["name"] == "Renamed" and not changed["writable"] and "read-only" in changed["why"]
    marked = await data.ok("PATCH", f"data-links/{made['id']}/marks", json={"starred": True})
    assert marked["starred"] and not marked["hidden"]
    told = await problem(data, 409, "DELETE", f"data-credentials/{mine['id']}")
    assert "“Renamed” would be lost" in told.detail
    await data.ok("DELETE", f"data-links/{made['id']}")
    await problem(data, 404, "GET", f"data-links/{made['id']}")
    assert data.store.client().list_objects_v2(Bucket=data.bucket, Prefix="own/")["KeyCount"] == 1
    await data.ok("DELETE", f"data-credentials/{mine['id']}")
    await problem(data, 404, "DELETE", f"data-credentials/{mine['id']}")


async def test_what_the_configuration_offers(data: DataHub) -> None:
    data.put("genomes/chr1.fa", b">1\nACGT\n")
    seen = await links(data, "bob")
    assert seen.keys() == {"ol-genomes", "ol-files"}
    genomes = seen["ol-genomes"]
    assert genomes["name"] == "Genomes" and genomes["why"] == "Kept as it is." and genomes["owner"] is None
    assert genomes["source"] == "offered" and not genomes["writable"] and not genomes["may_edit"]
    assert "ol-drop" in await links(data, "wendy")
    assert {"ol-genomes", "ol-files", "ol-drop"} <= (await links(data, "admin")).keys()
    text = await data.ok("GET", "data-links/ol-files/preview?path=readme.txt", user="bob")
    assert text["text"] == "a file of the server"
    # Its credential is not bob's to see or to use.
    assert (await data.ok("GET", "data-credentials", user="bob"))["items"] == []
    body = {"name": "Mine", "url": f"s3://{data.bucket}/", "credential": "oc-house"}
    assert (await problem(data, 404, "POST", "data-links", user="bob", json=body)).field == "credential"
    for method in ("PATCH", "DELETE"):
        await problem(data, 403, method, "data-links/ol-genomes", user="admin", json={"name": "Mine"})


async def test_buckets_that_a_credential_lists_are_links(data: DataHub) -> None:
    mine = await credential(data, "finn")
    assert mine["links_found"] >= 1
    found = {one["name"]: one for one in (await links(data, "finn")).values() if one["source"] == "found"}
    here = found[data.bucket]
    assert here["url"] == f"s3://{data.bucket}/" and here["owner"] == "finn" and "Found by" in here["why"]
    assert not here["writable"] and here["may_edit"]
    told = await problem(
        data, 403, "PUT", f"data-links/{here['id']}/upload?path=x", user="finn", content=b"x"
    )
    assert "Found by" in told.detail
    # Settings of its own keep its address.
    await data.ok("PATCH", f"data-links/{here['id']}", user="finn", json={"writable": True})
    again = await links(data, "finn")
    assert again[here["id"]]["writable"] and again[here["id"]]["source"] == "added"
    assert len([one for one in again.values() if one["bucket"] == data.bucket and not one["prefix"]]) == 1
    await data.ok("DELETE", f"data-links/{here['id']}", user="finn")
    assert (await links(data, "finn"))[here["id"]]["source"] == "found"
    await problem(data, 409, "DELETE", f"data-links/{here['id']}", user="finn")
    # A new bucket is found when it is asked for.
    new = data.store.bucket()
    assert new not in {one["name"] for one in (await links(data, "finn")).values()}
    await data.ok("POST", "data-links/refresh", user="finn")
    assert new in {one["name"] for one in (await links(data, "finn")).values()}
    # Another person's credential for the same account finds links of their own.
    await credential(data, "fred")
    assert not {one["id"] for one in found.values()} & (await links(data, "fred")).keys()
    await problem(data, 404, "GET", f"data-links/{here['id']}", user="fred")
    await data.ok("DELETE", f"data-credentials/{mine['id']}", user="finn")
    assert (await links(data, "finn")).keys() == {"ol-genomes", "ol-files"}


async def test_found_links_are_the_same_after_a_restart(data: DataHub) -> None:
    await credential(data, "rita")
    before = {key for key, one in (await links(data, "rita")).items() if one["source"] == "found"}
    assert before
    await asyncio.to_thread(data.hub.kill_service)
    one = await data.ok("GET", f"data-links/{min(before)}", user="rita")  # the address alone, nothing listed
    assert one["source"] == "found"
    assert before <= (await links(data, "rita")).keys()


async def test_offered_credentials(data: DataHub) -> None:
    finder = await links(data, "finder")
    here = next(one for one in finder.values() if one["bucket"] == data.bucket and one["source"] == "found")
    assert here["role"] == "download" and here["owner"] is None and not here["may_edit"]
    offered = (await data.ok("GET", "data-credentials", user="finder"))["items"]
    assert [(one["name"], one["source"], one["may_edit"]) for one in offered] == [
        ("listing", "offered", False)
    ]
    assert (await problem(data, 403, "DELETE", "data-credentials/oc-listing", user="finder")).title
    body = {"name": "Mine", "url": f"s3://{data.bucket}/", "credential": "oc-listing"}
    await problem(data, 404, "POST", "data-links", user="finder", json=body)
    made = await link(data, "trusted", credential="oc-open", writable=True)
    assert made["writable"]
    assert (
        await data.api("PUT", f"data-links/{made['id']}/upload?path=by-trusted", user="trusted")
    ).is_success
    data.hub.hub_api("POST", "groups/team-view/users", json={"users": ["trusted"]})
    told = await problem(
        data, 403, "PATCH", f"data-links/{made['id']}", user="trusted", json={"workspace": "team-view"}
    )
    assert told.field == "workspace"


async def test_workspaces(data: DataHub) -> None:
    mine = await credential(data)
    offered = {
        "credential": mine["id"],
        "workspace": "team-write",
        "workspace_role": "write",
        "writable": True,
    }
    made = await link(data, **offered)
    where = f"data-links/{made['id']}"
    hers = (await links(data, "wendy"))[made["id"]]
    assert (hers["role"], hers["writable"], hers["source"], hers["owner"]) == (
        "write",
        True,
        "offered",
        "alice",
    )
    assert hers["credential"] == "of alice" and not hers["may_edit"]
    assert made["id"] not in await links(data, "vera")
    assert (await data.ok("GET", where, user="admin"))["role"] == "view"
    # The marks are each person's own.
    await data.ok("PATCH", f"{where}/marks", user="wendy", json={"hidden": True})
    assert made["id"] not in await links(data, "wendy")
    assert made["id"] in await links(data, "wendy", "?hidden=only")
    assert made["id"] in await links(data, "alice")
    # Only to where one is.
    for workspace in ("nowhere", "members"):
        told = await problem(data, 403, "PATCH", where, json={"workspace": workspace})
        assert told.field == "workspace" and "team-write" in told.detail
    # Taken back.
    await data.ok("PATCH", where, json={"workspace": ""})
    await problem(data, 404, "GET", where, user="wendy")
    await problem(data, 404, "GET", where, user="admin")


async def test_who_leaves_a_workspace_loses_its_links(data: DataHub) -> None:
    for person in ("olga", "paul"):
        data.hub.token(person)
    data.hub.hub_api("POST", "groups/passing", ok=(201, 409))
    data.hub.hub_api("POST", "groups/passing/users", json={"users": ["olga", "paul"]})
    mine = await credential(data, "olga")
    made = await link(data, "olga", credential=mine["id"], workspace="passing")
    assert made["id"] in await links(data, "paul")
    data.hub.hub_api("DELETE", "groups/passing/users", json={"users": ["paul"]})
    # What the Hub said of a token is believed for a while; a new token is asked for anew.
    token = data.hub.token("paul", ["access:services!service=studios"])
    headers = {"Authorization": f"token {token}"}
    url = f"{data.hub.url}services/studios/api/v1/data-links/{made['id']}"
    assert httpx.get(url, headers=headers).status_code == 404


BAD_CREDENTIALS: list[tuple[dict[str, Any], int, str]] = [
    ({"secret": {"type": "ambient"}}, 403, "secret.type"),
    ({"secret": {"type": "profile", "profile": "default"}}, 403, "secret.type"),
    ({"provider": "folder", "secret": {"type": "ambient"}}, 403, "secret.type"),
    ({"provider": "gcs"}, 422, ""),
    ({"endpoint": "http://127.0.0.1:1"}, 400, "endpoint"),
    ({"endpoint": "http://localhost"}, 400, "endpoint"),
    ({"endpoint": "http://169.254.169.254"}, 400, "endpoint"),
    ({"endpoint": "http://[fd00:ec2::254]"}, 400, "endpoint"),
    ({"endpoint": "http://10.1.2.3"}, 400, "endpoint"),
    ({"endpoint": "file:///etc"}, 400, "endpoint"),
    ({"endpoint": "https://user:word@example.org"}, 400, "endpoint"),
    ({"endpoint": "https://example.org/below"}, 400, "endpoint"),
    ({"region": "x.evil.example/"}, 422, "region"),
    ({"name": ""}, 422, "name"),
    (
        {
            "provider": "azure",
            "endpoint": None,
            "secret": {"type": "azure-key", "account": "127.0.0.1:1/", "key": "a2V5"},
        },
        422,
        "secret.azure-key.account",
    ),
    (
        {
            "provider": "azure",
            "endpoint": None,
            "secret": {
                "type": "azure-connection-string",
                "connection_string": "DefaultEndpointsProtocol=http;AccountName=dev;AccountKey=a2V5;"
                "BlobEndpoint=http://127.0.0.1:1/dev",
            },
        },
        400,
        "",
    ),
    (
        {
            "provider": "gcs",
            "endpoint": None,
            "secret": {
                "type": "service-account",
                "key_json": '{"type": "service_account", "client_email": "a@b.c", "private_key": "x",'
                ' "token_uri": "http://169.254.169.254/token"}',
            },
        },
        400,
        "",
    ),
    ({"secret": {"type": "access-key", "access_key_id": "k" * 70_000, "secret_access_key": "s"}}, 413, "secret"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "status", "field"), BAD_CREDENTIALS)
async def test_a_credential_that_is_not_taken(
    data: DataHub, change: dict[str, Any], status: int, field: str
) -> None:
    body = {**data.credential, "name": "Refused", **change}
    told = await problem(data, status, "POST", "data-credentials", json=body)
    assert not field or told.field == field, told
    listed = (await data.ok("GET", "data-credentials"))["items"]
    assert "Refused" not in {one["name"] for one in listed}


async def test_a_credential_that_the_store_refuses_is_told(data: DataHub) -> None:
    secret = {"type": "access-key", "access_key_id": "AKIANOBODY", "secret_access_key": "wrong"}
    mine = await credential(data, "ida", secret=secret)
    assert mine["status"] == "invalid" and "did not accept" in mine["message"] and mine["links_found"] is None
    made = await link(data, "ida", credential=mine["id"])
    assert made["status"] == "invalid" and made["message"]
    told = await problem(data, 403, "GET", f"data-links/{made['id']}/browse", user="ida")
    assert "did not accept" in told.title


BAD_LINKS: list[tuple[dict[str, Any], int, str]] = [
    ({"url": "file:///etc"}, 403, "url"),
    ({"url": "https://example.org/x"}, 403, "url"),
    ({"url": "memory://x"}, 403, "url"),
    ({"url": "s3://"}, 400, "url"),
    ({"url": "s3://../x"}, 400, "url"),
    ({"url": "az://container/"}, 400, "url"),
    ({"credential": "dc-none"}, 404, "credential"),
    ({"writable": True}, 400, "writable"),
    ({"workspace": "nowhere"}, 403, "workspace"),
    ({"name": "bell\x07"}, 422, "name"),
]


@pytest.mark.parametrize(("change", "status", "field"), BAD_LINKS)
async def test_a_link_that_is_not_taken(
    data: DataHub, change: dict[str, Any], status: int, field: str
) -> None:
    body = {"name": "Refused", "url": f"s3://{data.bucket}/", **change}
    assert (await problem(data, status, "POST", "data-links", json=body)).field == field


async def test_names_are_taken_once_per_person(data: DataHub) -> None:
    await link(data, name="Same name")
    body = {"name": "Same name", "url": f"s3://{data.bucket}/"}
    assert (await problem(data, 409, "POST", "data-links", json=body)).field == "name"
    other = await link(data)
    assert (await problem(data, 409, "PATCH", f"data-links/{other['id']}", json={"name": "Same name"})).field
    await link(data, "bob", name="Same name")
    mine = await credential(data, name="One")
    told = await problem(data, 409, "POST", "data-credentials", json={**data.credential, "name": "One"})
    assert told.field == "name"
    # Another person's credential cannot be used or removed.
    body = {"name": "Stolen", "url": f"s3://{data.bucket}/", "credential": mine["id"]}
    assert (await problem(data, 404, "POST", "data-links", user="bob", json=body)).field == "credential"
    await problem(data, 404, "DELETE", f"data-credentials/{mine['id']}", user="bob")
    await problem(data, 404, "DELETE", f"data-credentials/{mine['id']}", user="admin")


async def test_lists_are_filtered(data: DataHub) -> None:
    mine = await credential(data, "filter")
    first = await link(
        data, "filter", name="Alpha reads", credential=mine["id"], url=f"s3://{data.bucket}/r/"
    )
    await link(data, "filter", name="Beta", description="about ALPHA", url="gs://some-bucket/")

    async def names(query: str) -> list[str]:
        found = await data.ok("GET", f"data-links{query}", user="filter")
        return [one["name"] for one in found["items"] if one["source"] == "added"]

    assert await names("?q=alpha") == ["Alpha reads", "Beta"]
    assert await names("?q=alpha provider:gcs") == await names("?q=alpha&provider=gcs") == ["Beta"]
    assert await names("?q=region:us-east-1") == ["Alpha reads"]
    assert await names("?q=nonsense") == []
    await data.ok("PATCH", f"data-links/{first['id']}/marks", user="filter", json={"hidden": True})
    assert await names("") == ["Beta"] and await names("?hidden=only") == ["Alpha reads"]
    assert await names("?hidden=all") == ["Alpha reads", "Beta"]
    second = (await data.ok("GET", "data-links?q=beta", user="filter"))["items"][0]
    await data.ok("PATCH", f"data-links/{second['id']}/marks", user="filter", json={"starred": True})
    assert await names("?hidden=all") == ["Beta", "Alpha reads"]


async def test_the_administrators_cap_on_archives(data: DataHub) -> None:
    for number in range(CAP + 1):
        data.put(f"genomes/many/{number}.txt")
    answer = await data.api("GET", "data-links/ol-genomes/archive?path=many/0.txt&path=many/1.txt")
    assert answer.status_code == 200 and answer.headers["content-type"] == "application/zip"
    assert int(answer.headers["content-length"]) == len(answer.content)
    told = await problem(data, 413, "GET", "data-links/ol-genomes/archive?path=many/")
    assert str(CAP) in f"{told.title} {told.detail}"


async def test_the_page_shell_serves_data(data: DataHub) -> None:
    async with data.hub.browser("alice") as browser:
        for path in ("data", "data/ol-genomes?path=many/"):
            page = await browser.get(f"services/studios/{path}")
            assert page.status_code == 200 and 'id="root"' in page.text
        policy = page.headers["content-security-policy"]
        assert "frame-src 'self'" in policy and "img-src 'self' data: blob:" in policy
        # An image or a frame of the page comes with the cookie alone.
        image = {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": "image"}
        raw = "services/studios/api/v1/data-links/ol-genomes/raw?path=chr1.fa"
        assert (await browser.get(raw, headers=image)).status_code == 200
        other = {**image, "Sec-Fetch-Site": "cross-site"}
        assert (await browser.get(raw, headers=other)).status_code == 401
        put = "services/studios/api/v1/data-links/ol-genomes/upload?path=x"
        fetch = {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "same-origin"}
        assert (await browser.put(put, content=b"x", headers=fetch)).status_code == 401
        xsrf = browser.cookies.get("_xsrf", path="/services/studios/")
        allowed = await browser.put(put, content=b"x", headers={**fetch, "X-XSRFToken": xsrf or ""})
        assert allowed.status_code == 403 and "may not change" in allowed.json()["title"]
