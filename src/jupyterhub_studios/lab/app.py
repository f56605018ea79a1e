"""The server extension, in a plain JupyterLab and in a studio."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_server.extension.application import ExtensionApp
from traitlets import Bool, Dict, Int, validate

from .. import entries
from ..models import CredentialSpec
from . import forward, studio
from .configured import ConfiguredLink, check_link
from .history import set_aside_if_damaged

if TYPE_CHECKING:
    from .own import Explorer

PREFIX = "jupyterhub-studios/"  # below the server's base URL
SOCKET = "STUDIO_DATA_SOCKET"
PAGE_OPTION = "dataExplorer"  # tells the panel that somebody answers it: "machine" or "studio"


class DataExplorer(ExtensionApp):
    """Buckets and folders in JupyterLab's sidebar. In a studio none of these settings counts: there the studios
    service answers, with the data links of the studio's owner."""

    name = "jupyterhub_studios"

    credentials = Dict(
        help="""
        Credentials that ``c.DataExplorer.links`` use, and whose buckets become links as well: a mapping from id to
        its fields (see :class:`jupyterhub_studios.models.CredentialSpec`). They never reach the browser.

        Default: ``{}``. Example::

            c.DataExplorer.credentials = {
                "minio": {
                    "provider": "s3",
                    "endpoint": "https://minio.example.org",
                    "secret": {
                        "type": "access-key",
                        "access_key_id": os.environ["MINIO_KEY"],
                        "secret_access_key": os.environ["MINIO_SECRET"],
                    },
                },
            }
        """,
    ).tag(config=True)

    links = Dict(
        help="""
        Data links that are there from the start: a mapping from id to its fields ``name``, ``url``,
        ``credential`` (an id of ``c.DataExplorer.credentials``; without it the bucket must be public),
        ``description``, ``region`` and ``writable``.

        Default: ``{}``. Example::

            c.DataExplorer.links = {
                "genomes": {"name": "1000 Genomes", "url": "s3://1000genomes/", "region": "us-east-1"},
                "results": {"url": "s3://results/", "credential": "minio", "writable": True},
                "scratch": {"name": "Scratch", "url": "file:///scratch", "writable": True},
            }
        """,
    ).tag(config=True)

    ambient = Bool(
        True,
        help="""
        Offer what this machine has: the folder of this JupyterLab and the home folder, the profiles of the AWS
        configuration files, and credentials that the environment names (``AWS_*``,
        ``GOOGLE_APPLICATION_CREDENTIALS``, ``AZURE_STORAGE_*``).

        Default: ``True``. Example: ``c.DataExplorer.ambient = False``
        """,
    ).tag(config=True)

    archive_cap = Int(
        1000,
        min=1,
        help="""
        The most files that one zip download may hold. Beyond it the panel shows code for the usual tools.

        Default: ``1000``. Example: ``c.DataExplorer.archive_cap = 5000``
        """,
    ).tag(config=True)

    @validate("credentials")
    def _check_credentials(self, proposal: Any) -> dict[str, CredentialSpec]:
        return entries.read(CredentialSpec, "c.DataExplorer.credentials", proposal["value"], "name")

    @validate("links")
    def _check_links(self, proposal: Any) -> dict[str, ConfiguredLink]:
        return entries.read(ConfiguredLink, "c.DataExplorer.links", proposal["value"], "name")

    def check(self) -> None:
        """What no trait can check alone."""
        for key, link in self.links.items():
            check_link(key, link, self.credentials)

    def _prepare_config(self) -> None:
        """Jupyter would put a copy of the settings, credentials included, where every extension reads it."""

    def initialize_settings(self) -> None:
        assert self.serverapp is not None
        if studio.is_studio():
            self.settings["page_config_hook"] = studio.page_config
            self._check_history()

    def _check_history(self) -> None:
        assert self.serverapp is not None
        place = self.serverapp.config.get("SQLiteYStore", {}).get("db_path", "")
        if place and set_aside_if_damaged(Path(place)):
            self.log.warning("%s was damaged and is set aside: who wrote what in it is lost", place)

    def initialize_handlers(self) -> None:
        """Either role has the same addresses, so the panel does not know which it is."""
        assert self.serverapp is not None
        self._open: forward.Agent | Explorer | None = None
        if socket := os.environ.get(SOCKET):
            self._tell("studio")
            self._open = forward.Agent(socket)
            self.handlers.extend(forward.handlers(PREFIX, self._open))
        elif not studio.is_studio():
            # Imported here: a studio needs none of it.
            from .own import Explorer, handlers

            self.check()
            self._tell("machine")
            self._open = Explorer(self, self.serverapp.root_dir)
            self.handlers.extend(handlers(PREFIX, self._open))

    def _tell(self, role: str) -> None:
        assert self.serverapp is not None
        self.serverapp.web_app.settings.setdefault("page_config_data", {})[PAGE_OPTION] = role

    async def stop_extension(self) -> None:
        if self._open is not None:
            await self._open.close()
