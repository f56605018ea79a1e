"""The built JupyterLab extension in the wheel.

It is not in git; ``make`` builds it. An editable installation links it instead (see the Makefile), so that it is what
was built last.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

BUILT = "src/jupyterhub_studios/lab/labextension"
INSTALL = "labextension/packages/lab/install.json"
PLACE = "share/jupyter/labextensions/@jupyterhub-studios/lab"


class LabextensionHook(BuildHookInterface):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        root = Path(self.root)
        if not (root / BUILT / "package.json").exists():
            self.app.display_warning(
                "JupyterLab's extension is not built: run `make` before you build a wheel"
            )
            return
        build_data["shared_data"][str(root / BUILT)] = PLACE
        build_data["shared_data"][str(root / INSTALL)] = f"{PLACE}/install.json"
