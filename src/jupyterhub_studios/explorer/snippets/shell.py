"""Commands to copy a place with the tools that people have. Nothing secret is in them."""

from __future__ import annotations

import shlex
from urllib.parse import quote

from ...models import Provider, Snippet
from .source import Source

OWN = "It uses credentials of your own: none are in this code."
ANYBODY = "This bucket is public, so no credentials are needed."


def commands(source: Source) -> list[Snippet]:
    made = {Provider.S3: _aws, Provider.GCS: _gcloud, Provider.AZURE: _azcopy}.get(source.provider)
    return [snippet for snippet in (made(source) if made else None, _rclone(source)) if snippet]


def _aws(source: Source) -> Snippet:
    words = ["aws", "s3", "sync" if source.folder else "cp", f"s3://{source.where}", source.local]
    if source.endpoint:
        words += ["--endpoint-url", source.endpoint]
    if source.region:
        words += ["--region", source.region]
    if source.public:
        words.append("--no-sign-request")
    return _bash("aws", "AWS command line", shlex.join(words), source)


def _gcloud(source: Source) -> Snippet:
    verb = ["rsync", "--recursive"] if source.folder else ["cp"]
    words = ["gcloud", "storage", *verb, f"gs://{source.where}", source.local]
    settings = ""
    if source.endpoint:
        address = shlex.quote(source.endpoint.rstrip("/") + "/storage/v1/")
        settings += f"CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE={address} "
    if source.public:
        settings += "CLOUDSDK_AUTH_DISABLE_CREDENTIALS=true "
    note = ""
    if not source.folder and set("*?[]") & set(source.key):
        note = "gcloud reads * ? [ ] in a name as a pattern, so it may copy more than this file."
    return _bash("gcloud", "Google Cloud command line", settings + shlex.join(words), source, note)


def _azcopy(source: Source) -> Snippet | None:
    if not source.account:
        return None
    root = source.endpoint or f"https://{source.account}.blob.core.windows.net"
    address = f"{root.rstrip('/')}/{source.bucket}/{quote(source.key)}"
    words = ["azcopy", "copy", address + "*" if source.folder else address, source.local]
    if source.folder:
        words.append("--recursive")
    note = "" if source.public else "Sign in with “azcopy login” before, or append a SAS to the address."
    return _bash("azcopy", "AzCopy", shlex.join(words), source, note)


def _rclone(source: Source) -> Snippet | None:
    options: dict[str, str] = {}
    if source.provider is Provider.S3:
        options["provider"] = "Other" if source.endpoint else "AWS"
        if source.region:
            options["region"] = source.region
    elif source.provider is Provider.AZURE and source.account:
        options["account"] = source.account
    elif source.provider not in (Provider.GCS, Provider.FOLDER):
        return None
    if source.endpoint:
        options["endpoint"] = source.endpoint
    if source.provider is Provider.GCS and source.public:
        options["anonymous"] = "true"
    elif source.provider is not Provider.FOLDER and not source.public:
        options["env_auth"] = "true"
    kind = {Provider.S3: "s3", Provider.GCS: "gcs", Provider.AZURE: "azureblob", Provider.FOLDER: "local"}
    inside = ",".join(
        [kind[source.provider], *(f"{name}={_quoted(value)}" for name, value in options.items())]
    )
    words = [
        "rclone",
        "copy" if source.folder else "copyto",
        f":{inside}:{source.where}",
        source.local,
        "--progress",
    ]
    note = ""
    if "//" in source.key or source.key.startswith("/"):
        note = "rclone does not see names with “//” in them."
    return _bash("rclone", "rclone", shlex.join(words), source, note)


def _quoted(value: str) -> str:
    """A value of a remote that is written out on the spot."""
    return '"' + value.replace('"', '""') + '"' if set(",:= \"'") & set(value) else value


def _bash(tool: str, title: str, code: str, source: Source, note: str = "") -> Snippet:
    whose = "" if source.provider is Provider.FOLDER else ANYBODY if source.public else OWN
    text = " ".join(part for part in (whose, note) if part)
    return Snippet(tool=tool, title=title, language="bash", code=code, note=text)  # type: ignore[arg-type]
