"""Stores that fail: what people are told, with which status, and that no credential is in it."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from jupyterhub_studios.explorer.backends import (
    Backend,
    azure_client,
    gcs_client,
    list_buckets,
    open_backend,
    s3_client,
)
from jupyterhub_studios.models import AccessKey, AzureKey, AzureSas, Problem, StudiosError

from ..stores import free_ports
from . import stores
from .conformance import fault, keys
from .stores import LOOPBACK, Server, anonymous
from .stub import SECRET, Answer, Request, Stub, running_stub, specs

STORES = ("s3", "gcs", "azure")


@pytest.fixture
def stub() -> Iterator[Stub]:
    with running_stub() as server:
        yield server


@pytest.fixture(scope="module")
def tokens() -> Iterator[str]:
    with stores.running_tokens() as url:
        yield url


@pytest.fixture(autouse=True)
def nothing_secret_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.set_level(logging.INFO)
    yield
    assert SECRET not in caplog.text


@asynccontextmanager
async def opened(url: str, store: str, tokens: str) -> AsyncIterator[Backend]:
    spec = specs(url, tokens)[store]
    backend = await open_backend(spec, spec.provider, "bucket", guard=LOOPBACK)
    try:
        yield backend
    finally:
        await backend.close()


def told(problem: Problem, status: int, title: str) -> None:
    assert (problem.status, problem.title) == (status, title)
    text = problem.model_dump_json()
    assert SECRET not in text and "AKIDEXAMPLE" not in text and "Signature=" not in text
    assert problem.action


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(azure_client, "PAUSE_SECONDS", 0.1)


# --- wrong names and keys, at real servers ---


@pytest.mark.parametrize("store", STORES)
async def test_a_bucket_that_is_not_there(request: pytest.FixtureRequest, store: str) -> None:
    spec = request.getfixturevalue(store).spec
    backend = await open_backend(spec, spec.provider, "no-such-bucket", guard=LOOPBACK)
    told(await fault(backend.page("")), 404, "The bucket “no-such-bucket” was not found")
    assert (await fault(backend.put("x", b"", replace=True))).status == 404
    await backend.close()


async def test_a_folder_that_is_not_there(tmp_path: object) -> None:
    spec = stores.local_folder(tmp_path).spec  # type: ignore[arg-type]
    backend = await open_backend(spec, spec.provider, f"{tmp_path}/none", guard=LOOPBACK)
    assert (await fault(backend.page(""))).title == "This folder does not exist"


async def test_a_wrong_key_of_s3(s3: Server) -> None:
    place = s3.place()
    secret = s3.spec.secret
    assert isinstance(secret, AccessKey)
    other = AccessKey(access_key_id="AKIDEXAMPLE", secret_access_key=SECRET)
    wrong = [secret.model_copy(update={"secret_access_key": other.secret_access_key}), other]
    for each in wrong:
        spec = s3.spec.model_copy(update={"secret": each})
        backend = await open_backend(spec, spec.provider, place.bucket, guard=LOOPBACK)
        told(await fault(backend.page("")), 403, "The store did not accept the credential")
        await backend.close()
        told(await fault(list_buckets(spec, guard=LOOPBACK)), 403, "The store did not accept the credential")


async def test_a_wrong_key_of_azure(azure: Server) -> None:
    place = azure.place()
    for secret in (
        AzureKey(account="studios", key=SECRET),
        AzureSas(account="studios", sas=f"?sv=2023-01-03&sr=c&sp=rl&se=2099-01-01&sig={SECRET}"),
    ):
        spec = azure.spec.model_copy(update={"secret": secret})
        backend = await open_backend(spec, spec.provider, place.bucket, guard=LOOPBACK)
        problem = await fault(backend.page(""))
        assert problem.status == 403
        assert SECRET not in problem.model_dump_json()
        await backend.close()


async def test_nobody_may_read_what_is_private(s3: Server, azure: Server) -> None:
    for server in (s3, azure):
        place = server.place()
        spec = anonymous(place.spec)
        backend = await open_backend(spec, spec.provider, place.bucket, guard=LOOPBACK)
        assert (await fault(backend.page(""))).status in (403, 404)  # Azure does not tell that it is there
        await backend.close()


async def test_a_service_account_that_google_refuses(stub: Stub) -> None:
    stub.answer = lambda _: Answer(400, json.dumps({"error": "invalid_grant", "error_description": SECRET}))
    async with opened(stub.url, "gcs", f"{stub.url}/token") as backend:
        told(await fault(backend.page("")), 403, "The store did not accept the credential")


# --- endpoints that are down, slow or broken ---


@pytest.mark.parametrize("store", STORES)
async def test_an_endpoint_that_is_down(store: str, tokens: str, monkeypatch: pytest.MonkeyPatch) -> None:
    few_attempts(monkeypatch)
    (port,) = free_ports(1)
    async with opened(f"http://127.0.0.1:{port}", store, tokens) as backend:
        for attempt in (
            backend.page(""),
            backend.stat("x"),
            backend.read("x", 0, 5),
            backend.put("x", b"1", replace=False),
            backend.delete(["x"]),
            backend.begin("x", 5, replace=False),
        ):
            told(await fault(attempt), 502, "The store cannot be reached")


@pytest.mark.parametrize("store", STORES)
async def test_an_endpoint_that_is_slow(
    stub: Stub, store: str, tokens: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    few_attempts(monkeypatch)
    for module in (s3_client, gcs_client, azure_client):
        monkeypatch.setattr(module, "READ_SECONDS", 0.3)
    stub.answer = lambda _: Answer(200, wait=3)
    async with opened(stub.url, store, tokens) as backend:
        problem = await fault(backend.page(""))
        told(problem, 502, "The store cannot be reached")
        assert problem.detail == "it did not answer in time"


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("status", [500, 503])
async def test_a_store_that_is_busy_for_a_moment(stub: Stub, store: str, status: int, tokens: str) -> None:
    def answer(request: Request) -> Answer:
        return error(store, status, "SlowDown") if len(stub.requests) < 3 else empty_page(store)

    stub.answer = answer
    async with opened(stub.url, store, tokens) as backend:
        assert (await backend.page("")).objects == []
    assert len(stub.requests) == 3


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize(
    ("status", "code"), [(503, "SlowDown"), (503, "ServerBusy"), (429, "TooManyRequests")]
)
async def test_a_store_that_stays_busy(stub: Stub, store: str, status: int, code: str, tokens: str) -> None:
    stub.answer = lambda _: error(store, status, code)
    async with opened(stub.url, store, tokens) as backend:
        told(await fault(backend.page("")), 429, "The store asks to slow down")
    assert 1 <= len(stub.requests) <= 4


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize(
    ("status", "code", "told_status"),
    [
        (400, "ExpiredToken", 403),
        (403, "AccessDenied", 403),
        (403, "SignatureDoesNotMatch", 403),
        (401, "Unauthorized", 403),
        (409, "Conflict", 409),
        (400, "InvalidArgument", 400),
        (403, f"key {SECRET}", 403),
        (400, SECRET, 400),
    ],
)
async def test_what_a_store_says_is_told(
    stub: Stub, store: str, status: int, code: str, told_status: int, tokens: str
) -> None:
    """Its code when that is a word; never its message."""
    stub.answer = lambda _: error(store, status, code, message=f"The key {SECRET} is wrong")
    async with opened(stub.url, store, tokens) as backend:
        problem = await fault(backend.page(""))
    assert problem.status == told_status
    assert SECRET not in problem.model_dump_json()
    assert (code in problem.detail) == code.isalnum()


@pytest.mark.parametrize("store", STORES)
async def test_answers_that_are_none(
    stub: Stub, store: str, tokens: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    few_attempts(monkeypatch)
    for body in ("<html>a proxy's page</html>", "\x00\xff", "{", "<ListBucketResult><Contents>"):
        stub.answer = lambda _, body=body: Answer(200, body, {"Content-Type": "application/xml"})
        async with opened(stub.url, store, tokens) as backend:
            try:
                page = await backend.page("")
            except StudiosError as told_:
                assert told_.problem.status == 502
            else:
                assert keys(page) == []


# --- pages that no real server here gives ---


@pytest.mark.parametrize("store", STORES)
async def test_an_empty_page_that_goes_on(stub: Stub, store: str, tokens: str) -> None:
    first, last = PAGES[store]

    def answer(request: Request) -> Answer:
        said = request.query.get({"s3": "continuation-token", "gcs": "pageToken", "azure": "marker"}[store])
        return Answer(200, last if said == ["t/o+k=en &"] else first, {"Content-Type": "application/xml"})

    stub.answer = answer
    async with opened(stub.url, store, tokens) as backend:
        page = await backend.page("a/", limit=17)
        assert (page.objects, page.folders, page.token) == ([], [], "t/o+k=en &")
        page = await backend.page("a/", limit=17, token=page.token)
        assert (keys(page), page.folders, page.token) == (["a/x"], ["a/b/"], None)
    assert len(stub.requests) == 2  # one native page is one request
    for request in stub.requests:
        asked = {name: values[0] for name, values in request.query.items()}
        assert asked["prefix"] == "a/" and asked["delimiter"] == "/"
        assert asked.get("max-keys", asked.get("maxResults", asked.get("maxresults"))) == "17"


PAGES = {
    "s3": (
        "<ListBucketResult><IsTruncated>true</IsTruncated>"
        "<NextContinuationToken>t/o+k=en &amp;</NextContinuationToken></ListBucketResult>",
        "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>a/x</Key><Size>1</Size></Contents>"
        "<CommonPrefixes><Prefix>a/b/</Prefix></CommonPrefixes></ListBucketResult>",
    ),
    "gcs": (
        json.dumps({"nextPageToken": "t/o+k=en &"}),
        json.dumps({"items": [{"name": "a/x", "size": "1"}], "prefixes": ["a/b/"]}),
    ),
    "azure": (
        "<?xml version='1.0'?><EnumerationResults><Blobs/><NextMarker>t/o+k=en &amp;</NextMarker>"
        "</EnumerationResults>",
        "<?xml version='1.0'?><EnumerationResults><Blobs><BlobPrefix><Name>a/b/</Name></BlobPrefix><Blob><Name>"
        "a/x</Name><Properties><Content-Length>1</Content-Length><BlobType>BlockBlob</BlobType></Properties></Blob></Blobs><NextMarker/>"
        "</EnumerationResults>",
    ),
}


def empty_page(store: str) -> Answer:
    text = {
        "s3": "<ListBucketResult/>",
        "gcs": "{}",
        "azure": "<?xml version='1.0'?><EnumerationResults><Blobs/><NextMarker/></EnumerationResults>",
    }
    return Answer(200, text[store], {"Content-Type": "application/xml"})


def error(store: str, status: int, code: str, message: str = "") -> Answer:
    if store == "gcs":
        reason = {"message": message, "code": status, "errors": [{"reason": code, "message": message}]}
        return Answer(status, json.dumps({"error": reason}))
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return Answer(status, body, {"Content-Type": "application/xml", "x-ms-error-code": code})


def few_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_client, "ATTEMPTS", 1)
    monkeypatch.setattr(gcs_client, "ATTEMPTS", 1)
    monkeypatch.setattr(azure_client, "RETRIES", 0)
