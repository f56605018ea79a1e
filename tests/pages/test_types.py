"""The pages' hand-written types of the API are those of the service."""

import re
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

from jupyterhub_studios import models, web
from jupyterhub_studios.service.api import answers

ROOT = Path(__file__).parent.parent.parent
TYPES = (ROOT / "labextension" / "packages" / "pages" / "src" / "api" / "types.ts").read_text()

# Every field is there, and no other.
WHOLE: dict[str, type[BaseModel]] = {
    "Phase": models.Phase,
    "StudioEvent": models.Event,
    "Session": models.SessionView,
    "Layer": models.LayerRef,
    "Package": models.Package,
    "Checkpoint": models.CheckpointView,
    "Studio": models.StudioView,
    "Progress": answers.Progress,
    "Logs": answers.LogPage,
    "Page": web.Page,
    "Problem": models.Problem,
}
# The pages know some of the fields.
PART: dict[str, type[BaseModel]] = {
    "Template": answers.TemplateView,
    "ComputeEnvironment": answers.ComputeEnvironmentView,
    "StudioSpec": models.StudioSpec,
}


def fields(interface: str) -> set[str]:
    body = re.search(rf"export interface {interface}(?:<T>)? {{\n(.*?)\n}}", TYPES, re.DOTALL)
    assert body, f"types.ts has no interface {interface}"
    return set(re.findall(r"^  (\w+):", body.group(1), re.MULTILINE))


def words(name: str) -> list[str]:
    """The strings of a constant list or a union type."""
    found = re.search(rf"export (?:const|type) {name} =(.*?);", TYPES, re.DOTALL)
    assert found, f"types.ts has no {name}"
    return re.findall(r'"([\w-]+)"', found.group(1))


@pytest.mark.parametrize("interface", WHOLE)
def test_whole_types_match(interface: str) -> None:
    assert fields(interface) == set(WHOLE[interface].model_fields)


@pytest.mark.parametrize("interface", PART)
def test_known_parts_exist(interface: str) -> None:
    assert fields(interface) <= set(PART[interface].model_fields)


def test_words_match() -> None:
    actions = get_args(get_args(models.StudioView.model_fields["may"].annotation)[0])
    assert words("STUDIO_STATES") == list(models.StudioState)
    assert words("PHASES") == list(models.PHASES)
    assert words("Kind") == list(models.Kind)
    assert words("RootMode") == list(models.RootMode)
    assert words("CheckpointStatus") == list(models.CheckpointStatus)
    assert words("Ability") == list(actions)
    assert list(models.SessionState) == list(models.StudioState)


def test_limits_match() -> None:
    assert f"NAME_MAX = {models.NAME_MAX};" in TYPES
    assert "DESCRIPTION_MAX = 2048;" in TYPES
    assert next(m.max_length for m in models.StudioSpec.model_fields["description"].metadata) == 2048
