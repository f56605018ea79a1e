"""What an administrator sets: templates, compute environments and policies, as traitlets.

The Hub (through the spawner) and the studios service read the same configuration file, so both build one
:class:`Studios` from it. The help strings below are the reference documentation.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from pydantic import ValidationError
from traitlets import Bool, Dict, Float, Int, List, TraitError, Tuple, Unicode, validate
from traitlets.config import Configurable

from ..models import (
    ComputeEnvironment,
    LifetimePolicy,
    OfferedCredential,
    OfferedLink,
    StudiosError,
    Template,
)
from ..templates import BUILT_IN, READY_MADE
from .reading import endpoint, parse


class Studios(Configurable):
    """Templates, compute environments and policies."""

    templates = Dict(
        {template.id: template for template in BUILT_IN},
        help="""
        What can run in a studio: a mapping from template id to its fields
        (see :class:`jupyterhub_studios.models.Template`). Given templates are added to the built-in
        ``jupyter``; fields given for ``jupyter`` replace its own one by one, and ``"jupyter": None`` removes it.
        ``vscode``, ``desktop`` and ``rstudio`` are ready as well, and offered once they are named: their
        programs come with the images below ``docker/``.

        Default: ``{}`` (the built-in template alone). Example::

            c.Studios.templates = {
                "vscode": {"image": "studio-vscode"},
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
        ``writable_buckets`` lists bucket URLs: data links below them may be mounted for writing, others are read-only.
        ``"mounter": "mount-s3"`` has read-only mounts of S3 made by Mountpoint for Amazon S3 where the agent finds it
        (default: ``"rclone"``, which makes all others).
        ``"connect": "tunnel"`` is for jobs that the Hub's proxy cannot dial, see ``tunnel_bind``.

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
        ``mount_role`` is the ARN of a role whose rights mounts in studios get, narrowed to their bucket;
        ``sts_endpoint`` the STS of a store that is not AWS, such as MinIO.

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

    lifetime = Dict(
        help="""
        When running studios end by themselves: the fields of
        :class:`jupyterhub_studios.models.LifetimePolicy`. Hours of the lifespan: ``lifespan_hours`` (the usual
        one), ``min_hours`` and ``max_hours`` (the band that people choose from and extend within), ``endless``
        (whether 0, no end, may be chosen), ``locked`` (administrators alone choose and extend),
        ``warn_minutes`` before its end. Studios that nobody uses: after ``idle_minutes`` without people and
        without computation (0: never) people are asked whether they are still there; after ``grace_minutes``
        without an answer the studio is saved and stopped; an answer keeps it for ``keep_minutes``. Computation
        keeps a studio, without anybody there for ``work_hours`` at most (0: no limit); ``busy_cpu`` processors
        or the share ``busy_gpu`` of a GPU in use on average count as computing.

        A template or a compute environment replaces single fields with a ``lifetime`` of its own; the compute
        environment's count last.

        Default: ``{}``, which is ``{"lifespan_hours": 8, "min_hours": 1, "max_hours": 120, "endless": True,
        "locked": False, "warn_minutes": [60, 15, 5], "idle_minutes": 60, "grace_minutes": 10,
        "keep_minutes": 60, "work_hours": 24, "busy_cpu": 0.1, "busy_gpu": 0.05}``. Example::

            c.Studios.lifetime = {"lifespan_hours": 12, "max_hours": 48, "endless": False, "idle_minutes": 30}
            c.Studios.compute_environments["gpu"]["lifetime"] = {"max_hours": 24, "idle_minutes": 15}
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

    tunnel_bind = Unicode(
        "0.0.0.0:8022",
        help="""
        Address and port that the tunnel listens on, for the agents of compute environments with
        ``"connect": "tunnel"``: their jobs cannot be dialled by the Hub's proxy, so they dial out to this port, by SSH.
        Nothing listens there when no compute environment says so. Let only the jobs' networks in.

        Default: ``0.0.0.0:8022``. Example: ``c.Studios.tunnel_bind = "10.0.0.5:443"``
        """,
    ).tag(config=True)

    tunnel_address = Unicode(
        help="""
        Host and port of the tunnel as jobs reach it, where that is not ``public_url``'s host and ``tunnel_bind``'s
        port: behind a load balancer (of TCP, not HTTP) or a translated address.

        Default: ``""`` (as above). Example: ``c.Studios.tunnel_address = "tunnel.example.org:443"``
        """,
    ).tag(config=True)

    tunnel_host = Unicode(
        "127.0.0.1",
        help="""
        Address of this machine on which the tunnel gives each session behind it a port, for the Hub's proxy to dial.
        An address beyond loopback is needed only where the proxy runs on another machine.

        Default: ``127.0.0.1``. Example: ``c.Studios.tunnel_host = "10.0.0.5"``
        """,
    ).tag(config=True)

    tunnel_ports = Tuple(
        Int(min=1, max=65535),
        Int(min=1, max=65535),
        default_value=(21000, 21999),
        help="""
        First and last of the ports on ``tunnel_host`` that sessions behind the tunnel get, one each as long as they
        live: as many sessions are possible at a time.

        Default: ``(21000, 21999)``. Example: ``c.Studios.tunnel_ports = (30000, 30099)``
        """,
    ).tag(config=True)

    @validate("templates")
    def _check_templates(self, proposal: Any) -> dict[str, Template]:
        built_in = {template.id: template.model_dump() for template in BUILT_IN}
        known = built_in | {template.id: template.model_dump() for template in READY_MADE}
        given = {**built_in, **proposal["value"]}
        fields = {k: {**known.get(k, {}), **dict(v)} for k, v in given.items() if v is not None}
        return parse(Template, "templates", fields)

    @validate("compute_environments")
    def _check_compute_environments(self, proposal: Any) -> dict[str, ComputeEnvironment]:
        return parse(ComputeEnvironment, "compute_environments", proposal["value"])

    @validate("lifetime")
    def _check_lifetime(self, proposal: Any) -> dict[str, Any]:
        try:
            return LifetimePolicy.model_validate(proposal["value"]).model_dump(exclude_unset=True)
        except ValidationError as error:
            faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
            raise TraitError(f"c.Studios.lifetime is not valid: {faults}") from None

    @validate("data_credentials")
    def _check_data_credentials(self, proposal: Any) -> dict[str, OfferedCredential]:
        return parse(OfferedCredential, "data_credentials", proposal["value"], title="name")

    @validate("data_links")
    def _check_data_links(self, proposal: Any) -> dict[str, OfferedLink]:
        links = parse(OfferedLink, "data_links", proposal["value"], title="name")
        for key, link in links.items():
            if link.credential is not None and link.credential not in self.data_credentials:
                raise TraitError(
                    f"c.Studios.data_links[{key!r}] is not valid: credential: “{link.credential}” is no entry of "
                    "c.Studios.data_credentials"
                )
        return links

    @validate("tunnel_bind", "tunnel_address")
    def _check_endpoint(self, proposal: Any) -> str:
        value = str(proposal["value"])
        name = proposal["trait"].name
        if value or name == "tunnel_bind":
            try:
                endpoint(value)
            except ValueError:
                raise TraitError(f"c.Studios.{name} = {value!r} is not valid: give HOST:PORT") from None
        return value

    @validate("tunnel_host")
    def _check_tunnel_host(self, proposal: Any) -> str:
        try:
            return str(ip_address(proposal["value"]))
        except ValueError:
            raise TraitError(
                f"c.Studios.tunnel_host = {proposal['value']!r} is not valid: give an IP address"
            ) from None

    @validate("tunnel_ports")
    def _check_tunnel_ports(self, proposal: Any) -> tuple[int, int]:
        first, last = proposal["value"]
        if first > last:
            raise TraitError(
                f"c.Studios.tunnel_ports = {proposal['value']!r} is not valid: the first is above the last"
            )
        return first, last

    def tunnel_place(self) -> tuple[str, int]:
        """Host and port of the tunnel, as jobs reach it."""
        if self.tunnel_address:
            return endpoint(self.tunnel_address)
        return urlsplit(self.public_url).hostname or "", endpoint(self.tunnel_bind)[1]

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

    def lifetime_of(self, template: str, environment: str) -> LifetimePolicy:
        """The policy of studios of this template in this compute environment, configured or not any more."""
        policy = LifetimePolicy.model_validate(self.lifetime)
        for offer in (self.templates.get(template), self.compute_environments.get(environment)):
            policy = policy.with_changes(offer.lifetime if offer else None)
        return policy

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
