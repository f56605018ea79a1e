"""Checkpoints: a studio's filesystem as squashfs layers in a bucket.

``claim`` and ``Saver`` write, ``fetch_layers`` brings back, ``catalogue`` manages, ``installed`` tells what was
installed. Knows neither JupyterHub nor the service.
"""

from .bucket import Fenced, LayerDamaged, LayerMissing
from .catalogue import (
    Swept,
    current,
    delete,
    delete_studio,
    fork,
    get_checkpoint,
    list_checkpoints,
    mark_invalid,
    rename,
    sweep,
)
from .installed import installed
from .restore import fetch_layers
from .save import Line, Saver, claim
from .store import Store

__all__ = [
    "Fenced",
    "LayerDamaged",
    "LayerMissing",
    "Line",
    "Saver",
    "Store",
    "Swept",
    "claim",
    "current",
    "delete",
    "delete_studio",
    "fetch_layers",
    "fork",
    "get_checkpoint",
    "installed",
    "list_checkpoints",
    "mark_invalid",
    "rename",
    "sweep",
]
