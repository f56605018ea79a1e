"""What administrators write, read into the models; and what is wrong with it, in their words."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ValidationError
from traitlets import TraitError


def endpoint(text: str) -> tuple[str, int]:
    """Host and port of ``host:port`` or ``[v6]:port``; ValueError for anything else."""
    parts = urlsplit(f"//{text}")
    if not parts.hostname or not parts.port or parts.netloc != text or "@" in text:
        raise ValueError(text)
    return parts.hostname, parts.port


def parse(model: type[BaseModel], trait: str, value: dict[str, Any], title: str = "title") -> dict[str, Any]:
    parsed = {}
    for key, fields in value.items():
        if isinstance(fields, model):
            parsed[key] = fields
            continue
        try:
            parsed[key] = model.model_validate({"id": key, title: key, **fields})
        except ValidationError as error:
            # Only places and reasons: the values may hold credentials.
            faults = "; ".join(_fault(model, dict(one)) for one in error.errors())
            raise TraitError(f"c.Studios.{trait}[{key!r}] is not valid: {faults}") from None
    return parsed


def _fault(model: type[BaseModel], fault: dict[str, Any]) -> str:
    """One of pydantic's, as administrators read it."""
    place = ".".join(map(str, fault["loc"]))
    if fault["type"] == "missing":
        return f"{place} is missing"
    if fault["type"] == "extra_forbidden":
        meant = get_close_matches(place, model.model_fields, n=1)
        return f"there is no field “{place}”" + (f"; did you mean “{meant[0]}”?" if meant else "")
    message = str(fault["msg"]).removeprefix("Value error, ").replace("Input should be", "should be", 1)
    return f"{place}: {message}" if place else message
