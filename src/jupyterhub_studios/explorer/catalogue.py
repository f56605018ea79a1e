"""Where links and credentials come from: the two hosts (the service, a Jupyter server) each bring one."""

from __future__ import annotations

from typing import Protocol

from ..models import CredentialSpec, CredentialView, LinkMarks, LinkPatch, LinkSpec, LinkView


class Caller(Protocol):
    """Who asks, as the host has established it."""

    @property
    def name(self) -> str: ...
    @property
    def admin(self) -> bool: ...
    @property
    def groups(self) -> tuple[str, ...]: ...


class Catalogue(Protocol):
    """Links and credentials that a caller may use. What a caller may not see is 404 for them."""

    async def links(self, caller: Caller) -> list[LinkView]:
        """All of the caller's links, hidden ones too, found ones included; never waits long for a store: a
        credential that does not answer in time is told in its view and found later."""

    async def link(self, caller: Caller, link_id: str) -> LinkView: ...

    async def credential_of(self, link: LinkView) -> CredentialSpec | None:
        """The credential to open a link with, secrets included; None: anonymous. Never leaves the server."""

    async def add_link(self, caller: Caller, spec: LinkSpec) -> LinkView: ...
    async def change_link(self, caller: Caller, link_id: str, patch: LinkPatch) -> LinkView: ...
    async def remove_link(self, caller: Caller, link_id: str) -> None: ...
    async def mark_link(self, caller: Caller, link_id: str, marks: LinkMarks) -> LinkView: ...
    async def refresh(self, caller: Caller) -> None:
        """Ask the credentials anew which buckets they list."""

    async def credentials(self, caller: Caller) -> list[CredentialView]: ...
    async def add_credential(self, caller: Caller, spec: CredentialSpec) -> CredentialView: ...
    async def remove_credential(self, caller: Caller, credential_id: str) -> None: ...
