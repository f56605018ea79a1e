"""What is to be thought of what was seen. Pure: no I/O."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from ipaddress import ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

from ..config import SERVICE_NAME, Studios
from ..models import ComputeEnvironment, Kind
from .findings import Result, found

FEW_PORTS = 10
LOW_GB, FULL_GB = 10.0, 1.0
MOUNT_REFUSED, FUSE_REFUSED = 3, 4  # exit codes of the trial in a container
LEAST_RCLONE = (1, 68)  # older ones are slow here, or lack what mounts are asked through; tried was 1.75

# --- the Hub ----------------------------------------------------------------------------------------


def public_url(url: str, environments: Iterable[ComputeEnvironment], resolves: bool) -> Result:
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not host:
        return found("url-bad", url=url)
    away = [env.id for env in environments if env.kind != Kind.LOCAL]
    if is_loopback(host):
        return (
            found("url-loopback", url=url, environments=", ".join(away)) if away else found("url-ok", url=url)
        )
    if not resolves:
        return found("url-unknown", host=host)
    return found("url-plain" if parts.scheme == "http" else "url-ok", url=url)


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def hub(url: str, status: int, document: Any) -> Result:
    version = document.get("version") if isinstance(document, dict) else None
    if status != 200 or not isinstance(version, str):
        return found("hub-stranger", url=url, reason=f"it answers with HTTP {status}")
    numbers = [int(part) for part in version.split(".")[:2] if part.isdigit()]
    return found("hub-ok" if [6, 1] <= numbers < [7] else "hub-old", version=version)


def service(url: str, status: int, problem: bool) -> Result:
    """Of an answer to a question about a session that does not exist, asked with the Hub's token."""
    if status in (401, 403):
        return found("service-token")
    if status == 404 and problem:
        return found("service-ok")
    return found("service-stranger", url=url, reason=f"it answers with HTTP {status}")


def agents(url: str, status: int, problem: bool) -> Result:
    """Of an answer to an agent without a token, through the Hub's public address."""
    if status == 401 and problem:
        return found("agents-ok")
    return found("agents-blocked", url=url, reason=f"something answers with HTTP {status}")


def tunnel(address: str, shown: str, ours: str | None) -> Result:
    """Of the host keys that it shows and that it should have, as lines of OpenSSH; None: not known here."""
    same = ours is None or shown.split()[:2] == ours.split()[:2]
    return found("tunnel-ok" if same else "tunnel-stranger", address=address)


def settings(config: Mapping[str, Any], starts_studios: bool) -> list[Result]:
    """All that is wrong, or that nothing is. ``config``: the Hub's configuration file, by class; ``starts_studios``:
    its spawner is ours."""
    hub, spawner = config.get("JupyterHub", {}), config.get("BatchSpawner", {})
    ours = next((s for s in hub.get("services", []) if s.get("name") == SERVICE_NAME), None)
    token = spawner.get("service_token")
    granted = [role for role in hub.get("load_roles", []) if SERVICE_NAME in role.get("services", [])]
    wrong = {
        "config-spawner": not starts_studios,
        "config-names": hub.get("allow_named_servers") is not True,
        "config-cleanup": hub.get("cleanup_servers") is not False,
        "config-service": ours is None,
        "config-token": ours is not None and (not token or ours.get("api_token") != token),
        "config-role": not granted,
        "config-scope": f"access:services!service={SERVICE_NAME}" not in hub.get("extra_user_scopes", ()),
    }
    return [
        *(found(name) for name, so in wrong.items() if so),
        *(found("config-unknown", name=name, meant=meant) for name, meant in _unknown(config)),
    ] or [found("config-ok")]


def _unknown(config: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Settings of ours that do not exist, and what may have been meant."""
    known = Studios.class_trait_names(config=True)
    return [
        (f"c.Studios.{name}", ", ".join(get_close_matches(name, known, n=1)) or "nothing like it")
        for name in config.get("Studios", {})
        if name not in known
    ]


# --- this machine -----------------------------------------------------------------------------------


def scratch(folder: str, free_bytes: int, configured: bool) -> Result:
    free = free_bytes / 1e9
    words = {"folder": folder, "free": f"{free:.1f}"}
    if free < FULL_GB:
        return found("scratch-full", **words)
    if free < LOW_GB:
        return found("scratch-low", **words)
    return found("scratch-ok" if configured else "scratch-fleeting", **words)


def root(mode: str, reason: str) -> Result:
    if mode == "overlay":
        return found("root-overlay")
    return found("root-home" if mode == "home" else "root-failed", reason=reason)


def rclone(version: str) -> Result:
    """Of what ``rclone version`` says."""
    numbers = re.search(r"v(\d+)\.(\d+)\S*", version)
    if numbers is None:
        return found("mounts-broken", reason=f"it calls its version {version.strip()[:100]!r}")
    major, minor = int(numbers[1]), int(numbers[2])
    if (major, minor) < LEAST_RCLONE:
        least = ".".join(map(str, LEAST_RCLONE))
        return found("mounts-old", version=numbers[0].removeprefix("v"), least=least)
    return found("mounts-ok", version=numbers[0].removeprefix("v"))


# --- a Docker engine --------------------------------------------------------------------------------


def engine(url: str, version: str, security: Sequence[str]) -> Result:
    rootless = any("rootless" in option for option in security)
    return found("engine-rootless" if rootless else "engine-ok", engine=url, version=version)


def trial(code: int, said: str, bundle: str) -> Result:
    """Of a container that tried to mount, as its exit code and last words."""
    if code == 0:
        return found("trial-ok")
    if code == MOUNT_REFUSED:
        return found("trial-mount", reason=said or "it was refused")
    if code == FUSE_REFUSED:
        return found("trial-fuse", reason=said or "it was refused")
    if code != 0 and "/dev/fuse" in said:
        return found("trial-device")
    if code in (126, 127):
        return found("trial-bundle", bundle=bundle)
    return found("trial-refused", reason=said or f"it ended with exit code {code}")


# --- AWS --------------------------------------------------------------------------------------------


def queue(name: str, region: str, described: Sequence[Mapping[str, Any]]) -> Result:
    if not described:
        return found("queue-missing", queue=name, region=region)
    one = described[0]
    if one["state"] != "ENABLED":
        return found("queue-disabled", queue=name)
    if one["status"] != "VALID":
        reason = one.get("statusReason") or "AWS gives no reason"
        return found("queue-invalid", queue=name, status=one["status"], reason=reason)
    return found("queue-ok", queue=name)


def machines(queue: str, described: Sequence[Mapping[str, Any]], offered: float | None) -> Result:
    if not described:
        return found("machines-none", queue=queue)
    for one in described:
        name, resources = one["computeEnvironmentName"], one.get("computeResources", {})
        if one["state"] != "ENABLED":
            return found("machines-disabled", machines=name)
        if one["status"] != "VALID":
            reason = one.get("statusReason") or "AWS gives no reason"
            return found("machines-invalid", machines=name, status=one["status"], reason=reason)
        if str(resources.get("type", "")).startswith("FARGATE"):
            return found("machines-fargate", machines=name, type=resources["type"])
        vcpus = int(resources.get("maxvCpus", 0))
        if offered is not None and 0 < vcpus < offered:
            return found("machines-small", machines=name, vcpus=vcpus, offered=f"{offered:g}")
    return found("machines-ok", machines=", ".join(one["computeEnvironmentName"] for one in described))


def trusts(document: Any, service: str) -> bool:
    """Whether a role's trust policy lets ``service`` take it on."""
    policy = json.loads(document) if isinstance(document, str) else document
    statements = policy.get("Statement", [])
    for one in statements if isinstance(statements, list) else [statements]:
        principal = one.get("Principal", {})
        services = principal.get("Service", []) if isinstance(principal, dict) else []
        if one.get("Effect") == "Allow" and service in (
            [services] if isinstance(services, str) else services
        ):
            return True
    return False


def job_role(role: str, document: Any) -> Result:
    """``document``: its trust policy; None: there is no such role."""
    if document is None:
        return found("role-missing", role=role)
    return found("role-ok" if trusts(document, "ecs-tasks.amazonaws.com") else "role-untrusted", role=role)


def rights(identity: str, decisions: Mapping[str, str]) -> Result:
    lacking = [action for action, decision in decisions.items() if decision != "allowed"]
    return (
        found("rights-missing", identity=identity, actions=", ".join(lacking))
        if lacking
        else found("rights-ok")
    )


def gates(ports: tuple[int, int], groups: Sequence[Mapping[str, Any]], address: str) -> Result:
    """``groups``: the machines' security groups; ``address``: this machine's, as they see it."""
    first, last = ports
    words = {"ports": f"{first}-{last}"}
    if last == 0:
        return found("gates-any")
    if last - first + 1 < FEW_PORTS:
        return found("gates-few", count=last - first + 1, **words)
    rules = [
        rule for group in groups for rule in group.get("IpPermissions", []) if _covers(rule, first, last)
    ]
    networks = [r["CidrIp"] for rule in rules for r in rule.get("IpRanges", [])]
    members = [pair["GroupId"] for rule in rules for pair in rule.get("UserIdGroupPairs", [])]
    sources = ", ".join([*networks, *members])
    if not sources:
        return found("gates-closed", groups=", ".join(g["GroupId"] for g in groups), **words)
    if not members and not any(ip_address(address) in ip_network(network) for network in networks):
        return found("gates-elsewhere", address=address, sources=sources, **words)
    return found("gates-ok", sources=sources, **words)


def _covers(rule: Mapping[str, Any], first: int, last: int) -> bool:
    if rule["IpProtocol"] == "-1":
        return True
    return rule["IpProtocol"] == "tcp" and rule["FromPort"] <= first and last <= rule["ToPort"]
