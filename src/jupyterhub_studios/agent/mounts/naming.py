"""The names under which a session's programs find its mounts. Pure.

A program that reads paths is told where a bucket is: for each variable that a person or a template gave the studio and
that holds the URL of something mounted (``REFERENCE=s3://genomes/hg38.fa``), there is one more, called like it with
``_PATH`` behind (``REFERENCE_PATH=/workspace/data/genomes/hg38.fa``). ``STUDIO_MOUNTS`` has all mounts as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from ...models import MOUNTS, MountAccess

VARIABLE = "STUDIO_MOUNTS"
SUFFIX = "_PATH"


def variables(mounts: Sequence[MountAccess], environment: Mapping[str, str], workdir: str) -> dict[str, str]:
    """What is set beside ``environment``. A variable that is there already stays what it is."""
    mounted = [one for one in mounts if not one.refusal]
    if not mounted:
        return {}
    folders = {f"{workdir}/{MOUNTS}/{one.name}": one for one in mounted}
    found = {
        f"{name}{SUFFIX}": path
        for name, value in environment.items()
        if (path := path_of(value, folders)) is not None and f"{name}{SUFFIX}" not in environment
    }
    told = {folder: {"url": one.url, "writable": one.writable} for folder, one in folders.items()}
    return {**found, VARIABLE: json.dumps(told)}


def path_of(url: str, folders: Mapping[str, MountAccess]) -> str | None:
    """The path of ``url`` below the most exact of ``folders``; None where it is not mounted."""
    fitting = [(one.url, folder) for folder, one in folders.items() if f"{url}/".startswith(one.url)]
    if not fitting:
        return None
    start, folder = max(fitting, key=lambda pair: len(pair[0]))
    return f"{folder}/{url[len(start) :]}".rstrip("/")
