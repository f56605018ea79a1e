"""Every sentence of the doctor: what is so, why it matters or how it is known, and how to mend it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..models import Model, Problem

Status = Literal["ok", "warn", "fail"]


@dataclass(frozen=True)
class Finding:
    status: Status
    what: str
    why: str = ""
    action: str = ""


def _ok(what: str) -> Finding:
    return Finding("ok", what)


def _warn(what: str, why: str, action: str) -> Finding:
    return Finding("warn", what, why, action)


def _fail(what: str, why: str, action: str) -> Finding:
    return Finding("fail", what, why, action)


GENERAL = {
    "slow": _fail(
        "no answer within {seconds:.0f} seconds",
        "something drops the requests, or is very slow",
        "Check the network and the firewalls between this machine and what is checked",
    ),
    "broken": _fail(
        "the check itself failed", "{error}", "Please report it; `studios doctor --json` shows the rest"
    ),
}

HUB = {
    "url-ok": _ok("jobs reach the Hub at {url}"),
    "url-bad": _fail(
        "“{url}” is not an address",
        "jobs open their control channel there",
        "Set c.Studios.public_url to http(s)://HOST/",
    ),
    "url-loopback": _fail(
        "jobs cannot reach {url}",
        "they run on other machines ({environments}), where that address is themselves",
        "Set c.Studios.public_url to the Hub's address in your network",
    ),
    "url-unknown": _fail(
        "the name {host} is not known",
        "this machine cannot resolve it",
        "Correct c.Studios.public_url, or the DNS",
    ),
    "url-plain": _warn(
        "{url} is not encrypted",
        "jobs send their tokens and people their cookies over the network as they are",
        "Put TLS in front of the Hub, and set c.Studios.public_url to https://…",
    ),
    "hub-ok": _ok("JupyterHub {version} answers"),
    "hub-silent": _fail(
        "nothing answers at {url}", "{reason}", "Start the Hub, or correct c.Studios.public_url"
    ),
    "hub-stranger": _fail(
        "something else than a Hub answers at {url}",
        "{reason}",
        "Check c.Studios.public_url, with the Hub's base URL, and the proxy before the Hub",
    ),
    "hub-old": _fail(
        "JupyterHub {version} answers", "studios need at least 6.1 and less than 7", "Upgrade JupyterHub"
    ),
    "service-ok": _ok("the studios service answers the Hub"),
    "service-unset": _fail(
        "the Hub does not know where the studios service is",
        "c.BatchSpawner.service_url is not set",
        "Set it to the service's url with its prefix: http://127.0.0.1:8091/services/studios/",
    ),
    "service-silent": _fail(
        "the studios service does not answer at {url}",
        "{reason}",
        "Look at the Hub's log: the Hub starts the service, when it is in c.JupyterHub.services",
    ),
    "service-token": _fail(
        "the studios service does not take the Hub's token",
        "c.BatchSpawner.service_token and the service's api_token differ",
        "Give both the same secret",
    ),
    "service-stranger": _fail(
        "something else than the studios service answers at {url}",
        "{reason}",
        "Correct c.BatchSpawner.service_url",
    ),
    "agents-ok": _ok("the way of the jobs leads to the studios service"),
    "agents-blocked": _fail(
        "jobs do not get through to the studios service at {url}",
        "{reason}",
        "Let the proxy before the Hub pass /services/studios/agent/ on, WebSockets included",
    ),
    "agents-silent": _fail(
        "nothing answers jobs at {url}", "{reason}", "Start the Hub, or correct c.Studios.public_url"
    ),
    "tunnel-ok": _ok("the tunnel answers at {address}"),
    "tunnel-silent": _fail(
        "the tunnel does not answer at {address}",
        "{reason}",
        "Look into tunnel.log in c.Studios.state_dir; check c.Studios.tunnel_bind, c.Studios.tunnel_address and "
        "the firewall",
    ),
    "tunnel-stranger": _fail(
        "something else than this Hub's tunnel answers at {address}",
        "its host key is not the one of tunnel.key in c.Studios.state_dir: agents refuse it",
        "Correct c.Studios.tunnel_address, or free the port",
    ),
    "config-ok": _ok("the settings that studios rely on are right"),
    "config-cleanup": _fail(
        "the Hub ends studios when it is restarted",
        "c.JupyterHub.cleanup_servers is not False, and a stop without the service loses work",
        "Set c.JupyterHub.cleanup_servers = False",
    ),
    "config-names": _fail(
        "the Hub starts no studios",
        "every studio is a named server, and c.JupyterHub.allow_named_servers is not True",
        "Set c.JupyterHub.allow_named_servers = True",
    ),
    "config-service": _fail(
        "the Hub has no studios service",
        "c.JupyterHub.services has no entry “studios”",
        "Add service_definition(…) of jupyterhub_studios.config",
    ),
    "config-token": _fail(
        "the Hub and the studios service have different secrets",
        "c.BatchSpawner.service_token is not the api_token of the service's definition",
        "Give both the same secret",
    ),
    "config-spawner": _fail(
        "the Hub does not start studios",
        "c.JupyterHub.spawner_class is not “studios”",
        'Set c.JupyterHub.spawner_class = "studios"',
    ),
    "config-scope": _warn(
        "people may not see the pages",
        "c.JupyterHub.extra_user_scopes lacks access:services!service=studios, unless a role of yours grants it",
        'Set c.JupyterHub.extra_user_scopes = {{"access:services!service=studios"}}',
    ),
    "config-role": _fail(
        "the studios service may do nothing at the Hub",
        "c.JupyterHub.load_roles gives it no role",
        "Set c.JupyterHub.load_roles = [service_role()], with service_role of jupyterhub_studios.config",
    ),
    "config-unknown": _warn(
        "{name} is no setting, and does nothing",
        "the nearest name is: {meant}",
        "Correct its name, or take it out",
    ),
    "environments-none": _fail(
        "nothing can be started", "c.Studios.compute_environments is empty", "Offer at least one"
    ),
}

OFFERS = {
    "bucket-ok": _ok("{where} can be read and written, and honours conditions"),
    "bucket-failed": _fail(
        "{what}",
        "{why}",
        "Check work_dir, store_options and the store itself; studios save and restore there",
    ),
    "bucket-denied": _fail(
        "{what}",
        "{why}: its credentials are wrong, or may not do it",
        "Give the Hub's role, or the keys in store_options, the right to list the bucket, and to read, write and "
        "delete below .studios/ of the work dir",
    ),
    "program-ok": _ok("the programs of {count} are there"),
    "program-missing": _fail(
        "the template “{template}” cannot start",
        "{program} is not among the programs of this machine ({path})",
        "Install it there, correct the template's command, or do not offer it here (templates)",
    ),
    "image-ok": _ok("{image} is {digest}"),
    "image-here": _ok("{image} is on the engine"),
    "image-none": _warn(
        "the template “{template}” starts only when people name an image",
        "this compute environment runs images, and the template names none",
        "Give it an image, or do not offer it here (templates)",
    ),
}

LOCAL = {
    "root-overlay": _ok("studios keep the whole filesystem"),
    "root-home": _warn(
        "studios keep their home directory only",
        "{reason}",
        "See “Ordinary users” in the administrator's guide",
    ),
    "root-failed": _fail(
        "no studio can start on this machine", "{reason}", "Mend that, and run the doctor again"
    ),
    "tools-ok": _ok("the agent's programs are installed"),
    "tools-missing": _fail(
        "programs are missing: {programs}",
        "the agent saves and restores with them",
        "apt-get install {packages}",
    ),
    "scratch-ok": _ok("{folder} has {free} GB free"),
    "scratch-closed": _fail(
        "{folder} cannot be written",
        "{reason}",
        "Make it a folder of the account that the Hub runs as, mode 0700",
    ),
    "scratch-full": _fail(
        "{folder} has {free} GB free",
        "a studio's changes are kept there until they are saved",
        "Make room, or set scratch",
    ),
    "scratch-low": _warn(
        "{folder} has {free} GB free",
        "a few installations of packages fill that",
        "Make room, or set scratch",
    ),
    "scratch-fleeting": _warn(
        "studios work in {folder}",
        "scratch is not set, and what a lost session did not save does not survive a restart of the machine there",
        "Set scratch to a folder on a disk of its own",
    ),
}

DOCKER = {
    "engine-ok": _ok("Docker {version} answers at {engine}"),
    "engine-rootless": _warn(
        "the Docker engine at {engine} runs without root",
        "it may not let a job mount, and studios would keep their home directory only",
        "Use an engine that runs as root",
    ),
    "trial-ok": _ok("a job may mount, and the agent runs in it"),
    "trial-untried": _warn(
        "it was not tried whether a job may mount",
        "none of the templates' images is on the engine yet",
        "docker pull one of them, and run the doctor again",
    ),
    "trial-refused": _fail(
        "the engine does not run a job as studios need it",
        "{reason}",
        "Allow CAP_SYS_ADMIN, /dev/fuse and security options, or choose another engine",
    ),
    "trial-bundle": _fail(
        "the agent bundle {bundle} is not on the engine's machine",
        "a container found no program in it",
        "Unpack `studios image bundle` there, or correct docker.bundle",
    ),
    "trial-mount": _fail(
        "a job may not mount on this engine",
        "{reason}",
        "Check the engine's security profiles; where nothing helps, studios keep their home directory only",
    ),
    "image-bare": _fail(
        "the image of the template “{template}” has no agent",
        "docker.bundle is not set, and the image's own program is not the agent",
        "Set docker.bundle, or use what `studios image adapt {image}` makes",
    ),
}

AWS = {
    "credentials-ok": _ok("AWS knows this machine as {identity}"),
    "credentials-none": _fail(
        "there are no AWS credentials here",
        "{reason}",
        "Give the Hub's machine a role with the forge's policy, or set AWS_PROFILE",
    ),
    "denied": _fail(
        "AWS does not let this machine {doing}",
        "{reason}",
        "Attach the forge's policy (`studios forge status` names it) to what the Hub runs as",
    ),
    "unreached": _fail(
        "AWS was not reached", "{reason}", "Check the network, the region, and the clock of this machine"
    ),
    "aws-fault": _fail(
        "AWS did not answer as it should", "{reason}", "Try again; where it stays so, AWS' words say why"
    ),
    "queue-ok": _ok("the queue {queue} takes jobs"),
    "queue-missing": _fail(
        "there is no queue {queue}",
        "AWS knows none of that name in {region}",
        "Correct batch.queue, or make a forge",
    ),
    "queue-disabled": _fail(
        "the queue {queue} is disabled",
        "it takes no jobs",
        "Enable it: aws batch update-job-queue --state ENABLED",
    ),
    "queue-invalid": _fail(
        "the queue {queue} is {status}",
        "{reason}",
        "Wait while it is being changed, else mend what AWS names",
    ),
    "machines-ok": _ok("{machines} can run jobs"),
    "machines-none": _fail(
        "the queue {queue} has no machines",
        "no compute environment is behind it",
        "Give it one, or make a forge",
    ),
    "machines-disabled": _fail(
        "the machines {machines} are disabled",
        "jobs would wait for ever",
        "Enable them: aws batch update-compute-environment --state ENABLED",
    ),
    "machines-invalid": _fail(
        "the machines {machines} are {status}",
        "{reason}",
        "Mend what AWS names; a forge is mended by `studios forge create`",
    ),
    "machines-fargate": _fail(
        "the machines {machines} are of type {type}",
        "a job there may not mount, and has no disk of the machine",
        "Use a queue with EC2 or SPOT machines, such as a forge's",
    ),
    "machines-small": _warn(
        "the machines {machines} have at most {vcpus} processors together",
        "the compute environment offers {offered} to one studio",
        "Raise the maximum of the machines, or lower max_cpus",
    ),
    "role-ok": _ok("jobs have the role {role}"),
    "role-none": _fail(
        "jobs have no rights to the bucket",
        "batch.job_role is not set, and store_options hold no key",
        "Set batch.job_role: a forge's snippet names one",
    ),
    "role-keys": _ok("jobs use the key in store_options"),
    "role-missing": _fail("there is no role {role}", "AWS does not know it", "Correct batch.job_role"),
    "role-untrusted": _fail(
        "jobs cannot take on the role {role}",
        "it does not trust ecs-tasks.amazonaws.com",
        "Add that service to the role's trust policy",
    ),
    "role-unseen": _warn(
        "it was not looked whether jobs can take on the role {role}",
        "{reason}",
        "Allow iam:GetRole on it, or look yourself",
    ),
    "rights-ok": _ok("everything that the Hub does at AWS is allowed"),
    "rights-missing": _fail(
        "the Hub may not do everything that studios need",
        "{identity} lacks {actions}",
        "Attach the forge's policy (`studios forge status` names it) to what the Hub runs as",
    ),
    "rights-unknown": _warn(
        "it was not tried whether the Hub may submit and end jobs",
        "{reason}",
        "Allow iam:SimulatePrincipalPolicy for a moment, or start a studio",
    ),
    "log-ok": _ok("the log group {group} is there"),
    "log-missing": _fail(
        "there is no log group {group}",
        "AWS starts no job that cannot write its log",
        "Make it: aws logs create-log-group --log-group-name {group}",
    ),
    "gates-ok": _ok("the machines let {sources} in at ports {ports}"),
    "gates-any": _warn(
        "gates listen on any port",
        "gate_ports is not set, and no firewall can be as open as that",
        "Set gate_ports to those that the machines' security group lets in, such as (8500, 8999)",
    ),
    "gates-few": _warn(
        "gates have {count} ports: {ports}",
        "every studio on a machine takes one, and the next one does not start",
        "Widen gate_ports, and the security group with it",
    ),
    "gates-closed": _fail(
        "the machines let nobody in at ports {ports}",
        "no rule of {groups} covers them, so no studio could be opened",
        "Add a rule for the Hub's security group or network, or correct gate_ports",
    ),
    "gates-elsewhere": _fail(
        "the machines do not let this one in",
        "its address there is {address}, and at ports {ports} they let in {sources}",
        "Add a rule for the Hub's network; not so if the Hub runs on another machine than the doctor",
    ),
}

FINDINGS: dict[str, Finding] = {**GENERAL, **HUB, **OFFERS, **LOCAL, **DOCKER, **AWS}


class Result(Model):
    """What one check found."""

    subject: str = ""  # Hub, or a compute environment's id
    check: str = ""
    finding: str  # key of FINDINGS, or "problem": told by what was tried
    status: Status
    what: str
    why: str = ""
    action: str = ""


def found(finding: str, **words: object) -> Result:
    known = FINDINGS[finding]
    return Result(
        finding=finding,
        status=known.status,
        what=known.what.format(**words),
        why=known.why.format(**words),
        action=known.action.format(**words),
    )


def problem(given: Problem) -> Result:
    """What was tried went wrong, and has said so itself."""
    return Result(finding="problem", status="fail", what=given.title, why=given.detail, action=given.action)
