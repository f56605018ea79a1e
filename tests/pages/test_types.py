"""The pages' hand-written types of the API are those of the service."""

import re
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel, TypeAdapter

from jupyterhub_studios import models, web
from jupyterhub_studios.service.api import answers

ROOT = Path(__file__).parent.parent.parent
PACKAGES = ROOT / "labextension" / "packages"
TYPES = "".join((PACKAGES / name).read_text() for name in ("pages/src/api/types.ts", "explorer/src/types.ts"))

# Every field is there, and no other.
WHOLE: dict[str, type[BaseModel]] = {
    "Phase": models.Phase,
    "StudioEvent": models.Event,
    "Session": models.SessionView,
    "Share": models.ShareView,
    "ShareSpec": models.ShareSpec,
    "ShareLink": models.ShareLinkView,
    "ShareLinkSpec": models.ShareLinkSpec,
    "Layer": models.LayerRef,
    "Package": models.Package,
    "Checkpoint": models.CheckpointView,
    "Studio": models.StudioView,
    "Lifetime": models.LifetimeView,
    "LifetimeOffer": models.LifetimeOffer,
    "MountSpec": models.MountSpec,
    "MountStatus": models.MountStatus,
    "MountView": models.MountView,
    "MountsView": models.MountsView,
    "Progress": answers.Progress,
    "JobLogs": answers.JobLogPage,
    "Logs": answers.LogPage,
    "Page": web.Page,
    "Problem": models.Problem,
    "CredentialSpec": models.CredentialSpec,
    "CredentialView": models.CredentialView,
    "Ambient": models.Ambient,
    "Profile": models.Profile,
    "Anonymous": models.Anonymous,
    "AccessKey": models.AccessKey,
    "AzureKey": models.AzureKey,
    "AzureSas": models.AzureSas,
    "AzureConnectionString": models.AzureConnectionString,
    "ServiceAccount": models.ServiceAccount,
    "LinkSpec": models.LinkSpec,
    "LinkPatch": models.LinkPatch,
    "LinkMarks": models.LinkMarks,
    "LinkView": models.LinkView,
    "Entry": models.Entry,
    "EntryPage": models.EntryPage,
    "Total": models.Total,
    "Found": models.Found,
    "Done": models.Done,
    "Presigned": models.Presigned,
    "Snippet": models.Snippet,
    "Upload": models.Upload,
    "UploadedPart": models.UploadedPart,
    "TextPreview": models.TextPreview,
    "Column": models.Column,
    "TablePreview": models.TablePreview,
    "NotebookOutput": models.NotebookOutput,
    "NotebookCell": models.NotebookCell,
    "NotebookPreview": models.NotebookPreview,
    "DocumentPreview": models.DocumentPreview,
    "Member": models.Member,
    "ArchivePreview": models.ArchivePreview,
    "Node": models.Node,
    "TreePreview": models.TreePreview,
    "BinaryPreview": models.BinaryPreview,
}
# The pages know some of the fields.
PART: dict[str, type[BaseModel]] = {
    "Template": answers.TemplateView,
    "ComputeEnvironment": answers.ComputeEnvironmentView,
    "StudioSpec": models.StudioSpec,
}


def fields(interface: str) -> set[str]:
    body = re.search(
        rf"export interface {interface}(?:<T>)?(?: extends (\w+))? {{\n(.*?)\n}}", TYPES, re.DOTALL
    )
    assert body, f"types.ts has no interface {interface}"
    inherited = fields(body.group(1)) if body.group(1) else set()
    return inherited | set(re.findall(r"^  (\w+)\??:", body.group(2), re.MULTILINE))


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


def test_words_of_data_match() -> None:
    assert words("PROVIDERS") == list(models.Provider)
    assert words("DATA_ROLES") == list(models.DataRole)
    assert words("Status") == list(get_args(models.LinkView.model_fields["status"].annotation))
    assert words("ViewName") == list(get_args(models.ViewName))


def test_the_kinds_of_access_of_each_provider_match() -> None:
    fits = re.search(r"export const FITS.*?= {\n(.*?)\n};", TYPES, re.DOTALL)
    assert fits
    known = {
        provider: set(re.findall(r'"([\w-]+)"', kinds))
        for provider, kinds in re.findall(r"(\w+): \[(.*?)\]", fits.group(1))
    }
    schema = TypeAdapter(models.CredentialSpec).json_schema()
    kinds = set(schema["properties"]["secret"]["discriminator"]["mapping"])
    for provider in models.Provider:
        taken = set()
        for kind in kinds:
            try:
                models.CredentialSpec.model_validate(
                    {"name": "x", "provider": provider, "secret": SECRETS[kind]}
                )
                taken.add(kind)
            except ValueError:
                continue
        assert known[provider] == taken, provider


SECRETS: dict[str, dict[str, str]] = {
    "ambient": {"type": "ambient"},
    "profile": {"type": "profile", "profile": "x"},
    "anonymous": {"type": "anonymous"},
    "access-key": {"type": "access-key", "access_key_id": "x", "secret_access_key": "x"},
    "azure-key": {"type": "azure-key", "account": "xxx", "key": "x"},
    "azure-sas": {"type": "azure-sas", "account": "xxx", "sas": "x"},
    "azure-connection-string": {"type": "azure-connection-string", "connection_string": "x"},
    "service-account": {"type": "service-account", "key_json": "{}"},
}


def test_limits_match() -> None:
    assert f"NAME_MAX = {models.NAME_MAX};" in TYPES
    assert "DESCRIPTION_MAX = 2048;" in TYPES
    assert next(m.max_length for m in models.StudioSpec.model_fields["description"].metadata) == 2048
