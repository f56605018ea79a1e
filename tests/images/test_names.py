"""Names of images, and who we are to their registries."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from jupyterhub_studios.images.auth import challenge
from jupyterhub_studios.images.credentials import Login, Logins
from jupyterhub_studios.images.reference import Reference, is_loopback
from jupyterhub_studios.models import StudiosError

DIGEST = f"sha256:{'0' * 64}"
ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"


@pytest.mark.parametrize(
    ("text", "registry", "repository", "tag", "digest"),
    [
        ("debian", "docker.io", "library/debian", "latest", ""),
        ("rocker/rstudio:4.5", "docker.io", "rocker/rstudio", "4.5", ""),
        ("localhost/a", "localhost", "a", "latest", ""),
        ("127.0.0.1:5000/a/b-c__d:x", "127.0.0.1:5000", "a/b-c__d", "x", ""),
        (f"quay.example.org/a@{DIGEST}", "quay.example.org", "a", "", DIGEST),
        (f"quay.example.org/a:1@{DIGEST}", "quay.example.org", "a", "1", DIGEST),
        (f"{ECR}/team/app:v1", ECR, "team/app", "v1", ""),
    ],
)
def test_names(text: str, registry: str, repository: str, tag: str, digest: str) -> None:
    assert Reference.parse(text) == Reference(registry, repository, tag, digest)
    assert Reference.parse(str(Reference.parse(text))) == Reference.parse(text)


@pytest.mark.parametrize(
    "text", ["", "Upper/case", "a b", "a:", "a@sha256:12", "-a", "a//b", "a:1:2", "x/../y", "a/b:ü"]
)
def test_names_of_no_image(text: str) -> None:
    with pytest.raises(StudiosError, match="is not the name of an image"):
        Reference.parse(text)


def test_plain_http_is_for_this_machine_alone() -> None:
    for host in ("localhost", "localhost:5000", "127.0.0.1:5000", "127.1.2.3", "[::1]:5000"):
        assert is_loopback(host) and Reference(host, "a").address == f"http://{host}"
    for host in ("docker.io", "10.0.0.1:5000", "localhost.example.org", "127.example.org"):
        assert not is_loopback(host) and Reference(host, "a").address.startswith("https://")


def test_challenges() -> None:
    header = 'Bearer realm="https://auth.example.org/token",service="registry",scope="repository:a:pull,push"'
    assert challenge(header) == (
        "bearer",
        {
            "realm": "https://auth.example.org/token",
            "service": "registry",
            "scope": "repository:a:pull,push",
        },
    )
    assert challenge('Basic realm="x"')[0] == "basic"
    assert challenge("") == ("", {})


# --- credentials ---


async def find(config: object, registry: str, folder: Path) -> Login | None:
    file = folder / "config.json"
    file.write_text(json.dumps(config))
    return await Logins(file=file).find(registry)


def encoded(text: str) -> dict[str, str]:
    return {"auth": base64.b64encode(text.encode()).decode()}


async def test_docker_s_file(tmp_path: Path) -> None:
    auths = {"https://index.docker.io/v1/": encoded("hub:one"), "https://quay.example.org": encoded("u:p:q")}
    assert await find({"auths": auths}, "docker.io", tmp_path) == Login("hub", "one")
    assert await find({"auths": auths}, "quay.example.org", tmp_path) == Login("u", "p:q")
    assert await find({"auths": auths}, "other.example.org", tmp_path) is None
    assert await find({"auths": {"a.example.org": {}}}, "a.example.org", tmp_path) is None


async def test_docker_s_file_is_broken_or_not_there(tmp_path: Path) -> None:
    with pytest.raises(StudiosError, match="cannot be read"):
        await find([], "a.example.org", tmp_path)
    with pytest.raises(StudiosError, match="There is no"):
        await Logins(file=tmp_path / "none").find("a.example.org")


def test_passwords_are_not_shown() -> None:
    assert "secret" not in repr(Login("user", "secret"))


async def test_aws_gives_tokens_for_its_registries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        found = await find({}, ECR, tmp_path)
    assert found is not None and found.user == "AWS" and "123456789012" in found.password


async def test_aws_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Refusing:
        def get_authorization_token(self, **_: object) -> None:
            error = {"Error": {"Code": "AccessDeniedException", "Message": "not authorized"}}
            raise ClientError(error, "GetAuthorizationToken")  # type: ignore[arg-type]

    monkeypatch.setattr(boto3, "client", lambda *_, **__: Refusing())
    with pytest.raises(
        StudiosError, match=r"account 123456789012.*not authorized.*ecr:GetAuthorizationToken"
    ):
        await find({}, ECR, tmp_path)
