"""What a minted credential may do: no more than its mount needs. Pure builders of the clouds' documents."""

from __future__ import annotations

import json
from typing import Any

READ = ("s3:GetObject", "s3:GetObjectVersion")
WRITE = ("s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts")


def s3_policy(bucket: str, prefix: str, *, writable: bool, partition: str = "aws") -> str:
    """A session policy for what lies below ``prefix``. It only takes away: what the credential itself may not do
    stays forbidden. Keys of KMS, which objects may be encrypted with, are let through for S3's own use."""
    arn = bucket if bucket.startswith("arn:") else f"arn:{partition}:s3:::{bucket}"
    objects = f"{arn}/object/" if bucket.startswith("arn:") else f"{arn}/"
    listing: dict[str, Any] = {
        "Effect": "Allow", "Action": ["s3:ListBucket", "s3:ListBucketMultipartUploads"], "Resource": [arn],
    }  # fmt: skip
    if prefix:
        listing["Condition"] = {"StringLike": {"s3:prefix": [f"{_literal(prefix)}*"]}}
    statements = [
        listing,
        {
            "Effect": "Allow",
            "Action": [*READ, *(WRITE if writable else ())],
            "Resource": [f"{objects}{_literal(prefix)}*"],
        },
        {
            "Effect": "Allow",
            "Action": ["kms:Decrypt", *(["kms:GenerateDataKey"] if writable else [])],
            "Resource": ["*"],
            "Condition": {"StringLike": {"kms:ViaService": ["s3.*.amazonaws.com*"]}},
        },
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":"))


def _literal(prefix: str) -> str:
    """In a policy "*", "?" and "$" mean something."""
    return "".join({"*": "${*}", "?": "${?}", "$": "${$}"}.get(c, c) for c in prefix)


def partition(region: str | None) -> str:
    """Of AWS: China and the US government have their own."""
    for start, name in (("cn-", "aws-cn"), ("us-gov-", "aws-us-gov")):
        if region and region.startswith(start):
            return name
    return "aws"


def gcs_boundary(bucket: str, prefix: str, *, writable: bool) -> dict[str, Any]:
    """A credential access boundary: a token with it reaches nothing else."""
    rule: dict[str, Any] = {
        "availableResource": f"//storage.googleapis.com/projects/_/buckets/{bucket}",
        "availablePermissions": [f"inRole:roles/storage.object{'User' if writable else 'Viewer'}"],
    }
    if prefix:
        quoted = prefix.replace("\\", "\\\\").replace("'", "\\'")
        rule["availabilityCondition"] = {
            "expression": (
                f"resource.name.startsWith('projects/_/buckets/{bucket}/objects/{quoted}') || "
                f"api.getAttribute('storage.googleapis.com/objectListPrefix', '').startsWith('{quoted}')"
            )
        }
    return {"accessBoundary": {"accessBoundaryRules": [rule]}}


def azure_permissions(*, writable: bool) -> str:
    """Of a SAS of a container: read and list; add, create, write, delete."""
    return "racwdl" if writable else "rl"
