"""Adapting images in real registries."""

from __future__ import annotations

import base64
import gzip
import io
import json
import os
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyterhub_studios.images import places
from jupyterhub_studios.images.adapt import Adapted, adapt, resolve
from jupyterhub_studios.images.bundle import COMMAND, Bundle
from jupyterhub_studios.images.credentials import Login, Logins
from jupyterhub_studios.images.layer import bundle_layer
from jupyterhub_studios.models import ImageConfig, StudiosError
from tests.images.conftest import make_tiny
from tests.images.making import DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST, Maker, digest_of, layer
from tests.registries import (
    PASSWORD,
    USER,
    Registry,
    TokenServer,
    registry,
    registry_with_password,
    registry_with_tokens,
)

ONE, TWO = layer({"one": b"1" * 5000}), layer({"two": b"2" * 5000})
RUNS = {
    "Entrypoint": ["/start"],
    "Cmd": ["now", "ü"],
    "User": "rstudio:100",
    "Env": ["PATH=/opt/bin:/bin", "EMPTY=", "PAIR=a=b"],
    "WorkingDir": "/srv",
    "ExposedPorts": {"8787/tcp": {}},
    "StopSignal": "SIGQUIT",
    "Healthcheck": {"Test": ["CMD", "false"]},
}
ROBOT = Login(USER, PASSWORD)


def image_json(maker: Maker, tag: str) -> ImageConfig:
    """What the agent will read."""
    manifest, _ = maker.get(tag)
    content = maker._ask("GET", f"blobs/{manifest['layers'][-1]['digest']}").content
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(content))) as tar:
        file = tar.extractfile(".studio/image.json")
        assert file is not None
        return ImageConfig.model_validate_json(file.read())


def blob_requests(found: Registry, since: int) -> list[str]:
    """Where blobs were asked for or sent, without looking whether they are there."""
    return [line for line in found.requests()[since:] if "/blobs/" in line and not line.startswith("HEAD")]


# --- what comes out ---


@pytest.mark.parametrize("media_type", [DOCKER_MANIFEST, OCI_MANIFEST])
async def test_one_layer_more_and_what_the_image_ran_is_kept(
    media_type: str, maker: Maker, tiny: Bundle, cache: Path
) -> None:
    base = maker.image("1", ONE, TWO, media_type=media_type, **RUNS)
    done = await adapt(f"{maker.name}:1", tiny, cache=cache)
    before, _ = maker.get("1")
    manifest, config = maker.get(done.tag)
    assert manifest["layers"][:2] == before["layers"] and len(manifest["layers"]) == 4
    assert manifest["mediaType"] == media_type
    assert config["config"]["Entrypoint"] == list(COMMAND) and config["config"]["User"] == "0:0"
    assert config["config"]["ExposedPorts"] == RUNS["ExposedPorts"]
    assert not {"Cmd", "StopSignal", "Healthcheck"} & set(config["config"])
    assert len(config["rootfs"]["diff_ids"]) == len(config["history"]) == 4
    assert done.base_digest == base == config["config"]["Labels"]["org.opencontainers.image.base.digest"]
    assert image_json(maker, done.tag) == ImageConfig(
        image=f"{maker.name}:1", digest=base, entrypoint=["/start"], command=["now", "ü"], user="rstudio:100",
        environment={"PATH": "/opt/bin:/bin", "EMPTY": "", "PAIR": "a=b"}, workdir="/srv",
    )  # fmt: skip


async def test_layers_are_what_the_config_says(maker: Maker, tiny: Bundle, cache: Path) -> None:
    maker.image("1", ONE)
    done = await adapt(f"{maker.name}:1", tiny, cache=cache)
    manifest, config = maker.get(done.tag)
    files = {}
    for entry, diff_id in zip(manifest["layers"], config["rootfs"]["diff_ids"], strict=True):
        content = maker._ask("GET", f"blobs/{entry['digest']}").content
        assert (len(content), digest_of(content)) == (entry["size"], entry["digest"])
        assert digest_of(gzip.decompress(content)) == diff_id
        with tarfile.open(fileobj=io.BytesIO(gzip.decompress(content))) as tar:
            files |= {member.name: (member.mode, member.uid, member.mtime) for member in tar}
    assert files[".studio/bin/python3"] == (0o755, 0, 0)
    assert list(files) == [
        "one",
        ".studio",
        ".studio/bin",
        ".studio/bin/python3",
        ".studio/bundle.json",
        ".studio/image.json",
    ]


async def test_the_second_time_nothing_moves(
    maker: Maker, tiny: Bundle, cache: Path, open_registry: Registry, tmp_path: Path
) -> None:
    maker.image("1", ONE)
    first = await adapt(f"{maker.name}:1", tiny, cache=cache)
    since = len(open_registry.requests())
    second = await adapt(f"{maker.name}:1", tiny, cache=cache)
    assert second.cached and (second.image, second.sent) == (first.image, 0)
    assert blob_requests(open_registry, since) == []
    other = await adapt(f"{maker.name}:1", make_tiny(tmp_path / "other", b"new"), cache=cache)
    assert other.tag != first.tag and not other.cached
    maker.image("1", TWO)  # the name means something else now
    assert (await adapt(f"{maker.name}:1", tiny, cache=cache)).tag not in (first.tag, other.tag)


async def test_another_repository_of_the_registry_takes_the_layers_over(
    maker: Maker, tiny: Bundle, tmp_path: Path, open_registry: Registry
) -> None:
    maker.image("1", ONE, TWO)
    target = Maker(open_registry, f"{maker.repository}/adapted")
    done = await adapt(f"{maker.name}:1", tiny, target.name, cache=tmp_path / "new")
    assert (done.mounted, done.received < 3000) == (2, True)
    assert len(target.get(done.tag)[0]["layers"]) == 4
    assert open_registry.tags(maker.repository) == ["1"]


async def test_a_registry_is_sent_the_agent_once(
    maker: Maker, open_registry: Registry, tmp_path: Path
) -> None:
    bundle, cache = make_tiny(tmp_path / "own", os.urandom(200_000)), tmp_path / "new"
    maker.image("1", ONE)
    first = await adapt(f"{maker.name}:1", bundle, cache=cache)
    other = Maker(open_registry, f"{maker.repository}/other")
    other.image("1", TWO)
    second = await adapt(f"{other.name}:1", bundle, cache=cache)
    assert first.sent > 200_000 and (second.sent < 5000, second.mounted) == (True, 1)
    taken = other.get(second.tag)[0]["layers"][1]
    assert taken == maker.get(first.tag)[0]["layers"][1]
    assert digest_of(other._ask("GET", f"blobs/{taken['digest']}").content) == taken["digest"]


@pytest.mark.parametrize("noted", ["nowhere/at-all", "closed/to-us", "Not A Name", ""])
async def test_a_note_of_where_the_agent_lies_is_only_a_hint(
    noted: str, tokens: tuple[Registry, TokenServer], tiny: Bundle, tmp_path: Path
) -> None:
    found, _ = tokens
    with found.unguarded() as door:
        Maker(door, "team/hinted").image("1", ONE)
    target, cache = f"hints/{tmp_path.name.lower()}", tmp_path / "new"
    layer_file = bundle_layer(tiny, cache).file
    assert layer_file is not None
    places.note(layer_file, found.host, noted)
    logins = Logins({found.host: ROBOT})
    done = await adapt(
        f"{found.host}/team/hinted:1", tiny, f"{found.host}/{target}", cache=cache, logins=logins
    )
    assert done.tag in found.tags(target) and done.moved >= 1
    assert places.known(layer_file, found.host) == target


def test_notes_that_cannot_be_read_or_written(tmp_path: Path) -> None:
    file = tmp_path / "gone" / "layer.tar.gz"
    places.note(file, "registry", "team/app")
    assert places.known(file, "registry") is None
    file.parent.mkdir()
    for text in ("{", "[]", '{"registry": 5}', "\udcff"):
        (file.parent / "layer.tar.gz.places").write_text(text, errors="surrogateescape")
        assert places.known(file, "registry") is None
    places.note(file, "registry", "team/app")
    places.note(file, "other", "x")
    assert (places.known(file, "registry"), places.known(file, "other")) == ("team/app", "x")


async def test_another_registry_is_sent_the_layers(maker: Maker, tiny: Bundle, cache: Path) -> None:
    maker.image("1", ONE, TWO)
    with registry() as other:
        target = Maker(other, "copies/app")
        done = await adapt(f"{maker.name}:1", tiny, target.name, cache=cache)
        assert (done.mounted, done.moved) == (0, 5)
        manifest, _ = target.get(done.tag)
        for entry in manifest["layers"]:
            assert digest_of(target._ask("GET", f"blobs/{entry['digest']}").content) == entry["digest"]
        assert (await adapt(f"{maker.name}:1", tiny, target.name, cache=cache)).cached


@pytest.mark.parametrize(("index", "manifest"), [(OCI_INDEX, OCI_MANIFEST), (DOCKER_LIST, DOCKER_MANIFEST)])
async def test_of_many_platforms_that_of_the_bundle(
    index: str, manifest: str, maker: Maker, tiny: Bundle, cache: Path
) -> None:
    entries = []
    for architecture, content in (("arm64", ONE), ("amd64", TWO)):
        digest = maker.image(architecture, content, architecture=architecture, media_type=manifest)
        size = len(maker._ask("GET", f"manifests/{architecture}", headers={"Accept": manifest}).content)
        entries.append({"mediaType": manifest, "digest": digest, "size": size,
                        "platform": {"os": "linux", "architecture": architecture}})  # fmt: skip
    top = maker.document("1", {"schemaVersion": 2, "mediaType": index, "manifests": entries}, index)
    done = await adapt(f"{maker.name}:1", tiny, cache=cache)
    assert maker.get(done.tag)[0]["layers"][0] == maker.get("amd64")[0]["layers"][0]
    assert done.base_digest == top == (await resolve(f"{maker.name}:1")).digest


async def test_a_name_resolves_to_the_bytes_it_means_now(maker: Maker) -> None:
    first, second = maker.image("1", ONE), maker.image("2", TWO)
    assert str(await resolve(f"{maker.name}:1")) == f"{maker.name}:1@{first}"
    maker.image("1", TWO)
    assert (await resolve(f"{maker.name}:1")).digest == second
    assert (await resolve(f"{maker.name}@{first}")).digest == first


# --- private registries ---


@pytest.fixture(scope="module")
def private() -> Iterator[Registry]:
    with registry_with_password() as found:
        yield found


async def test_a_password(private: Registry, tiny: Bundle, cache: Path) -> None:
    maker = Maker(private, "team/app", login=True)
    maker.image("1", ONE)
    done = await adapt(f"{maker.name}:1", tiny, cache=cache, logins=Logins({private.host: ROBOT}))
    assert done.tag in private.tags("team/app")


async def test_the_password_of_docker_login(
    private: Registry, tiny: Bundle, cache: Path, tmp_path: Path
) -> None:
    maker = Maker(private, "team/file", login=True)
    maker.image("1", ONE)
    auth = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    file = tmp_path / "config.json"
    file.write_text(json.dumps({"auths": {private.host: {"auth": auth}}}))
    done = await adapt(f"{maker.name}:1", tiny, cache=cache, logins=Logins(file=file))
    assert done.tag in private.tags("team/file")


@pytest.mark.parametrize("login", [None, Login(USER, "wrong")])
async def test_refused(
    login: Login | None, private: Registry, tiny: Bundle, cache: Path, tmp_path: Path
) -> None:
    Maker(private, "team/closed", login=True).image("1", ONE)
    with pytest.raises(
        StudiosError, match=r"does not let you pull team/closed.*docker login 127.0.0.1"
    ) as refusal:
        given = {private.host: login} if login else {}
        (tmp_path / "none.json").write_text("{}")
        await adapt(
            f"{private.host}/team/closed:1", tiny, cache=cache, logins=Logins(given, tmp_path / "none.json")
        )
    assert "wrong" not in str(refusal.value)


@pytest.fixture(scope="module")
def tokens() -> Iterator[tuple[Registry, TokenServer]]:
    with registry_with_tokens() as found:
        yield found


async def test_tokens(
    tokens: tuple[Registry, TokenServer], tiny: Bundle, cache: Path, tmp_path: Path
) -> None:
    found, server = tokens
    logins = Logins({found.host: ROBOT})
    with found.unguarded() as door:
        Maker(door, "public/app").image("1", ONE)
    done = await adapt(
        f"{found.host}/public/app:1", tiny, f"{found.host}/team/app", cache=cache, logins=logins
    )
    assert done.mounted == 1 and done.tag in found.tags("team/app")
    assert sorted(["repository:public/app:pull", "repository:team/app:pull,push"]) in map(
        sorted, server.asked
    )

    (tmp_path / "none.json").write_text("{}")
    nobody = Logins(file=tmp_path / "none.json")
    assert (await resolve(f"{found.host}/public/app:1", nobody)).digest == done.base_digest
    with pytest.raises(StudiosError, match="does not let you push to public/app"):
        await adapt(f"{found.host}/public/app:1", tiny, cache=cache, logins=nobody)
    assert found.tags("public/app") == ["1"]


# --- what is not an image for here ---


async def test_there_is_no_such_image(maker: Maker, tiny: Bundle, cache: Path) -> None:
    with pytest.raises(StudiosError, match=r"There is no image .*:none.*Check its name and tag"):
        await adapt(f"{maker.name}:none", tiny, cache=cache)
    with pytest.raises(StudiosError, match="There is no image"):
        await resolve(f"{maker.name}:none")


async def test_the_wrong_platform(maker: Maker, tiny: Bundle, cache: Path) -> None:
    digest = maker.image("arm", ONE, architecture="arm64")
    with pytest.raises(
        StudiosError, match=r"is not made for linux/amd64: .*linux/arm64|not made for linux/amd64"
    ):
        await adapt(f"{maker.name}:arm", tiny, cache=cache)
    entry = {"mediaType": DOCKER_MANIFEST, "digest": digest, "size": 1,
             "platform": {"os": "windows", "architecture": "amd64"}}  # fmt: skip
    maker.document("windows", {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry]}, OCI_INDEX)
    with pytest.raises(StudiosError, match="windows/amd64"):
        await adapt(f"{maker.name}:windows", tiny, cache=cache)


async def test_an_adapted_image_is_not_adapted_again(maker: Maker, tiny: Bundle, cache: Path) -> None:
    maker.image("1", ONE, Cmd=["/one"])
    done: Adapted = await adapt(f"{maker.name}:1", tiny, cache=cache)
    with pytest.raises(StudiosError, match="has an agent already"):
        await adapt(f"{maker.name}:{done.tag}", tiny, cache=cache)


def test_credentials_of_a_helper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from jupyterhub_studios.images.credentials import _from_docker

    helper = tmp_path / "docker-credential-tests"
    helper.write_text('#!/bin/sh\nread server\necho "{\\"Username\\":\\"u\\",\\"Secret\\":\\"$server\\"}"\n')
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert subprocess.run(["docker-credential-tests"], input="x", text=True, capture_output=True).stdout
    config = {"credHelpers": {"registry.example.org": "tests"}}
    assert _from_docker("registry.example.org", config) == Login("u", "registry.example.org")
    assert _from_docker("other.example.org", config) is None
