"""The explorer in a plain JupyterLab, as programs see it: who is let in, where links come from, what is kept."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.fernet import Fernet
from traitlets import TraitError
from traitlets.config import Config

from jupyterhub_studios.lab import machine
from jupyterhub_studios.lab.app import DataExplorer
from jupyterhub_studios.models import Provider

from .conftest import Data
from .plain import ALONE, TOKEN, Api, PlainLab, settings


def links(api: Api) -> dict[str, Any]:
    return {link["id"]: link for link in api("GET", "data-links?hidden=all")["items"]}


# --- who is let in ---


def test_strangers_get_a_problem_and_no_login_page(plain_lab: PlainLab) -> None:
    for path in ("data-links", "data-credentials", "data-links/ol-bucket/download?path=x"):
        answer = httpx.get(f"{plain_lab.url}jupyterhub-studios/{path}")
        assert answer.status_code == 401
        assert answer.json()["title"] == "You are not signed in"
    answer = httpx.put(f"{plain_lab.url}jupyterhub-studios/data-links/ol-bucket/upload?path=x", content=b"x")
    assert answer.status_code == 401


def test_a_cookie_alone_writes_nothing(plain_lab: PlainLab, data: Data) -> None:
    with httpx.Client() as browser:
        assert browser.get(plain_lab.lab()).status_code == 200
        place = f"{plain_lab.url}jupyterhub-studios/data-links/ol-bucket/folders"
        assert browser.get(f"{plain_lab.url}jupyterhub-studios/data-links").status_code == 200
        folder = {"path": "forged/"}
        assert browser.post(place, json=folder).status_code == 403
        xsrf = browser.cookies["_xsrf"]
        foreign = {"X-XSRFToken": xsrf, "Origin": "https://elsewhere.example"}
        refused = browser.post(place, json=folder, headers=foreign)
        assert refused.status_code == 404, refused.text  # Jupyter says no more to other sites
        assert data.keys("forged") == []
        assert browser.post(place, json=folder, headers={"X-XSRFToken": xsrf}).status_code == 200
    assert data.keys("forged") == ["forged/"]


def test_jupyter_lists_none_of_ours_as_unprotected(plain_lab: PlainLab, data: Data, tmp_path: Path) -> None:
    text = (
        settings(data.bucket, data.seaweed, data.folder)
        + "c.ServerApp.allow_unauthenticated_access = False\n"
        + ALONE
    )
    with PlainLab(tmp_path, settings=text).running() as strict:
        assert httpx.get(f"{strict.url}jupyterhub-studios/data-links").status_code == 401
        assert [link["name"] for link in Api(strict)("GET", "data-links?q=Results")["items"]] == ["Results"]
        assert "registered for /@/space%20word/jupyterhub" not in strict.log.replace("\\", "")
    assert "Traceback" not in strict.log


def test_asking_for_data_is_no_activity(api: Api, plain_lab: PlainLab) -> None:
    def last() -> str:
        text: str = httpx.get(f"{plain_lab.url}api/status?token={TOKEN}").json()["last_activity"]
        return text

    before = last()
    api("GET", "data-links")
    api("GET", "data-links/ol-bucket/browse")
    api("PUT", "data-links/ol-folder/upload?path=busy.txt&replace=true", content=b"x")
    assert last() == before


def test_the_contents_are_jupyters_own(plain_lab: PlainLab) -> None:
    assert "contents_manager" not in plain_lab.settings
    assert httpx.get(f"{plain_lab.url}api/contents?token={TOKEN}").json()["path"] == ""
    code = (
        "from jupyter_server.serverapp import ServerApp\n"
        "app = ServerApp(); arguments = ['--ServerApp.token=', '--port=0', '--allow-root', '--no-browser']\n"
        "app.initialize(argv=arguments, new_httpserver=False)\n"
        "assert 'jupyterhub_studios.lab' in app.extension_manager.extensions\n"
        "print(type(app.contents_manager).__name__)\n"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.split()[-1] == "AsyncLargeFileManager"


# --- where links come from ---


def test_links_of_the_configuration_the_machine_and_what_is_found(api: Api, data: Data) -> None:
    api("POST", "data-links/refresh", status=204)
    found = links(api)
    bucket, fixed = found["ol-bucket"], found["ol-fixed"]
    assert (bucket["name"], bucket["writable"], bucket["role"], bucket["source"]) == (
        "Results",
        True,
        "write",
        "offered",
    )
    assert bucket["endpoint"] == data.seaweed.endpoint
    assert not fixed["writable"]
    assert (fixed["prefix"], fixed["may_edit"]) == ("reference/", False)
    assert found["folder-root"]["bucket"].endswith("/root")
    assert found["folder-home"]["bucket"].endswith("/home")
    by_credential = {link["credential"] for link in found.values() if link["source"] == "found"}
    assert by_credential == {"SeaweedFS", "AWS (environment)"}
    own = next(
        link
        for link in found.values()
        if (link["source"], link["credential"], link["bucket"]) == ("found", "SeaweedFS", data.bucket)
    )
    assert "until you allow writing" in own["why"]
    changed = api("PATCH", f"data-links/{own['id']}", json={"writable": True, "name": "Mine"})
    assert (changed["writable"], changed["name"]) == (True, "Mine")
    problem = api("DELETE", f"data-links/{own['id']}", status=409)
    assert problem["action"] == "Hide it"
    api("PATCH", f"data-links/{own['id']}/marks", json={"hidden": True, "starred": True})
    assert own["id"] not in {link["id"] for link in api("GET", "data-links")["items"]}
    assert links(api)[own["id"]]["starred"]


def test_what_is_configured_is_not_changed_here(api: Api) -> None:
    for method, path in (
        ("PATCH", "data-links/ol-bucket"),
        ("DELETE", "data-links/ol-bucket"),
        ("DELETE", "data-links/folder-root"),
        ("DELETE", "data-credentials/oc-seaweed"),
    ):
        problem = api(method, path, status=403, json={"name": "x"} if method == "PATCH" else None)
        assert "configuration" in problem["detail"]
    read_only = api("PUT", "data-links/ol-fixed/upload?path=x", status=403, content=b"x")
    assert "read-only" in read_only["title"]


def test_what_is_added_is_kept_encrypted_for_its_owner_alone(
    api: Api, plain_lab: PlainLab, data: Data
) -> None:
    spec = {
        "name": "My keys", "provider": "s3", "endpoint": data.seaweed.endpoint, "region": "us-east-1",
        "secret": {
            "type": "access-key", "access_key_id": data.seaweed.access_key,
            "secret_access_key": data.seaweed.secret_key,
        },
    }  # fmt: skip
    credential = api("POST", "data-credentials", status=201, json=spec)
    assert (credential["source"], credential["may_edit"]) == ("added", True)
    link = {
        "name": "Mine",
        "url": f"s3://{data.bucket}/reference/",
        "credential": credential["id"],
        "writable": True,
    }
    added = api("POST", "data-links", status=201, json=link)
    assert (added["writable"], added["why"], added["source"]) == (True, "You allowed writing.", "added")
    page = api("GET", f"data-links/{added['id']}/browse")
    assert [entry["name"] for entry in page["items"]] == ["genes.txt"]

    files = list(plain_lab.kept.iterdir())
    assert {file.name for file in files} == {"data.json", "data.key", "data.lock"}
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert stat.S_IMODE(plain_lab.kept.stat().st_mode) == 0o700
    kept = (plain_lab.kept / "data.json").read_text()
    answers = json.dumps([api("GET", "data-credentials"), api("GET", "data-links")])
    for secret in (data.seaweed.secret_key, data.seaweed.access_key):
        assert secret not in kept
        assert secret not in answers
        assert secret not in plain_lab.log

    problem = api("DELETE", f"data-credentials/{credential['id']}", status=409)
    assert "Mine" in problem["detail"]
    api("DELETE", f"data-links/{added['id']}", status=204)
    api("DELETE", f"data-credentials/{credential['id']}", status=204)
    assert api("GET", f"data-links/{added['id']}", status=404)["title"] == "There is no such data link"


@pytest.mark.parametrize(
    ("spec", "status", "field"),
    [
        ({"url": "file:///no/such/folder"}, 400, "url"),
        ({"url": "s3:bucket"}, 400, "url"),
        ({"url": "s3://bucket", "credential": "no-such"}, 404, "credential"),
        ({"url": "gs://bucket", "credential": "oc-seaweed"}, 400, "credential"),
        ({"url": "s3://bucket", "workspace": "lab"}, 400, "workspace"),
    ],
)
def test_links_that_cannot_be_added(api: Api, spec: dict[str, Any], status: int, field: str) -> None:
    assert api("POST", "data-links", status=status, json={"name": "x", **spec})["field"] == field


def test_public_buckets_are_for_reading(api: Api) -> None:
    link = api(
        "POST",
        "data-links",
        status=201,
        json={"name": "Genomes", "url": "s3://1000genomes/", "writable": True},
    )
    assert (link["writable"], link["credential"]) == (False, None)
    assert link["why"] == "Public access is for reading."
    api("DELETE", f"data-links/{link['id']}", status=204)


def test_a_link_whose_credential_is_gone_says_so(api: Api, plain_lab: PlainLab, data: Data) -> None:
    spec = {"name": "Lost", "url": f"s3://{data.bucket}/", "credential": "oc-seaweed"}
    link = api("POST", "data-links", status=201, json=spec)
    file = plain_lab.kept / "data.json"
    file.write_text(file.read_text().replace("oc-seaweed", "oc-of-another-day"))
    lost = api("GET", f"data-links/{link['id']}")
    assert (lost["status"], lost["credential"]) == ("invalid", None)
    assert "not there any more" in lost["message"]
    assert api("GET", f"data-links/{link['id']}/browse", status=409)["field"] == "credential"
    api("DELETE", f"data-links/{link['id']}", status=204)


def test_another_key_is_told(api: Api, plain_lab: PlainLab) -> None:
    secret = {"type": "access-key", "access_key_id": "a", "secret_access_key": "b"}
    spec = {"name": "Locked", "provider": "s3", "endpoint": "http://127.0.0.1:1", "secret": secret}
    added = api("POST", "data-credentials", status=201, json=spec)
    key = plain_lab.kept / "data.key"
    good = key.read_bytes()
    try:
        key.write_bytes(Fernet.generate_key())
        (view,) = [one for one in api("GET", "data-credentials")["items"] if one["id"] == added["id"]]
        assert view["status"] == "invalid"
        assert "another key" in view["message"]
    finally:
        key.write_bytes(good)
    api("DELETE", f"data-credentials/{added['id']}", status=204)


def test_a_damaged_file_of_links_is_told(api: Api, plain_lab: PlainLab) -> None:
    api("PATCH", "data-links/ol-bucket/marks", json={"starred": False})
    file = plain_lab.kept / "data.json"
    good = file.read_text()
    try:
        file.write_text("{")
        problem = api("GET", "data-links", status=500)
        assert "data.json" in problem["detail"]
        assert problem["action"]
    finally:
        file.write_text(good)
    assert "ol-bucket" in links(api)


@pytest.mark.parametrize(
    ("trait", "entry", "reason"),
    [
        ("links", {"url": 3}, "links['x'] is not valid: url"),
        ("links", {"url": "nonsense"}, "links['x'] is not valid: This is not the URL"),
        ("links", {"url": "s3://bucket", "credential": "y"}, "is no entry of c.DataExplorer.credentials"),
        ("links", "s3://bucket", "links['x'] is not valid: its fields must be a mapping"),
        (
            "credentials",
            {
                "provider": "s3",
                "secret": {"type": "access-key", "access_key_id": "hidden!", "secret_access_key": 3},
            },
            "credentials['x'] is not valid: secret",
        ),
    ],
)
def test_a_wrong_configuration_is_told_without_its_secrets(trait: str, entry: Any, reason: str) -> None:
    with pytest.raises(TraitError) as raised:
        DataExplorer(config=Config({"DataExplorer": {trait: {"x": entry}}})).check()
    assert reason in str(raised.value)
    assert "hidden!" not in str(raised.value)


# --- what the machine has ---


def test_the_machines_own_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "AWS_ENDPOINT_URL",
        "AWS_REGION",
        "AWS_PROFILE",
        "GOOGLE_APPLICATION_CREDENTIALS",
        *machine.AWS_WORDS,
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert machine.credentials() == {}

    config = tmp_path / "config"
    config.write_text(
        "[default]\nregion = eu-west-1\n[profile lab]\nendpoint_url = https://minio.example.org\n"
        "[profile bad]\nregion = not/a/region\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    (tmp_path / "key.json").write_text("{}")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "key.json"))
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT", "account1")
    monkeypatch.setenv("AZURE_STORAGE_SAS_TOKEN", "sig=0815")
    found = machine.credentials()
    assert set(found) == {"aws-environment", "aws-default", "aws-lab", "google", "azure"}
    assert found["aws-default"].region == "eu-west-1"
    assert found["aws-lab"].endpoint == "https://minio.example.org"
    assert (found["azure"].provider, found["azure"].secret.type) == (Provider.AZURE, "azure-sas")
    assert "0815" not in repr(found["azure"])
    monkeypatch.delenv("AZURE_STORAGE_SAS_TOKEN")
    assert (found := machine.credentials())["azure"].account == "account1"
    assert found["azure"].secret.type == "ambient"


def test_the_folder_of_the_server_is_the_home_but_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert [folder.id for folder in machine.folders(str(tmp_path))] == ["folder-root"]
    assert [folder.id for folder in machine.folders(str(tmp_path / "work"))] == ["folder-root", "folder-home"]
