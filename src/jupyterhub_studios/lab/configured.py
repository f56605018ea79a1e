"""What ``c.DataExplorer`` offers, checked when the server starts."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import Field, ValidationError
from traitlets import TraitError

from ..explorer.backends import split_url
from ..models import CredentialSpec, Model, Name, StudiosError

M = TypeVar("M", bound=Model)


class ConfiguredLink(Model):
    """An entry of ``c.DataExplorer.links``."""

    name: Name
    url: str = Field(max_length=2048)
    credential: str | None = None  # an entry of c.DataExplorer.credentials; None: anonymous
    description: str = Field(default="", max_length=2048)
    region: str | None = None
    writable: bool = False


def parsed(model: type[M], trait: str, entries: dict[str, Any]) -> dict[str, M]:
    found = {}
    for key, fields in entries.items():
        if isinstance(fields, model):
            found[key] = fields
            continue
        try:
            found[key] = model.model_validate({"name": key, **fields})
        except (ValidationError, TypeError) as error:  # a TypeError: no mapping
            raise TraitError(f"c.DataExplorer.{trait}[{key!r}] is not valid: {_reasons(error)}") from None
    return found


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


def _reasons(error: ValidationError | TypeError) -> str:
    """Places and reasons alone: the values may be secret."""
    if isinstance(error, TypeError):
        return "its fields must be a mapping"
    return "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
