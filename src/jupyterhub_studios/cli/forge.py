"""``studios forge``: the AWS side of a deployment. Speaks to AWS with this machine's credentials, not to the Hub."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..models import StudiosError
from . import text
from .commands import show, tell

if TYPE_CHECKING:
    from ..forge.run import Forge, Prepared
    from ..forge.stack import Plan, State

USAGE = 2
MARKS = {"Add": "+", "Modify": "~", "Remove": "-"}


# --- arguments --------------------------------------------------------------------------------------


def _ports(word: str) -> tuple[int, int]:
    first, dash, last = word.partition("-")
    if not (dash and first.isdigit() and last.isdigit()):
        raise argparse.ArgumentTypeError(f"“{word}” is not FIRST-LAST, such as 8500-8999")
    return int(first), int(last)


def _words(word: str) -> list[str]:
    return [part for part in word.replace(",", " ").split() if part]


def arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(metavar="ACTION", required=True, dest="action")
    create = actions.add_parser("create", help="make it, or change it to what is asked for")
    status = actions.add_parser("status", help="what there is, what runs, and whether AWS finds it sound")
    destroy = actions.add_parser("destroy", help="remove it; the bucket stays")
    for sub in (create, status, destroy):
        sub.add_argument("--name", required=True, help="of the forge; its stack is studios-NAME")
        sub.add_argument("--region", help="AWS region (default: AWS_REGION, or your AWS configuration)")
        sub.add_argument("--endpoint-url", metavar="URL", help="of another AWS, such as a server for tests")
        sub.add_argument("--json", action="store_true", help="print a document")
    status.add_argument(
        "--config", action="store_true", help="print the lines for jupyterhub_config.py alone"
    )
    for sub in (create, destroy):
        sub.add_argument("--yes", "-y", action="store_true", help="do not ask")
        sub.add_argument(
            "--force", action="store_true", help="although jobs run: they lose what is not saved"
        )
    create.add_argument("--dry-run", action="store_true", help="show what would change, and change nothing")
    _create_arguments(create)


def _create_arguments(create: argparse.ArgumentParser) -> None:
    place = create.add_argument_group("place")
    place.add_argument("--vpc", required=True, metavar="ID")
    place.add_argument(
        "--subnets", type=_words, default=[], metavar="ID,…", help="(default: the VPC's private ones)"
    )
    place.add_argument(
        "--bucket", required=True, metavar="NAME[/PREFIX]", help="for checkpoints; made if need be"
    )
    place.add_argument(
        "--bundle", type=Path, metavar="PATH", help="the agent bundle, from `studios image bundle`"
    )
    hub = create.add_argument_group("the Hub")
    hub.add_argument(
        "--hub-security-group", metavar="ID", help="of the Hub's machine: it may reach the gates"
    )
    hub.add_argument("--hub-cidr", metavar="CIDR", help="the Hub's network, where it has no security group")
    hub.add_argument("--hub-role", metavar="NAME", help="IAM role of the Hub, which gets the Hub's policy")
    hub.add_argument("--gate-ports", type=_ports, metavar="FIRST-LAST", help="(default: 8500-8999)")
    machines = create.add_argument_group("machines")
    machines.add_argument("--spot", action="store_true", help="also a queue of spot machines")
    machines.add_argument("--gpu", action="store_true", help="also a queue of machines with GPUs")
    machines.add_argument(
        "--instance-types", type=_words, metavar="TYPE,…", help="types or families (m7i,m6i,…)"
    )
    machines.add_argument("--gpu-instance-types", type=_words, metavar="TYPE,…", help="(g6,g5,g4dn)")
    machines.add_argument("--max-vcpus", type=int, metavar="N", help="of each queue (256)")
    machines.add_argument(
        "--warm-minutes", type=int, metavar="N", help="keep idle machines: 20 to 10080 (0: not)"
    )
    machines.add_argument("--scratch-gib", type=int, metavar="N", help="disk for what studios change (200)")
    machines.add_argument("--image-gib", type=int, metavar="N", help="disk for images (100)")
    machines.add_argument(
        "--image", dest="images", action="append", metavar="IMAGE", help="pulled at boot; repeat"
    )
    money = create.add_argument_group("logs and money")
    money.add_argument("--log-days", type=int, metavar="N", help="how long CloudWatch keeps logs (30)")
    money.add_argument("--budget", type=int, metavar="USD", help="mail at 80%% of so much a month")
    money.add_argument("--budget-email", metavar="ADDRESS")


OPTIONS = (
    "hub_security_group", "hub_cidr", "hub_role", "gate_ports", "spot", "gpu", "instance_types", "gpu_instance_types",
    "max_vcpus", "warm_minutes", "scratch_gib", "image_gib", "images", "log_days", "budget", "budget_email",
)  # fmt: skip


# --- actions ----------------------------------------------------------------------------------------


def forge(args: argparse.Namespace) -> int | None:
    """The AWS side of a deployment: one CloudFormation stack with roles, machines, queues and logs."""
    from ..forge.account import Account
    from ..forge.run import Forge

    here = Forge(Account(args.region, args.endpoint_url), args.name, tell)
    actions = {"create": _create, "status": _status, "destroy": _destroy}
    return actions[args.action](args, here)


def _create(args: argparse.Namespace, here: Forge) -> int | None:
    from ..forge.run import Wish, document

    given = {name: getattr(args, name) for name in OPTIONS}
    wish = Wish(args.name, args.vpc, args.bucket, args.subnets, args.bundle, given)
    prepared = here.prepare(wish)
    with here.planned(prepared) as plan:
        _tell_plan(prepared, plan)
        if args.dry_run:
            show(args, document(prepared, plan), "Nothing was changed.")
            return None
        if not args.force:
            here.guard(prepared, plan)
        if (plan.changes or prepared.new_bucket) and (code := _ask(args, "Go ahead?")) is not None:
            return code
        outputs = here.carry_out(prepared, plan)
    _show_made(args, here, outputs, prepared.settings.hub_role)
    return None


def _tell_plan(prepared: Prepared, plan: Plan) -> None:
    settings, count = prepared.settings, len(plan.changes)
    what = f"{count} {'change' if count == 1 else 'changes'}" if count else "nothing changes."
    tell(f"Forge “{settings.name}” in {settings.region}: {what}")
    if prepared.new_bucket:
        tell(f"  + bucket {settings.bucket}, private; it is never removed by this")
    for change in sorted(plan.changes, key=lambda c: c.name):
        note = "  replaced by a new one" if change.replaced else ""
        tell(f"  {MARKS.get(change.action, '?')} {change.name:<18} {change.type}{note}")
    if plan.changes:
        tell(f"  machines in {', '.join(settings.subnets)}")


def _ask(args: argparse.Namespace, question: str) -> int | None:
    """None: go ahead; else the exit code."""
    if args.yes:
        return None
    if not sys.stdin.isatty():
        tell("studios: nothing was changed. Say --yes when you mean it.")
        return USAGE
    tell(f"{question} [y/N] ")
    if sys.stdin.readline().strip().lower() in ("y", "yes"):
        return None
    tell("Nothing was changed.")
    return 1


def _show_made(args: argparse.Namespace, here: Forge, outputs: dict[str, str], hub_role: str | None) -> None:
    from ..forge.snippet import environments, snippet

    region = here.account.region
    tell(f"The forge “{here.name}” stands. What is left to do:")
    if hub_role is None:
        tell(f"  1. attach this policy to what the Hub runs as: {outputs['HubPolicy']}")
    else:
        tell(f"  1. nothing for permissions: the role {hub_role} has the Hub's policy")
    tell("  2. put these lines into jupyterhub_config.py, and restart the Hub:\n")
    document = {"outputs": outputs, "compute_environments": environments(here.name, region, outputs)}
    show(args, document, snippet(here.name, region, outputs))
    tell("  3. run `studios doctor` on the Hub's machine")
    tell(
        f"  4. for costs by forge: activate the cost allocation tag {outputs['TagKey']} in AWS' Billing console"
    )


def _status(args: argparse.Namespace, here: Forge) -> None:
    from ..forge.snippet import snippet

    state = here.existing()
    if args.config:
        if "WorkDir" not in state.outputs:
            raise StudiosError(
                f"The forge “{here.name}” is not ready",
                f"its stack is {state.status}",
                "Run `studios forge create`",
            )
        print(snippet(here.name, here.account.region, state.outputs), end="")
        return
    jobs, machines = here.jobs(state), here.machines(state)
    document = {"stack": here.stack.name, "status": state.status, "reason": state.reason, "outputs": state.outputs,
                "jobs": jobs, "machines": [_machine(m) for m in machines]}  # fmt: skip
    show(args, document, _status_words(here, state, sum(jobs.values()), machines))


def _machine(found: dict[str, Any]) -> dict[str, Any]:
    resources = found.get("computeResources", {})
    return {
        "name": found["computeEnvironmentName"],
        "state": found["state"],
        "status": found["status"],
        "reason": found.get("statusReason", ""),
        "vcpus": int(resources.get("desiredvCpus", 0)),
        "max_vcpus": int(resources.get("maxvCpus", 0)),
    }


def _status_words(here: Forge, state: State, jobs: int, machines: list[dict[str, Any]]) -> str:
    given = state.outputs
    head = text.facts(
        [
            ("Forge", f"{here.name}, in {here.account.region}"),
            ("Stack", f"{here.stack.name}: {state.status}" + (f" ({state.reason})" if state.reason else "")),
            ("Work dir", given.get("WorkDir", "")),
            ("Jobs", f"{jobs} not ended"),
            ("Hub's policy", given.get("HubPolicy", "")),
            ("Log group", given.get("LogGroup", "")),
            (
                "Gates",
                f"ports {given['GatePorts']}, {given['SecurityGroup']}" if "GatePorts" in given else "",
            ),
        ]
    )
    if not machines:
        return head
    rows = [
        [m["name"], m["state"], m["status"], f"{m['vcpus']} of {m['max_vcpus']}", m["reason"]]
        for m in map(_machine, machines)
    ]
    return f"{head}\n\n{text.table(['MACHINES', 'STATE', 'STATUS', 'VCPUS', 'REASON'], rows)}"


def _destroy(args: argparse.Namespace, here: Forge) -> int | None:
    state = here.existing()
    jobs = sum(here.jobs(state).values())
    if jobs and not args.force:
        raise StudiosError(
            f"{jobs} {'job has' if jobs == 1 else 'jobs have'} not ended on the forge “{here.name}”",
            "studios that run there would lose what is not saved yet",
            "Stop them first, or say --force",
            status=409,
        )
    kept = state.outputs.get("WorkDir", "the bucket")
    tell(f"The forge “{here.name}” with its queues, machines, roles and logs will be removed.")
    tell(f"Kept: {kept} with all checkpoints.")
    if (code := _ask(args, "Remove it?")) is not None:
        return code
    here.destroy(state)
    show(
        args, {"destroyed": here.name, "kept": kept}, f"The forge “{here.name}” is gone. {kept} is as it was."
    )
    return None
