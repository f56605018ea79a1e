"""The demo's configuration with the nosy app as a template."""

from pathlib import Path

tests = Path(__file__).resolve().parent.parent
load_subconfig(str(tests.parent / "jupyterhub_config.py"))  # noqa: F821
c = get_config()  # noqa: F821

c.JupyterHub.services[0]["command"][-1] = str(Path(__file__).resolve())
c.Studios.templates = {
    "nosy": {"title": "Nosy", "command": ["{python}", str(tests / "sharing" / "nosy.py"), "{socket}"]}
}
