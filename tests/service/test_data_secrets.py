"""Nothing of a credential is ever told, in an answer, a log or the database; files that are hostile stay harmless."""

from __future__ import annotations

import asyncio
import itertools
import json
from typing import Any

import httpx
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from .datahub import DataHub
from .test_data import credential, link
from .test_data_access import LINK, MATRIX, ask

# In each kind of credential, wherever it may hold something secret.
MARKERS = ("MARKERKEYID0", "MARKERSECRET0", "MARKERTOKEN0", "MARKERSAS0", "MARKERUSER0")


def _private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    kind = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, kind, serialization.NoEncryption()).decode()


_PEM = _private_key()
_KEY_FILE = {
    "type": "service_account",
    "project_id": "project",
    "private_key_id": "MARKERKEYID0",
    "private_key": _PEM,
    "client_email": "somebody@project.iam.gserviceaccount.com",
    "token_uri": "https://oauth2.googleapis.com/token",
}

HIDDEN: list[dict[str, Any]] = [
    {
        "provider": "s3",
        "secret": {
            "type": "access-key",
            "access_key_id": "MARKERKEYID0",
            "secret_access_key": "MARKERSECRET0",
            "session_token": "MARKERTOKEN0",
        },
    },
    {
        "provider": "gcs",
        "endpoint": None,
        "secret": {
            "type": "service-account",
            "key_json": json.dumps(_KEY_FILE),
        },
    },
    # Taken by nobody: the problem must not repeat it.
    {"provider": "s3", "secret": {"type": "access-key", "access_key_id": ["MARKERKEYID0"], "secret": "MARKERSECRET0"}},
    {"provider": "s3", "secret": "MARKERSECRET0"},
    {"provider": "azure", "secret": {"type": "azure-sas", "account": "MARKERKEYID0", "sas": "sig=MARKERSAS0"}},
    {"provider": "s3", "endpoint": "http://MARKERUSER0:MARKERSECRET0@127.0.0.1:1/?x=MARKERSAS0"},
    {
        "provider": "azure",
        "secret": {"type": "azure-connection-string", "connection_string": "AccountKey=MARKERSECRET0"},
    },
]  # fmt: skip


def everything(data: DataHub, names: dict[str, str]) -> list[httpx.Response]:
    """What every route answers to the credential's owner and to others, in good and in bad requests."""
    answers = []
    base = f"{data.hub.url}services/studios/api/v1/"
    for user, (method, path) in itertools.product(("alice", "bob", "admin"), MATRIX):
        url, body, _ = MATRIX[method, path]
        if (method, path) in (("DELETE", LINK), ("DELETE", "data-credentials/{credential_id}")):
            continue
        headers = {"Authorization": f"token {data.hub.token(user)}"}
        with httpx.Client(base_url=base, headers=headers, timeout=90) as client:
            answers.append(ask(client, method, url, body, names))
            if user == "alice":
                answers.append(ask(client, method, url.partition("?")[0], {"nonsense": 1}, names))
    return answers


async def test_no_secret_is_ever_told(data: DataHub) -> None:
    answers: list[httpx.Response] = []
    for number, hidden in enumerate(HIDDEN):
        body = {**data.credential, "name": f"Marked {number}", **hidden}
        made = await data.api("POST", "data-credentials", json=body)
        answers.append(made)
        assert made.status_code == 201 if number < 2 else made.status_code in (400, 422), (number, made.text)
        if made.is_success:
            url = {"s3": f"s3://{data.bucket}/", "gcs": "gs://some-bucket/"}[hidden["provider"]]
            one = await link(data, url=url, credential=made.json()["id"], writable=True)
            names = {"link": one["id"], "credential": made.json()["id"], "new": "x"}
            if hidden["provider"] == "s3":
                answers += await asyncio.to_thread(everything, data, names)
            else:  # its store is the real one, which this machine may not reach: one request is enough
                answers.append(await data.api("GET", f"data-links/{one['id']}/browse"))
                answers.append(await data.api("GET", f"data-links/{one['id']}/snippets"))
    working = await credential(data, name="Works")
    one = await link(data, credential=working["id"], writable=True)
    names = {"link": one["id"], "credential": working["id"], "new": "x"}
    data.put("a.txt")
    answers += await asyncio.to_thread(everything, data, names)

    secrets = (*MARKERS, *_PEM.splitlines()[1:3], data.store.secret_key)
    for answer in answers:
        told = f"{answer.headers} {answer.text}"
        assert not [one for one in secrets if one in told], (answer.request.method, answer.request.url, told)
    key_id = [one for one in answers if data.store.access_key in one.text]
    # A presigned address names the key that signed it: that is how the store knows, and it is no secret.
    assert {one.request.url.path.rpartition("/")[2] for one in key_id} <= {"presign"}
    assert len(answers) > 6 * len(MATRIX)
    kept = [data.hub.log, *data.hub.folder.glob("studios.sqlite*"), *(data.hub.folder / "state").rglob("*")]
    for file in kept:
        if file.is_file():
            content = file.read_bytes()
            assert not [one for one in secrets if one.encode() in content], file
    assert {"hub.log", "studios.sqlite", "signing.key"} <= {file.name for file in kept}


HOSTILE = {
    "page.html": (b"<script>parent.document.title='taken'</script>", "text/html"),
    "image.svg": (
        b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        "image/svg+xml",
    ),
    "paper.pdf": (b"%PDF-1.4 /JavaScript", "application/pdf"),
    "page.xhtml": (b'<html xmlns="http://www.w3.org/1999/xhtml"><script/></html>', None),
    "feed.xml": (b"<?xml-stylesheet type='text/xsl' href='x'?><a/>", None),
    "code.js": (b"alert(1)", None),
    "page.mhtml": (b"MIME-Version: 1.0", None),
    "page.html.gz": (b"\x1f\x8b", None),
    "unknown": (b"<html><script>", None),
}


async def test_hostile_files_stay_harmless(data: DataHub) -> None:
    for name, (body, _) in HOSTILE.items():
        data.put(f"genomes/hostile/{name}", body)
    for name, (body, shown) in HOSTILE.items():
        for way in ("raw", "download"):
            answer = await data.api("GET", f"data-links/ol-genomes/{way}?path=hostile/{name}")
            assert answer.status_code == 200 and answer.content == body
            policy = answer.headers.get_list("content-security-policy")
            assert policy == ["sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"]
            assert answer.headers["x-content-type-options"] == "nosniff"
            kind, _, rest = answer.headers["content-disposition"].partition(";")
            inline = way == "raw" and shown is not None
            assert kind == ("inline" if inline else "attachment"), (name, way, rest)
            if shown:
                assert answer.headers["content-type"].partition(";")[0] == shown
            assert "set-cookie" not in answer.headers
    # A range of one is no less harmless.
    part = await data.api(
        "GET", "data-links/ol-genomes/raw?path=hostile/page.html", headers={"Range": "bytes=0-7"}
    )
    assert part.status_code == 206 and part.content == b"<script>"
    assert part.headers["content-security-policy"].startswith("sandbox;")
    # Errors are documents of our own, never what the store or the file says.
    gone = await data.api("GET", "data-links/ol-genomes/raw?path=hostile/<script>.html")
    assert gone.status_code == 404 and gone.headers["content-type"] == "application/problem+json"
    assert gone.headers["x-content-type-options"] == "nosniff"
