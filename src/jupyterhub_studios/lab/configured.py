"""What ``c.DataExplorer`` offers, checked when the server starts."""

from __future__ import annotations

from pydantic import Field
from traitlets import TraitError

from ..explorer.backends import split_url
from ..models import CredentialSpec, Model, Name, StudiosError


class ConfiguredLink(Model):
    """An entry of ``c.DataExplorer.links``."""

    name: Name
    url: str = Field(max_length=2048)
    credential: str | None = None  # an entry of c.DataExplorer.credentials; None: anonymous
    description: str = Field(default="", max_length=2048)
    region: str | None = None
    writable: bool = False


def check_link(key: str, link: ConfiguredLink, credentials: dict[str, CredentialSpec]) -> None:
    start = f"c.DataExplorer.links[{key!r}] is not valid: "
    try:
        provider, _, _ = split_url(link.url)
    except StudiosError as error:
        raise TraitError(f"{start}{error}") from None
    if link.credential is None:
        return
    credential = credentials.get(link.credential)
    if credential is None:
        raise TraitError(f"{start}“{link.credential}” is no entry of c.DataExplorer.credentials")
    if credential.provider is not provider:
        raise TraitError(f"{start}“{link.credential}” is a credential of {credential.provider}")
