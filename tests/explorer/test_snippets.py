"""Code to copy and paste: quoted so that any key is right, without a secret, and really run where it can be."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from jupyterhub_studios.explorer.places import Place
from jupyterhub_studios.explorer.snippets import snippets
from jupyterhub_studios.models import AccessKey, AzureConnectionString, CredentialSpec, Snippet

from . import stores
from .engines import ADA, Desk, desk_at, link_to, shared
from .stores import Server

ODD = 'it\'s $HOME "x" [1] *.csv'


def made(provider: str, path: str, secret: Any = None, **link: Any) -> dict[str, Snippet]:
    spec = CredentialSpec(name="x", provider=provider, secret=secret or {"type": "ambient"})
    place = stores.Place(spec.provider, link.pop("bucket", "bucket"), spec)
    found = snippets(Place(link_to(place, **link), path), path.endswith("/") or not path, spec)
    return {snippet.tool: snippet for snippet in found}


def test_aws() -> None:
    file = made("s3", "a b/it's.csv", prefix="p/", region="eu-west-1")["aws"]
    assert shlex.split(file.code) == [
        "aws",
        "s3",
        "cp",
        "s3://bucket/p/a b/it's.csv",
        "./it's.csv",
        "--region",
        "eu-west-1",
    ]
    folder = made("s3", "run/", {"type": "anonymous"}, endpoint="http://minio:9000")["aws"]
    assert shlex.split(folder.code) == [
        "aws", "s3", "sync", "s3://bucket/run/", "./run/", "--endpoint-url", "http://minio:9000", "--no-sign-request"
    ]  # fmt: skip
    assert "public" in folder.note and "own" in file.note


def test_gcloud() -> None:
    assert shlex.split(made("gcs", "run/")["gcloud"].code) == [
        "gcloud", "storage", "rsync", "--recursive", "gs://bucket/run/", "./run/"
    ]  # fmt: skip
    public = made("gcs", "a*.csv", {"type": "anonymous"})["gcloud"]
    assert (
        public.code
        == "CLOUDSDK_AUTH_DISABLE_CREDENTIALS=true gcloud storage cp 'gs://bucket/a*.csv' './a*.csv'"
    )
    assert "pattern" in public.note


def test_azcopy() -> None:
    secret = {"type": "azure-key", "account": "lab", "key": "c2VjcmV0"}
    file = made("azure", "a b/50%.csv", secret)["azcopy"]
    assert shlex.split(file.code) == [
        "azcopy", "copy", "https://lab.blob.core.windows.net/bucket/a%20b/50%25.csv", "./50%.csv"
    ]  # fmt: skip
    folder = made("azure", "run/", {"type": "anonymous"}, bucket="bucket@open")["azcopy"]
    assert shlex.split(folder.code)[2:] == [
        "https://open.blob.core.windows.net/bucket/run/*",
        "./run/",
        "--recursive",
    ]


def test_the_account_of_a_connection_string() -> None:
    text = (
        "DefaultEndpointsProtocol=https;AccountName=lab;AccountKey=c2VjcmV0;EndpointSuffix=core.windows.net"
    )
    found = made("azure", "a.csv", AzureConnectionString(connection_string=text))
    assert "https://lab.blob" in found["azcopy"].code and "account=lab" in found["rclone"].code
    assert all("c2VjcmV0" not in snippet.model_dump_json() for snippet in found.values())


@pytest.mark.parametrize("provider", ["s3", "gcs", "azure", "folder", "other"])
@pytest.mark.parametrize(
    "path", ["a.csv", "run/", "", ODD, "-rf", "a\nb", "x.parquet", "x.h5ad", "x.txt.gz", "x.jsonl"]
)
def test_every_snippet_is_one_command_or_a_program(provider: str, path: str) -> None:
    found = made(provider, path, endpoint="http://store:9000", region="us-east-1")
    assert bool(found) == (provider != "other")
    for snippet in found.values():
        if snippet.language == "python":
            compile(snippet.code, "snippet", "exec")
        else:
            words = shlex.split(snippet.code)
            target = words[words.index("--progress") - 1] if "--progress" in words else words[-1]
            assert "\n" not in target and not target.startswith("-r")


def test_no_secret_is_in_them() -> None:
    secret = AccessKey(
        access_key_id="AKIAEXAMPLE", secret_access_key="very-secret", session_token="token-too"
    )
    for path in ("a.csv", "run/"):
        for snippet in made("s3", path, secret, endpoint="http://store").values():
            text = snippet.model_dump_json()
            assert not any(word in text for word in ("AKIAEXAMPLE", "very-secret", "token-too"))


# --- run for real ---


@pytest.fixture
async def desk(s3: Server) -> AsyncIterator[Desk]:
    async with desk_at(shared(s3), region="us-east-1") as desk:
        yield desk


def run(code: Snippet, folder: Path, server: Server) -> str:
    """As a person would: in a shell or a notebook, with credentials of one's own in the environment."""
    key = server.spec.secret
    assert isinstance(key, AccessKey)
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(folder),
        "AWS_ACCESS_KEY_ID": key.access_key_id,
        "AWS_SECRET_ACCESS_KEY": key.secret_access_key.get_secret_value(),
    }
    command = ["sh", "-c", code.code] if code.language == "bash" else [sys.executable, "-c", code.code]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


async def of(desk: Desk, path: str, tool: str) -> Snippet:
    return next(s for s in await desk.engine.snippets(ADA, desk.link, path) if s.tool == tool)


@pytest.mark.parametrize("tool", ["rclone", "python"])
async def test_a_file_is_copied(desk: Desk, s3: Server, tmp_path: Path, tool: str) -> None:
    await desk.write(f"data/{ODD}", body=b"the very file")
    run(await of(desk, f"data/{ODD}", tool), tmp_path, s3)
    assert (tmp_path / ODD).read_bytes() == b"the very file"


@pytest.mark.parametrize("tool", ["rclone", "python"])
async def test_a_folder_is_copied(desk: Desk, s3: Server, tmp_path: Path, tool: str) -> None:
    folder = f"data/{ODD}"
    await desk.write(f"{folder}/a", f"{folder}/deep/b", f"{folder}2/c", body=b"x")
    run(await of(desk, f"{folder}/", tool), tmp_path, s3)
    copied = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert {path for path in copied if not path.startswith(".")} == {f"{ODD}/a", f"{ODD}/deep/b"}


async def test_a_table_is_read(desk: Desk, s3: Server, tmp_path: Path) -> None:
    await desk.write("it's $HOME [1].csv", body=b"a,b\n1,2\n")
    snippet = await of(desk, "it's $HOME [1].csv", "pandas")
    shown = snippet.model_copy(update={"code": snippet.code + "print(df.to_dict('list'))\n"})
    assert run(shown, tmp_path, s3).strip() == "{'a': [1], 'b': [2]}"
