"""The doctor looks: at a real Hub, at real folders and stores, at this machine; and never waits for ever."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from traitlets import TraitError
from traitlets.config import Config

from jupyterhub_studios.config import Studios
from jupyterhub_studios.doctor import checks, hub, local, run
from jupyterhub_studios.doctor.checks import Check, Found
from jupyterhub_studios.doctor.findings import Result, found
from jupyterhub_studios.forge.snippet import snippet
from jupyterhub_studios.models import ComputeEnvironment, StudiosError, Template

from ..hub import RealHub
from ..service.conftest import make_hub
from ..stores import SeaweedFS

NOBODY = "http://127.0.0.1:9/"


def studios(**traits: Any) -> Studios:
    return Studios(config=Config({"Studios": traits}))


def env(**more: Any) -> ComputeEnvironment:
    return ComputeEnvironment.model_validate(
        {"id": "env", "title": "Env", "kind": "local", "work_dir": "memory:///", **more}
    )


async def look(listed: list[Check]) -> dict[str, Result]:
    return {result.check: result for result in await checks.run(listed, lambda result: None)}


# --- running checks ---


async def test_checks_run_at_the_same_time_and_are_told_as_they_come() -> None:
    first_may_end, told = asyncio.Event(), []

    async def first() -> Result:
        await first_may_end.wait()
        return found("url-ok", url="1")

    async def second() -> Result:
        first_may_end.set()
        return found("url-ok", url="2")

    def tell(result: Result) -> None:
        told.append(result.check)

    results = await checks.run([Check("Hub", "first", first), Check("Hub", "second", second)], tell)
    assert told == ["second", "first"]
    assert [(r.subject, r.check) for r in results] == [("Hub", "first"), ("Hub", "second")]


async def test_a_check_has_a_limit() -> None:
    async def never() -> Result:
        await asyncio.Event().wait()
        raise AssertionError

    (result,) = await checks.run([Check("Hub", "never", never, seconds=0.01)], lambda result: None)
    assert (result.finding, result.what) == ("slow", "no answer within 0 seconds")


@pytest.mark.parametrize(
    ("error", "finding", "what", "why"),
    [
        (StudiosError("no bucket", "why", "do"), "problem", "no bucket", "why"),
        (Found("queue-disabled", queue="q"), "queue-disabled", "the queue q is disabled", "it takes no jobs"),
        (KeyError("x"), "broken", "the check itself failed", "KeyError: 'x'"),
    ],
)
async def test_a_check_that_fails_takes_no_other_down(
    error: Exception, finding: str, what: str, why: str
) -> None:
    async def failing() -> Result:
        raise error

    async def fine() -> Result:
        return found("url-ok", url="1")

    bad, good = await checks.run([Check("a", "bad", failing), Check("a", "good", fine)], lambda result: None)
    assert (bad.finding, bad.what, bad.why, bad.status) == (finding, what, why, "fail")
    assert good.status == "ok"


# --- the Hub ---


@pytest.fixture(scope="module")
def real_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealHub]:
    made = make_hub(tmp_path_factory.mktemp("hub"), base="/base/")
    made.start()
    try:
        yield made
    finally:
        made.close()


async def test_a_real_hub_is_found_sound(real_hub: RealHub) -> None:
    config = {"BatchSpawner": {"service_url": real_hub.service_url, "service_token": real_hub.service_token}}
    seen = await look(hub.checks(config, studios(public_url=real_hub.url)))
    assert {name: seen[name].finding for name in ("Hub", "service", "agents")} == {
        "Hub": "hub-ok",
        "service": "service-ok",
        "agents": "agents-ok",
    }


async def test_another_token_than_the_services_is_found(real_hub: RealHub) -> None:
    config = {"BatchSpawner": {"service_url": real_hub.service_url, "service_token": "another"}}
    seen = await look(hub.checks(config, studios(public_url=real_hub.url)))
    assert seen["service"].finding == "service-token"


async def test_a_forgotten_base_url_is_found(real_hub: RealHub) -> None:
    wrong = real_hub.url.removesuffix("base/")
    config = {"BatchSpawner": {"service_url": wrong, "service_token": "x"}}
    seen = await look(hub.checks(config, studios(public_url=wrong)))
    assert seen["Hub"].finding == "hub-stranger"
    assert seen["agents"].finding == "agents-blocked"
    assert seen["service"].finding in ("service-stranger", "service-token")


async def test_nobody_answers() -> None:
    config = {"BatchSpawner": {"service_url": NOBODY, "service_token": "x"}}
    seen = await look(hub.checks(config, studios(public_url=NOBODY)))
    assert {name: seen[name].finding for name in ("Hub", "service", "agents", "environments")} == {
        "Hub": "hub-silent",
        "service": "service-silent",
        "agents": "agents-silent",
        "environments": "environments-none",
    }
    assert "connection" in seen["Hub"].why.lower()


async def test_an_address_that_is_none_is_told_once() -> None:
    seen = await look(hub.checks({}, studios(public_url="hub.example.org")))
    assert {seen[name].finding for name in ("address", "Hub", "agents")} == {"url-bad"}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"kind": "docker", "work_dir": "s3://x/", "que": 1}, "there is no field “que”"),
        ({"kind": "docker", "work_dir": "s3://x/", "scrach": "/x"}, "did you mean “scratch”?"),
        ({"kind": "docker"}, "work_dir is missing"),
        ({"kind": "docker", "work_dir": "lab-studios"}, "“lab-studios” is no URL; give s3://bucket/prefix"),
        ({"kind": "aws_batch", "work_dir": "s3://x/"}, "kind: should be 'aws-batch', 'docker' or 'local'"),
        ({"kind": "aws-batch", "work_dir": "s3://x/"}, "not valid: kind aws-batch needs region and batch"),
    ],
    ids=["unknown", "misspelt", "missing", "no URL", "kind", "parts"],
)
def test_a_compute_environment_that_is_not_valid(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(TraitError) as fault:
        studios(compute_environments={"there": fields})
    assert words in str(fault.value) and "c.Studios.compute_environments['there']" in str(fault.value)


async def test_a_name_that_is_not_known() -> None:
    offers = {"away": {"kind": "docker", "work_dir": "memory:///"}}
    seen = await look(hub.checks({}, studios(public_url="https://hub.invalid/", compute_environments=offers)))
    assert seen["address"].what == "the name hub.invalid is not known"
    assert seen["service"].finding == "service-unset"


# --- buckets ---


async def bucket(**more: Any) -> Result:
    plan = run.plan({}, studios(compute_environments={"env": {"kind": "local", **more}}), "env")
    return (await look([check for check in plan if check.name == "bucket"]))["bucket"]


async def test_a_real_store_is_written_and_left_as_it_was(seaweed: SeaweedFS) -> None:
    name = seaweed.bucket()
    result = await bucket(work_dir=f"s3://{name}/work", store_options=seaweed.options)
    assert result.finding == "bucket-ok"
    assert seaweed.client().list_objects_v2(Bucket=name)["KeyCount"] == 0


async def test_a_bucket_that_is_not_there(seaweed: SeaweedFS) -> None:
    result = await bucket(work_dir="s3://no-such-bucket/", store_options=seaweed.options)
    assert (result.finding, result.what, result.why) == (
        "bucket-failed",
        "The work dir s3://no-such-bucket cannot be written to",
        "its bucket does not exist",
    )


async def test_a_key_that_is_wrong_is_told_without_it(seaweed: SeaweedFS) -> None:
    options = seaweed.options | {"secret_access_key": "not-the-secret"}
    result = await bucket(work_dir=f"s3://{seaweed.bucket()}/", store_options=options)
    assert result.finding == "bucket-denied"
    assert "not-the-secret" not in result.model_dump_json()


# --- this machine ---


@pytest.mark.root
async def test_the_root_is_found_by_trying_it(tmp_path: Path) -> None:
    assert (await local.root(tmp_path, [])).finding == "root-overlay"
    assert list(tmp_path.iterdir()) == []
    mounts = Path("/proc/self/mountinfo").read_text()
    assert str(tmp_path) not in mounts


async def test_a_wish_for_less_is_respected(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("STUDIOS_ROOT_MODE", "home")
    result = await local.root(tmp_path, [])
    assert (result.finding, result.why) == ("root-home", "STUDIOS_ROOT_MODE=home is set")


async def test_a_root_that_cannot_be_is_told(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    result = await local.root(file, [])
    assert result.finding == "root-failed"
    assert "Not a directory" in result.why or "File exists" in result.why


async def test_this_machine(tmp_path: Path) -> None:
    seen = await look(local.checks(env(scratch=str(tmp_path / "new")), []))
    assert seen["tools"].finding == "tools-ok"
    assert seen["scratch"].finding.startswith("scratch-")
    assert seen["scratch"].finding != "scratch-closed"
    assert seen["mounts"].finding == ("mounts-ok" if Path("/dev/fuse").exists() else "mounts-device")


async def test_a_scratch_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    seen = await look(local.checks(env(scratch=str(tmp_path / "file" / "scratch")), []))
    assert (seen["scratch"].finding, seen["scratch"].why) == ("scratch-closed", "Not a directory")


@pytest.mark.root
async def test_a_scratch_of_another_account(tmp_path: Path) -> None:
    os.chown(tmp_path, 1234, 1234)
    seen = await look(local.checks(env(scratch=str(tmp_path)), []))
    assert (seen["scratch"].finding, seen["scratch"].why) == (
        "scratch-closed",
        "it belongs to another account",
    )


# --- images ---


@pytest.fixture
async def registry() -> Any:
    """Knows one image, the way a registry says it."""

    async def manifest(request: web.Request) -> web.Response:
        return web.Response(headers={"Docker-Content-Digest": f"sha256:{'ab' * 32}"})

    app = web.Application()
    app.router.add_route("*", "/v2/team/app/manifests/one", manifest)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_images_are_resolved(registry: str) -> None:
    images = {
        "right": f"{registry}/team/app:one",
        "wrong": f"{registry}/team/app:two",
        "none": None,
        "here": "here:1",
    }
    templates = [Template(id=id, title=id, command=[], image=image) for id, image in images.items()]

    async def has(env: ComputeEnvironment, image: str) -> bool:
        return image == "here:1"

    seen = await look(run._images(env(), templates, has))
    assert {check: result.finding for check, result in seen.items()} == {
        "image of right": "image-ok",
        "image of wrong": "problem",
        "image of none": "image-none",
        "image of here": "image-here",
    }
    assert seen["image of right"].what.endswith(f"team/app:one is sha256:{'ab' * 32}")


# --- the command ---

CONFIG = """
c = get_config()
c.JupyterHub.spawner_class = "studios"
c.Studios.public_url = "{nobody}"
c.Studios.compute_environments = {{
    "good": {{"kind": "local", "work_dir": "file://{folder}/work", "scratch": "{folder}/scratch"}},
    "bad": {{"kind": "local", "work_dir": "s3://none/", "store_options": {{"region": "x", "endpoint": "{nobody}",
            "access_key_id": "a", "secret_access_key": "not-the-secret"}}, "scratch": "{folder}/scratch"}},
}}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "jupyterhub_config.py"
    file.write_text(CONFIG.format(nobody=NOBODY, folder=tmp_path))
    return file


def doctor(*argv: str, folder: Path | None = None) -> tuple[int, str, str]:
    code = "import sys; from jupyterhub_studios.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "doctor", *argv]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=120)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.root
def test_a_sound_environment(config: Path) -> None:
    """The file of the folder one stands in is taken, and what was made to look is gone."""
    code, out, err = doctor("--environment", "good", folder=config.parent)
    assert (code, err) == (0, ""), out
    lines = out.splitlines()
    assert lines[0] == "good"
    assert "  ✓ root       studios keep the whole filesystem" in lines
    assert lines[-1].endswith("0 failures")
    assert [p.name for p in (config.parent / "scratch").iterdir()] == []


def test_what_fails_is_told_with_what_to_do(config: Path) -> None:
    code, out, _ = doctor("--config", str(config), "--environment", "bad")
    assert code == 1
    told = out[out.index("  ✗ bucket") :].splitlines()
    assert told[:3] == [
        "  ✗ bucket     The work dir s3://none cannot be written to",
        "               its server does not answer",
        "               → Check work_dir, store_options and the store itself; studios save and restore there",
    ]
    assert "not-the-secret" not in out


def test_for_scripts(config: Path) -> None:
    code, out, _ = doctor("--config", str(config), "--json")
    document = json.loads(out)
    assert (code, document["ok"]) == (1, False)
    subjects = [result["subject"] for result in document["results"]]
    assert sorted(set(subjects), key=subjects.index) == ["Hub", "good", "bad"]
    settings = next(r for r in document["results"] if r["check"] == "settings")
    assert (settings["finding"], settings["status"]) == ("config-names", "fail")
    assert "not-the-secret" not in out


@pytest.mark.parametrize(
    ("text", "argv", "says"),
    [
        (None, [], "cannot be used: there is no such file. Name the Hub's with --config."),
        ("c.x = (", [], "cannot be used: SyntaxError"),
        ("import sys; sys.exit('no')", [], "cannot be used: SystemExit: no. Correct it"),
        (
            "get_config().Studios.compute_environments = {'a': {}}",
            [],
            "c.Studios.compute_environments['a'] is not valid",
        ),
        (
            "",
            ["--environment", "x"],
            "There is no compute environment “x”: configured are: none. Name one of them.",
        ),
    ],
)
def test_a_configuration_that_cannot_be_used(
    tmp_path: Path, text: str | None, argv: list[str], says: str
) -> None:
    file = tmp_path / "config.py"
    if text is not None:
        file.write_text(text)
    code, out, err = doctor("--config", str(file), *argv)
    assert (code, out) == (1, "")
    assert says in err


# --- the example of the documentation ---


async def test_the_example_for_aws_has_what_studios_rely_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the lines that the forge prints beside it."""
    example = Path(__file__).parents[2] / "docs" / "examples" / "aws_jupyterhub_config.py"
    (tmp_path / "jupyterhub_config.py").write_text(example.read_text())
    outputs = {
        "WorkDir": "s3://lab-studios/team/", "ScratchFolder": "/var/lib/studios/scratch", "GatePorts": "8500-8999",
        "Networks": "10.0.0.0/16", "JobRole": "arn:aws:iam::123456789012:role/job", "LogGroup": "/studios/lab",
        "AgentFolder": "/opt/studios/agent", "TagKey": "studios:forge", "OnDemandQueue": "q", "SpotQueue": "s",
    }  # fmt: skip
    (tmp_path / "studios-aws.py").write_text(snippet("lab", "eu-west-1", outputs))
    for name in ("STUDIOS_SERVICE_TOKEN", "OAUTH_CLIENT_ID", "OAUTH_CLIENT_SECRET"):
        monkeypatch.setenv(name, "secret")
    config, found = run.load(str(tmp_path / "jupyterhub_config.py"))
    seen = await look(hub.checks(config, found)[:1])
    assert seen["settings"].finding == "config-ok"
    assert list(found.compute_environments) == ["lab-on-demand", "lab-spot"]
    assert found.public_url == "https://hub.example.org/"
