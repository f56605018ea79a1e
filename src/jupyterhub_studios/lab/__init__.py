"""The Jupyter server extension: the Data Explorer's REST API for JupyterLab's sidebar, and what makes a studio's
server a studio.

It is installed wherever jupyterhub-studios is. The sidebar itself is the prebuilt extension in ``labextension``.
"""

from __future__ import annotations

from typing import Any


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    # Imported here: a studio's identity provider lies in this package too, and needs none of it.
    from .app import DataExplorer

    return [{"module": "jupyterhub_studios.lab", "app": DataExplorer}]
