"""URLs of links: which provider, which bucket, which prefix."""

from __future__ import annotations

import re

from ...models import Provider, StudiosError

SCHEMES = {
    "s3": Provider.S3, "s3a": Provider.S3, "gs": Provider.GCS, "gcs": Provider.GCS,
    "az": Provider.AZURE, "abfs": Provider.AZURE, "abfss": Provider.AZURE, "file": Provider.FOLDER,
}  # fmt: skip

_BUCKETS = {
    Provider.S3: re.compile(
        r"[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]|arn:aws[a-z0-9-]*:s3[A-Za-z0-9:._-]+"
    ),
    Provider.GCS: re.compile(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]"),
    Provider.AZURE: re.compile(r"(\$root|\$web|[a-z0-9](?:-?[a-z0-9]){2,62})(@[a-z0-9]{3,24})?"),
}
_AZURE_HOST = re.compile(r"(@[a-z0-9]{3,24})\.(?:blob|dfs)\.core\.windows\.net")


def split_url(url: str) -> tuple[Provider, str, str]:
    """Provider, bucket and prefix of a link's URL. Keys are taken as they are written, nothing is decoded.

    The prefix is empty or ends with "/". Azure: ``az://container/…``, or with the account
    ``abfss://container@account.dfs.core.windows.net/…``, whose bucket is ``container@account``. A folder is
    its own bucket, with an absolute path; of any other filesystem the whole URL is the bucket.
    """
    scheme, separator, rest = url.partition("://")
    if not separator or not rest or "::" in scheme:
        raise _not_a_link("it has no scheme such as s3://")
    provider = SCHEMES.get(scheme.lower(), Provider.OTHER)
    if provider is Provider.OTHER:
        return provider, url.rstrip("/") if not rest.startswith("/") else url, ""
    if provider is Provider.FOLDER:
        if not rest.startswith("/") or ".." in rest.split("/") or "\0" in rest:
            raise _not_a_link("a folder is written as file:///path, without “..”")
        return provider, re.sub("/+", "/", rest).rstrip("/") or "/", ""
    bucket, _, prefix = rest.partition("/")
    if provider is Provider.AZURE:
        bucket = _AZURE_HOST.sub(r"\1", bucket)
    if not _BUCKETS[provider].fullmatch(bucket):
        raise _not_a_link(f"“{bucket[:80]}” cannot be the name of a bucket of {provider}")
    return provider, bucket, prefix if not prefix or prefix.endswith("/") else f"{prefix}/"


def _not_a_link(why: str) -> StudiosError:
    return StudiosError(
        "This is not the URL of a bucket or folder",
        why,
        "Write it as s3://bucket/prefix/, gs://…, az://container/… or file:///path",
        field="url",
    )
