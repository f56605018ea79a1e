"""A link as a remote of rclone: its options without anything secret. Pure."""

from __future__ import annotations

from ...models import CredentialSpec, LinkView, Provider

_KINDS = {Provider.S3: "s3", Provider.GCS: "google cloud storage", Provider.AZURE: "azureblob",
          Provider.FOLDER: "local"}  # fmt: skip


def remote(link: LinkView, path: str) -> str:
    """Where rclone finds the folder ``path`` of ``link``, on the remote with these options."""
    if link.provider is Provider.FOLDER:
        return f"{link.bucket.rstrip('/')}/{path}"
    bucket = link.bucket.partition("@")[0] if link.provider is Provider.AZURE else link.bucket
    return f"{bucket}/{link.prefix}{path}"


def options(link: LinkView, credential: CredentialSpec | None) -> dict[str, str]:
    """Without a credential as public buckets are read."""
    endpoint = credential.endpoint if credential else None
    found = {"type": _KINDS[link.provider]}
    match link.provider:
        case Provider.S3:
            region = (credential.region if credential else None) or link.region or "us-east-1"
            found |= {"region": region, "no_check_bucket": "true", "directory_markers": "true"}
            # With the transfers at once 128 MB of memory at most: it is taken from the studio's.
            found |= {"upload_concurrency": "4", "chunk_size": "8M"}
            if endpoint:
                found |= {"provider": "Other", "endpoint": endpoint, "force_path_style": "true"}
            else:
                found |= {"provider": "AWS"}
        case Provider.GCS:
            # Old access lists of objects are refused by buckets that have uniform access.
            found |= {"bucket_policy_only": "true", "no_check_bucket": "true", "directory_markers": "true"}
            if endpoint:
                found |= {"endpoint": f"{endpoint.rstrip('/')}/storage/v1/"}
        case Provider.AZURE:
            found |= {"no_check_container": "true", "directory_markers": "true"}
        case _:
            # What a folder of the machine links to may lie outside of it.
            found |= {"skip_links": "true"}
    return found
