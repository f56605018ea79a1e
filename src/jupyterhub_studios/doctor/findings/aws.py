"""Of AWS Batch and what is around a queue."""

from __future__ import annotations

from .finding import fail, ok, warn

AWS = {
    "credentials-ok": ok("AWS knows this machine as {identity}"),
    "credentials-none": fail(
        "there are no AWS credentials here",
        "{reason}",
        "Give the Hub's machine a role with the forge's policy, or set AWS_PROFILE",
    ),
    "denied": fail(
        "AWS does not let this machine {doing}",
        "{reason}",
        "Attach the forge's policy (`studios forge status` names it) to what the Hub runs as",
    ),
    "unreached": fail(
        "AWS was not reached", "{reason}", "Check the network, the region, and the clock of this machine"
    ),
    "aws-fault": fail(
        "AWS did not answer as it should", "{reason}", "Try again; where it stays so, AWS' words say why"
    ),
    "queue-ok": ok("the queue {queue} takes jobs"),
    "queue-missing": fail(
        "there is no queue {queue}",
        "AWS knows none of that name in {region}",
        "Correct batch.queue, or make a forge",
    ),
    "queue-disabled": fail(
        "the queue {queue} is disabled",
        "it takes no jobs",
        "Enable it: aws batch update-job-queue --state ENABLED",
    ),
    "queue-invalid": fail(
        "the queue {queue} is {status}",
        "{reason}",
        "Wait while it is being changed, else mend what AWS names",
    ),
    "machines-ok": ok("{machines} can run jobs"),
    "machines-none": fail(
        "the queue {queue} has no machines",
        "no compute environment is behind it",
        "Give it one, or make a forge",
    ),
    "machines-disabled": fail(
        "the machines {machines} are disabled",
        "jobs would wait for ever",
        "Enable them: aws batch update-compute-environment --state ENABLED",
    ),
    "machines-invalid": fail(
        "the machines {machines} are {status}",
        "{reason}",
        "Mend what AWS names; a forge is mended by `studios forge create`",
    ),
    "machines-fargate": fail(
        "the machines {machines} are of type {type}",
        "a job there may not mount, and has no disk of the machine",
        "Use a queue with EC2 or SPOT machines, such as a forge's",
    ),
    "machines-small": warn(
        "the machines {machines} have at most {vcpus} processors together",
        "the compute environment offers {offered} to one studio",
        "Raise the maximum of the machines, or lower max_cpus",
    ),
    "role-ok": ok("jobs have the role {role}"),
    "role-none": fail(
        "jobs have no rights to the bucket",
        "batch.job_role is not set, and store_options hold no key",
        "Set batch.job_role: a forge's snippet names one",
    ),
    "role-keys": ok("jobs use the key in store_options"),
    "role-missing": fail("there is no role {role}", "AWS does not know it", "Correct batch.job_role"),
    "role-untrusted": fail(
        "jobs cannot take on the role {role}",
        "it does not trust ecs-tasks.amazonaws.com",
        "Add that service to the role's trust policy",
    ),
    "role-unseen": warn(
        "it was not looked whether jobs can take on the role {role}",
        "{reason}",
        "Allow iam:GetRole on it, or look yourself",
    ),
    "rights-ok": ok("everything that the Hub does at AWS is allowed"),
    "rights-missing": fail(
        "the Hub may not do everything that studios need",
        "{identity} lacks {actions}",
        "Attach the forge's policy (`studios forge status` names it) to what the Hub runs as",
    ),
    "rights-unknown": warn(
        "it was not tried whether the Hub may submit and end jobs",
        "{reason}",
        "Allow iam:SimulatePrincipalPolicy for a moment, or start a studio",
    ),
    "log-ok": ok("the log group {group} is there"),
    "log-missing": fail(
        "there is no log group {group}",
        "AWS starts no job that cannot write its log",
        "Make it: aws logs create-log-group --log-group-name {group}",
    ),
    "gates-ok": ok("the machines let {sources} in at ports {ports}"),
    "gates-any": warn(
        "gates listen on any port",
        "gate_ports is not set, and no firewall can be as open as that",
        "Set gate_ports to those that the machines' security group lets in, such as (8500, 8999)",
    ),
    "gates-few": warn(
        "gates have {count} ports: {ports}",
        "every studio on a machine takes one, and the next one does not start",
        "Widen gate_ports, and the security group with it",
    ),
    "gates-closed": fail(
        "the machines let nobody in at ports {ports}",
        "no rule of {groups} covers them, so no studio could be opened",
        "Add a rule for the Hub's security group or network, or correct gate_ports",
    ),
    "gates-elsewhere": fail(
        "the machines do not let this one in",
        "its address there is {address}, and at ports {ports} they let in {sources}",
        "Add a rule for the Hub's network; not so if the Hub runs on another machine than the doctor",
    ),
}
