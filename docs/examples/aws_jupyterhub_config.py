"""A Hub on an EC2 instance whose studios are jobs of AWS Batch: see “From nothing to the first studio on AWS” in
docs/administrator.md. Lines marked "yours:" are to be changed."""

import os

from jupyterhub_studios.config import service_definition, service_role

c = get_config()  # noqa: F821
service_url, service_token = "http://127.0.0.1:8091", os.environ["STUDIOS_SERVICE_TOKEN"]

# --- The Hub, behind a server that ends TLS ---
c.JupyterHub.bind_url = "http://127.0.0.1:8000/"
c.JupyterHub.db_url = (
    "sqlite:////srv/hub/jupyterhub.sqlite"  # yours: PostgreSQL, for more than a few dozen people
)
c.JupyterHub.cookie_secret_file = "/srv/hub/cookie-secret"
c.JupyterHub.default_url = "/services/studios/"
c.JupyterHub.allow_named_servers = True
c.JupyterHub.cleanup_servers = False  # studios outlive a restart of the Hub

# --- Who may come in: yours ---
c.JupyterHub.authenticator_class = "oauthenticator.generic.GenericOAuthenticator"
c.GenericOAuthenticator.oauth_callback_url = "https://hub.example.org/hub/oauth_callback"
c.GenericOAuthenticator.client_id = os.environ["OAUTH_CLIENT_ID"]
c.GenericOAuthenticator.client_secret = os.environ["OAUTH_CLIENT_SECRET"]
c.GenericOAuthenticator.authorize_url = "https://login.example.org/authorize"
c.GenericOAuthenticator.token_url = "https://login.example.org/token"
c.GenericOAuthenticator.userdata_url = "https://login.example.org/userinfo"
c.GenericOAuthenticator.scope = ["openid", "email"]
c.GenericOAuthenticator.username_claim = "email"
c.GenericOAuthenticator.allow_all = (
    True  # yours: everybody who can sign in there, else allowed_users or allowed_groups
)
c.Authenticator.admin_users = {"ada@example.org"}
c.JupyterHub.extra_user_scopes = {"access:services!service=studios"}

# --- Studios ---
c.JupyterHub.spawner_class = "studios"
c.BatchSpawner.service_url = f"{service_url}/services/studios/"
c.BatchSpawner.service_token = service_token
c.JupyterHub.services = [
    service_definition(__file__, service_url, service_token, keep=("STUDIOS_SERVICE_TOKEN", "AWS_REGION", *(
        "OAUTH_CLIENT_ID", "OAUTH_CLIENT_SECRET",  # this file reads them in the service too
    )))
]  # fmt: skip
c.JupyterHub.load_roles = [service_role()]
load_subconfig("studios-aws.py")  # noqa: F821 - what `studios forge status --name lab --config` prints
c.Studios.public_url = "https://hub.example.org/"
c.Studios.state_dir = "/srv/hub/studios"
c.Studios.database_url = "sqlite:////srv/hub/studios/studios.sqlite"
c.Studios.templates = {
    "jupyter": {"image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/studio-jupyter:1"},  # yours
}
