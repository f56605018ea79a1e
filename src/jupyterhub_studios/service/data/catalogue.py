"""The catalogue of data links of the service: found, added and offered ones, each for whom it is.

Decisions that are made here:
- A credential is its owner's alone. Others use it through a link that its owner offers to a workspace (a group of the
  Hub that the owner is in), and only there; the offer ends when the owner leaves the group.
- Administrators see every link that is offered to a workspace, and may look into it; what more they may, they get like
  everybody: as members. People's private links and credentials they never see.
- What uses this machine's own rights or files (roles, profiles, folders) comes from the configuration alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...config import allowed
from ...explorer.backends import Guard, open_backend, split_url
from ...explorer.catalogue import Caller
from ...explorer.finding import FOUND, UNKNOWN, Finder
from ...models import (
    CredentialSpec,
    CredentialView,
    LinkMarks,
    LinkPatch,
    LinkSpec,
    LinkView,
    OfferedCredential,
    StudiosError,
    new_id,
    now,
)
from ...web.problems import no_such
from ..database import CredentialRow, Database, LinkRow
from ..hub import Hub
from . import links, rows, rules
from .links import Held, Link
from .offers import Offers
from .rows import Known
from .vault import Vault

SOON = 2.0  # seconds that a list waits for credentials that were never asked before
LONG = 10.0  # seconds that the address of a found link waits, after a restart


class ServiceCatalogue:
    def __init__(self, database: Database, vault: Vault, offers: Offers, hub: Hub, guard: Guard) -> None:
        self._database, self._vault, self._offers, self._hub = database, vault, offers, hub
        self._guard = guard
        self._finder = Finder(guard)

    async def close(self) -> None:
        await self._finder.close()

    # --- links ---

    async def links(self, caller: Caller) -> list[LinkView]:
        known = await self._database.run(rows.known, caller)
        held = self._held(caller, known)
        await self._finder.look(_asked(held), patience=SOON)
        listed = [*self._offers.links(caller), *await self._of_rows(caller, known.links)]
        shown = {link.id for link in listed}
        whole = {(link.credential_id, link.bucket) for link in listed if not link.prefix}
        for link in self._found(caller, held):
            if link.id not in shown and (link.credential_id, link.bucket) not in whole:
                listed.append(link)
        return [self._view(link, known) for link in listed]

    async def link(self, caller: Caller, link_id: str) -> LinkView:
        link, known = await self._link(caller, link_id)
        return self._view(link, known)

    async def credential_of(self, link: LinkView) -> CredentialSpec | None:
        row = await self._database.run(rows.link, link.id)
        if row is not None:
            owner, credential_id = row.owner, row.credential_id
        else:
            owner = link.owner or ""
            credential_id = self._offers.credential_id_of(link.id) or self._finder.credential_of(link.id)
        if credential_id is None:
            return None
        if offered := self._offers.credential(credential_id):
            if row is not None:
                await self._check_still_offered(row.owner, offered)
            return offered
        stored = await self._database.run(rows.credential, credential_id)
        if stored is None or stored.owner != owner:
            raise no_such("credential")
        return self._vault.open(stored.owner, stored.id, stored.sealed)

    async def add_link(self, caller: Caller, spec: LinkSpec) -> LinkView:
        provider, bucket, prefix = split_url(spec.url)
        rules.check_provider(provider)
        # A link that is not there yet: nothing of links is known of it, but the caller's credentials are.
        link_id = new_id("dl")
        held = self._held(caller, await self._database.run(rows.known, caller, link_id))
        used = rules.usable(held, spec.credential, provider, bucket)
        row = LinkRow(
            id=link_id,
            owner=caller.name,
            name=spec.name,
            description=spec.description,
            url=spec.url,
            provider=provider.value,
            bucket=bucket,
            prefix=prefix,
            region=used.spec.region if used else None,
            credential_id=used.id if used else None,
            writable=spec.writable,
            workspace=spec.workspace or None,
            workspace_role=spec.workspace_role.value,
            created_at=now(),
        )
        rules.check_offer(caller, used, writable=row.writable, workspace=row.workspace)
        await self._database.run(rows.save_link, row, {})
        return await self.link(caller, link_id)

    async def change_link(self, caller: Caller, link_id: str, patch: LinkPatch) -> LinkView:
        link, known = await self._link(caller, link_id)
        rules.check_own(link)
        changes: dict[str, Any] = patch.model_dump(exclude_none=True, mode="json")
        if "workspace" in changes:
            changes["workspace"] = changes["workspace"] or None
        used = self._held(caller, known).get(link.credential_id or "")
        rules.check_offer(
            caller, used, writable=changes.get("writable", False), workspace=changes.get("workspace")
        )
        # A found link is given a row of its own, under the same id.
        await self._database.run(rows.save_link, links.row_of(link, caller), changes)
        return await self.link(caller, link_id)

    async def remove_link(self, caller: Caller, link_id: str) -> None:
        link, _ = await self._link(caller, link_id)
        rules.check_own(link)
        if link.source == "found":
            raise StudiosError(
                f"“{link.name}” cannot be removed",
                "it was found by a credential, and would be found again",
                "Hide it, or remove the credential",
                status=409,
            )
        await self._database.run(rows.remove_link, link_id)

    async def mark_link(self, caller: Caller, link_id: str, marks: LinkMarks) -> LinkView:
        await self._link(caller, link_id)
        await self._database.run(rows.mark, caller.name, link_id, marks)
        return await self.link(caller, link_id)

    async def refresh(self, caller: Caller) -> None:
        known = await self._database.run(rows.known, caller)
        await self._finder.look(_asked(self._held(caller, known)), patience=SOON, anew=True)

    # --- credentials ---

    async def credentials(self, caller: Caller) -> list[CredentialView]:
        known = await self._database.run(rows.known, caller)
        held = self._held(caller, known)
        await self._finder.look(_asked(held), patience=SOON)
        views = [links.credential_view(one, self._finder.answer(one.id)) for one in held.values()]
        own = [row for row in known.credentials.values() if row.owner == caller.name]
        return views + [links.unreadable_view(row) for row in own if row.id not in held]

    async def add_credential(self, caller: Caller, spec: CredentialSpec) -> CredentialView:
        rules.check_credential(spec)
        # Opening checks every endpoint that is in the credential, and asks the store nothing.
        probe = await open_backend(spec, spec.provider, "probe", guard=self._guard)
        await probe.close()
        ident = new_id("dc")
        row = CredentialRow(
            id=ident,
            owner=caller.name,
            name=spec.name,
            provider=spec.provider.value,
            type=spec.secret.type,
            sealed=self._vault.seal(caller.name, ident, spec),
            created_at=now(),
        )
        await self._database.run(rows.add_credential, row)
        held = Held(ident, spec)
        await self._finder.look(_asked({ident: held}), patience=SOON)
        return links.credential_view(held, self._finder.answer(ident))

    async def remove_credential(self, caller: Caller, credential_id: str) -> None:
        if credential_id in self._offers.credentials(caller):
            raise StudiosError(
                "This credential is the administrator's",
                "",
                "Hide the links that you do not need",
                status=403,
            )
        await self._database.run(rows.remove_credential, caller.name, credential_id)
        self._finder.forget(credential_id)

    # --- what is whose ---

    async def _link(self, caller: Caller, link_id: str) -> tuple[Link, Known]:
        known = await self._database.run(rows.known, caller, link_id)
        if offered := self._offers.link(caller, link_id):
            return offered, known
        for link in await self._of_rows(caller, known.links):
            return link, known
        if link_id.startswith(FOUND):
            held = self._held(caller, known)
            if self._finder.credential_of(link_id) is None:
                await self._finder.look(_asked(held), patience=LONG)
            for link in self._found(caller, held):
                if link.id == link_id:
                    return link, known
        raise no_such("data link")

    async def _of_rows(self, caller: Caller, listed: Iterable[LinkRow]) -> list[Link]:
        seen = []
        for row in listed:
            if row.owner == caller.name:
                seen.append(links.own(row))
            elif row.workspace in await self._groups(row.owner):
                member = row.workspace in caller.groups
                seen.append(links.in_workspace(row) if member else links.as_administrator(row))
        return seen

    async def _groups(self, name: str) -> tuple[str, ...]:
        person = await self._hub.person(name)
        return tuple(person.get("groups", ())) if person else ()

    async def _check_still_offered(self, owner: str, offered: OfferedCredential) -> None:
        if offered.offer != "any" or not allowed(offered, owner, await self._groups(owner)):
            raise StudiosError(
                "The credential of this link is no longer offered",
                "an administrator took it back",
                "Ask an administrator, or use a credential of your own",
                status=403,
                field="credential",
            )

    def _held(self, caller: Caller, known: Known) -> dict[str, Held]:
        """The credentials that the caller may use; those that cannot be decrypted are left out."""
        held = {}
        for row in known.credentials.values():
            if row.owner == caller.name and (spec := self._opened(row, known)):
                held[row.id] = Held(row.id, spec)
        return held | {key: Held(key, one) for key, one in self._offers.credentials(caller).items()}

    def _opened(self, row: CredentialRow, known: Known) -> CredentialSpec | None:
        if row.id not in known.specs:
            try:
                known.specs[row.id] = self._vault.open(row.owner, row.id, row.sealed)
            except StudiosError:
                known.specs[row.id] = None
        return known.specs[row.id]

    def _found(self, caller: Caller, held: dict[str, Held]) -> Iterable[Link]:
        for one in held.values():
            for bucket in self._finder.answer(one.id).buckets or ():
                yield links.found(caller, one, bucket)

    def _view(self, link: Link, known: Known) -> LinkView:
        spec: CredentialSpec | None = self._offers.credential(link.credential_id)
        row = known.credentials.get(link.credential_id or "")
        if spec is None and row is not None:
            spec = self._opened(row, known)
        answer = self._finder.answer(link.credential_id) if link.credential_id else UNKNOWN
        return links.link_view(link, spec, answer, known.marks.get(link.id))


def _asked(held: dict[str, Held]) -> dict[str, CredentialSpec]:
    """Anonymous access lists no buckets anywhere."""
    return {one.id: one.spec for one in held.values() if one.spec.secret.type != "anonymous"}
