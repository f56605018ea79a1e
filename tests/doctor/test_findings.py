"""Every sentence of the doctor, and what leads to it."""

from collections.abc import Callable
from string import Formatter
from typing import Any

import pytest

from jupyterhub_studios.doctor import hub, local, verdicts
from jupyterhub_studios.doctor.findings import FINDINGS, Result, found
from jupyterhub_studios.models import ComputeEnvironment, Template
from jupyterhub_studios.spawner import BatchSpawner


def env(kind: str = "local", **more: Any) -> ComputeEnvironment:
    return ComputeEnvironment.model_validate(
        {"id": "env", "title": "Env", "kind": kind, "work_dir": "file:///work", **more}
    )


AWAY = env("docker")
GOOD_HUB = {
    "allow_named_servers": True,
    "cleanup_servers": False,
    "services": [{"name": "studios", "api_token": "secret"}],
    "extra_user_scopes": {"access:services!service=studios"},
    "load_roles": [{"name": "r", "services": ["studios"]}],
}


def settings(starts_studios: bool = True, ours: dict[str, Any] | None = None, **more: Any) -> Result:
    config = {
        "JupyterHub": GOOD_HUB | more,
        "BatchSpawner": {"service_token": "secret"},
        "Studios": ours or {},
    }
    (result,) = verdicts.settings(config, starts_studios)
    return result


def test_all_that_is_wrong_is_told_at_once() -> None:
    """Not one after the other, each after the next correction."""
    told = [result.finding for result in verdicts.settings({}, False)]
    assert told == [
        "config-spawner", "config-names", "config-cleanup", "config-service", "config-role", "config-scope",
    ]  # fmt: skip


def queue(**more: Any) -> Result:
    return verdicts.queue("q", "eu-west-1", [{"state": "ENABLED", "status": "VALID", **more}])


def machines(offered: float | None = None, type: str = "EC2", maximum: int = 64, **more: Any) -> Result:
    one = {"computeEnvironmentName": "m", "state": "ENABLED", "status": "VALID", **more}
    return verdicts.machines("q", [one | {"computeResources": {"type": type, "maxvCpus": maximum}}], offered)


def group(protocol: str = "tcp", first: int = 8500, last: int = 8999, **source: Any) -> dict[str, Any]:
    rule = {"IpProtocol": protocol, "FromPort": first, "ToPort": last, **source}
    return {"GroupId": "sg-1", "IpPermissions": [rule]}


FROM_NETWORK = {"IpRanges": [{"CidrIp": "10.20.0.0/24"}]}
TRUST = {"Statement": {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}}}
OTHERS_TRUST = {"Statement": [{"Effect": "Allow", "Principal": {"Service": ["ec2.amazonaws.com"]}}]}
NOWHERE = "/nowhere"
TEMPLATE = Template(id="r", title="R", command=["rserver"])

# finding → what leads to it, and its sentence.
CASES: dict[str, tuple[Callable[[], Result], str]] = {
    "url-ok": (
        lambda: verdicts.public_url("https://hub.example.org/", [AWAY], True),
        "jobs reach the Hub at https://hub.example.org/",
    ),
    "url-bad": (
        lambda: verdicts.public_url("hub.example.org", [AWAY], True),
        "“hub.example.org” is not an address",
    ),
    "url-loopback": (
        lambda: verdicts.public_url("http://localhost:8000/", [env(), AWAY], True),
        "jobs cannot reach http://localhost:8000/",
    ),
    "url-unknown": (
        lambda: verdicts.public_url("https://hub.example.org/", [AWAY], False),
        "the name hub.example.org is not known",
    ),
    "url-plain": (
        lambda: verdicts.public_url("http://hub.example.org/", [AWAY], True),
        "http://hub.example.org/ is not encrypted",
    ),
    "hub-ok": (lambda: verdicts.hub("u", 200, {"version": "6.1.1"}), "JupyterHub 6.1.1 answers"),
    "hub-old": (lambda: verdicts.hub("u", 200, {"version": "5.4.0"}), "JupyterHub 5.4.0 answers"),
    "hub-stranger": (
        lambda: verdicts.hub("http://h/", 404, None),
        "something else than a Hub answers at http://h/",
    ),
    "service-ok": (lambda: verdicts.service("u", 404, True), "the studios service answers the Hub"),
    "service-token": (
        lambda: verdicts.service("u", 403, True),
        "the studios service does not take the Hub's token",
    ),
    "service-stranger": (
        lambda: verdicts.service("http://s/", 404, False),
        "something else than the studios service answers at http://s/",
    ),
    "agents-ok": (
        lambda: verdicts.agents("u", 401, True),
        "the way of the jobs leads to the studios service",
    ),
    "agents-blocked": (
        lambda: verdicts.agents("http://h/x", 502, False),
        "jobs do not get through to the studios service at http://h/x",
    ),
    "tunnel-ok": (
        lambda: verdicts.tunnel("h:8022", "ssh-ed25519 AAAA h", "ssh-ed25519 AAAA"),
        "the tunnel answers at h:8022",
    ),
    "tunnel-stranger": (
        lambda: verdicts.tunnel("h:8022", "ssh-ed25519 AAAB", "ssh-ed25519 AAAA"),
        "something else than this Hub's tunnel answers at h:8022",
    ),
    "config-ok": (settings, "the settings that studios rely on are right"),
    "config-spawner": (
        lambda: settings(starts_studios=False),
        "the Hub does not start studios",
    ),
    "config-names": (lambda: settings(allow_named_servers=False), "the Hub starts no studios"),
    "config-cleanup": (lambda: settings(cleanup_servers=True), "the Hub ends studios when it is restarted"),
    "config-service": (lambda: settings(services=[{"name": "culler"}]), "the Hub has no studios service"),
    "config-token": (
        lambda: settings(services=[{"name": "studios", "api_token": "other"}]),
        "the Hub and the studios service have different secrets",
    ),
    "config-role": (lambda: settings(load_roles=[]), "the studios service may do nothing at the Hub"),
    "config-unknown": (
        lambda: settings(ours={"compute_enviroments": {}}),
        "c.Studios.compute_enviroments is no setting, and does nothing",
    ),
    "config-scope": (lambda: settings(extra_user_scopes=set()), "people may not see the pages"),
    "program-ok": (
        lambda: local.programs(
            [Template(id="a", title="", command=["{python}"]), Template(id="b", title="", command=["sh"])],
            "/bin",
        ),
        "the programs of 2 templates are there",
    ),
    "program-missing": (lambda: local.programs([TEMPLATE], "/bin"), "the template “r” cannot start"),
    "root-overlay": (lambda: verdicts.root("overlay", ""), "studios keep the whole filesystem"),
    "root-home": (lambda: verdicts.root("home", "no namespace"), "studios keep their home directory only"),
    "root-failed": (lambda: verdicts.root("failed", "no disk"), "no studio can start on this machine"),
    "tools-missing": (
        lambda: local.tools(True, NOWHERE),
        "programs are missing: mksquashfs, unsquashfs, bwrap, unshare",
    ),
    "scratch-ok": (lambda: verdicts.scratch("/s", 20_000_000_000, True), "/s has 20.0 GB free"),
    "scratch-full": (lambda: verdicts.scratch("/s", 900_000_000, True), "/s has 0.9 GB free"),
    "scratch-low": (lambda: verdicts.scratch("/s", 9_000_000_000, True), "/s has 9.0 GB free"),
    "scratch-fleeting": (lambda: verdicts.scratch("/tmp/s", 20_000_000_000, False), "studios work in /tmp/s"),
    "mounts-ok": (
        lambda: verdicts.rclone("rclone v1.75.2\n- os/version: debian 12"),
        "buckets can be mounted as folders, by rclone 1.75.2",
    ),
    "mounts-old": (
        lambda: verdicts.rclone("rclone v1.60.1-DEV"),
        "rclone 1.60.1-DEV is too old to mount buckets",
    ),
    "engine-ok": (
        lambda: verdicts.engine("unix:///x", "28.1", ["name=seccomp"]),
        "Docker 28.1 answers at unix:///x",
    ),
    "engine-rootless": (
        lambda: verdicts.engine("unix:///x", "28.1", ["name=rootless"]),
        "the Docker engine at unix:///x runs without root",
    ),
    "trial-ok": (lambda: verdicts.trial(0, "", "/b"), "a job may mount, and the agent runs in it"),
    "trial-fuse": (
        lambda: verdicts.trial(4, "Operation not permitted", "/b"),
        "a job may not mount buckets as folders",
    ),
    "trial-device": (
        lambda: verdicts.trial(127, 'custom device "/dev/fuse": no such file or directory', "/b"),
        "the engine's machine has no /dev/fuse",
    ),
    "trial-mount": (lambda: verdicts.trial(3, "mount: denied", "/b"), "a job may not mount on this engine"),
    "trial-bundle": (
        lambda: verdicts.trial(127, "", "/b"),
        "the agent bundle /b is not on the engine's machine",
    ),
    "trial-refused": (
        lambda: verdicts.trial(1, "no such device", "/b"),
        "the engine does not run a job as studios need it",
    ),
    "queue-ok": (queue, "the queue q takes jobs"),
    "queue-missing": (lambda: verdicts.queue("q", "eu-west-1", []), "there is no queue q"),
    "queue-disabled": (lambda: queue(state="DISABLED"), "the queue q is disabled"),
    "queue-invalid": (lambda: queue(status="INVALID", statusReason="no role"), "the queue q is INVALID"),
    "machines-ok": (machines, "m can run jobs"),
    "machines-none": (lambda: verdicts.machines("q", [], None), "the queue q has no machines"),
    "machines-disabled": (lambda: machines(state="DISABLED"), "the machines m are disabled"),
    "machines-invalid": (
        lambda: machines(status="INVALID", statusReason="no subnet"),
        "the machines m are INVALID",
    ),
    "machines-fargate": (lambda: machines(type="FARGATE_SPOT"), "the machines m are of type FARGATE_SPOT"),
    "machines-small": (
        lambda: machines(offered=16, maximum=8),
        "the machines m have at most 8 processors together",
    ),
    "role-ok": (lambda: verdicts.job_role("arn:r", TRUST), "jobs have the role arn:r"),
    "role-missing": (lambda: verdicts.job_role("arn:r", None), "there is no role arn:r"),
    "role-untrusted": (
        lambda: verdicts.job_role("arn:r", OTHERS_TRUST),
        "jobs cannot take on the role arn:r",
    ),
    "rights-ok": (
        lambda: verdicts.rights("me", {"batch:SubmitJob": "allowed"}),
        "everything that the Hub does at AWS is allowed",
    ),
    "rights-missing": (
        lambda: verdicts.rights("me", {"a:B": "implicitDeny", "c:D": "allowed"}),
        "the Hub may not do everything that studios need",
    ),
    "gates-ok": (
        lambda: verdicts.gates((8500, 8999), [group(**FROM_NETWORK)], "10.20.0.7"),
        "the machines let 10.20.0.0/24 in at ports 8500-8999",
    ),
    "gates-any": (lambda: verdicts.gates((0, 0), [], "10.20.0.7"), "gates listen on any port"),
    "gates-few": (lambda: verdicts.gates((8500, 8503), [], "10.20.0.7"), "gates have 4 ports: 8500-8503"),
    "gates-closed": (
        lambda: verdicts.gates((8500, 8999), [group(first=8600, **FROM_NETWORK)], "10.20.0.7"),
        "the machines let nobody in at ports 8500-8999",
    ),
    "gates-elsewhere": (
        lambda: verdicts.gates((8500, 8999), [group(**FROM_NETWORK)], "10.30.0.7"),
        "the machines do not let this one in",
    ),
}

# What is seen only by looking: tested where that is done.
SEEN = {
    "test_looking": {
        "slow", "broken", "hub-silent", "agents-silent", "service-unset", "service-silent", "environments-none",
        "bucket-ok", "bucket-failed", "bucket-denied", "image-ok", "image-here", "image-none",
        "tools-ok", "scratch-closed",
    },
    "test_mounts": {
        "mounts-device", "mounts-helper", "mounts-missing", "mounts-broken", "mounts-mountpoint",
    },
    "test_aws": {
        "credentials-ok", "credentials-none", "denied", "unreached", "role-none", "role-keys", "role-unseen",
        "rights-unknown", "aws-fault", "log-ok", "log-missing",
    },
    "test_engine": {"trial-untried", "image-bare"},
    "test_tunnel": {"tunnel-silent"},
}  # fmt: skip


@pytest.mark.parametrize("finding", CASES)
def test_what_leads_to_a_finding(finding: str) -> None:
    make, sentence = CASES[finding]
    result = make()
    assert (result.finding, result.what) == (finding, sentence)


def test_every_finding_is_tested() -> None:
    assert set(CASES).isdisjoint(set.union(*SEEN.values()))
    assert set(CASES) | set.union(*SEEN.values()) == set(FINDINGS)


@pytest.mark.parametrize("finding", FINDINGS)
def test_every_finding_says_why_and_how_to_mend_it(finding: str) -> None:
    known = FINDINGS[finding]
    texts = (known.what, known.why, known.action)
    assert all(bool(text) == (known.status != "ok") for text in texts[1:])
    assert not [text for text in texts if text.endswith(".") or "  " in text]
    assert not known.action or known.action[0].isupper() or known.action.startswith(("apt-get", "docker"))


@pytest.mark.parametrize("finding", FINDINGS)
def test_no_sentence_has_a_hole(finding: str) -> None:
    known = FINDINGS[finding]
    words = {name: 1.0 for text in (known.what, known.why, known.action) for name in _names(text)}
    result = found(finding, **words)
    assert "{" not in result.what + result.why + result.action.replace('{"access', "")


def _names(text: str) -> list[str]:
    return [name for _, name, _, _ in Formatter().parse(text) if name]


# --- what is easily thought wrongly ---


@pytest.mark.parametrize(
    ("rule", "fits"),
    [
        (group(first=0, last=65535, **FROM_NETWORK), True),
        ({"GroupId": "g", "IpPermissions": [{"IpProtocol": "-1", **FROM_NETWORK}]}, True),
        (group(protocol="udp", **FROM_NETWORK), False),
        (group(last=8998, **FROM_NETWORK), False),
        (group(), False),
    ],
)
def test_which_rules_let_the_hub_in(rule: dict[str, Any], fits: bool) -> None:
    assert (verdicts.gates((8500, 8999), [rule], "10.20.0.7").status == "ok") == fits


def test_a_rule_for_a_security_group_cannot_be_judged_by_an_address() -> None:
    rule = group(UserIdGroupPairs=[{"GroupId": "sg-hub"}])
    result = verdicts.gates((8500, 8999), [rule], "192.0.2.1")
    assert (result.status, result.what) == ("ok", "the machines let sg-hub in at ports 8500-8999")


def test_loopback_is_right_where_nothing_runs_elsewhere() -> None:
    assert verdicts.public_url("http://127.0.0.1:8000/", [env()], True).status == "ok"


class Mine(BatchSpawner):
    """An administrator's own."""


@pytest.mark.parametrize(
    ("spawner", "ours"),
    [
        ("studios", True),
        ("jupyterhub_studios.spawner.BatchSpawner", True),
        (BatchSpawner, True),
        (Mine, True),
        (None, False),
        ("jupyterhub.spawner.LocalProcessSpawner", False),
        ("no.such.thing", False),
    ],
)
def test_every_way_to_name_the_spawner(spawner: Any, ours: bool) -> None:
    assert hub.starts_studios(spawner) == ours


@pytest.mark.parametrize(
    ("version", "good"),
    [("1.68.0", True), ("1.67.9", False), ("1.100.0-beta.1.abc", True), ("2.0.0", True), ("0.99.0", False)],
)
def test_which_rclones_will_do(version: str, good: bool) -> None:
    assert (verdicts.rclone(f"rclone v{version}\n").status == "ok") == good


@pytest.mark.parametrize(
    ("version", "good"), [("6.1.0", True), ("6.10.0", True), ("6.0.2", False), ("7.0.0", False)]
)
def test_which_hubs_will_do(version: str, good: bool) -> None:
    assert (verdicts.hub("u", 200, {"version": version}).status == "ok") == good
