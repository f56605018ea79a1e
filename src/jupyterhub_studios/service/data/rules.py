"""What people may add and offer. Pure: facts in, a StudiosError out where not."""

from __future__ import annotations

from urllib.parse import urlsplit

from ...explorer.catalogue import Caller
from ...models import CredentialSpec, Provider, StudiosError
from ...web.problems import no_such
from .links import Held, Link

_OF_THE_MACHINE = ("ambient", "profile")
_LOCAL = (Provider.FOLDER, Provider.OTHER)
_LONGEST = 64 * 1024  # characters of a credential: the longest key files have a few thousand


def check_credential(spec: CredentialSpec) -> None:
    if spec.provider in _LOCAL or spec.secret.type in _OF_THE_MACHINE:
        raise StudiosError(
            "This kind of credential comes from an administrator",
            "it stands for the rights of the server itself",
            "Use a credential of your own, or ask an administrator",
            status=403,
            field="secret.type",
        )
    if len(str(spec.disclosed())) > _LONGEST:
        raise StudiosError(
            "The credential is too long",
            f"{_LONGEST} characters are the most",
            "",
            status=413,
            field="secret",
        )
    if spec.endpoint is not None and urlsplit(spec.endpoint).path not in ("", "/"):
        raise StudiosError(
            "This is not an endpoint", "it has a path", "Write it as https://host:port", field="endpoint"
        )


def check_provider(provider: Provider) -> None:
    if provider in _LOCAL:
        raise StudiosError(
            "Such a link comes from an administrator",
            "folders of the server, and filesystems of other kinds, are not opened for people's own URLs",
            "Use s3://, gs:// or az://, or ask an administrator",
            status=403,
            field="url",
        )


def usable(held: dict[str, Held], credential_id: str | None, provider: Provider, bucket: str) -> Held | None:
    """The credential that a new link names; None: anonymous."""
    if credential_id is None:
        if provider is Provider.AZURE and "@" not in bucket:
            raise StudiosError(
                "The URL does not name the storage account",
                "without a credential nothing else says which one it is",
                "Write it as abfss://container@account.dfs.core.windows.net/",
                field="url",
            )
        return None
    found = held.get(credential_id)
    if found is None or (found.offered and found.offered.offer != "any"):
        raise no_such("credential", "credential")
    if found.spec.provider is not provider:
        raise StudiosError(
            "The credential does not fit",
            f"it is one of {found.spec.provider.value}, the URL is one of {provider.value}",
            "Choose a credential of the same provider",
            field="credential",
        )
    return found


def check_own(link: Link) -> None:
    if not link.may_edit:
        whose = link.owner or "an administrator"
        raise StudiosError(
            f"“{link.name}” is not yours to change",
            f"{whose} offers it to you",
            f"Ask {whose}",
            status=403,
        )


def check_offer(caller: Caller, used: Held | None, *, writable: bool, workspace: str | None) -> None:
    if writable and used is None:
        raise StudiosError(
            "A link without a credential cannot be written to",
            "public access is for reading",
            "Choose a credential",
            field="writable",
        )
    if writable and used and used.offered and not used.offered.writable:
        raise StudiosError(
            "This credential is for reading",
            "that is how an administrator offers it",
            "Ask an administrator, or use a credential of your own",
            status=403,
            field="writable",
        )
    if workspace is None:
        return
    if workspace not in caller.groups:
        mine = ", ".join(sorted(caller.groups)) or "none"
        raise StudiosError(
            f"You are not in the workspace “{workspace}”",
            f"yours are: {mine}",
            "Choose one of them",
            status=403,
            field="workspace",
        )
    if used and used.offered:
        raise StudiosError(
            "This link cannot be offered to others",
            "its credential is the administrator's",
            "Ask an administrator to offer it",
            status=403,
            field="workspace",
        )
