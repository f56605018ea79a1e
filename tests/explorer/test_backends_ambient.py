"""What the machine itself has: its environment and its files, for those who may use it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from jupyterhub_studios.explorer.backends import open_backend
from jupyterhub_studios.models import AccessKey, Ambient, AzureKey, CredentialSpec, Profile

from .conformance import fault, keys
from .stores import LOOPBACK, Server


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith(("AWS_", "AZURE_", "GOOGLE_", "STORAGE_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


async def reads(spec: CredentialSpec, bucket: str) -> None:
    backend = await open_backend(spec, spec.provider, bucket, guard=LOOPBACK)
    await backend.put("x", b"hello", replace=False)
    assert keys(await backend.page("")) == ["x"]
    assert await backend.presign("x", 60)
    await backend.close()


async def test_keys_in_the_environment(s3: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    place = s3.place()
    assert isinstance(place.spec.secret, AccessKey)
    spec = place.spec.model_copy(update={"secret": Ambient()})
    backend = await open_backend(spec, spec.provider, place.bucket, guard=LOOPBACK)
    assert (await fault(backend.page(""))).status == 403
    await backend.close()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", place.spec.secret.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", place.spec.secret.secret_access_key.get_secret_value())
    await reads(spec, place.bucket)


async def test_a_profile(s3: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    place = s3.place()
    assert isinstance(place.spec.secret, AccessKey)
    file = tmp_path / "credentials"
    file.write_text(
        f"[mine]\naws_access_key_id = {place.spec.secret.access_key_id}\n"
        f"aws_secret_access_key = {place.spec.secret.secret_access_key.get_secret_value()}\n"
    )
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    await reads(place.spec.model_copy(update={"secret": Profile(profile="mine")}), place.bucket)
    spec = place.spec.model_copy(update={"secret": Profile(profile="other")})
    backend = await open_backend(spec, spec.provider, place.bucket, guard=LOOPBACK)
    assert (await fault(backend.page(""))).status == 403
    await backend.close()


async def test_a_connection_string_in_the_environment(azure: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    place = azure.place()
    assert isinstance(place.spec.secret, AzureKey)
    key = place.spec.secret.key.get_secret_value()
    text = f"AccountName=studios;AccountKey={key};BlobEndpoint={place.spec.endpoint}"
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", text)
    spec = CredentialSpec(name="here", provider="azure", secret=Ambient())
    await reads(spec, place.bucket)


async def test_google_s_credential_of_the_machine(
    gcs: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    place = gcs.place()
    spec = place.spec.model_copy(update={"secret": Ambient()})
    problem = await fault(open_backend(spec, spec.provider, place.bucket, guard=LOOPBACK))
    assert (problem.status, problem.title) == (403, "This machine has no credential of Google's")
    (tmp_path / "key.json").write_text(gcs.secrets[0])
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "key.json"))
    await reads(spec, place.bucket)
