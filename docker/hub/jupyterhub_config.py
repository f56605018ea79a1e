"""One server: Hub and studios service in this container, studios as containers beside it, by the engine's socket.

All that differs between installations comes from the environment (docker/compose.yaml, docker/.env) and from files
in /etc/studios/config.d, which are read last: authenticators, templates, data links.
"""

import os
from pathlib import Path

from jupyterhub_studios.config import SERVICE_NAME, service_definition, service_role

c = get_config()  # noqa: F821
state = Path("/var/lib/studios")
given = os.environ
own = Path("/etc/studios/jupyterhub_config.py")

# --- The Hub ---
c.JupyterHub.bind_url = "http://0.0.0.0:8000/"
c.JupyterHub.db_url = f"sqlite:///{state / 'jupyterhub.sqlite'}"
c.JupyterHub.cookie_secret_file = str(state / "cookie-secret")
c.JupyterHub.default_url = f"/services/{SERVICE_NAME}/"
c.JupyterHub.allow_named_servers = True
c.JupyterHub.cleanup_servers = False  # a studio outlives a restart of the Hub
c.ConfigurableHTTPProxy.auth_token = given["STUDIOS_PROXY_TOKEN"]
c.ConfigurableHTTPProxy.pid_file = str(state / "proxy.pid")

# --- Who may come in: one password for a trial; a file in config.d for anything else ---
c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.password = given["STUDIOS_PASSWORD"]
c.Authenticator.allowed_users = set(given["STUDIOS_USERS"].split())
c.Authenticator.admin_users = set(given["STUDIOS_ADMINS"].split())
c.JupyterHub.extra_user_scopes = {f"access:services!service={SERVICE_NAME}"}

# --- Studios ---
service_url = "http://127.0.0.1:8100"
c.JupyterHub.spawner_class = "studios"
c.BatchSpawner.service_url = f"{service_url}/services/{SERVICE_NAME}/"
c.BatchSpawner.service_token = given["STUDIOS_SERVICE_TOKEN"]
c.JupyterHub.services = [
    service_definition(
        str(own), service_url, given["STUDIOS_SERVICE_TOKEN"],
        keep=[name for name in given if name.startswith(("STUDIOS_", "DOCKER_"))],
    )
]  # fmt: skip
c.JupyterHub.load_roles = [service_role()]
c.Studios.public_url = "http://hub:8000/"  # as studios reach it, on the network they share
c.Studios.state_dir = str(state)
c.Studios.database_url = f"sqlite:///{state / 'studios.sqlite'}"
c.Studios.compute_environments = {
    "server": {
        "title": "This server",
        "kind": "docker",
        "work_dir": given["STUDIOS_WORK_DIR"],
        "store_options": {
            "endpoint": given["STUDIOS_STORE_ENDPOINT"],
            "access_key_id": given["STUDIOS_STORE_KEY"],
            "secret_access_key": given["STUDIOS_STORE_SECRET"],
            "region": given["STUDIOS_STORE_REGION"],
            "allow_http": "true",
            "virtual_hosted_style_request": "false",
        },
        "docker": {"engine": "unix:///var/run/docker.sock", "network": given["STUDIOS_NETWORK"]},
    },
}
c.Studios.templates = {
    name: {"image": f"studio-{name}"} for name in given["STUDIOS_TEMPLATES"].split()
}

for file in sorted(Path("/etc/studios/config.d").glob("*.py")):
    load_subconfig(str(file))  # noqa: F821
