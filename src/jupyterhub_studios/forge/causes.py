"""What to do about what AWS says."""

from __future__ import annotations

import re

# The first that fits: a pattern of AWS' reason, and what mends it.
CAUSES = (
    (
        r"not authorized to perform|AccessDenied|UnauthorizedOperation",
        "Use credentials that may do this, or ask whoever manages the account",
    ),
    (
        r"policy.*attached|DeleteConflict|must detach",
        "Detach the Hub's policy from the roles and users it was attached to by hand, and run it again",
    ),
    (
        r"already exists",
        "Something of this name is there that this forge did not make: remove it, or choose another --name",
    ),
    (
        r"(role|user) with name .* cannot be found|NoSuchEntity",
        "Check --hub-role: it is the name of an existing IAM role, not its ARN",
    ),
    (
        r"service.linked role",
        "Make it once for the account: aws iam create-service-linked-role --aws-service-name batch.amazonaws.com",
    ),
    (
        r"[Ii]nstance type|not supported in your requested Availability Zone|[Ii]nstanceTypes",
        "Choose machines that the region has, with --instance-types or --gpu-instance-types",
    ),
    (r"subnet", "Check --subnets: they must exist and lie in the VPC"),
    (r"security group|sg-", "Check --hub-security-group: it must exist and be usable from the VPC"),
    (r"vpc", "Check --vpc and --region"),
    (
        r"[Ll]imit|quota|[Mm]aximum number",
        "Ask AWS for a higher quota in the console, Service Quotas, or remove what is not needed",
    ),
    (
        r"Throttl|Rate exceeded|InternalFailure|ServiceUnavailable|timed out",
        "That passes: run it again in some minutes",
    ),
    (
        r"DEPENDENCY|dependent object|in use",
        "Something still uses it: wait until its jobs have ended, and run it again",
    ),
    (r"[Bb]udget", "Leave out --budget, or use credentials that may make budgets"),
)

OTHERWISE = "Look at the stack's events in the CloudFormation console, mend it, and run it again"


def mend(reason: str) -> str:
    for pattern, action in CAUSES:
        if re.search(pattern, reason):
            return action
    return OTHERWISE


def shown(reason: str) -> str:
    """AWS' reason without what only its support can use."""
    text = re.sub(
        r"\s*\((Service|RequestToken|HandlerErrorCode|SDK|Request ID)[^()]*(\([^()]*\)[^()]*)*\)", "", reason
    )
    return re.sub(r"\s+", " ", text).strip().rstrip(".")
