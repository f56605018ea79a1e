"""The demo's configuration with a short life: idle for half a minute, a question of twenty seconds."""

from pathlib import Path

load_subconfig(str(Path(__file__).resolve().parent.parent.parent / "jupyterhub_config.py"))  # noqa: F821
c = get_config()  # noqa: F821

c.JupyterHub.services[0]["command"][-1] = str(Path(__file__).resolve())
c.BatchSpawner.poll_interval = 1  # seconds until the Hub notices that a job has ended
c.Studios.lifetime = {
    "idle_minutes": 0.5,
    "grace_minutes": 1 / 3,
    "keep_minutes": 0.5,
    "busy_cpu": 0.5,  # over so short a time a page that is just loading would count
}
c.Studios.compute_environments["local"]["price_per_hour"] = 0.2
