"""What may be mounted, what a credential is narrowed to, and what rclone is told: decisions without any I/O."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from azure.storage.blob import ContainerClient
from pydantic import ValidationError

from jupyterhub_studios.models import (
    AzureConnectionString,
    AzureKey,
    AzureSas,
    ComputeEnvironment,
    CredentialSpec,
    DataRole,
    LinkView,
    MountAccess,
    MountSpec,
    ServiceAccount,
    StudioSpec,
    doubled,
    mount_name,
)
from jupyterhub_studios.service.mounts import deciding, minting, policies, remotes


def link(**fields: Any) -> LinkView:
    given: dict[str, Any] = {
        "id": "dl-1", "name": "Lake", "description": "", "provider": "s3", "url": "s3://lake/raw/", "bucket": "lake",
        "prefix": "raw/", "region": None, "endpoint": None, "source": "added", "owner": "ada", "workspace": None,
        "workspace_role": None, "credential": "mine", "role": "write", "writable": True, "why": "You allowed writing.",
    }  # fmt: skip
    return LinkView.model_validate(given | fields)


def environment(**fields: Any) -> ComputeEnvironment:
    given: dict[str, Any] = {"id": "here", "title": "Here", "kind": "local", "work_dir": "file:///work"}
    return ComputeEnvironment.model_validate(given | fields)


@pytest.mark.parametrize(
    ("seen", "listed", "writable", "why"),
    [
        ({}, ["s3://lake"], True, "“Here” lists s3://lake as writable. You allowed writing."),
        ({}, [], False, "“Here” does not list s3://lake as writable."),
        ({}, ["s3://lake/raw/in/"], True, "“Here” lists"),
        ({}, ["s3://lake/raw/out/"], False, "does not list"),
        ({}, ["s3://lakeside/"], False, "does not list"),
        ({}, ["gs://lake/"], False, "does not list"),
        ({"writable": False, "why": "You keep it read-only."}, ["s3://lake/"], False, "You keep it read-only."),
    ],
)  # fmt: skip
def test_writable_only_where_both_say_so(
    seen: dict[str, Any], listed: list[str], writable: bool, why: str
) -> None:
    found = deciding.verdict(link(**seen), "in/", environment(writable_buckets=listed), None)
    assert found.available and found.writable is writable and why in found.why


def test_a_bucket_of_one_azure_account_is_not_that_of_another() -> None:
    seen = link(provider="azure", url="az://box@one/", bucket="box@one", prefix="")
    assert deciding.covers("az://box/", seen, "")
    assert deciding.covers("abfss://box@one.dfs.core.windows.net/", seen, "")
    assert not deciding.covers("abfss://box@two.dfs.core.windows.net/", seen, "")


def test_a_folder_is_covered_by_whole_names() -> None:
    seen = link(provider="folder", url="file:///data/lake", bucket="/data/lake", prefix="")
    assert deciding.covers("file:///data/", seen, "")
    assert not deciding.covers("file:///data/la", seen, "")


@pytest.mark.parametrize(
    ("seen", "kind", "why"),
    [
        ({"role": DataRole.VIEW}, "local", "not download"),
        ({"provider": "other"}, "local", "cannot be mounted"),
        ({"provider": "folder"}, "docker", "“Here” does not reach"),
    ],
)
def test_what_cannot_be_mounted(seen: dict[str, Any], kind: str, why: str) -> None:
    found = deciding.verdict(link(**seen), "", environment(kind=kind), None)
    assert not found.available and not found.writable and why in found.why


@pytest.mark.parametrize(
    ("seen", "region", "words"),
    [
        ({"region": "eu-west-1"}, "us-east-1", "lies in eu-west-1, the studio runs in us-east-1: each GB"),
        ({"region": "us-east-1"}, "us-east-1", ""),
        ({"region": None}, "us-east-1", ""),
        ({"region": "eu-west-1"}, None, ""),
        ({"region": "eu-west-1", "endpoint": "https://minio.example"}, "us-east-1", ""),
        ({"provider": "gcs"}, "us-east-1", "lies in Google Cloud, the studio runs in AWS (us-east-1)"),
    ],
)
def test_a_warning_before_data_moves_far(seen: dict[str, Any], region: str | None, words: str) -> None:
    found = deciding.warning(link(**seen), environment(region=region))
    assert words in found and bool(found) == bool(words)


@pytest.mark.parametrize(
    ("fields", "configured", "found"),
    [
        ({}, "mount-s3", "mount-s3"),
        ({}, "rclone", "rclone"),
        ({"writable": True}, "mount-s3", "rclone"),
        ({"options": {"type": "google cloud storage"}}, "mount-s3", "rclone"),
        ({"options": {}, "refusal": "The data link is gone."}, "mount-s3", "rclone"),
        ({"remote": "arn:aws:s3:eu-west-1:123456789012:accesspoint/lab/raw/"}, "mount-s3", "rclone"),
    ],
)
def test_what_mounts_it(fields: dict[str, Any], configured: str, found: str) -> None:
    given: dict[str, Any] = {
        "name": "lake",
        "url": "s3://lake/",
        "remote": "lake/",
        "options": {"type": "s3"},
    }
    access = deciding.mounted_by(MountAccess(**(given | fields)), environment(mounter=configured))
    assert access.mounter == found


def test_a_session_policy_reaches_one_prefix() -> None:
    read = json.loads(policies.s3_policy("lake", "raw/*1/", writable=False))
    listing, objects, keys = read["Statement"]
    assert listing["Resource"] == ["arn:aws:s3:::lake"]
    assert listing["Condition"] == {"StringLike": {"s3:prefix": ["raw/${*}1/*"]}}
    assert objects["Resource"] == ["arn:aws:s3:::lake/raw/${*}1/*"]
    assert all(action.startswith("s3:Get") for action in objects["Action"])
    assert keys["Action"] == ["kms:Decrypt"] and "Condition" in keys
    write = json.loads(policies.s3_policy("lake", "", writable=True, partition="aws-cn"))
    assert (
        "s3:PutObject" in write["Statement"][1]["Action"]
        and "s3:DeleteObject" in write["Statement"][1]["Action"]
    )
    assert "Condition" not in write["Statement"][0]
    assert write["Statement"][1]["Resource"] == ["arn:aws-cn:s3:::lake/*"]
    assert policies.partition("cn-north-1") == "aws-cn" and policies.partition(None) == "aws"


def test_a_boundary_of_google_reaches_one_prefix() -> None:
    (rule,) = policies.gcs_boundary("lake", "raw/it's/", writable=False)["accessBoundary"][
        "accessBoundaryRules"
    ]
    assert rule["availablePermissions"] == ["inRole:roles/storage.objectViewer"]
    assert "objects/raw/it\\'s/'" in rule["availabilityCondition"]["expression"]
    (rule,) = policies.gcs_boundary("lake", "", writable=True)["accessBoundary"]["accessBoundaryRules"]
    assert (
        rule["availablePermissions"] == ["inRole:roles/storage.objectUser"]
        and "availabilityCondition" not in rule
    )


def place(**fields: Any) -> minting.Place:
    given: dict[str, Any] = {
        "provider": "azure", "bucket": "box", "prefix": "", "region": None, "writable": False,
        "until": datetime(2027, 1, 2, tzinfo=UTC),
    }  # fmt: skip
    return minting.Place(**(given | fields))


KEY = "a2V5" * 10


@pytest.mark.parametrize(
    "secret",
    [
        AzureKey(account="lab1", key=KEY),
        AzureConnectionString(
            connection_string=f"DefaultEndpointsProtocol=https;AccountName=lab1;AccountKey={KEY};EndpointSuffix=core.windows.net"
        ),
    ],
)
@pytest.mark.parametrize(("writable", "permissions"), [(False, "rl"), (True, "racwdl")])
async def test_a_sas_for_one_container(secret: Any, writable: bool, permissions: str) -> None:
    spec = CredentialSpec(name="lab", provider="azure", secret=secret)
    issued = await minting.issue(spec, place(writable=writable))
    url = issued.options["sas_url"]
    assert url.startswith("https://lab1.blob.core.windows.net/box?") and KEY not in url
    assert f"sp={permissions}&" in url + "&" and "se=2027-01-02" in url and issued.narrowed
    assert ContainerClient.from_container_url(url).container_name == "box"
    assert url not in repr(issued)


async def test_a_sas_of_the_persons_own_stays_what_it_is() -> None:
    spec = CredentialSpec(name="lab", provider="azure", secret=AzureSas(account="lab1", sas="?sv=1&sig=x"))
    issued = await minting.issue(spec, place())
    assert issued.options == {"sas_url": "https://lab1.blob.core.windows.net/box?sv=1&sig=x"}


async def test_a_google_key_that_makes_no_token_is_handed_over_itself() -> None:
    secret = ServiceAccount(key_json='{"type": "service_account"}')
    spec = CredentialSpec(name="lab", provider="gcs", secret=secret)
    issued = await minting.issue(spec, place(provider="gcs"))
    assert (
        issued.options == {"service_account_credentials": '{"type": "service_account"}'}
        and not issued.narrowed
    )


def test_a_token_as_rclone_keeps_it() -> None:
    at = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)
    issued = minting.token("ya29.x", at)
    assert json.loads(issued.options["token"])["expiry"] == "2026-11-23T12:30:00Z" and issued.expires_at == at


def test_remotes_hold_no_secret() -> None:
    store = CredentialSpec.model_validate(
        {"name": "m", "provider": "s3", "endpoint": "https://minio.example", "region": "eu",
         "secret": {"type": "access-key", "access_key_id": "AK", "secret_access_key": "SK"}}
    )  # fmt: skip
    options = remotes.options(link(), store)
    assert options["endpoint"] == "https://minio.example" and options["provider"] == "Other"
    assert not {"AK", "SK"} & set(options.values())
    assert remotes.options(link(region="eu-west-1"), None)["region"] == "eu-west-1"
    assert remotes.remote(link(), "in/") == "lake/raw/in/"
    assert remotes.remote(link(provider="azure", bucket="box@one", prefix=""), "") == "box/"
    folder = link(provider="folder", url="file:///data", bucket="/data", prefix="")
    assert remotes.remote(folder, "in/") == "/data/in/"


@pytest.mark.parametrize("name", ["", ".", "..", ".hidden", "a/b", "all", "None", "a b", "x" * 64])
def test_names_that_are_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        MountSpec(link="dl-1", name=name)


@pytest.mark.parametrize("path", ["a//b", "../x", "a/./b", "a\nb"])
def test_folders_that_are_refused(path: str) -> None:
    with pytest.raises(ValidationError):
        MountSpec(link="dl-1", path=path)


def test_names_are_made_and_told_apart() -> None:
    assert mount_name("Human genomes (2026)") == "human-genomes-2026"
    assert mount_name("Lake", ["LAKE", "lake-2"]) == "lake-3"
    assert mount_name("日本") == "data" and mount_name("All") == "all-2"
    assert doubled(["a", "b", "A"]) == "A" and doubled(["a", "b"]) is None
    assert MountSpec(link="dl-1", path="/some/folder").path == "some/folder/"


def test_a_studio_has_so_many_mounts() -> None:
    with pytest.raises(ValidationError):
        StudioSpec.model_validate({"name": "x", "template": "t", "mounts": [{"link": "dl-1"}] * 21})


def test_a_writable_bucket_is_a_url() -> None:
    with pytest.raises(ValidationError, match="is not the URL of a bucket"):
        environment(writable_buckets=["lake"])
