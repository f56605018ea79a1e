"""What the demo's Data Explorer shows: real data sets on one cloud, or on three with ``make demo CLOUDS=1``."""

from __future__ import annotations

import mimetypes
import os
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
from azure.storage.blob import ContainerClient, ContentSettings

from .clouds import AZURE_ACCOUNT, azure_endpoint, azure_key, gcs_endpoint
from .home import DATA_BUCKET, TEAM_BUCKET, DemoHome
from .store import EXPLORER_KEY, endpoint, s3_client

# Data sets inside packages on PyPI; `make` downloads the packages without installing them. Licences: docs/user.md.
PENGUINS = {
    "palmerpenguins/data/penguins.csv": "penguins/penguins.csv",
    "palmerpenguins/data/penguins-raw.csv": "penguins/penguins-raw.csv",
}
SINGLE_CELL = {
    "scanpy/datasets/10x_pbmc68k_reduced.h5ad": "single-cell/pbmc68k_reduced.h5ad",
    "scanpy/datasets/krumsiek11.txt": "single-cell/krumsiek11.txt",
    "scanpy/datasets/toggleswitch.txt": "single-cell/toggleswitch.txt",
}
WHEELS = {"palmerpenguins-": PENGUINS, "scanpy-": SINGLE_CELL}

CONTAINER = "penguin-study"  # on Azure
PUBLIC = "single-cell-public"  # on Google


def with_clouds() -> bool:
    return os.environ.get("STUDIOS_CLOUDS", "") not in ("", "0")


def credentials(home: DemoHome) -> dict[str, Any]:
    """``c.Studios.data_credentials`` of the demo."""
    offered: dict[str, Any] = {
        # As one reads a public bucket: so the code that the explorer gives runs in any studio as it is.
        "demo-public": {
            "name": "Demo store, without a key",
            "provider": "s3",
            "endpoint": endpoint(home),
            "region": "us-east-1",
            "secret": {"type": "anonymous"},
        },
        "demo-store": {
            "name": "Demo store",
            "provider": "s3",
            "endpoint": endpoint(home),
            "region": "us-east-1",
            "secret": {
                "type": "access-key",
                "access_key_id": EXPLORER_KEY,
                "secret_access_key": home.secret("explorer-key"),
            },
        },
    }
    if with_clouds():
        offered["azure"] = {
            "name": "Azurite",
            "provider": "azure",
            "endpoint": azure_endpoint(home.port("azure")),
            "secret": {"type": "azure-key", "account": AZURE_ACCOUNT, "key": azure_key(home.secret("azure"))},
        }
        offered["google"] = {
            "name": "fake-gcs-server",
            "provider": "gcs",
            "endpoint": gcs_endpoint(home.port("gcs")),
            "secret": {"type": "anonymous"},
        }
    return offered


def links(home: DemoHome) -> dict[str, Any]:
    """``c.Studios.data_links`` of the demo."""
    offered: dict[str, Any] = {
        "demo-data": {
            "name": "Demo data",
            "description": "Palmer penguins and single cells: real data sets to try things with.",
            "url": f"s3://{DATA_BUCKET}/",
            "credential": "demo-public",
            "why": "The data sets are the same for everybody.",
        },
        "team": {
            "name": "Team folder",
            "description": "For whatever the three demo accounts want to share.",
            "url": f"s3://{TEAM_BUCKET}/",
            "credential": "demo-store",
            "role": "write",
            "writable": True,
            "why": "It is the demo team's own bucket.",
        },
    }
    if with_clouds():
        offered["azure"] = {
            "name": "Penguin study",
            "description": "On Azure: a container that the team writes to.",
            "url": f"az://{CONTAINER}/",
            "credential": "azure",
            "role": "write",
            "writable": True,
            "why": "It is the demo team's own container.",
        }
        offered["google"] = {
            "name": "Single cells",
            "description": "On Google Cloud: a public bucket.",
            "url": f"gs://{PUBLIC}/",
            "credential": "google",
            "why": "It is a public bucket.",
        }
    return offered


def writable_buckets() -> list[str]:
    """What studios of the demo may mount for writing."""
    return [f"s3://{TEAM_BUCKET}/", f"az://{CONTAINER}/"]


def fill(home: DemoHome, packages: Path) -> None:
    """Put the data sets of the wheels in ``packages`` where the demo's links lead."""
    files = {
        key: body for prefix, members in WHEELS.items() for key, body in _read(packages, prefix, members)
    }
    s3 = s3_client(home)
    for key, body in files.items():
        s3.put_object(Bucket=DATA_BUCKET, Key=key, Body=body, ContentType=_type(key))
    if with_clouds():
        _fill_azure(home, {key: files[key] for key in PENGUINS.values()})
        _fill_google(home, {key: files[key] for key in SINGLE_CELL.values()})


def _read(packages: Path, prefix: str, members: dict[str, str]) -> list[tuple[str, bytes]]:
    wheel = next(packages.glob(f"{prefix}*.whl"), None)
    if wheel is None:
        raise RuntimeError(f"No {prefix}*.whl in {packages}; run `make demo`, which downloads it")
    with zipfile.ZipFile(wheel) as archive:
        return [(key, archive.read(member)) for member, key in members.items()]


def _fill_azure(home: DemoHome, files: dict[str, bytes]) -> None:
    with ContainerClient(
        azure_endpoint(home.port("azure")), CONTAINER, credential=azure_key(home.secret("azure"))
    ) as container:
        if not container.exists():
            container.create_container()
        for key, body in files.items():
            settings = ContentSettings(content_type=_type(key))
            container.upload_blob(key, body, overwrite=True, content_settings=settings)


def _fill_google(home: DemoHome, files: dict[str, bytes]) -> None:
    with httpx.Client(base_url=gcs_endpoint(home.port("gcs")), timeout=60) as google:
        if google.get(f"/storage/v1/b/{PUBLIC}").status_code == 404:
            google.post("/storage/v1/b", json={"name": PUBLIC}).raise_for_status()
        for key, body in files.items():
            where = f"/upload/storage/v1/b/{PUBLIC}/o?uploadType=media&name={quote(key, safe='')}"
            google.post(where, content=body, headers={"Content-Type": _type(key)}).raise_for_status()


def _type(key: str) -> str:
    return mimetypes.guess_type(key)[0] or "application/octet-stream"
