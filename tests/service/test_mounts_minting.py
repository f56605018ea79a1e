"""Keys of S3 made for one mount, by a real STS protocol: moto's."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from jupyterhub_studios.models import CredentialSpec, OfferedCredential, StudiosError, now
from jupyterhub_studios.service.mounts import minting

from ..explorer.stores import Server, running_moto

ROLE = "arn:aws:iam::123456789012:role/studio-mounts"


@pytest.fixture(scope="module")
def aws() -> Iterator[Server]:
    with running_moto() as server:
        yield server


def offered(aws: Server, sts: str | None, **fields: Any) -> OfferedCredential:
    given: dict[str, Any] = {
        "id": "lab", "name": "Lab", "provider": "s3", "endpoint": aws.endpoint, "region": "us-east-1",
        "sts_endpoint": sts,
        "secret": {"type": "access-key", "access_key_id": "AKLONG", "secret_access_key": "long-secret"},
    }  # fmt: skip
    return OfferedCredential.model_validate(given | fields)


def place(**fields: Any) -> minting.Place:
    given: dict[str, Any] = {
        "provider": "s3", "bucket": "lake", "prefix": "raw/", "region": "us-east-1", "writable": False,
        "until": datetime(2027, 1, 1, tzinfo=UTC),
    }  # fmt: skip
    return minting.Place(**(given | fields))


@pytest.mark.parametrize("fields", [{}, {"mount_role": ROLE}], ids=["federation", "role"])
async def test_keys_are_made_that_end_soon(aws: Server, fields: dict[str, Any]) -> None:
    issued = await minting.issue(offered(aws, aws.endpoint, **fields), place())
    assert issued.narrowed and issued.keys is not None and issued.keys.session_token
    assert issued.keys.access_key_id != "AKLONG" and "long-secret" not in str(issued.keys.model_dump())
    assert issued.expires_at is not None
    assert now() < issued.expires_at <= now() + timedelta(seconds=minting.SECONDS + 60)
    assert issued.keys.secret_access_key not in repr(issued) + repr(issued.keys)


async def test_a_store_without_an_sts_gives_its_own_keys(aws: Server) -> None:
    issued = await minting.issue(offered(aws, None), place())
    assert issued.keys is not None and issued.keys.access_key_id == "AKLONG"
    assert issued.expires_at is None and not issued.narrowed


async def test_keys_that_may_make_none_are_handed_over_themselves(aws: Server) -> None:
    """Session keys cannot ask for others: neither do they have a right to, nor would AWS make them."""
    secret = {"type": "access-key", "access_key_id": "AS", "secret_access_key": "s", "session_token": "t"}
    issued = await minting.issue(offered(aws, aws.endpoint, secret=secret), place())
    assert issued.keys is not None and issued.keys.session_token == "t" and not issued.narrowed


async def test_an_sts_that_is_away_costs_nobody_the_mount(aws: Server) -> None:
    issued = await minting.issue(offered(aws, "http://127.0.0.1:9"), place())
    assert issued.keys is not None and issued.keys.access_key_id == "AKLONG"


async def test_public_buckets_need_no_keys() -> None:
    nobody = CredentialSpec.model_validate({"name": "x", "provider": "s3", "secret": {"type": "anonymous"}})
    assert (await minting.issue(nobody, place())).keys is None
    assert (await minting.issue(None, place())).keys is None


async def test_a_machine_without_rights_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    machine = CredentialSpec.model_validate({"name": "x", "provider": "s3", "secret": {"type": "ambient"}})
    with pytest.raises(StudiosError, match="no rights for AWS"):
        await minting.issue(machine, place())
