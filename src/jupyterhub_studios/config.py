"""What an administrator sets: templates, compute environments and policies, as traitlets.

The Hub (through the spawner) and the studios service read the same configuration file, so both build one
:class:`Studios` from it. The help strings below are the reference documentation.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ValidationError
from traitlets import Bool, Dict, Float, Int, List, TraitError, Unicode, validate
from traitlets.config import Configurable

from .models import ComputeEnvironment, OfferedCredential, OfferedLink, StudiosError, Template

SERVICE_NAME = "studios"

JUPYTER = Template(
    id="jupyter",
    title="JupyterLab",
    description="Notebooks, terminals and a file browser, for Python and any other kernel.",
    icon="jupyter",
    # Runs the JupyterLab of the Python the agent runs on; the image of other compute kinds brings its own.
    command=[
        "{python}", "-m", "jupyterlab", "--no-browser", "--allow-root",
        "--ServerApp.sock={socket}", "--ServerApp.sock_mode=0600", "--ServerApp.base_url={prefix}",
        "--ServerApp.root_dir={workdir}", "--ServerApp.allow_remote_access=True",
        "--ServerApp.trust_xheaders=True", "--ServerApp.quit_button=False",
        "--FileContentsManager.delete_to_trash=False",
        # A login shell would set PATH anew, and `pip` would be the system's, not the notebook's.
        "--ServerApp.terminado_settings={'shell_command': ['/bin/bash']}",
        "--ServerApp.identity_provider_class=jupyterhub_studios.lab.identity.StudioIdentityProvider",
        "--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ],
    ready_path="/api",
    default_path="/lab",
)  # fmt: skip


BUILT_IN = (JUPYTER,)


class Studios(Configurable):
    """Templates, compute environments and policies."""

    templates = Dict(
        {template.id: template for template in BUILT_IN},
        help="""
        What can run in a studio: a mapping from template id to its fields
        (see :class:`jupyterhub_studios.models.Template`). Given templates are added to the built-in
        ``jupyter``; fields given for ``jupyter`` replace its own one by one, and ``"jupyter": None`` removes it.

        Default: ``{}`` (the built-in template alone). Example::

            c.Studios.templates = {
                "notes": {
                    "title": "My app",
                    "command": ["my-app", "--port", "{port}", "--base", "{prefix}"],
                },
            }
        """,
    ).tag(config=True)

    compute_environments = Dict(
        help="""
        Where studios run: a mapping from id to its fields
        (see :class:`jupyterhub_studios.models.ComputeEnvironment`). The first allowed one is the default
        of the new-studio form. ``store_options`` are obstore's options of the bucket and are never shown.

        Default: ``{}`` (nothing can be started). Example::

            c.Studios.compute_environments = {
                "local": {
                    "title": "This machine",
                    "kind": "local",
                    "work_dir": "s3://studios-work/",
                    "store_options": {"endpoint": "http://127.0.0.1:8333"},
                    "scratch": "/var/lib/studios/scratch",
                    "hide": ["/var/lib/studios"],
                },
            }
        """,
    ).tag(config=True)

    data_credentials = Dict(
        help="""
        Credentials that data links use: a mapping from id to its fields
        (see :class:`jupyterhub_studios.models.OfferedCredential`). ``offer`` says what for: ``"links"`` only for
        the entries of ``data_links`` that name it, ``"found"`` also makes a link of each bucket that it lists,
        ``"any"`` also lets people add links of their own with it. ``allowed_users`` and ``allowed_groups`` say to
        whom (neither: everybody). Types that use what this machine has (``ambient``, ``profile``) are possible here
        alone: people cannot add them. Nothing secret is ever shown.

        Default: ``{}``. Example::

            c.Studios.data_credentials = {
                "lab": {
                    "provider": "s3",
                    "endpoint": "https://minio.example.org",
                    "secret": {
                        "type": "access-key",
                        "access_key_id": os.environ["LAB_KEY"],
                        "secret_access_key": os.environ["LAB_SECRET"],
                    },
                    "offer": "found",
                    "allowed_groups": ["lab"],
                },
            }
        """,
    ).tag(config=True)

    data_links = Dict(
        help="""
        Data links that everybody has, or whom ``allowed_users`` and ``allowed_groups`` name: a mapping from id to
        its fields (see :class:`jupyterhub_studios.models.OfferedLink`). ``credential`` is an id of
        ``data_credentials``; without it the bucket must be public. ``role`` is ``view``, ``download`` or ``write``;
        for the last, ``writable`` has to be true as well. ``why`` is told to people.

        Default: ``{}``. Example::

            c.Studios.data_links = {
                "genomes": {"name": "1000 Genomes", "url": "s3://1000genomes/", "region": "us-east-1"},
                "results": {
                    "url": "s3://lab-results/",
                    "credential": "lab",
                    "allowed_groups": ["lab"],
                    "role": "write",
                    "writable": True,
                    "why": "The lab's own bucket.",
                },
                "reference": {"url": "file:///srv/reference"},
            }
        """,
    ).tag(config=True)

    allowed_endpoints = List(
        Unicode(),
        help="""
        Endpoints of stores inside the network that people's credentials may name: hosts, ``host:port``, addresses
        or networks. Public addresses need no entry; loopback, link-local and private addresses, and the clouds'
        metadata services, are refused without one. What ``data_credentials`` name is always allowed.

        Default: ``[]``. Example: ``c.Studios.allowed_endpoints = ["minio.example.org:9000", "10.20.0.0/16"]``
        """,
    ).tag(config=True)

    archive_cap = Int(
        1000,
        min=1,
        help="""
        The most files that one zip download may hold. Beyond it people are shown code for their own tools.

        Default: ``1000``. Example: ``c.Studios.archive_cap = 5000``
        """,
    ).tag(config=True)

    save_interval = Float(
        300.0,
        help="""
        Seconds between two interim saves of a running studio: the most that a killed job can lose.

        Default: ``300``. Example: ``c.Studios.save_interval = 120``
        """,
    ).tag(config=True)

    force_after = Float(
        600.0,
        help="""
        Seconds a stop must have waited for its save before "force stop" is offered. Forcing ends the
        job without the last save.

        Default: ``600``. Example: ``c.Studios.force_after = 60``
        """,
    ).tag(config=True)

    sweep_grace = Float(
        86400.0,
        help="""
        Seconds a layer must have been named by no checkpoint before a sweep may remove it.

        Default: ``86400`` (a day). Example: ``c.Studios.sweep_grace = 604800``
        """,
    ).tag(config=True)

    allow_local_on_network = Bool(
        False,
        help="""
        Let compute environments of kind ``local`` run studios although the Hub listens beyond loopback.
        Such studios see this machine's files and share its network: everybody who can sign in must be
        trusted with the machine.

        Default: ``False``. Example: ``c.Studios.allow_local_on_network = True``
        """,
    ).tag(config=True)

    database_url = Unicode(
        "sqlite:///studios.sqlite",
        help="""
        SQLAlchemy URL of the studios service's database.

        Default: ``sqlite:///studios.sqlite`` (in the working directory of the Hub).
        Example: ``c.Studios.database_url = "postgresql+psycopg://studios@db/studios"``
        """,
    ).tag(config=True)

    state_dir = Unicode(
        ".",
        help="""
        Folder of the service for session logs and its signing key. Readable by the service alone.

        Default: ``.`` (the working directory of the Hub). Example: ``c.Studios.state_dir = "/var/lib/studios"``
        """,
    ).tag(config=True)

    public_url = Unicode(
        "http://127.0.0.1:8000/",
        help="""
        Address of the Hub as jobs reach it, with its base URL. Agents open their control channel
        there.

        Default: ``http://127.0.0.1:8000/``. Example: ``c.Studios.public_url = "https://hub.example.org/"``
        """,
    ).tag(config=True)

    @validate("templates")
    def _check_templates(self, proposal: Any) -> dict[str, Template]:
        built_in = {template.id: template.model_dump() for template in BUILT_IN}
        given = {**built_in, **proposal["value"]}
        fields = {k: {**built_in.get(k, {}), **dict(v)} for k, v in given.items() if v is not None}
        return _parse(Template, "templates", fields)

    @validate("compute_environments")
    def _check_compute_environments(self, proposal: Any) -> dict[str, ComputeEnvironment]:
        return _parse(ComputeEnvironment, "compute_environments", proposal["value"])

    @validate("data_credentials")
    def _check_data_credentials(self, proposal: Any) -> dict[str, OfferedCredential]:
        return _parse(OfferedCredential, "data_credentials", proposal["value"], title="name")

    @validate("data_links")
    def _check_data_links(self, proposal: Any) -> dict[str, OfferedLink]:
        links = _parse(OfferedLink, "data_links", proposal["value"], title="name")
        for key, link in links.items():
            if link.credential is not None and link.credential not in self.data_credentials:
                raise TraitError(
                    f"c.Studios.data_links[{key!r}] is not valid: credential: “{link.credential}” is no entry of "
                    "c.Studios.data_credentials"
                )
        return links

    def template(self, name: str) -> Template:
        try:
            return self.templates[name]
        except KeyError:
            known = ", ".join(sorted(self.templates)) or "none"
            raise StudiosError(
                f"There is no template “{name}”",
                f"known templates: {known}",
                "Choose one of them",
                field="template",
            ) from None

    def allowed_environments(self, user: str, groups: Sequence[str], admin: bool) -> list[ComputeEnvironment]:
        """The compute environments that ``user`` may start studios in, in the configured order."""
        return [env for env in self.compute_environments.values() if allowed(env, user, groups, admin)]

    def environment_for(
        self, name: str | None, template: str, user: str, groups: Sequence[str], admin: bool
    ) -> ComputeEnvironment:
        """The compute environment ``name`` (None: the first allowed), or the reason why not."""
        allowed = {env.id: env for env in self.allowed_environments(user, groups, admin)}
        if not allowed:
            raise StudiosError(
                "No compute environment is offered to you", "", "Ask an administrator for access", status=403
            )
        env = next(iter(allowed.values())) if name is None else allowed.get(name)
        if env is None:
            raise StudiosError(
                f"The compute environment “{name}” is not offered to you",
                f"yours are: {', '.join(allowed)}",
                "Choose one of them, or ask an administrator",
                status=403,
                field="compute_environment",
            )
        if env.templates is not None and template not in env.templates:
            raise StudiosError(
                f"“{env.title}” does not run the template “{template}”",
                f"it runs: {', '.join(env.templates)}",
                "Choose another template or compute environment",
                field="template",
            )
        return env


def allowed(
    offer: ComputeEnvironment | OfferedCredential | OfferedLink,
    user: str,
    groups: Sequence[str],
    admin: bool = False,
) -> bool:
    """Whether something is offered to ``user``. Administrators get all there is."""
    if admin or (offer.allowed_users is None and offer.allowed_groups is None):
        return True
    return user in (offer.allowed_users or []) or bool(set(groups) & set(offer.allowed_groups or []))


def _parse(model: type[BaseModel], trait: str, value: dict[str, Any], title: str = "title") -> dict[str, Any]:
    parsed = {}
    for key, fields in value.items():
        if isinstance(fields, model):
            parsed[key] = fields
            continue
        try:
            parsed[key] = model.model_validate({"id": key, title: key, **fields})
        except ValidationError as error:
            # Only places and reasons: the values may hold credentials.
            faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
            raise TraitError(f"c.Studios.{trait}[{key!r}] is not valid: {faults}") from None
    return parsed


def service_definition(config_file: str, url: str, token: str, keep: Sequence[str] = ()) -> dict[str, Any]:
    """The entry of ``c.JupyterHub.services`` that runs the studios service, listening on ``url``.

    The Hub gives its services a fresh environment; ``keep`` names the variables that the configuration file
    needs there too.
    """
    return {
        "name": SERVICE_NAME,
        "url": url,
        "api_token": token,
        "command": [sys.executable, "-m", "jupyterhub_studios.service", "--config", config_file],
        # People pass through to the pages without an "authorize" page; see the gate for why that is safe.
        "oauth_no_confirm": True,
        "environment": {name: os.environ[name] for name in keep if name in os.environ},
        "oauth_client_allowed_scopes": ["access:servers"],
        "display": True,
    }


def service_role() -> dict[str, Any]:
    """The entry of ``c.JupyterHub.load_roles`` with exactly what the service does at the Hub."""
    return {
        "name": "studios-service",
        "services": [SERVICE_NAME],
        # servers: start, stop, remove · users:activity: report a session's · shares: who may enter
        "scopes": ["servers", "read:users", "users:activity", "shares"],
    }
