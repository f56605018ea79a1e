"""What only one kind of store has: links that lead out of a folder, conditions, sizes beyond a limit, markers."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import pytest
from azure.storage.blob import (
    BlobServiceClient,
    ContainerSasPermissions,
    ContentSettings,
    generate_container_sas,
)
from botocore.utils import parse_timestamp

from jupyterhub_studios.explorer.backends import (
    Backend,
    Guard,
    NativePage,
    Object,
    list_buckets,
    open_backend,
    plain,
    split_url,
)
from jupyterhub_studios.explorer.backends.s3_client import moment
from jupyterhub_studios.models import (
    AccessKey,
    Anonymous,
    AzureConnectionString,
    AzureKey,
    AzureSas,
    CredentialSpec,
    Provider,
    StudiosError,
)

from . import stores
from .conformance import all_pages, collect, fault, files, fill, keys
from .stores import LOOPBACK, Place, Server
from .stub import Answer, Request, running_stub, specs

# --- S3: times ---


@pytest.mark.parametrize(
    "told",
    [
        "2026-11-23T04:35:00.123Z", "2026-11-23T04:35:00Z", "2026-11-23T06:35:00+02:00", "2026-11-23T04:35:00",
        "2026-11-23T04:35:00.123456789Z", "2026-11-23", "20261123", "Mon, 23 Nov 2026 04:34:54 GMT",
        "Mon, 23 Nov 2026 04:34:54 -0000", "Monday, 23-Nov-26 04:34:54 GMT", "Mon Nov 23 04:34:54 2026",
        "1700000000", 1700000000, 1700000000.25,
    ],
)  # fmt: skip
def test_times_are_read_as_botocore_reads_them(told: str | float) -> None:
    assert moment(told) == parse_timestamp(told)


@pytest.mark.parametrize(
    "told", ["", " ", "yesterday", "2026-13-45T00:00:00Z", "Mon, 99 Nov 2026 04:34:54 GMT"]
)
def test_what_is_no_time(told: str) -> None:
    with pytest.raises(ValueError):
        moment(told)


# --- URLs ---


@pytest.mark.parametrize(
    ("url", "provider", "bucket", "prefix"),
    [
        ("s3://bucket", "s3", "bucket", ""),
        ("s3://bucket/", "s3", "bucket", ""),
        ("S3://bucket/a/b", "s3", "bucket", "a/b/"),
        ("s3a://bucket/a//b%20c+d?e#f/", "s3", "bucket", "a//b%20c+d?e#f/"),
        ("gs://my.bucket_1/x/", "gcs", "my.bucket_1", "x/"),
        ("gcs://bucket/", "gcs", "bucket", ""),
        ("az://container/x", "azure", "container", "x/"),
        ("abfss://data@account.dfs.core.windows.net/x/", "azure", "data@account", "x/"),
        ("abfs://data@account.blob.core.windows.net", "azure", "data@account", ""),
        ("file:///srv/data/", "folder", "/srv/data", ""),
        ("file:///srv//data", "folder", "/srv/data", ""),
        ("file:///", "folder", "/", ""),
        ("memory://a/b/", "other", "memory://a/b", ""),
        ("sftp://host/data", "other", "sftp://host/data", ""),
    ],
)
def test_urls_of_links(url: str, provider: str, bucket: str, prefix: str) -> None:
    assert split_url(url) == (Provider(provider), bucket, prefix)


@pytest.mark.parametrize(
    "url",
    ["", "bucket", "/srv/data", "s3://", "s3:///x", "s3://a", "s3://-bad-/x", "s3://buck et/x", "gs://UPPER/x",
     "az://con--tainer/x", "az://c@evil.example/x", "az://data@account.evil.example/x", "file://host/x", "file://",
     "file:///srv/../etc", "s3://user:password@bucket/", "simplecache::s3://bucket/x", "s3://b\n/x"],
)  # fmt: skip
def test_urls_that_are_none(url: str) -> None:
    with pytest.raises(StudiosError) as caught:
        split_url(url)
    assert (caught.value.problem.status, caught.value.problem.field) == (400, "url")


async def test_a_credential_of_another_provider(s3: Server) -> None:
    problem = await fault(open_backend(s3.spec, Provider.GCS, "bucket", guard=LOOPBACK))
    assert (problem.status, problem.field) == (400, "credential")


async def test_buckets_of_a_credential(s3: Server, gcs: Server, azure: Server, folder: Server) -> None:
    for server in (s3, gcs, azure):
        made = {server.place().bucket for _ in range(3)}
        found = [bucket.name for bucket in await list_buckets(server.spec, guard=LOOPBACK)]
        assert made <= set(found) and found == sorted(found)
    assert await list_buckets(folder.spec, guard=LOOPBACK) == []


# --- stored compressed: the bytes are passed on as they are ---


@pytest.mark.parametrize("store", ["s3", "azure"])
async def test_content_that_is_stored_compressed(request: pytest.FixtureRequest, store: str) -> None:
    place: Place = request.getfixturevalue(store).place()
    body = gzip.compress(b"hello " * 1000)
    secret = place.spec.secret
    if isinstance(secret, AzureKey):
        client = BlobServiceClient(
            place.spec.endpoint or "",
            credential={"account_name": secret.account, "account_key": secret.key.get_secret_value()},
        )
        client.get_blob_client(place.bucket, "x").upload_blob(
            body, content_settings=ContentSettings(content_encoding="gzip")
        )
        client.close()
    else:
        client_of(place).put_object(Bucket=place.bucket, Key="x", Body=body, ContentEncoding="gzip")
    backend = await place.open()
    assert (await backend.stat("x")).size == len(body)
    assert await collect(backend, "x") == body
    assert await backend.read("x", 2, 5) == body[2:7]
    await backend.close()


# --- S3 ---


async def test_a_copy_beyond_the_limit_goes_in_parts(s3: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jupyterhub_studios.explorer.backends.s3.COPY_WHOLE", 6 << 20)
    monkeypatch.setattr("jupyterhub_studios.explorer.backends.s3.COPY_PART", 5 << 20)
    place = s3.place()
    backend = await place.open()
    body = os.urandom(13 << 20)
    source = await backend.put("big +é", body, replace=False)
    made = await backend.copy(source, "copy", replace=False)
    assert made.etag and made.etag.endswith("-3")
    assert await collect(backend, "copy") == body
    assert (await fault(backend.copy(source, "copy", replace=False))).status == 409
    gone = Object("none", source.size, etag=source.etag)
    assert (await fault(backend.copy(gone, "other", replace=True))).status == 404
    assert client_of(place).list_multipart_uploads(Bucket=place.bucket).get("Uploads", []) == []
    await backend.close()


async def test_an_abandoned_upload_leaves_no_parts(s3: Server) -> None:
    place = s3.place()
    backend = await place.open()
    upload = await backend.begin("x", backend.part_size + 1, replace=False)
    await backend.put_part(upload, 2, b"x")
    client = client_of(place)
    assert len(client.list_multipart_uploads(Bucket=place.bucket)["Uploads"]) == 1
    await backend.abort(upload)
    assert client.list_multipart_uploads(Bucket=place.bucket).get("Uploads", []) == []
    await backend.close()


@pytest.mark.parametrize("code", ["NotImplemented", "InvalidArgument"])
async def test_a_store_that_knows_no_conditions(code: str) -> None:
    """It is asked whether the key is there, and then to write without one."""

    def answer(request: Request) -> Answer:
        if request.method == "HEAD":
            written = any(r.method == "PUT" and "If-None-Match" not in r.headers for r in stub.requests)
            return Answer(200, "12345", {"ETag": '"e"'}) if written else Answer(404)
        refuse = "If-None-Match" in request.headers
        return Answer(501, f"<Error><Code>{code}</Code></Error>") if refuse else Answer(200)

    with running_stub() as stub:
        stub.answer = answer
        spec = specs(stub.url)["s3"]
        backend = await open_backend(spec, spec.provider, "bucket", guard=LOOPBACK)
        assert (await backend.put("x", b"12345", replace=False)).size == 5
        await backend.close()


async def test_keys_that_could_not_be_deleted() -> None:
    body = "<DeleteResult><Error><Key>b</Key><Code>AccessDenied</Code></Error></DeleteResult>"
    with running_stub() as stub:
        stub.answer = lambda _: Answer(200, body)
        spec = specs(stub.url)["s3"]
        backend = await open_backend(spec, spec.provider, "bucket", guard=LOOPBACK)
        assert await backend.delete(["a", "b", "c"]) == ["b"]
        await backend.close()


async def test_a_public_bucket(moto: Server) -> None:
    place = moto.place()
    client_of(place).put_object(Bucket=place.bucket, Key="x", Body=b"hello", ACL="public-read")
    spec = place.spec.model_copy(update={"secret": Anonymous()})
    backend = await open_backend(spec, spec.provider, place.bucket, guard=LOOPBACK)
    assert keys(await backend.page("")) == ["x"]
    assert await collect(backend, "x") == b"hello"
    assert (await fault(backend.presign("x", 60))).status == 409
    await backend.close()


async def test_nobody_borrows_the_machine_s_credential(moto: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Anonymous is anonymous also where the environment has a key and an endpoint of its own."""
    with running_stub() as mine, running_stub() as theirs:
        for name, value in {
            "AWS_ACCESS_KEY_ID": "AKIDMACHINE",
            "AWS_SECRET_ACCESS_KEY": "x" * 40,
            "AWS_ENDPOINT_URL_S3": mine.url,
            "AZURE_STORAGE_ACCOUNT_KEY": "bWFjaGluZQ==",
            "AZURE_STORAGE_CONNECTION_STRING": f"AccountName=m;AccountKey=bQ==;BlobEndpoint={mine.url}",
            "STORAGE_EMULATOR_HOST": mine.url,
            "http_proxy": mine.url,
            "HTTP_PROXY": mine.url,
        }.items():
            monkeypatch.setenv(name, value)
        theirs.answer = lambda _: Answer(403)
        for store, given in specs(theirs.url).items():
            spec = given.model_copy(update={"secret": Anonymous(), "account": "account"})
            backend = await open_backend(spec, Provider(store), "bucket", guard=LOOPBACK)
            assert (await fault(backend.page(""))).status == 403
            await backend.close()
        assert mine.requests == []
        assert {True} == {"Authorization" not in request.headers for request in theirs.requests}


# --- GCS ---


async def test_google_is_told_the_conditions(tmp_path: Path) -> None:
    """fake-gcs-server does not look at all of them; Google does."""
    found = {"name": "x", "size": "5", "generation": "7"}

    def answer(request: Request) -> Answer:
        if "rewriteTo" in request.path:
            done = request.query.get("rewriteToken") == ["more"]
            return Answer(200, json.dumps({"done": done, "rewriteToken": "more"}))
        if request.method == "GET":
            written = any(r.method in ("POST", "PUT") for r in stub.requests)
            return Answer(200, json.dumps(found)) if written else Answer(404, "{}")
        location = {"Location": f"{stub.url}/session"}
        return Answer(200, json.dumps(found), location)

    with running_stub() as stub, stores.running_tokens() as token_uri:
        stub.answer = answer
        spec = specs(stub.url, token_uri)["gcs"]
        backend = await open_backend(spec, spec.provider, "bucket", guard=LOOPBACK)
        await backend.put("x", b"12345", replace=False)
        stub.requests.clear()
        await backend.begin("y", 5, replace=False)
        await backend.read("x", 0, 1, etag="7")
        await backend.copy(Object("x", 5, etag="7"), "z", replace=True)
        await backend.close()
    asked = [r.query for r in stub.requests if "fields" not in r.query]
    begun, read, first, second = asked
    assert begun["ifGenerationMatch"] == ["0"]
    assert read["ifGenerationMatch"] == ["7"]
    assert first["ifSourceGenerationMatch"] == second["ifSourceGenerationMatch"] == ["7"]
    assert second["rewriteToken"] == ["more"]  # a large object takes several calls


async def test_an_abandoned_session_is_ended() -> None:
    with running_stub() as stub, stores.running_tokens() as token_uri:
        stub.answer = lambda request: Answer(
            404 if request.method == "GET" else 499 if request.method == "DELETE" else 200,
            headers={"Location": f"{stub.url}/session?id=1"},
        )
        spec = specs(stub.url, token_uri)["gcs"]
        backend = await open_backend(spec, spec.provider, "bucket", guard=LOOPBACK)
        await backend.abort(await backend.begin("x", 5, replace=False))
        await backend.close()
    assert (stub.requests[-1].method, stub.requests[-1].path) == ("DELETE", "/session")


# --- Azure ---


async def test_folders_of_an_account_with_a_hierarchy(azure: Server) -> None:
    """There a folder is also listed as an empty blob, told by its metadata."""
    place = azure.place()
    with azure_client_of(place) as client:
        client.get_blob_client(place.bucket, "d").upload_blob(b"", metadata={"hdi_isfolder": "true"})
    backend = await place.open()
    await backend.put("d/x", b"1", replace=False)
    page = await backend.page("")
    assert (page.folders, keys(page)) == (["d/"], [])
    await backend.close()


async def test_a_shared_access_signature(azure: Server) -> None:
    place = azure.place()
    assert isinstance(place.spec.secret, AzureKey)
    sas = generate_container_sas(
        place.spec.secret.account,
        place.bucket,
        place.spec.secret.key.get_secret_value(),
        permission=ContainerSasPermissions(read=True, write=True, list=True, delete=True, create=True),
        expiry=datetime.now(UTC) + timedelta(hours=1),
    )
    spec = place.spec.model_copy(update={"secret": AzureSas(account="studios", sas=f"?{sas}")})
    backend = await open_backend(spec, spec.provider, place.bucket, guard=LOOPBACK)
    source = await backend.put("a b", b"hello", replace=False)
    await backend.copy(source, "c", replace=False)
    assert await collect(backend, "c") == b"hello"
    assert keys(await backend.page("")) == ["a b", "c"]
    problem = await fault(backend.presign("c", 60))  # the signature itself is not given away
    assert problem.status == 409
    assert await backend.delete(["a b", "c"]) == []
    await backend.close()


async def test_a_connection_string(azure: Server) -> None:
    place = azure.place()
    assert isinstance(place.spec.secret, AzureKey)
    key = place.spec.secret.key.get_secret_value()
    text = f"AccountName=studios;AccountKey={key};BlobEndpoint={place.spec.endpoint}"
    spec = CredentialSpec(name="c", provider="azure", secret=AzureConnectionString(connection_string=text))
    backend = await open_backend(spec, spec.provider, place.bucket, guard=LOOPBACK)
    await backend.put("x", b"hello", replace=False)
    assert "sig=" in await backend.presign("x", 60)
    await backend.close()


async def test_the_account_of_a_link(azure: Server) -> None:
    place = azure.place()
    backend = await open_backend(place.spec, Provider.AZURE, f"{place.bucket}@studios", guard=LOOPBACK)
    assert await backend.page("") == NativePage()
    await backend.close()
    problem = await fault(open_backend(place.spec, Provider.AZURE, f"{place.bucket}@other", guard=LOOPBACK))
    assert problem.field == "credential"
    problem = await fault(open_backend(None, Provider.AZURE, "container", guard=Guard()))
    assert problem.field == "account"


# --- folders ---


@pytest.fixture
async def inside(tmp_path: Path) -> AsyncIterator[tuple[Path, Backend]]:
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_text("secret")
    yield root, await open_backend(None, Provider.FOLDER, str(root), guard=Guard())


async def test_links_out_of_a_folder(inside: tuple[Path, Backend], tmp_path: Path) -> None:
    root, backend = inside
    (root / "file").symlink_to(tmp_path / "outside" / "secret")
    (root / "dir").symlink_to(tmp_path / "outside")
    (root / "up").symlink_to("..")
    (root / "nowhere").symlink_to("/no/such/file")
    (root / "loop").symlink_to("loop")
    for attempt in (
        backend.stat("file"),
        backend.read("file", 0, 9),
        collect(backend, "file"),
        backend.stat("dir/secret"),
        backend.page("dir/"),
        backend.page("dir/sec"),
        backend.put("dir/new", b"", replace=False),
        backend.begin("dir/new", 5, replace=False),
        backend.stat("up/outside/secret"),
        backend.copy(Object("file", 6), "copy", replace=False),
        backend.put("dir/sub/new", b"", replace=False),
    ):
        assert (await fault(attempt)).status == 403
    for name in ("nowhere", "loop"):
        assert (await fault(backend.stat(name))).status == 404
    page = await backend.page("")
    assert all(item.size is None for item in page.objects)  # nothing of what lies outside is told
    assert files(await backend.page("", recursive=True)) == []
    assert await backend.delete(["dir/secret"]) == ["dir/secret"]
    assert sorted(p.name for p in (tmp_path / "outside").iterdir()) == ["secret"]
    assert await backend.delete(["file", "dir"]) == []  # the links themselves
    assert (tmp_path / "outside" / "secret").read_text() == "secret"


async def test_links_within_a_folder(inside: tuple[Path, Backend]) -> None:
    root, backend = inside
    (root / "d").mkdir()
    (root / "d" / "x").write_text("hello")
    (root / "file").symlink_to("d/x")
    (root / "dir").symlink_to("d")
    page = await backend.page("")
    assert (page.folders, [(o.key, o.size) for o in page.objects]) == (["d/", "dir/"], [("file", 5)])
    assert await collect(backend, "file") == await collect(backend, "dir/x") == b"hello"
    assert files(await backend.page("", recursive=True)) == ["d/x"]


async def test_a_link_that_changes_meanwhile(inside: tuple[Path, Backend], tmp_path: Path) -> None:
    """What is read is what was looked at: the opened file, not its name."""
    root, backend = inside
    (root / "real").write_text("fine")

    async def swap() -> None:
        for n in range(300):
            link = root / f"l{n % 2}"
            link.unlink(missing_ok=True)
            link.symlink_to(root / "real" if n % 3 else tmp_path / "outside" / "secret")
            link.replace(root / "x")
            await asyncio.sleep(0)

    async def read() -> None:
        for _ in range(150):
            try:
                assert await backend.read("x", 0, 99) == b"fine"
            except StudiosError as error:
                assert error.problem.status in (403, 404)

    await asyncio.gather(swap(), read(), read())


async def test_what_is_no_file(inside: tuple[Path, Backend]) -> None:
    root, backend = inside
    os.mkfifo(root / "pipe")
    (root / "d").mkdir()
    for name in ("pipe", "d"):
        assert (await fault(backend.read(name, 0, 5))).status == 404  # and does not wait for a writer
    assert [(o.key, o.size) for o in (await backend.page("")).objects] == [("pipe", None)]


async def test_unfinished_files_are_not_seen(inside: tuple[Path, Backend]) -> None:
    root, backend = inside
    upload = await backend.begin("d/x", backend.part_size + 1, replace=False)
    await backend.put_part(upload, 1, b"1" * backend.part_size)
    (temporary,) = (root / "d").iterdir()
    for recursive in (False, True):
        assert keys(await backend.page("d/", recursive=recursive)) == (["d/"] if recursive else [])
    assert (await fault(backend.put(f"d/{temporary.name}", b"", replace=True))).status == 400
    assert (await fault(backend.finish(upload, [await backend.put_part(upload, 2, b"2")]))).status == 400
    await backend.abort(upload)
    assert list((root / "d").iterdir()) == []


async def test_names_that_are_no_text(inside: tuple[Path, Backend]) -> None:
    root, backend = inside
    (root / os.fsdecode(b"bad\xff")).write_text("x")
    (root / "good").write_text("x")
    assert keys(await backend.page("")) == keys(await backend.page("", recursive=True)) == ["good"]


async def test_empty_folders_stay_and_are_told(inside: tuple[Path, Backend]) -> None:
    root, backend = inside
    (root / "a" / "b").mkdir(parents=True)
    (root / "a" / "x").write_text("")
    pages = await all_pages(backend, "a/", recursive=True, limit=1)
    assert [key for page in pages for key in keys(page)] == ["a/b/", "a/x", "a/"]
    assert await backend.delete(["a/"]) == ["a/"]  # not empty: nothing is lost
    assert await backend.delete(["a/", "a/b/", "a/x"]) == []


async def test_a_disk_without_hard_links(
    inside: tuple[Path, Backend], monkeypatch: pytest.MonkeyPatch
) -> None:
    root, backend = inside

    def no_links(*args: object, **kwargs: object) -> None:
        raise PermissionError(1, "no hard links here")

    monkeypatch.setattr(os, "link", no_links)
    await backend.put("x", b"1", replace=False)
    assert (await fault(backend.put("x", b"2", replace=False))).status == 409
    assert (root / "x").read_text() == "1"
    assert [p.name for p in root.iterdir()] == ["x"]


# --- any other filesystem ---


async def test_more_than_is_listed(memory: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain, "LISTED", 20)
    backend = await memory.place().open()
    await fill(backend, *(f"{n:03}" for n in range(30)))
    pages = await all_pages(backend, "", limit=8)
    assert [page.truncated for page in pages] == [False, False, True]
    assert len([key for page in pages for key in keys(page)]) == 20


async def test_a_filesystem_that_is_not_known() -> None:
    problem = await fault(open_backend(None, Provider.OTHER, "nonsense://x/y", guard=Guard()))
    assert (problem.status, problem.field) == (400, "url")


async def test_a_password_in_a_url_is_not_told() -> None:
    try:
        backend = await open_backend(None, Provider.OTHER, "ftp://user:hunter2@127.0.0.1:1/x", guard=Guard())
        await backend.page("")
    except StudiosError as error:
        assert error.problem.status == 502
        assert "hunter2" not in str(error)
    else:
        raise AssertionError("nothing answers there")


def client_of(place: Place):  # type: ignore[no-untyped-def]
    secret = place.spec.secret
    assert isinstance(secret, AccessKey)
    return boto3.client(
        "s3",
        endpoint_url=place.spec.endpoint,
        aws_access_key_id=secret.access_key_id,
        aws_secret_access_key=secret.secret_access_key.get_secret_value(),
        region_name="us-east-1",
    )


def azure_client_of(place: Place) -> BlobServiceClient:
    assert isinstance(place.spec.secret, AzureKey)
    key = {"account_name": place.spec.secret.account, "account_key": place.spec.secret.key.get_secret_value()}
    return BlobServiceClient(place.spec.endpoint or "", credential=key)
