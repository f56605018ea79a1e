"""What people type leads to stores, never into the machine or its network."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from jupyterhub_studios.explorer.backends import Guard, azure_client, gcs_client, open_backend, s3_client
from jupyterhub_studios.models import (
    AzureConnectionString,
    CredentialSpec,
    Problem,
    ServiceAccount,
    StudiosError,
)

from . import stores
from .conformance import fault
from .stub import SECRET, Answer, Stub, running_stub, specs

STORES = ("s3", "gcs", "azure")


@pytest.fixture(autouse=True)
def few_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_client, "ATTEMPTS", 1)
    monkeypatch.setattr(gcs_client, "ATTEMPTS", 1)
    monkeypatch.setattr(azure_client, "RETRIES", 0)


@pytest.fixture
def stub() -> Iterator[Stub]:
    with running_stub() as server:
        yield server


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9000",
        "http://127.1:9000",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://localhost:9000",
        "http://localhost.:9000",
        "http://[::1]:9000",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:a9fe:a9fe]/",
        "http://[64:ff9b::a9fe:a9fe]/",
        "http://[2002:a9fe:a9fe::]/",
        "http://169.254.169.254/latest",
        "http://169.254.170.2/",
        "http://[fd00:ec2::254]/",
        "http://[fd20:ce::254]/",
        "http://168.63.129.16/",
        "http://100.100.100.200/",
        "http://[fe80::1]/",
        "http://0.0.0.0/",
        "http://[::]/",
        "http://224.0.0.1/",
        "http://[ff02::1]/",
        "http://10.1.2.3",
        "http://172.16.0.1",
        "http://192.168.1.1",
        "http://100.64.0.1",
        "http://[fc00::1]/",
        "http://255.255.255.255/",
    ],
)
async def test_addresses_inside_are_refused(url: str) -> None:
    problem = await refused(Guard(), url)
    assert problem.title == "This endpoint may not be used"
    await Guard(["*"]).check(url)


@pytest.mark.parametrize(
    "url", ["https://93.184.216.34", "http://1.1.1.1:9000", "https://[2606:4700::1111]/"]
)
async def test_addresses_outside_are_allowed(url: str) -> None:
    await Guard().check(url)


@pytest.mark.parametrize(
    "url",
    ["ftp://1.1.1.1", "file:///etc/passwd", "1.1.1.1", "http://", "http://a:b@1.1.1.1", "http://1.1.1.1:x",
     "http://1.1.1.1/?x=1", "gopher://1.1.1.1", ""],
)  # fmt: skip
async def test_other_urls_are_no_endpoints(url: str) -> None:
    for guard in (Guard(), Guard(["*"])):
        assert (await refused(guard, url)).title == "This is not an endpoint"


async def test_a_name_without_address() -> None:
    assert (await refused(Guard(), "https://no.such.host.invalid")).title == "The endpoint was not found"


@pytest.mark.parametrize(
    ("allowed", "url", "may"),
    [
        ("127.0.0.1", "http://127.0.0.1:9000", True),
        ("127.0.0.1:9000", "http://127.0.0.1:9000", True),
        ("127.0.0.1:9000", "http://127.0.0.1:9001", False),
        ("[::1]:9000", "http://[::1]:9000", True),
        ("::1", "http://[::1]:9000", True),
        ("10.0.0.0/8", "http://10.200.0.1", True),
        ("10.0.0.0/8", "http://192.168.0.1", False),
        ("10.0.0.0/8", "http://[::ffff:10.0.0.1]", True),
        ("localhost", "http://localhost:1234", True),
        ("LOCALHOST", "http://localhost.:1234", True),
        ("localhost:80", "http://localhost", True),
        ("localhost", "http://127.0.0.1", False),
        ("minio.example", "http://localhost", False),
    ],
)
async def test_what_an_administrator_allows(allowed: str, url: str, may: bool) -> None:
    if may:
        await Guard([allowed]).check(url)
    else:
        await refused(Guard([allowed]), url)


async def test_private_endpoints_of_the_providers(monkeypatch: pytest.MonkeyPatch) -> None:
    resolves(
        monkeypatch, {"s3.eu-west-1.amazonaws.com": ["10.0.0.5"], "amazonaws.com.evil.example": ["10.0.0.5"]}
    )
    await Guard().check("https://s3.eu-west-1.amazonaws.com")
    await refused(Guard(), "https://amazonaws.com.evil.example")
    resolves(monkeypatch, {"s3.eu-west-1.amazonaws.com": ["169.254.169.254"]})
    await refused(Guard(), "https://s3.eu-west-1.amazonaws.com")


async def test_one_bad_address_of_many_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    resolves(monkeypatch, {"mixed.example": ["93.184.216.34", "127.0.0.1"]})
    await refused(Guard(), "https://mixed.example")


@pytest.mark.parametrize("store", STORES)
async def test_opening_checks_the_endpoint(stub: Stub, store: str) -> None:
    spec = specs(stub.url)[store]
    problem = await fault(open_backend(spec, spec.provider, "bucket", guard=Guard()))
    assert (problem.status, problem.field) == (400, "endpoint")
    assert stub.requests == []


@pytest.mark.parametrize("store", STORES)
async def test_a_name_that_changes_its_address(
    stub: Stub, store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: a public address when it is checked, loopback when it is connected to."""
    rebound = resolves(monkeypatch, {"rebinding.example": ["93.184.216.34"]})
    with stores.running_tokens() as token_uri:
        spec = specs(f"http://rebinding.example:{stub.port}", token_uri)[store]
        backend = await open_backend(spec, spec.provider, "bucket", guard=TOKENS_ONLY(token_uri))
        rebound["rebinding.example"] = ["127.0.0.1"]
        problem = await fault(backend.page(""))
        await backend.close()
    assert (problem.status, problem.title) == (403, "This endpoint may not be used")
    assert stub.requests == []


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("status", [301, 307])
async def test_redirects_lead_nowhere_else(stub: Stub, store: str, status: int) -> None:
    """Neither by address, which no resolver sees, nor by name."""
    with running_stub() as inside, stores.running_tokens() as token_uri:
        for host in ("127.0.0.1", "localhost"):
            target = f"http://{host}:{inside.port}/latest/meta-data"
            stub.answer = lambda _, target=target: Answer(status, headers={"Location": target})
            spec = specs(stub.url, token_uri)[store]
            guard = Guard([f"127.0.0.1:{stub.port}", token_uri.split("/")[2]])
            backend = await open_backend(spec, spec.provider, "bucket", guard=guard)
            with pytest.raises(StudiosError):
                await backend.page("")
            await backend.close()
        assert stub.requests
        assert inside.requests == []


@pytest.mark.parametrize("store", STORES)
async def test_an_allowed_name_is_reached(stub: Stub, store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    resolves(monkeypatch, {"minio.example": ["127.0.0.1"]})
    stub.answer = lambda _: Answer(403)
    with stores.running_tokens() as token_uri:
        spec = specs(f"http://minio.example:{stub.port}", token_uri)[store]
        guard = Guard(["minio.example", token_uri.split("/")[2]])
        backend = await open_backend(spec, spec.provider, "bucket", guard=guard)
        assert (await fault(backend.page(""))).title == "The store refused this"
        await backend.close()
    assert stub.requests


@pytest.mark.parametrize(
    "ending",
    [
        "BlobEndpoint=http://127.0.0.1:{port}/account",
        "BlobEndpoint=http://169.254.169.254/account",
        "EndpointSuffix=localhost:{port}",
        "DefaultEndpointsProtocol=http;EndpointSuffix=127.0.0.1.nip.invalid",
    ],
)
async def test_endpoints_in_connection_strings(stub: Stub, ending: str) -> None:
    text = f"AccountName=account;AccountKey={SECRET};{ending.format(port=stub.port)}"
    spec = CredentialSpec(name="c", provider="azure", secret=AzureConnectionString(connection_string=text))
    problem = await fault(open_backend(spec, spec.provider, "bucket", guard=Guard()))
    assert (problem.status, problem.field) == (400, "secret")
    assert SECRET not in problem.model_dump_json()
    assert stub.requests == []


async def test_a_connection_string_that_is_none() -> None:
    for text in ("", "nonsense", "AccountName=", f"AccountKey={SECRET}"):
        spec = CredentialSpec(
            name="c", provider="azure", secret=AzureConnectionString(connection_string=text)
        )
        problem = await fault(open_backend(spec, spec.provider, "bucket", guard=Guard()))
        assert (problem.status, problem.field) == (400, "secret")
        assert SECRET not in problem.model_dump_json()


@pytest.mark.parametrize(
    "change",
    [
        {"token_uri": "http://169.254.169.254/token"},
        {"token_uri": "https://evil.example/token"},
        {"token_uri": "http://oauth2.googleapis.com/token"},
        {"token_uri": "https://oauth2.googleapis.com:8443/token"},
        {"token_uri": ""},
        {"type": "external_account", "credential_source": {"executable": {"command": "touch /tmp/x"}}},
        {"type": "authorized_user", "refresh_token": "x", "client_id": "x", "client_secret": "x"},
        {"private_key": "no key"},
    ],
)
async def test_key_files_that_lead_elsewhere(change: dict[str, Any]) -> None:
    account = json.loads(stores.service_account("https://oauth2.googleapis.com/token"))
    text = json.dumps(account | change)
    spec = CredentialSpec(name="c", provider="gcs", secret=ServiceAccount(key_json=text))
    problem = await fault(open_backend(spec, spec.provider, "bucket", guard=Guard()))
    assert (problem.status, problem.field) == (400, "secret")
    assert account["private_key"][40:80] not in problem.model_dump_json()


async def test_a_key_file_of_google() -> None:
    text = stores.service_account("https://oauth2.googleapis.com/token")
    spec = CredentialSpec(name="c", provider="gcs", secret=ServiceAccount(key_json=text))
    await (await open_backend(spec, spec.provider, "bucket", guard=Guard())).close()


@pytest.mark.parametrize("text", ["", "no json", "[]", "{}", "null"])
async def test_a_key_file_that_is_none(text: str) -> None:
    spec = CredentialSpec(name="c", provider="gcs", secret=ServiceAccount(key_json=text))
    assert (await fault(open_backend(spec, spec.provider, "bucket", guard=Guard()))).field == "secret"


async def test_a_region_is_no_host() -> None:
    for region in ("x.evil.example/", "eu-west-1.evil", "a b"):
        spec = specs("https://s3.amazonaws.com")["s3"].model_copy(update={"region": region, "endpoint": None})
        problem = await fault(open_backend(spec, spec.provider, "bucket", guard=Guard()))
        assert (problem.status, problem.field) == (400, "region")


def TOKENS_ONLY(token_uri: str) -> Guard:
    return Guard([token_uri.split("/")[2]])


async def refused(guard: Guard, url: str) -> Problem:
    problem = await fault(guard.check(url))
    assert (problem.status, problem.field) == (400, "endpoint")
    return problem


def resolves(monkeypatch: pytest.MonkeyPatch, names: dict[str, list[str]]) -> dict[str, list[str]]:
    """Names that lead where a test says; it may change its mind."""
    real = socket.getaddrinfo

    def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name not in names:
            return real(host, *args, **kwargs)
        return [found for address in names[name] for found in real(address, *args, **kwargs)]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return names
