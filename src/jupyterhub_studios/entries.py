"""The entries of a configuration file, read into the models; and what is wrong with them, in the words of who writes
them."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from traitlets import TraitError

M = TypeVar("M", bound=BaseModel)


def read(model: type[M], trait: str, entries: Mapping[str, Any], *named: str) -> dict[str, M]:
    """What ``trait``, say ``c.Studios.templates``, holds. The fields ``named`` are the entry's key where it does not
    give them."""
    found = {}
    for key, fields in entries.items():
        if isinstance(fields, model):
            found[key] = fields
            continue
        wrong = f"{trait}[{key!r}] is not valid: "
        if not isinstance(fields, Mapping):
            raise TraitError(f"{wrong}its fields must be a mapping")
        try:
            found[key] = model.model_validate({**dict.fromkeys(named, key), **fields})
        except ValidationError as error:
            # Only places and reasons: the values may hold credentials.
            faults = "; ".join(_fault(model, dict(one)) for one in error.errors())
            raise TraitError(f"{wrong}{faults}") from None
    return found


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
