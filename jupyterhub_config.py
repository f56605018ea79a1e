"""The demo's configuration: one machine, one folder, and a good place to start from for your own.

Lines that a real deployment changes are marked with "yours:". See docs/administrator.md.
"""

import os
import shutil
import sys
from pathlib import Path

from jupyterhub_studios.config import SERVICE_NAME, service_definition, service_role
from jupyterhub_studios.demo import data
from jupyterhub_studios.demo.home import ACCOUNTS, ADMIN, WORK_BUCKET, DemoHome
from jupyterhub_studios.demo.store import endpoint, store_options

c = get_config()  # noqa: F821
home = DemoHome.from_environment()
port = int(os.environ.get("STUDIOS_PORT", "8000"))
service_url = f"http://127.0.0.1:{home.port('service')}"
service_token = home.secret("service-token")

# --- The Hub ---
c.JupyterHub.bind_url = f"http://127.0.0.1:{port}/"  # yours: https://hub.example.org/
c.JupyterHub.hub_port = home.port("hub")
c.JupyterHub.db_url = f"sqlite:///{home.hub / 'jupyterhub.sqlite'}"  # yours: PostgreSQL
c.JupyterHub.cookie_secret_file = str(home.hub / "cookie-secret")
c.JupyterHub.default_url = f"/services/{SERVICE_NAME}/"
c.JupyterHub.allow_named_servers = True
# A studio outlives a restart of the Hub, and a stop waits for its save: the Hub must not end them itself.
c.JupyterHub.cleanup_servers = False
c.ConfigurableHTTPProxy.pid_file = str(home.hub / "proxy.pid")
c.ConfigurableHTTPProxy.auth_token = home.secret("proxy-token")
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{home.port('proxy-api')}"

# --- Who may come in ---
c.JupyterHub.authenticator_class = "dummy"  # yours: OAuthenticator, LDAP, PAM …
c.DummyAuthenticator.password = os.environ.get("STUDIOS_DEMO_PASSWORD") or home.secret("password")[:12]
c.Authenticator.allowed_users = set(ACCOUNTS)
c.Authenticator.admin_users = {ADMIN}
c.JupyterHub.api_tokens = {home.secret("admin-token"): ADMIN}  # yours: leave out
c.JupyterHub.extra_user_scopes = {f"access:services!service={SERVICE_NAME}"}

# --- Studios ---
c.JupyterHub.spawner_class = "studios"
c.BatchSpawner.service_url = f"{service_url}/services/{SERVICE_NAME}/"
c.BatchSpawner.service_token = service_token
c.JupyterHub.services = [
    service_definition(
        str(Path(__file__).resolve()),
        service_url,
        service_token,
        keep=("STUDIOS_HOME", "STUDIOS_PORT", "STUDIOS_SAVE_INTERVAL", "STUDIOS_CLOUDS"),
    )
]
c.JupyterHub.load_roles = [service_role()]

c.Studios.public_url = f"http://127.0.0.1:{port}/"
c.Studios.state_dir = str(home.service)
c.Studios.database_url = f"sqlite:///{home.service / 'studios.sqlite'}"
c.Studios.save_interval = float(os.environ.get("STUDIOS_SAVE_INTERVAL", "300"))
c.Studios.compute_environments = {
    "local": {
        "title": "This machine",
        "kind": "local",
        "description": "Studios run beside the Hub and see this machine's files, read-only.",
        "work_dir": f"s3://{WORK_BUCKET}/",
        "store_options": store_options(home),
        "scratch": str(home.scratch),
        "hide": [str(home.path)],
        "writable_buckets": data.writable_buckets(),
    },
}
c.Studios.templates = {
    "jupyter": {
        "environment": {"AWS_ENDPOINT_URL_S3": endpoint(home)},
        "skeleton": str(Path(sys.modules[DemoHome.__module__].__file__).parent / "examples"),
    },
}
if shutil.which("code-server", path=str(Path(sys.executable).parent) + ":/usr/local/bin:/usr/bin"):
    c.Studios.templates["vscode"] = {}  # `make demo VSCODE=1` installs it

# --- Data ---
c.Studios.data_credentials = data.credentials(home)
c.Studios.data_links = data.links(home)
