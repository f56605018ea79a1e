"""The demo's configuration with a tiny app as template and, if asked, a proxy in front of the store."""

import os
from pathlib import Path

tests = Path(__file__).resolve().parent.parent
load_subconfig(str(tests.parent / "jupyterhub_config.py"))  # noqa: F821
c = get_config()  # noqa: F821

c.JupyterHub.services[0]["command"][-1] = str(Path(__file__).resolve())
c.Studios.force_after = 2.0
c.Studios.templates = {
    "tiny": {"title": "Tiny", "command": ["{python}", str(tests / "apps" / "tiny.py"), "{socket}"]},
}
if endpoint := os.environ.get("TEST_STORE_ENDPOINT"):
    c.Studios.compute_environments["local"]["store_options"]["endpoint"] = endpoint
