"""The demo's configuration with a tiny app as template and, if asked, a proxy in front of the store."""

import os
from pathlib import Path

tests = Path(__file__).resolve().parent.parent
load_subconfig(str(tests.parent / "jupyterhub_config.py"))  # noqa: F821
c = get_config()  # noqa: F821

c.JupyterHub.services[0]["command"][-1] = str(Path(__file__).resolve())
c.Studios.force_after = 5.0
c.BatchSpawner.poll_interval = 1  # seconds until the Hub notices a killed job
app = "{python} " + str(tests / "apps" / "tiny.py") + " {socket}"
c.Studios.templates = {
    "slow": {"title": "Slow to start", "command": ["sh", "-c", f"sleep 6; exec {app}"]},
    "broken": {"title": "Ends at once", "command": ["sh", "-c", "echo out of luck; exit 3"]},
    "missing": {"title": "Not installed", "command": ["no-such-program-here", "{socket}"]},
    "tiny": {"title": "Tiny", "command": app.split()},
}
if endpoint := os.environ.get("TEST_STORE_ENDPOINT"):
    c.JupyterHub.services[0]["environment"]["TEST_STORE_ENDPOINT"] = endpoint
    c.Studios.compute_environments["local"]["store_options"]["endpoint"] = endpoint
