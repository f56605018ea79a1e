"""What a Jupyter server does when it is a studio's: JupyterLab's menus get the Hub's entries."""

from __future__ import annotations

import os
from typing import Any

STUDIO = "STUDIO_ID"
# Asks each new studio's visitors whether they want news from jupyter.org, even when the server has none to give.
ANNOUNCEMENTS = "@jupyterlab/apputils-extension:announcements"
# Copies an address with a token in it, or asks the Hub for rights that no session has. Sharing is the studios
# service's, see service/sharing.
COLLABORATION_LINKS = "@jupyter/collaboration-extension:shared-link"


def is_studio() -> bool:
    return STUDIO in os.environ


def page_config(handler: Any, page_config: dict[str, Any]) -> dict[str, Any]:
    """What JupyterLab's own hub extension reads; the same as JupyterHub's single-user server says."""
    user = handler.current_user
    page_config["hubHost"] = ""  # the Hub is on the visitor's own origin
    page_config["hubPrefix"] = os.environ["STUDIO_HUB_PREFIX"]
    page_config["hubUser"] = user.username if user else ""
    page_config["hubServerUser"] = os.environ["STUDIO_OWNER"]
    page_config["hubServerName"] = os.environ["STUDIO_SERVER_NAME"]
    page_config["studioId"] = os.environ[STUDIO]
    page_config["studioName"] = os.environ["STUDIO_NAME"]
    base = os.environ["STUDIO_HUB_PREFIX"].removesuffix("hub/")
    page_config["studioPage"] = f"{base}services/studios/studios/{os.environ[STUDIO]}"
    disabled = page_config.get("disabledExtensions", [])
    page_config["disabledExtensions"] = sorted({*disabled, ANNOUNCEMENTS, COLLABORATION_LINKS})
    return page_config
